import { Subscriber } from 'rxjs';
import type { LevelGate } from '../../link/LevelGate.js';
import { cleanupScopeKey, gateKey, type CleanupScope, type Gate, type Linked } from '../../link/protocol.js';
import { LeanSubscriber } from '../LeanSubscriber.js';
import type { Listed } from '../../machines/LinkedList.js';
import type { Ticket } from './MergeSettings.js';
import type { InnerWork } from './InnerWork.js';
import type { MergeOperation } from './MergeOperation.js';

/** Subscribed to the source. A class of its own instead of `operate`, for speed (`npm run bench -- sync`). */
export class OuterSubscriber<T, R> extends Subscriber<T> implements Linked {
  readonly [gateKey]: Gate;
  private ended: boolean;

  constructor(private readonly operation: MergeOperation<T, R>) {
    super(operation.destination as Subscriber<unknown>);
    this[gateKey] = operation.gate;
    this.ended = this.closed; // the destination may have been closed before
  }

  override next(value: T): void {
    if (!this.ended) this.operation.receive(value);
  }

  override error(error?: unknown): void {
    if (this.ended) return;
    this.ended = true;
    try {
      this.operation.fail(error);
    } finally {
      this.unsubscribe();
    }
  }

  override complete(): void {
    if (this.ended) return;
    this.ended = true;
    try {
      this.operation.completeSource();
    } finally {
      this.unsubscribe();
    }
  }

  override unsubscribe(): void {
    this.ended = true;
    super.unsubscribe();
  }
}

/**
 * Subscribed to one inner source; it is also the slot that the inner source takes.
 *
 * It hangs in a list of its operation instead of among the teardowns of the destination, where RxJS would search for each
 * one that ends.
 */
export class InnerSubscriber<T, R>
  extends LeanSubscriber<R>
  implements Linked, CleanupScope, Listed<InnerSubscriber<T, R>>
{
  previous: InnerSubscriber<T, R> | undefined = undefined;
  following: InnerSubscriber<T, R> | undefined = undefined;
  /** In source order, where each inner source waits for its own turn. */
  gate: LevelGate | undefined = undefined;
  private ended = false;
  /** For what the slot is still taken: the inner source itself, its results that wait, its clean-ups. */
  private holds = 1;

  constructor(
    private readonly operation: MergeOperation<T, R>,
    private readonly work: InnerWork,
    /** What its value had while it waited. */
    readonly ticket: Ticket<T>,
  ) {
    super(operation.destination);
    operation.addInner(this);
  }

  get [gateKey](): Gate | undefined {
    return this.operation.gateFor(this);
  }

  get [cleanupScopeKey](): CleanupScope {
    this.operation.expectCleanup();
    return this;
  }

  next(value: R): void {
    if (!this.ended) this.operation.emit(value, this);
  }

  error(error?: unknown): void {
    if (this.ended) return;
    this.ended = true;
    this.work.end();
    try {
      this.operation.fail(error);
    } finally {
      this.unsubscribe();
    }
  }

  complete(): void {
    if (this.ended) return;
    this.ended = true;
    this.work.end();
    try {
      this.unsubscribe();
    } finally {
      this.operation.closeInner(this);
      this.release();
    }
  }

  override unsubscribe(): void {
    if (this.closed) return;
    this.ended = true;
    this.operation.removeInner(this);
    super.unsubscribe();
  }

  track(cleanup: PromiseLike<unknown>): void {
    const tooLate = this.holds === 0;
    if (!tooLate) this.hold();
    this.operation.expectCleanup().track(cleanup, () => {
      if (!tooLate) this.release();
    });
  }

  hold(): void {
    this.holds++;
  }

  release(): void {
    if (--this.holds === 0) this.operation.freeSlot(this.ticket);
  }
}
