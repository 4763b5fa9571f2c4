import type { ObservableInput, ObservedValueOf } from 'rxjs';
import { booleanOf, functionOf, optionsObject, positiveIntegerOrInfinity, shown } from '../internal/arguments.js';
import { Gathering, type GatherSettings } from '../internal/gather/Gathering.js';
import type { WorkContext } from '../internal/workContext.js';
import { readCleanupOptions, type CleanupOptions } from '../options/cleanup.js';
import { readName, type NameOptions } from '../options/name.js';
import { readSignal, type SignalOptions } from '../options/signal.js';

/**
 * A task of `gather`: its result is what it resolves to, or the last value that it emits.
 * @public
 */
export type GatherTask<R = unknown> = (context: WorkContext) => ObservableInput<R>;

/**
 * Options of `gather`.
 * @public
 */
export interface GatherOptions extends SignalOptions, CleanupOptions, NameOptions {
  /** How many tasks may run at a time. Default: `Infinity`. */
  concurrent?: number;
  /** Lets every task come to its end, and gives outcomes, as `Promise.allSettled` does. Default: `false`. */
  settle?: boolean;
}

/**
 * What a task of `gather` results in.
 * @public
 */
export type GatherResult<Task> = Task extends GatherTask ? ObservedValueOf<ReturnType<Task>> : never;

/**
 * Runs tasks, a few at a time if wanted, and gives their results in the order of the tasks.
 *
 * ```marble
 * a                         --1|
 * b                         ----2|
 * gather([() => a, () => b])  -----(r|)
 * ```
 *
 * Here `r` is `['1', '2']`. Python's `asyncio.gather`, with the cancellation that finishes: the first error aborts the `signal` of
 * each task that runs, unsubscribes from it and starts no other; the promise rejects when their clean-ups have settled. With
 * `settle` every task comes to its end and the promise gives the outcomes.
 *
 * - **Completes**, that is: resolves, when all tasks and their clean-ups have.
 * - **Errors**: it rejects with the first error of a task; with an `EmptyTaskError` if one completes without a value; with the
 *   reason of `signal` when that is aborted, with `settle` too. Before, it waits for clean-up: `cleanupTimeout` at the most. What
 *   that fails with is reported as unhandled.
 * - **Unsubscribed** is a task when another has failed or `signal` is aborted. One that is a promise goes on by itself: it is
 *   waited for if it has read its `signal`.
 * - **Backpressure**: tasks beyond `concurrent` are not started; what one emits is taken as it comes.
 * - **Drops** all values of a task but the last, and every result after an error.
 * - **Rather** `bufferedMergeMap` when the results are to be seen as they come, or the tasks are too many to be all there.
 *
 * @throws RangeError if called with an option out of range
 * @throws TypeError if a task is no function, or an option is of another type
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { gather } from 'rxjs-flow-control';
 *
 * const [user, points] = await gather([async ({ signal }) => (signal.aborted ? '' : 'Ada'), () => of(1, 2, 3)]);
 * console.log(user.toUpperCase(), points.toFixed(1));
 * // prints: ADA 3.0
 * ```
 * @public
 */
export function gather<Tasks extends readonly GatherTask[] | []>(
  tasks: Tasks,
  options: GatherOptions & { settle: true },
): Promise<{ -readonly [I in keyof Tasks]: PromiseSettledResult<GatherResult<Tasks[I]>> }>;
/** @public */
export function gather<Tasks extends readonly GatherTask[] | []>(
  tasks: Tasks,
  options?: GatherOptions & { settle?: false },
): Promise<{ -readonly [I in keyof Tasks]: GatherResult<Tasks[I]> }>;
/** @public */
export function gather<R>(
  tasks: Iterable<GatherTask<R>>,
  options: GatherOptions & { settle: true },
): Promise<PromiseSettledResult<R>[]>;
/** @public */
export function gather<R>(tasks: Iterable<GatherTask<R>>, options?: GatherOptions & { settle?: false }): Promise<R[]>;
export function gather<R>(
  tasks: Iterable<GatherTask<R>>,
  options: GatherOptions = {},
): Promise<(R | PromiseSettledResult<R>)[]> {
  const settings = readOptions(options);
  const all = readTasks(tasks);
  return new Promise((resolve, reject) => {
    new Gathering(all, settings, resolve, reject).start();
  });
}

function readOptions(options: GatherOptions): GatherSettings {
  const { concurrent = Infinity, settle = false } = optionsObject(options);
  return {
    concurrent: positiveIntegerOrInfinity('concurrent', concurrent),
    settle: booleanOf('settle', settle),
    signal: readSignal(options),
    patience: readCleanupOptions(options),
    where: readName('gather', options),
  };
}

function readTasks<R>(tasks: Iterable<GatherTask<R>>): GatherTask<R>[] {
  if (typeof (tasks as Partial<Iterable<unknown>> | undefined)?.[Symbol.iterator] !== 'function')
    throw new TypeError(`tasks must be an iterable of functions, got ${shown(tasks)}`);
  return Array.from(tasks, (task, i) => functionOf(`tasks[${String(i)}]`, task));
}
