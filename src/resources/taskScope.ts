import { noop, type Observable, type ObservableInput } from 'rxjs';
import {
  functionOf,
  nonNegativeIntegerOrInfinity,
  oneOf,
  optionalString,
  optionsObject,
  positiveIntegerOrInfinity,
} from '../internal/arguments.js';
import { TaskGroup, type TaskSettings } from '../internal/tasks/TaskGroup.js';
import { abortError } from '../internal/tasks/StopSignal.js';
import type { Task, TaskContext, TaskOptions, TaskScope, TaskScopeOptions } from '../internal/tasks/TaskScope.js';
import { readCleanupOptions } from '../options/cleanup.js';
import { readName } from '../options/name.js';
import { readSignal } from '../options/signal.js';

/**
 * Runs tasks that never outlive it: when it is over, all of them have ended, and their clean-up too.
 *
 * ```marble
 * a                --1|
 * b                ----2|
 * how many tasks$  2--1-(0|)
 * ```
 *
 * Python's `asyncio.TaskGroup` (and the nursery of Trio), with the tasks of RxJS: a task gives a promise, an Observable, or
 * something that is pulled, and its last value is its `result`. It starts at once, or when one of `concurrent` places is free.
 * What is done beside the tasks is a task, too, if it is to be cancelled when one of them fails: `scope.run(main)`.
 *
 * - **Completes**: `join` resolves when all tasks have ended, those included that running ones have run meanwhile, and their
 *   clean-ups have settled. Then the scope is over, and `run` throws a `TaskScopeClosedError`.
 * - **Errors**: the first task that fails has all others cancelled, with its error as the reason. `join` waits for them, and rejects
 *   with an `AggregateError` of all that has failed. If nobody has called `join` or `cancel` when the last one is over,
 *   that is an unhandled rejection. With `onError: 'settle'` the others go on, `join` resolves, and each failure is that of
 *   the task's `result`: an unhandled rejection if nobody looks at it.
 * - **Unsubscribed** is a task that is cancelled: by itself (`task.cancel`), with all (`scope.cancel`, or `signal`), or because
 *   another has failed. First all signals are aborted, then Observables and iterators are told to stop; a promise is waited for,
 *   and what it still gives counts. Those that wait are never started. Cancelled is not failed.
 * - **Clean-up** is waited for as long as it takes; once a task is cancelled or has failed, `cleanupTimeout` at the most.
 *   Clean-up that fails is a failure of its task, and so is clean-up that hangs: with a `CleanupTimeoutError`. Only such a
 *   task may still go on when the scope is over; with a `cleanupTimeout` of `Infinity`, none does.
 * - **Backpressure**: `run` throws a `BufferOverflowError` when `bufferSize` tasks wait for their start.
 * - **Drops** all values of a task but the last. No task that has ended is remembered.
 * - **Rather** `gather` when all tasks are there from the beginning; `bufferedMergeMap` when they come from a stream.
 *
 * A task that waits for `join` or `cancel` of its own scope waits for itself: with `join` for ever, after a cancellation for
 * `cleanupTimeout`, with which it has failed. In a task, call `cancel` and go on.
 *
 * @throws RangeError if called with an option out of range
 * @throws TypeError if an option is of another type
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { taskScope } from 'rxjs-flow-control';
 *
 * const scope = taskScope({ concurrent: 2 });
 * const user = scope.run(async () => 'Ada');
 * const points = scope.run(({ scope }) => {
 *   scope.run(async () => console.log('a task beside it'));
 *   return of(1, 2, 3);
 * });
 * await scope.join();
 * console.log(await user.result, await points.result);
 * // prints: a task beside it
 * // prints: Ada 3
 * ```
 * @public
 */
export function taskScope(options: TaskScopeOptions = {}): TaskScope {
  return open(options, false).scope;
}

function open(options: TaskScopeOptions, forked: boolean): TaskGroup {
  return new OpenScope(readOptions(options, forked)).group;
}

/** What `await using` looks for. Where the platform does not know it, nobody looks. */
const asyncDispose: typeof Symbol.asyncDispose = Symbol.asyncDispose ?? Symbol('asyncDispose');

class OpenScope implements TaskScope {
  readonly group: TaskGroup;
  readonly tasks$: Observable<readonly Task[]>;

  constructor(settings: TaskSettings) {
    this.group = new TaskGroup(settings, this);
    this.tasks$ = this.group.tasks$;
  }

  run<T>(task: (context: TaskContext) => ObservableInput<T>, options: TaskOptions = {}): Task<T> {
    const { name, signal } = optionsObject(options);
    return this.group.run(functionOf('task', task), optionalString('name', name), readSignal({ signal }));
  }

  join(): Promise<void> {
    return this.group.join();
  }

  cancel(reason = abortError()): Promise<void> {
    return this.group.cancel(reason);
  }

  [asyncDispose](): Promise<void> {
    const { told } = this.group;
    const stopped = this.cancel();
    return told ? stopped.catch(noop) : stopped;
  }
}

function readOptions(options: TaskScopeOptions, forked: boolean): TaskSettings {
  const { onError = 'cancel-all', concurrent = Infinity, bufferSize = 1000 } = optionsObject(options);
  return {
    where: readName('taskScope', options),
    onError: oneOf('onError', ['cancel-all', 'settle'], onError),
    concurrent: positiveIntegerOrInfinity('concurrent', concurrent),
    bufferSize: nonNegativeIntegerOrInfinity('bufferSize', bufferSize),
    signal: readSignal(options),
    patience: readCleanupOptions(options),
    forked,
    fork: (below) => open(below, true),
  };
}
