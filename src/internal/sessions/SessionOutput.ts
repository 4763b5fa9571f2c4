import type { Subscriber } from 'rxjs';
import type { Cleanups } from '../../link/Cleanups.js';
import { cleanupScopeKey, gateKey, type CleanupScope, type Gate, type Linked } from '../../link/protocol.js';
import { LeanSubscriber } from '../LeanSubscriber.js';

interface Ended {
  /** There are no more values. */
  end(): void;
}

/** The operator that takes what handlers give. */
interface Owner<S extends Ended, R> {
  readonly destination: Subscriber<R>;
  readonly innerGate: Gate | undefined;
  /** Somebody may have to be waited for in the end. */
  expectCleanup(): Cleanups;
  emit(result: R, output: SessionOutput<S, R>): void;
  /** The handler of the session has failed. */
  fail(session: S, error: unknown): void;
  /** The handler of the session has completed. */
  endHandler(session: S): void;
  /** The handler has completed, its results are out, and its clean-ups have settled. */
  free(session: S): void;
}

/** Subscribed to what a handler gives. It keeps the session alive until all of that is over. */
export class SessionOutput<S extends Ended, R> extends LeanSubscriber<R> implements Linked, CleanupScope {
  private ended = false;
  /** What is not over: the handler itself, its results that wait, its clean-ups. */
  private holds = 1;

  constructor(
    private readonly owner: Owner<S, R>,
    readonly session: S,
  ) {
    super(owner.destination);
  }

  get [gateKey](): Gate | undefined {
    return this.owner.innerGate;
  }

  get [cleanupScopeKey](): CleanupScope {
    this.owner.expectCleanup();
    return this;
  }

  next(result: R): void {
    if (!this.ended) this.owner.emit(result, this);
  }

  error(error?: unknown): void {
    if (this.ended) return;
    this.ended = true;
    try {
      this.owner.fail(this.session, error);
    } finally {
      this.unsubscribe();
    }
  }

  complete(): void {
    if (this.ended) return;
    this.ended = true;
    this.owner.endHandler(this.session);
    try {
      this.unsubscribe(); // whoever still reads in the handler is torn down
      this.session.end(); // and is told where that was not known
    } finally {
      this.release();
    }
  }

  override unsubscribe(): void {
    this.ended = true;
    super.unsubscribe();
  }

  track(cleanup: PromiseLike<unknown>): void {
    const tooLate = this.holds === 0;
    if (!tooLate) this.hold();
    this.owner.expectCleanup().track(cleanup, () => {
      if (!tooLate) this.release();
    });
  }

  hold(): void {
    this.holds++;
  }

  release(): void {
    if (--this.holds === 0) this.owner.free(this.session);
  }
}
