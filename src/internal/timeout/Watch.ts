import type { SchedulerLike, Subscription } from 'rxjs';
import { Passage } from '../../link/Passage.js';
import type { Gate } from '../../link/protocol.js';
import { TimeLimits, type TimeLimit, type TimeLimitSettings } from '../../machines/TimeLimits.js';

/**
 * Watches that values come in time. Silence counts only while the consumer below can take a value.
 *
 * One timer, which no value moves: when it fires, it goes on for what is left (`npm run bench -- timeout`). A timer that comes
 * late says that the event loop was busy, not that the source was silent: then what has come meanwhile has its turn first.
 */
export class Watch {
  private readonly limits: TimeLimits;
  private readonly passage: Passage;
  private timer: Subscription | undefined;
  /** What the timer is set for. */
  private timerDue = Infinity;
  private isLate = false;
  private running = false;
  private stopped = false;
  /** Once no limit is left for silence, values do not matter. */
  private heedsValues = true;

  constructor(
    settings: TimeLimitSettings,
    private readonly scheduler: SchedulerLike,
    gate: Gate | undefined,
    private readonly onExpired: (limit: TimeLimit) => void,
  ) {
    this.limits = new TimeLimits(settings, scheduler.now());
    this.passage = new Passage(gate, () => {
      this.listen();
    });
  }

  /** To be called when the source is subscribed: one that is synchronous needs no timer. */
  start(): void {
    if (this.stopped) return;
    this.running = true;
    this.listen();
  }

  /** A value has passed. */
  pass(): void {
    if (!this.heedsValues) return;
    this.limits.pass();
    this.heedsValues = this.limits.limitsSilence;
    if (this.running) this.listen();
  }

  stop(): void {
    this.stopped = true;
    this.heedsValues = false;
    this.passage.leave();
    this.cancelTimer();
  }

  /** Silence begins, or begins anew. */
  private listen(): void {
    const { limits, passage } = this;
    if (!limits.limitsSilence) passage.leave();
    else if (passage.isOpen) {
      passage.leave();
      limits.count(this.scheduler.now());
    } else {
      limits.pause();
      passage.wait();
    }
    this.setTimer();
  }

  private setTimer(): void {
    const { due } = this.limits;
    if (due >= this.timerDue) {
      if (due === Infinity) this.cancelTimer();
      return;
    }
    this.cancelTimer();
    this.schedule(due - this.scheduler.now());
  }

  private schedule(delay: number): void {
    this.timerDue = this.limits.due;
    this.timer = this.scheduler.schedule(this.onTimer, Math.max(0, delay));
  }

  private cancelTimer(): void {
    this.timerDue = Infinity;
    this.timer?.unsubscribe();
    this.timer = undefined;
  }

  private readonly onTimer = (): void => {
    const { limits, passage } = this;
    this.cancelTimer();
    const rest = limits.due - this.scheduler.now();
    const isLate = this.isLate;
    this.isLate = false;
    if (rest > 0) this.setTimer();
    else if (limits.limit !== 'total' && !passage.isOpen) this.listen();
    else if (rest < 0 && !isLate) {
      this.isLate = true;
      this.schedule(0);
    } else {
      this.stop();
      this.onExpired(limits.limit);
    }
  };
}
