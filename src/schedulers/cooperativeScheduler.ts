import { Subscription, type SchedulerAction, type SchedulerLike } from 'rxjs';
import { functionOf, optionsObject, shown } from '../internal/arguments.js';
import { macrotask } from '../internal/macrotask.js';
import { reportUnhandled } from '../internal/reportUnhandled.js';
import { LinkedList, type Listed } from '../machines/LinkedList.js';

/**
 * Options of `cooperativeScheduler`.
 * @public
 */
export interface CooperativeSchedulerOptions {
  /** How long actions may run one after the other before the event loop gets a turn, in ms. Default: 8. */
  budget?: number;
}

/**
 * Creates a scheduler that runs its actions one after the other until a budget of time is used, then gives the event loop a turn.
 *
 * ```text
 * actions      a to i are scheduled at once, c takes long
 * event loop   --[abc]-[defg]-<click>-[hi]--
 * ```
 *
 * Each [slice] is a task of its own. It costs little per action, as `queueScheduler` does, and leaves timers, input, rendering
 * and I/O their turn, as `asyncScheduler` does. Each call creates a scheduler with its own line and its own budget.
 *
 * - **Order**: actions without a delay run first in, first out. A delayed action joins the end of the line when it is due, in
 *   the order of the due times. An action that schedules itself again joins the end of the line too.
 * - **Starts** never within `schedule()`, always in a macrotask (`setImmediate`, or a `MessageChannel` where there is none).
 *   An action is not interrupted: a slice lasts for the budget and the rest of its last action. Promises settle after a slice.
 * - **Delays** are timers. An action that schedules itself again with the same delay keeps its beat: the time that its work
 *   took is no part of the delay. A delay that is not positive is none, and one of `Infinity` does not end.
 * - **Errors**: an action that throws is unsubscribed, and its error is reported as RxJS reports unhandled errors: to
 *   `config.onUnhandledError`, else thrown in a task of its own. The other actions run.
 * - **Unsubscribed**, an action that waits leaves the line or clears its timer. When none waits, nothing is left that keeps a
 *   process alive.
 * - **Backpressure**: none, and the line has no bound. `observeOn` takes whatever comes, and what RxJS itself keeps for each
 *   waiting value makes it slow from some 16 000 on, with any scheduler: there, let the source be on the scheduler.
 * - **Drops** nothing.
 * - **Rather** `asyncScheduler` where the event loop is to have a turn after each action, and the `TestScheduler` in marble
 *   tests. Fake timers move the delays, but their clock stands still during a slice: it lasts until the line is empty.
 *
 * @throws RangeError if called with a `budget` that is not a positive number
 *
 * @example
 * ```ts
 * import { count, scheduled } from 'rxjs';
 * import { cooperativeScheduler } from 'rxjs-flow-control/schedulers';
 *
 * const million = Array.from({ length: 1_000_000 }, (_, index) => index);
 * scheduled(million, cooperativeScheduler({ budget: 8 }))
 *   .pipe(count())
 *   .subscribe((values) => console.log(`${values} values`));
 * setTimeout(() => console.log('a timer has its turn'));
 * // prints: a timer has its turn, 1000000 values
 * ```
 * @public
 */
export function cooperativeScheduler(options: CooperativeSchedulerOptions = {}): SchedulerLike {
  const { budget = 8 } = optionsObject(options);
  if (!Number.isFinite(budget) || budget <= 0) {
    throw new RangeError(`budget must be a positive number of milliseconds, got ${shown(budget)}`);
  }
  return new CooperativeScheduler(budget);
}

type Work<T> = (this: SchedulerAction<T>, state?: T) => void;

class CooperativeScheduler implements SchedulerLike {
  readonly ready = new LinkedList<CooperativeAction>();
  /** Whose timers have fired, not lined up yet: in the order in which they fired, which need not be that of their due times. */
  readonly fired = new LinkedList<CooperativeAction>();
  private cancelSlice: (() => void) | undefined;
  private inSlice = false;
  private latest = -Infinity;

  constructor(private readonly budget: number) {}

  now(): number {
    return Date.now();
  }

  /** `now` that never goes back, so that a clock that is put back cannot turn the order round. */
  steadyNow(): number {
    return (this.latest = Math.max(this.latest, this.now()));
  }

  schedule<T>(work: Work<T>, delay = 0, state?: T): Subscription {
    return new CooperativeAction(this, functionOf('work', work) as Work<unknown>).schedule(state, delay);
  }

  lineUpFired(): void {
    if (!this.fired.first) return;
    const actions = [...this.fired].sort((a, b) => a.dueTime - b.dueTime);
    for (const action of actions) action.join(this.ready);
  }

  /** Sees to it that a slice is to come exactly as long as somebody waits for it. */
  arrangeSlice(): void {
    if (this.inSlice) return;
    if (this.ready.first || this.fired.first) {
      // Not `scheduler.yield()`: its continuation goes before all timers, messages and responses, so that they, the delayed
      // actions among them, would wait until the line is empty; and it rejects when a task around it is aborted.
      this.cancelSlice ??= macrotask(this.runSlice);
    } else {
      this.cancelSlice?.();
      this.cancelSlice = undefined;
    }
  }

  private readonly runSlice = (): void => {
    this.cancelSlice = undefined;
    this.inSlice = true;
    this.lineUpFired();
    const end = performance.now() + this.budget;
    do this.ready.first?.run();
    while (this.ready.first && performance.now() < end);
    this.inSlice = false;
    this.arrangeSlice();
  };
}

/** The longest time that a timer can be set to. */
const longestTimer = 2 ** 31 - 1;

/** Waits in a line, or for its timer, or not at all: then it runs, or somebody may schedule it again. */
class CooperativeAction extends Subscription implements SchedulerAction<unknown>, Listed<CooperativeAction> {
  previous: CooperativeAction | undefined;
  following: CooperativeAction | undefined;
  dueTime = 0;
  private delay = 0;
  private state: unknown;
  private inWork = false;
  /** In which it stands, or has stood last. */
  private line: LinkedList<CooperativeAction> | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly scheduler: CooperativeScheduler,
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
      this.scheduler.lineUpFired(); // they were first
      this.join(this.scheduler.ready);
    }
    this.delay = delay;
    this.scheduler.arrangeSlice();
    return this;
  }

  /** Joins a line, and leaves the one in which it has stood. */
  join(line: LinkedList<CooperativeAction>): void {
    this.line?.remove(this);
    this.line = line;
    line.add(this);
  }

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
    this.scheduler.arrangeSlice();
    super.unsubscribe();
  }

  private startDelay(delay: number): void {
    const now = this.scheduler.steadyNow();
    const keepsBeat = this.inWork && delay === this.delay;
    const late = keepsBeat ? Math.min(Math.max(now - this.dueTime, 0), delay) : 0;
    this.dueTime = now + delay - late;
    this.setTimer(delay - late);
  }

  private setTimer(time: number): void {
    if (time === Infinity) return;
    const fire = () => {
      if (time > longestTimer) this.setTimer(time - longestTimer);
      else this.join(this.scheduler.fired);
      this.scheduler.arrangeSlice();
    };
    this.timer = setTimeout(fire, Math.min(time, longestTimer));
  }

  /** No longer waits, whatever for. */
  private leave(): void {
    this.state = undefined;
    this.line?.remove(this);
    if (this.timer === undefined) return;
    clearTimeout(this.timer);
    this.timer = undefined;
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
