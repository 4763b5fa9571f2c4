import { Subscription, type SchedulerAction } from 'rxjs';
import type { LinkedList, Listed } from '../../machines/LinkedList.js';
import { reportUnhandled } from '../reportUnhandled.js';

export type Work<T> = (this: SchedulerAction<T>, state?: T) => void;

/** What an action needs of its scheduler. */
export interface ActionLines {
  /** Who may run, first in, first out. */
  readonly ready: LinkedList<ScheduledAction>;
  /** Whose timers have fired, not lined up yet: in the order in which they fired, which need not be that of their due times. */
  readonly fired: LinkedList<ScheduledAction>;
  /** The time, which never goes back. */
  steadyNow(): number;
  /** Calls `fire` in so many ms. Returns the cancellation. */
  startTimer(fire: () => void, ms: number): () => void;
  /** Moves those that have fired to the end of the line. */
  lineUpFired(): void;
  /** Somebody has come to a line, or left one: sees to it that those who wait get their turn, and that nothing is kept for nobody. */
  arrange(): void;
}

/** The longest time that a timer can be set to. */
const longestTimer = 2 ** 31 - 1;

/** Waits in a line, or for its timer, or not at all: then it runs, or somebody may schedule it again. */
export class ScheduledAction extends Subscription implements SchedulerAction<unknown>, Listed<ScheduledAction> {
  previous: ScheduledAction | undefined;
  following: ScheduledAction | undefined;
  dueTime = 0;
  /** Since when it waits to run; kept by the lines that ask for it. */
  arrival: number | undefined;
  private delay = 0;
  private state: unknown;
  private inWork = false;
  /** In which it stands, or has stood last. */
  private line: LinkedList<ScheduledAction> | undefined;
  private cancelTimer: (() => void) | undefined;

  constructor(
    private readonly lines: ActionLines,
    private work: Work<unknown> | undefined,
  ) {
    super();
  }

  /** An action waits once: scheduled while it waits, it gets the new state and the new delay. */
  schedule(state?: unknown, delay = 0): Subscription {
    if (this.closed) return this;
    this.leave();
    this.state = state;
    if (delay > 0) this.startDelay(delay);
    else {
      this.lines.lineUpFired(); // they were first
      this.join(this.lines.ready);
    }
    this.delay = delay;
    this.lines.arrange();
    return this;
  }

  /** Joins a line, and leaves the one in which it has stood. */
  join(line: LinkedList<ScheduledAction>): void {
    this.line?.remove(this);
    this.line = line;
    line.add(this);
  }

  /** Leaves the line, and does the work; what that throws is reported. */
  run(): void {
    const { state } = this;
    this.leave();
    this.inWork = true;
    try {
      this.work?.(state);
    } catch (thrown) {
      this.fail(thrown);
    }
    this.inWork = false;
  }

  override unsubscribe(): void {
    this.leave();
    this.work = undefined;
    this.lines.arrange();
    super.unsubscribe();
  }

  private startDelay(delay: number): void {
    const now = this.lines.steadyNow();
    const keepsBeat = this.inWork && delay === this.delay;
    const late = keepsBeat ? Math.min(Math.max(now - this.dueTime, 0), delay) : 0;
    this.dueTime = now + delay - late;
    this.setTimer(delay - late);
  }

  private setTimer(time: number): void {
    if (time === Infinity) return;
    let fired = false; // a scheduler may call back at once, and the work may have set the next timer
    const fire = () => {
      fired = true;
      if (time > longestTimer) this.setTimer(time - longestTimer);
      else this.join(this.lines.fired);
      this.lines.arrange();
    };
    const cancel = this.lines.startTimer(fire, Math.min(time, longestTimer));
    if (!fired) this.cancelTimer = cancel;
  }

  /** No longer waits, whatever for. */
  private leave(): void {
    this.state = this.arrival = undefined;
    this.line?.remove(this);
    this.cancelTimer?.();
    this.cancelTimer = undefined;
  }

  private fail(thrown: unknown): void {
    reportUnhandled(thrown);
    try {
      this.unsubscribe();
    } catch (thrownByTeardown) {
      reportUnhandled(thrownByTeardown);
    }
  }
}
