import { Subscription, type SchedulerLike } from 'rxjs';
import { Completion } from '../internal/Completion.js';
import { reportUnhandled } from '../internal/reportUnhandled.js';
import { resolveOnce } from '../internal/resolveOnce.js';
import type { CleanupScope } from './protocol.js';

export interface CleanupPatience {
  /** In milliseconds, or `Infinity`. */
  readonly cleanupTimeout: number;
  readonly scheduler: SchedulerLike;
}

/**
 * How the clean-up has ended that somebody has waited for.
 * @public
 */
export interface CleanupResult {
  /** `'timed-out'`: some of it had not settled when `cleanupTimeout` was over, and goes on; `'failed'`: some of it has failed. */
  readonly cleanup: 'done' | 'timed-out' | 'failed';
  /** What it has failed with: an `AggregateError` where several have. */
  readonly cleanupError?: unknown;
}

/**
 * The clean-ups that somebody waits for.
 *
 * Each is handed to the scope below as well, which waits for it too and answers for its failure; where nothing is below,
 * `onFailure` does, by default as RxJS reports unhandled errors. Who waits with `answer` answers for what fails meanwhile.
 */
export class Cleanups implements CleanupScope {
  private pending = 0;
  private notify: (() => void) | undefined;
  private failures: unknown[] | undefined;

  constructor(
    private readonly below: CleanupScope | undefined,
    private readonly onFailure: (error: unknown) => void = reportUnhandled,
  ) {}

  /** Whether nothing goes on. */
  get areSettled(): boolean {
    return this.pending === 0;
  }

  track(cleanup: PromiseLike<unknown>, onSettled?: () => void): void {
    const handedOn = this.below && new Completion();
    const settle = (fail?: () => void) => {
      fail?.();
      handedOn?.resolve();
      this.pending--;
      onSettled?.();
      if (this.pending === 0) this.notify?.();
    };
    const fail = (error: unknown) => {
      settle(() => {
        if (this.failures) this.failures.push(error);
        else if (handedOn) handedOn.reject(error);
        else this.onFailure(error);
      });
    };
    this.pending++;
    if (handedOn) this.below?.track(handedOn);
    resolveOnce(
      cleanup,
      () => {
        settle();
      },
      fail,
    );
  }

  /** A teardown that may throw, which is a clean-up that has failed. Until it is through, nobody has done with waiting. */
  attempt(teardown: () => void): void {
    this.pending++;
    try {
      teardown();
    } catch (thrown) {
      const failed = new Completion();
      failed.reject(thrown);
      this.track(failed);
    }
    this.pending--;
    if (this.pending === 0) this.notify?.();
  }

  /**
   * Calls `done` once: when all have settled (at once if there are none), after `cleanupTimeout` at the latest, and never
   * once the subscription that it gives is unsubscribed.
   */
  whenSettled({ cleanupTimeout, scheduler }: CleanupPatience, done: () => void): Subscription {
    const waiting = new Subscription(() => {
      this.notify = undefined;
    });
    const finish = () => {
      waiting.unsubscribe();
      done();
    };
    if (this.pending === 0) finish();
    else {
      this.notify = finish;
      if (cleanupTimeout < Infinity) waiting.add(scheduler.schedule(finish, cleanupTimeout));
    }
    return waiting;
  }

  /**
   * From now on what fails is kept, for the next who is answered with it. Where the subscription that it gives is
   * unsubscribed before, it is reported.
   */
  answer(): Subscription {
    const failures = (this.failures ??= []);
    return new Subscription(() => {
      this.failures = undefined;
      for (const error of failures.splice(0)) this.onFailure(error);
    });
  }

  /**
   * As `whenSettled`, but `done` is told what has failed meanwhile, and answers for it. Where the subscription that it gives
   * is unsubscribed before, that is reported instead.
   */
  answerWhenSettled(patience: CleanupPatience, done: (result: CleanupResult) => void): Subscription {
    const waiting = this.answer();
    waiting.add(
      this.whenSettled(patience, () => {
        const result = resultOf(this.failures?.splice(0) ?? [], this.pending > 0);
        waiting.unsubscribe();
        done(result);
      }),
    );
    return waiting;
  }
}

function resultOf(failures: readonly unknown[], goesOn: boolean): CleanupResult {
  if (failures.length === 0) return { cleanup: goesOn ? 'timed-out' : 'done' };
  const cleanupError =
    failures.length === 1 ? failures[0] : new AggregateError(failures, 'several clean-ups have failed');
  return { cleanup: goesOn ? 'timed-out' : 'failed', cleanupError };
}
