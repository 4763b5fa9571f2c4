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
  private cancellation: { readonly reason: unknown } | undefined;

  /** `onRead` is called when the signal is first read, before it is made. */
  constructor(private readonly onRead?: () => void) {}

  get signal(): AbortSignal {
    if (!this.controller) {
      this.onRead?.();
      this.controller = new AbortController();
      if (this.cancellation) this.controller.abort(this.cancellation.reason);
    }
    return this.controller.signal;
  }

  /** Only the first counts. */
  abort(reason?: unknown): void {
    this.cancellation ??= { reason };
    this.controller?.abort(reason);
  }
}
