import type { CleanupPatience } from '../../link/Cleanups.js';
import type { TaskScope, TaskScopeOptions } from './TaskScope.js';

/** Where tasks run. */
export interface TaskRunner<Run> {
  readonly where: string;
  readonly scope: TaskScope;
  readonly patience: CleanupPatience;
  /** It tells of failures by itself: nobody has to look at the result of a task. */
  readonly tellsFailures: boolean;
  open(options: Omit<TaskScopeOptions, 'signal'>, signal: AbortSignal): ForkedScope;
  /** The state of a task has changed; `drain` tells of it. */
  changed(): void;
  /** Lets several things happen before it does what follows from them. */
  during(change: () => void): void;
  /** Does what follows from what has happened. */
  drain(): void;
  /** A task has failed, or its clean-up has. */
  failed(error: unknown): void;
  /** A task is over, clean-up included; it may never have started. */
  ended(run: Run, started: boolean): void;
}

/** A scope below a task. */
export interface ForkedScope {
  readonly scope: TaskScope;
  /**
   * Settles when it is over and somebody has been told of what has failed, if anything has; once it is closed, it rejects with
   * what nobody has been told of.
   */
  readonly answered: PromiseLike<unknown>;
  /** Lets it end with its tasks. Gives `answered`. */
  close(): PromiseLike<unknown>;
}
