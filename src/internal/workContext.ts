/**
 * What work is told about its cancellation.
 * @public
 */
export interface WorkContext {
  /** Aborted when the work is no longer wanted. It is made when it is first read, so that who does not use it does not pay. */
  readonly signal: AbortSignal;
}

export class LazySignal implements WorkContext {
  private controller: AbortController | undefined;
  private aborted = false;

  get signal(): AbortSignal {
    if (!this.controller) {
      this.controller = new AbortController();
      if (this.aborted) this.controller.abort();
    }
    return this.controller.signal;
  }

  abort(): void {
    this.aborted = true;
    this.controller?.abort();
  }
}
