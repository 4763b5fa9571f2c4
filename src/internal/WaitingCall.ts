import { leaveAbort, listenToAbort, type Abortable } from './abortLine.js';

/** A call that waits until it is answered, refused, or called off by its signal: whichever is first. */
export abstract class WaitingCall<R> implements Abortable {
  constructor(
    private readonly resolve: (result: R) => void,
    private readonly reject: (error: unknown) => void,
    private readonly signal: AbortSignal | undefined,
  ) {
    if (signal) listenToAbort(signal, this);
  }

  /** Not when it has been called off, also when it has not been told of that yet. */
  get ready(): boolean {
    return !this.signal?.aborted;
  }

  aborted(): void {
    this.leave();
    this.skip();
  }

  skip(): void {
    this.fail(this.signal?.reason);
  }

  protected answer(result: R): void {
    if (this.signal) leaveAbort(this.signal, this);
    this.resolve(result);
  }

  protected fail(error: unknown): void {
    if (this.signal) leaveAbort(this.signal, this);
    this.reject(error);
  }

  /** Leaves the line in which it waits. */
  protected abstract leave(): void;
}
