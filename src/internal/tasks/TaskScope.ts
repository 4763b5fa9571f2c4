import type { Observable, ObservableInput } from 'rxjs';
import type { CleanupOptions } from '../../options/cleanup.js';
import type { NameOptions } from '../../options/name.js';
import type { SignalOptions } from '../../options/signal.js';
import type { WorkContext } from '../workContext.js';

/**
 * Options of `taskScope`.
 * @public
 */
export interface TaskScopeOptions extends SignalOptions, CleanupOptions, NameOptions {
  /**
   * What becomes of the others when a task fails. `'cancel-all'`: they are cancelled, and `join` rejects; `'settle'`: nothing,
   * and the failure is that of its `result`. Default: `'cancel-all'`.
   */
  onError?: 'cancel-all' | 'settle';
  /** How many tasks may run at a time. Default: `Infinity`. */
  concurrent?: number;
  /** How many tasks may wait for their start; beyond that, `run` throws a `BufferOverflowError`. Default: 1000. */
  bufferSize?: number;
}

/**
 * Options of `run`.
 * @public
 */
export interface TaskOptions extends NameOptions {
  /** Cancels this task when it is aborted, or has been. Default: none. */
  signal?: AbortSignal | undefined;
}

/**
 * What a task is told.
 * @public
 */
export interface TaskContext extends WorkContext {
  /** Where it runs: `scope.run` runs a task beside it. */
  readonly scope: TaskScope;
  /**
   * Opens a scope for tasks below this one, with its `cleanupTimeout` and `scheduler` if the options say nothing else. It is
   * cancelled with this task, and this task is not over before it is; what fails in it fails this task, when its work has come
   * to an end, unless it has been joined or cancelled.
   */
  readonly fork: (options?: Omit<TaskScopeOptions, 'signal'>) => TaskScope;
}

/**
 * Where a task is: it waits for its start, runs, has its clean-up before it, or has come to one of its three ends.
 * @public
 */
export type TaskState = 'waiting' | 'running' | 'stopping' | 'fulfilled' | 'rejected' | 'cancelled';

/**
 * A task of a `TaskScope`.
 * @public
 */
export interface Task<T = unknown> {
  /** As given to `run`. */
  readonly name: string | undefined;
  /** Changes: read it when you need it. */
  readonly state: TaskState;
  /**
   * The last value, once the task and its clean-up are over; `undefined` if there was none. Rejects with what has failed (an
   * `AggregateError` where that is several), or with the reason of the cancellation.
   */
  readonly result: Promise<T | undefined>;
  /** Cancels this task only. That is no failure: the others go on. Default reason: an `AbortError`. */
  cancel(reason?: unknown): void;
}

/**
 * `await using` cancels the scope at the end of its block, and waits: as `cancel`, but silent about what `join` has told. Without
 * a property where the TypeScript of the user does not know that.
 * @public
 */
export type AsyncDisposableScope = Readonly<
  Record<SymbolConstructor['asyncDispose' & keyof SymbolConstructor] & symbol, () => Promise<void>>
>;

/**
 * A scope that its tasks never outlive; `taskScope` makes one.
 * @public
 */
export interface TaskScope extends AsyncDisposableScope {
  /**
   * The tasks that are there (they wait, run or stop), in the order of their start: at once, and on each change of one. Each time
   * it is a copy of the list, while somebody is subscribed: to look at some hundreds, not at a hundred thousand.
   * Completes when the scope is over.
   */
  readonly tasks$: Observable<readonly Task[]>;
  /**
   * Starts a task, as soon as there is a place for it.
   *
   * @throws TaskScopeClosedError if the scope is over or has been cancelled
   * @throws BufferOverflowError if `bufferSize` tasks wait already
   */
  run<T>(task: (context: TaskContext) => ObservableInput<T>, options?: TaskOptions): Task<T>;
  /**
   * Waits until all tasks have ended and their clean-ups have settled; then the scope is over. Until then those that run can
   * still run others; one that waits for this waits for itself. Rejects with an `AggregateError` of what has failed, or else with the reason of the `signal` that has
   * cancelled the scope.
   */
  join(): Promise<void>;
  /**
   * Cancels all tasks, and waits as `join` does. That it is cancelled is no failure: it rejects only with an `AggregateError` of
   * what has failed. A task calls it and goes on: to wait for it would be to wait for itself. Default reason: an `AbortError`.
   */
  cancel(reason?: unknown): Promise<void>;
}
