import type { SchedulerLike } from 'rxjs';
import { oneOf } from '../internal/arguments.js';
import { priorities } from '../internal/scheduling/prioritizedTask.js';
import { realmSchedulers } from '../internal/scheduling/realmSchedulers.js';

/**
 * Gives the scheduler of a priority: its actions run before all those of lower priorities, which have a share too, so that none starves.
 *
 * ```text
 * background      a b c d              are scheduled at once
 * user-blocking   X Y    then   Z      while b runs
 * event loop      --[XY]-[ab]--[Z]-[cd]--
 * ```
 *
 * Each [slice] is a task of its own of 8 ms and the rest of its last action: with the priority of the most urgent action that
 * waits where the platform has `scheduler.postTask`, else a macrotask (`setImmediate`, or a `MessageChannel`).
 *
 * - **Order**: actions of one priority run first in, first out, whoever scheduled them: each call gives the one scheduler of that
 *   priority in the realm (page, frame, worker, process), also to a second copy of this package. `user-blocking` goes before
 *   `user-visible`, that before `background`: already as the next action of the slice that runs. Where there is `postTask`, a slice
 *   ends before less urgent actions, and the browser orders the slices among its other tasks.
 * - **Ageing**: while more urgent actions run without a pause, `user-visible` ones have 1 ms in each 20 ms, and `background`
 *   ones 1 ms in each 100 ms: so the first in line starts after at most 20 or 100 ms behind others and the action that runs then.
 *   An action that takes longer uses up one such turn. Time in which no action of a priority scheduler runs does not count.
 * - **Delays**, an action that schedules itself again, **errors** and what happens when it is **unsubscribed**: as with
 *   `cooperativeScheduler`. When no action waits, nothing is left that keeps a process alive.
 * - **Two copies of RxJS** in one program: a long-lived subscriber of the other copy keeps each action until it is unsubscribed.
 * - **Backpressure**: none, and the line has no bound.
 * - **Drops** nothing.
 * - **Rather** `cooperativeScheduler` where nothing is more urgent than anything else, `idleScheduler` for what may wait until
 *   nothing else is to do, and the `TestScheduler` in marble tests. Fake timers move the delays, but their clock stands still
 *   during a slice: nobody ages then, and it lasts until the line is empty.
 *
 * The rule of ageing is that of Linux against starvation by real-time processes (`sched_rt_runtime_us`, the fair server); the
 * priorities are those of WICG, "Prioritized Task Scheduling".
 *
 * @throws RangeError if called with another `priority`
 *
 * @example
 * ```ts
 * import { observeOn, of } from 'rxjs';
 * import { priorityScheduler } from 'rxjs-flow-control/schedulers';
 *
 * of('report').pipe(observeOn(priorityScheduler('background'))).subscribe(console.log);
 * of('key').pipe(observeOn(priorityScheduler('user-blocking'))).subscribe(console.log);
 * // prints: key, report
 * ```
 * @public
 */
export function priorityScheduler(priority: 'user-blocking' | 'user-visible' | 'background'): SchedulerLike {
  return realmSchedulers()[oneOf('priority', priorities, priority)];
}
