import type { SchedulerLike } from 'rxjs';
import { optionsObject, shown } from '../internal/arguments.js';
import { macrotask } from '../internal/macrotask.js';
import { SlicedScheduler } from '../internal/scheduling/SlicedScheduler.js';

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
 * - **Async context** (`AsyncLocalStorage`, a zone): that of whoever asked for the slice, since several actions run in one.
 * - **Backpressure**: none, and the line has no bound. `observeOn` takes whatever comes, and what RxJS itself keeps for each
 *   waiting value makes it slow where tens of thousands wait, with any scheduler (`npm run bench -- schedulers`): there, let the
 *   source be on the scheduler.
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

class CooperativeScheduler extends SlicedScheduler {
  constructor(private readonly budget: number) {
    super();
  }

  protected requestSlice(runSlice: () => void): () => void {
    // Not `scheduler.yield()`: its continuation goes before all timers, messages and responses, so that they, the delayed
    // actions among them, would wait until the line is empty; and it rejects when a task around it is aborted.
    return macrotask(runSlice);
  }

  protected runReady(): void {
    const end = performance.now() + this.budget;
    do this.ready.first?.run();
    while (this.ready.first && performance.now() < end);
  }
}
