import type { SchedulerLike, Subscription } from 'rxjs';
import { longestDelay } from './arguments.js';

/** One timer for all who wait. It may ring too early, never too late: whoever is woken looks what is due, and sets it again. */
export class Alarm {
  private timer: Subscription | undefined;
  private due = Infinity;

  constructor(
    private readonly scheduler: SchedulerLike,
    private readonly onRing: () => void,
  ) {}

  /** `Infinity`: not at all. One that is set for an earlier time stays: to set it anew each time costs more than to ring once. */
  set(due: number, now = this.scheduler.now()): void {
    if (due === Infinity) this.stop();
    if (this.due <= due) return;
    this.stop();
    this.due = due;
    let rang = false; // a scheduler may call back at once, and what rings may set it again
    const timer = this.scheduler.schedule(
      () => {
        rang = true;
        this.stop();
        this.onRing();
      },
      Math.min(longestDelay, Math.max(0, due - now)),
    );
    if (!rang) this.timer = timer;
  }

  stop(): void {
    this.due = Infinity;
    this.timer?.unsubscribe();
    this.timer = undefined;
  }
}
