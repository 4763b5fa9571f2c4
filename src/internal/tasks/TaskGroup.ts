import type { Observable, ObservableInput } from 'rxjs';
import { BufferOverflowError } from '../../errors/BufferOverflowError.js';
import { TaskScopeClosedError } from '../../errors/TaskScopeClosedError.js';
import type { CleanupPatience } from '../../link/Cleanups.js';
import { StartLine } from '../../machines/StartLine.js';
import { leaveAbort, listenToAbort, type Abortable } from '../abortLine.js';
import { Completion } from '../Completion.js';
import { together } from './failureOf.js';
import { TaskList } from './TaskList.js';
import { TaskResult } from './TaskResult.js';
import { TaskRun } from './TaskRun.js';
import type { ForkedScope, TaskRunner } from './TaskRunner.js';
import type { Task, TaskContext, TaskScope, TaskScopeOptions } from './TaskScope.js';

export interface TaskSettings {
  readonly where: string;
  readonly onError: 'cancel-all' | 'settle';
  readonly concurrent: number;
  readonly bufferSize: number;
  readonly signal: AbortSignal | undefined;
  readonly patience: CleanupPatience;
  /** It stands below a task, which is told of what nobody else is. */
  readonly forked: boolean;
  readonly fork: (options: TaskScopeOptions) => ForkedScope;
}

/** The tasks of a scope, and its end. */
export class TaskGroup implements TaskRunner<TaskRun>, ForkedScope, Abortable {
  /** Somebody has asked how it ends. */
  told = false;
  readonly answered = new Completion();
  private readonly line: StartLine<TaskRun>;
  private readonly list = new TaskList<TaskRun>();
  /** It is over when its tasks are. */
  private closing = false;
  /** No task starts any more, and those that were there have been told to stop. */
  private cancellation: { readonly reason: unknown } | undefined;
  /** By its signal: who joins waits in vain for what was to be done. */
  private calledOff = false;
  private readonly failures: unknown[] = [];
  private readonly end = new TaskResult<void>();
  private isOver = false;
  /** How deep in calls that change several things: what follows is decided when they are done. */
  private busy = 0;

  constructor(
    private readonly settings: TaskSettings,
    readonly scope: TaskScope,
  ) {
    const { concurrent, bufferSize, signal } = settings;
    this.line = new StartLine(concurrent, bufferSize);
    if (signal?.aborted) this.aborted();
    else if (signal) listenToAbort(signal, this);
  }

  // What is asked of it

  get tasks$(): Observable<readonly Task[]> {
    return this.list.tasks$;
  }

  run<T>(
    task: (context: TaskContext) => ObservableInput<T>,
    name: string | undefined,
    signal: AbortSignal | undefined,
  ): Task<T> {
    const { cancellation, line, where } = this;
    if (cancellation) throw new TaskScopeClosedError(where, 'cancelled', cancellation.reason);
    if (this.isOver) throw new TaskScopeClosedError(where, 'ended');
    if (!line.hasRoom) throw new BufferOverflowError(where, 'tasks', line.waiting);
    const run = new TaskRun(this, task, name, signal);
    line.add(run);
    this.list.add(run);
    if (signal?.aborted) run.aborted();
    else this.drain();
    return run;
  }

  async join(): Promise<void> {
    this.told = true;
    void this.close();
    await this.end.promise;
    if (this.calledOff) throw this.settings.signal?.reason;
  }

  cancel(reason: unknown): Promise<void> {
    this.told = true;
    this.stop(reason);
    this.answer();
    return this.end.promise;
  }

  close(): PromiseLike<unknown> {
    this.closing = true;
    this.drain();
    this.answer();
    return this.answered;
  }

  aborted(): void {
    this.calledOff = true;
    this.stop(this.settings.signal?.reason);
  }

  // What its tasks ask, and tell

  get where(): string {
    return this.settings.where;
  }

  get patience(): CleanupPatience {
    return this.settings.patience;
  }

  get tellsFailures(): boolean {
    return this.settings.onError === 'cancel-all';
  }

  open(options: TaskScopeOptions, signal: AbortSignal): ForkedScope {
    return this.settings.fork({ ...this.patience, ...options, signal });
  }

  changed(): void {
    this.list.change();
  }

  during(change: () => void): void {
    this.busy++;
    change();
    this.busy--;
    this.drain();
  }

  /** A loop, however many tasks end at once. */
  drain(): void {
    const { line, list } = this;
    if (this.busy > 0 || this.isOver) return;
    this.busy++;
    for (let run = line.startNext(); run; run = line.startNext()) run.start();
    this.busy--;
    if (list.size === 0 && (this.closing || this.cancellation)) this.finish();
    else list.tell();
  }

  failed(error: unknown): void {
    if (!this.tellsFailures) return;
    this.failures.push(error);
    this.stop(error);
  }

  ended(run: TaskRun, started: boolean): void {
    this.list.remove(run);
    if (started) this.line.end();
    else this.line.leave(run);
    this.drain();
  }

  private stop(reason: unknown): void {
    if (this.cancellation || this.isOver) return;
    this.cancellation = { reason };
    this.during(() => {
      for (const run of this.list) run.abort(reason);
      for (const run of this.list) run.stop();
    });
  }

  private finish(): void {
    const { end, failures, list, settings, told, where } = this;
    this.isOver = true;
    if (settings.signal) leaveAbort(settings.signal, this);
    list.complete();
    if (failures.length === 0) end.resolve(undefined);
    else end.reject(together(where, failures), settings.forked && !told);
    this.answer();
  }

  private answer(): void {
    const { answered, failures, where } = this;
    if (!this.isOver) return;
    if (this.told || failures.length === 0) answered.resolve();
    else if (this.closing) answered.reject(together(where, failures));
  }
}
