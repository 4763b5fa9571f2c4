import { Subscription, type SchedulerLike } from 'rxjs';
import { reportUnhandled } from '../internal/reportUnhandled.js';
import type { CleanupScope } from './protocol.js';

export interface CleanupPatience {
  /** In milliseconds, or `Infinity`. */
  readonly cleanupTimeout: number;
  readonly scheduler: SchedulerLike;
}

/**
 * The clean-ups that somebody waits for.
 *
 * Each is handed to the scope below as well, which then answers for its failure; else `onFailure` does, by default as RxJS
 * reports unhandled errors.
 */
export class Cleanups implements CleanupScope {
  private pending = 0;
  private notify: (() => void) | undefined;

  constructor(
    private readonly below: CleanupScope | undefined,
    private readonly onFailure: (error: unknown) => void = reportUnhandled,
  ) {}

  track(cleanup: PromiseLike<unknown>, onSettled?: () => void): void {
    this.pending++;
    this.below?.track(cleanup);
    const settle = () => {
      this.pending--;
      onSettled?.();
      if (this.pending === 0) this.notify?.();
    };
    Promise.resolve(cleanup).then(settle, (error: unknown) => {
      if (!this.below) this.onFailure(error);
      settle();
    });
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
}
