import { TaskScopeClosedError } from '../../errors/TaskScopeClosedError.js';
import { StopSignal } from './StopSignal.js';
import { TaskOutcome } from './TaskOutcome.js';
import type { ForkedScope, TaskRunner } from './TaskRunner.js';
import type { Task, TaskContext, TaskScope, TaskState } from './TaskScope.js';

/** What a task shows: to its caller, and to itself. */
export abstract class TaskHandle<T> implements Task<T>, TaskContext {
  state: TaskState = 'waiting';
  protected readonly outcome = new TaskOutcome<T>();
  protected readonly stopping = new StopSignal();
  /** Of which something may still have to be told. */
  private forks: Set<ForkedScope> | undefined = undefined;

  protected abstract readonly runner: Pick<TaskRunner<never>, 'where' | 'scope' | 'open'>;
  protected abstract readonly isWorking: boolean;

  constructor(readonly name: string | undefined) {}

  get result(): Promise<T | undefined> {
    return this.outcome.result;
  }

  abstract cancel(reason?: unknown): void;

  get signal(): AbortSignal {
    return this.stopping.signal;
  }

  get scope(): TaskScope {
    return this.runner.scope;
  }

  get fork(): TaskContext['fork'] {
    return (options = {}) => {
      if (!this.isWorking) throw new TaskScopeClosedError(this.where, 'ended');
      const fork = this.runner.open(options, this.signal);
      const forks = (this.forks ??= new Set());
      forks.add(fork);
      const forget = () => forks.delete(fork);
      void fork.answered.then(forget, forget);
      return fork.scope;
    };
  }

  protected get isOver(): boolean {
    return this.state === 'fulfilled' || this.state === 'rejected' || this.state === 'cancelled';
  }

  protected get where(): string {
    return `${this.runner.where}, ${this.name === undefined ? 'a task' : `task '${this.name}'`}`;
  }

  protected takeForks(): Iterable<ForkedScope> {
    const { forks = [] } = this;
    this.forks = undefined;
    return forks;
  }
}
