import type { Pause } from './macrotask.js';

/** So many values, then a rest, and so on. A rest that was begun is taken to its end, whatever else happens. */
export class Pace {
  /** It is the turn of others. */
  isResting = false;
  private count = 0;
  private cancel: (() => void) | undefined;

  constructor(
    private readonly size: number,
    private readonly rest: Pause,
    private readonly onRested: () => void,
  ) {}

  /** To be called for each value, before it leaves. */
  step(): void {
    if (++this.count < this.size) return;
    this.count = 0;
    this.isResting = true; // before the scheduler is called, which may run the work at once
    this.cancel = this.rest(() => {
      this.isResting = false;
      this.onRested();
    });
  }

  stop(): void {
    this.cancel?.();
  }
}
