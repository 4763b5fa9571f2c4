import type { SchedulerLike } from 'rxjs';
import { nonNegativeDurationOrInfinity, optionsObject } from '../internal/arguments.js';
import { requestIdleTurn, shortTurn, type IdleTurn } from '../internal/scheduling/idleTurn.js';
import type { ScheduledAction } from '../internal/scheduling/ScheduledAction.js';
import { SlicedScheduler } from '../internal/scheduling/SlicedScheduler.js';
import { LinkedList } from '../machines/LinkedList.js';

/**
 * Options of `idleScheduler`.
 * @public
 */
export interface IdleSchedulerOptions {
  /** How long an action waits for the event loop to be idle before it runs nevertheless, in ms. Default: Infinity. */
  timeout?: number;
}

/**
 * Creates a scheduler that runs its actions when the event loop has nothing else to do.
 *
 * ```text
 * actions      a to g are scheduled at once
 * event loop   --<click><render>-[abc]--<render>-[defg]--
 * ```
 *
 * Each [slice] is a call of `requestIdleCallback`: it lasts as long as the browser says that there is time, and for the rest of
 * its last action; at least one action runs. Each call of `idleScheduler` creates a scheduler with its own line.
 *
 * - **Order**: actions without a delay run first in, first out. A delayed action joins the end of the line when it is due, in
 *   the order of the due times. An action that schedules itself again joins the end of the line too.
 * - **Timeout**: an action that has been in line for `timeout` ms runs although the event loop is busy; those that are overdue run
 *   in slices of 5 ms. `Infinity` means that actions wait for as long as the loop is busy, if need be for ever; in a hidden page
 *   too, where browsers rarely say that there is time. The delay of an action comes before its timeout.
 * - **Where there is no `requestIdleCallback`** (Node, some versions of Safari) nobody tells who is idle. There a slice comes after
 *   the event loop has had a turn (`setImmediate`, or a `MessageChannel`) and lasts for 5 ms, and while actions are left, the next
 *   one comes after a timer of 0 ms: other work waits for one slice at most. A `timeout` longer than that makes no difference.
 * - **Delays**, an action that schedules itself again, and **errors**: as with `cooperativeScheduler`.
 * - **Unsubscribed**, an action that waits leaves the line or clears its timer. When none waits, the callback is cancelled
 *   (`cancelIdleCallback`), and nothing is left that keeps a process alive.
 * - **Backpressure**: none, and the line has no bound.
 * - **Drops** nothing.
 * - **Rather** `priorityScheduler('background')` where the work has to go on while the loop is busy with less, and the
 *   `TestScheduler` in marble tests. Fake timers move the delays; where they fake `requestIdleCallback` too, they say what is idle.
 *
 * @throws RangeError if called with a `timeout` that is negative or longer than a timer can be
 *
 * @example
 * ```ts
 * import { defer, of, subscribeOn } from 'rxjs';
 * import { idleScheduler } from 'rxjs-flow-control/schedulers';
 *
 * const warmUp = defer(() => of('the cache is warm'));
 * warmUp.pipe(subscribeOn(idleScheduler({ timeout: 2000 }))).subscribe(console.log);
 * console.log('the page is there');
 * // prints: the page is there, the cache is warm
 * ```
 * @public
 */
export function idleScheduler(options: IdleSchedulerOptions = {}): SchedulerLike {
  const { timeout = Infinity } = optionsObject(options);
  return new IdleScheduler(nonNegativeDurationOrInfinity('timeout', timeout));
}

class IdleScheduler extends SlicedScheduler<IdleTurn> {
  private isBehind = false;

  constructor(private readonly timeout: number) {
    super(new ArrivalLine(), new ArrivalLine());
  }

  protected requestSlice(runSlice: (turn: IdleTurn) => void): () => void {
    const { arrival = 0 } = this.ready.first ?? this.fired.first ?? {};
    const timeout = arrival + this.timeout - performance.now();
    return requestIdleTurn(runSlice, { timeout, afterPause: this.isBehind });
  }

  protected runReady(turn: IdleTurn): void {
    const end = performance.now() + shortTurn;
    do this.ready.first?.run();
    while (
      turn.timeRemaining() > 0 ? this.ready.first : turn.didTimeout && this.isOverdue() && performance.now() < end
    );
    this.isBehind = this.ready.first !== undefined;
  }

  private isOverdue(): boolean {
    const { arrival = Infinity } = this.ready.first ?? {};
    return performance.now() - arrival >= this.timeout;
  }
}

/** Knows since when each waits. */
class ArrivalLine extends LinkedList<ScheduledAction> {
  override add(action: ScheduledAction): void {
    action.arrival ??= performance.now();
    super.add(action);
  }
}
