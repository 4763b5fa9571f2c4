import type { ObservableInput, Subscriber } from 'rxjs';
import { ReleaseError } from '../../errors/ReleaseError.js';
import { Cleanups, type CleanupResult } from '../../link/Cleanups.js';
import type { CleanupScope } from '../../link/protocol.js';
import { findCanceller, findCleanupScope } from '../../link/walk.js';
import type { Place } from '../../machines/Place.js';
import { subscribeWork } from '../abortableWork.js';
import { Completion } from '../Completion.js';
import { isCancellation } from '../isCancellation.js';
import { operate } from '../operate.js';
import { reportUnhandled } from '../reportUnhandled.js';
import type { WorkContext } from '../workContext.js';
import type { PoolClaim, PoolEngine } from './PoolEngine.js';

interface Failure {
  readonly error: unknown;
}

/** One subscription to `pool.use(work)`: waits for a resource, works with it, waits for the clean-ups of that, and gives it back. */
export class PoolUse<R, T> implements PoolClaim<R> {
  previous: PoolClaim<R> | undefined = undefined;
  following: PoolClaim<R> | undefined = undefined;
  deadline = Infinity;
  private readonly scope: CleanupScope | undefined;
  private readonly cleanups: Cleanups;
  private waiting = false;
  private place: Place<R> | undefined;
  private outcome: ReleaseError['outcome'] = 'cancel';
  private failure: Failure | undefined;
  /** What work gives may be torn down only when it has come back. */
  private starting = false;
  private ended = false;
  private unsubscribed = false;
  /** Why it was asked to stop, and let. */
  private asked: { readonly reason: unknown } | undefined;
  private leaveCanceller: (() => void) | undefined;
  /** For the scope below, once it is unsubscribed. */
  private readonly remainder = new Completion();

  constructor(
    private readonly engine: PoolEngine<R>,
    private readonly work: (resource: R, context: WorkContext) => ObservableInput<T>,
    private readonly destination: Subscriber<T>,
  ) {
    this.scope = findCleanupScope(destination);
    this.cleanups = new Cleanups(this.scope);
  }

  start(): void {
    const { destination, engine } = this;
    if (destination.closed) return;
    destination.add(() => {
      this.unsubscribe();
    });
    const place = engine.inventory.take();
    if (place) this.admit(place);
    else {
      this.waiting = true;
      engine.claim(this);
    }
  }

  admit(place: Place<R>): boolean {
    const { destination, work } = this;
    const resource = place.resource as R;
    this.waiting = false;
    this.place = place;
    this.leaveCanceller = findCanceller(destination)?.onCancel((reason) => {
      this.asked = { reason };
    });
    const user = operate<T, T>({
      destination,
      cleanupScope: this.cleanups,
      error: (error) => {
        const { asked } = this;
        if (!asked || !isCancellation(error, asked.reason)) this.outcome = 'error';
        this.failure = { error };
      },
      complete: () => {
        this.outcome = 'complete';
      },
      finalize: () => {
        this.ended = true;
        if (!this.starting) this.cleanUp();
      },
    });
    this.starting = true;
    subscribeWork((signal) => work(resource, { signal }), user);
    this.starting = false;
    if (this.ended) this.cleanUp();
    return true;
  }

  refuse(error: unknown): void {
    this.failure = { error };
    this.tell();
  }

  private unsubscribe(): void {
    this.leaveCanceller?.();
    if (this.waiting) this.engine.leave(this);
    else if (this.place) {
      this.unsubscribed = true;
      this.scope?.track(this.remainder);
    }
  }

  private cleanUp(): void {
    const { engine, cleanups } = this;
    cleanups.answerWhenSettled(engine.settings.patience, (cleaned) => {
      const place = this.place as Place<R>;
      const isBroken = cleaned.cleanup !== 'done' || this.hasBroken(place.resource as R);
      if (cleaned.cleanup !== 'done') this.failure = { error: this.releaseError(cleaned) };
      else if (this.unsubscribed) this.failure = undefined; // nobody is left to be told
      this.place = undefined;
      engine.giveBack(place, isBroken, this.tell);
    });
  }

  private hasBroken(resource: R): boolean {
    if (!this.failure || this.outcome === 'cancel') return false;
    try {
      return this.engine.settings.shouldDestroy(this.failure.error, resource);
    } catch (thrown) {
      reportUnhandled(thrown);
      return true;
    }
  }

  private releaseError({ cleanup, cleanupError }: CleanupResult): ReleaseError {
    const reason = cleanup === 'timed-out' ? cleanup : 'failed';
    const { where } = this.engine.settings;
    return new ReleaseError(where, this.outcome, 'clean-up', reason, cleanupError, this.failure?.error);
  }

  private readonly tell = (): void => {
    const { destination, failure, remainder, scope } = this;
    try {
      if (!this.unsubscribed) {
        if (failure) destination.error(failure.error);
        else destination.complete();
      } else if (!failure) remainder.resolve();
      else if (scope) remainder.reject(failure.error);
      else reportUnhandled(failure.error);
    } catch (thrown) {
      reportUnhandled(thrown); // by a teardown below
    }
  };
}
