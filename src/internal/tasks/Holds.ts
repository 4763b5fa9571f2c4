import type { Subscription } from 'rxjs';
import { Cleanups, type CleanupPatience } from '../../link/Cleanups.js';

/** Whose holds they are. */
export interface Holder {
  cleanupFailed(error: unknown): void;
  /** One is gone, others still hold. */
  released(): void;
  /** Nothing holds it any more. */
  settled(): void;
  /** Something does, though the time for it is over. */
  expired(): void;
}

/** For what a task is not over (its function, its work, its clean-ups), and how long that may take once it is to end. */
export class Holds {
  private count = 0;
  private cleanups: Cleanups | undefined;
  private timer: Subscription | undefined;

  constructor(
    private readonly holder: Holder,
    private readonly patience: CleanupPatience,
  ) {}

  add(): void {
    this.count++;
  }

  release(): void {
    if (--this.count === 0) this.holder.settled();
    else this.holder.released();
  }

  track(cleanup: PromiseLike<unknown>): void {
    this.add();
    this.cleanups ??= new Cleanups(undefined, (error) => {
      this.holder.cleanupFailed(error);
    });
    this.cleanups.track(cleanup, () => {
      this.release();
    });
  }

  /** From now on there is so much time. To be called by who holds it: alone, he needs none. */
  limit(): void {
    const { cleanupTimeout, scheduler } = this.patience;
    if (this.count === 1 || this.timer || cleanupTimeout === Infinity) return;
    this.timer = scheduler.schedule(() => {
      this.holder.expired();
    }, cleanupTimeout);
  }

  stopTime(): void {
    this.timer?.unsubscribe();
  }
}
