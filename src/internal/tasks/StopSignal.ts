/** What `AbortController` gives, too. */
export const abortError = (): unknown => AbortSignal.abort().reason;

/** Whether a task has been told to stop, and why. Its signal is made when it is first read. */
export class StopSignal {
  isAborted = false;
  reason: unknown = undefined;
  private controller: AbortController | undefined = undefined;

  get signal(): AbortSignal {
    if (!this.controller) {
      this.controller = new AbortController();
      if (this.isAborted) this.controller.abort(this.reason);
    }
    return this.controller.signal;
  }

  /** Only the first reason counts; nobody is told of it before `tell`. */
  abort(reason: unknown): void {
    this.isAborted = true;
    this.reason = reason;
  }

  tell(): void {
    this.controller?.abort(this.reason);
  }
}
