import type { ObservableInput } from 'rxjs';
import { CleanupTimeoutError } from '../../errors/CleanupTimeoutError.js';
import type { Listed } from '../../machines/LinkedList.js';
import { leaveAbort, listenToAbort, type Abortable } from '../abortLine.js';
import { isCancellation } from '../isCancellation.js';
import { reportUnhandled } from '../reportUnhandled.js';
import { Holds, type Holder } from './Holds.js';
import { abortError } from './StopSignal.js';
import { TaskHandle } from './TaskHandle.js';
import type { TaskRunner } from './TaskRunner.js';
import type { TaskContext } from './TaskScope.js';
import { TaskWork, type Worker } from './TaskWork.js';

/** One task, from `run` to its end. */
export class TaskRun<T = unknown> extends TaskHandle<T> implements Worker, Holder, Abortable, Listed<TaskRun> {
  previous: TaskRun | undefined = undefined;
  following: TaskRun | undefined = undefined;
  private work: TaskWork<T> | undefined = undefined;
  /** Its work has come to its end by itself. */
  private done = false;
  /** Once it has started. */
  private holds: Holds | undefined = undefined;

  constructor(
    protected override readonly runner: TaskRunner<TaskRun>,
    private task: ((context: TaskContext) => ObservableInput<T>) | undefined,
    name: string | undefined,
    private readonly caller: AbortSignal | undefined,
  ) {
    super(name);
    if (caller) listenToAbort(caller, this);
  }

  cancel(reason = abortError()): void {
    this.runner.during(() => {
      this.abort(reason);
      this.stop();
    });
  }

  // What its scope does with it

  start(): void {
    const task = this.task as (context: TaskContext) => ObservableInput<T>;
    this.task = undefined;
    const holds = (this.holds = new Holds(this, this.runner.patience));
    holds.add(); // the work
    holds.add(); // this function
    this.enter('running');
    if (this.caller?.aborted) {
      this.aborted(); // it has not heard of it yet: those before it have, and have made room
      this.ended();
    } else {
      this.work = new TaskWork<T>(this);
      this.work.start(task);
    }
    holds.release();
  }

  /** Tells it to stop. In a scope all are told before the first one is unsubscribed. */
  abort(reason: unknown): void {
    const { stopping } = this;
    if (this.isOver || stopping.isAborted) return;
    stopping.abort(reason);
    if (this.state === 'waiting') this.settled();
    else {
      this.enter('stopping');
      stopping.tell();
    }
  }

  /** Once it has been told. */
  stop(): void {
    if (!this.isOver) this.tearDown();
  }

  aborted(): void {
    this.cancel(this.caller?.reason);
  }

  // What its work tells

  protected override get isWorking(): boolean {
    return this.work !== undefined && !this.isOver;
  }

  get isCancelled(): boolean {
    return this.stopping.isAborted;
  }

  track(cleanup: PromiseLike<unknown>): void {
    this.holds?.track(cleanup);
  }

  completed(): void {
    this.done = true;
    this.enter('stopping');
    this.tearDown();
  }

  failed(error: unknown): void {
    if (!this.isCancelled || !isCancellation(error, this.stopping.reason)) this.fail(error);
    this.tearDown();
  }

  ended(): void {
    const { holds, work } = this;
    this.work = undefined;
    if (this.done) this.outcome.value = work?.value;
    this.enter('stopping');
    this.closeForks();
    holds?.release();
  }

  // What its holds tell

  cleanupFailed(error: unknown): void {
    if (this.isOver || this.state === 'running')
      reportUnhandled(error); // nobody waits for it
    else {
      this.fail(error);
      this.holds?.limit();
    }
  }

  released(): void {
    this.runner.drain();
  }

  settled(): void {
    if (this.isOver) return;
    const { outcome, runner, state, stopping } = this;
    this.task = undefined;
    this.state = outcome.failures ? 'rejected' : this.done ? 'fulfilled' : 'cancelled';
    this.holds?.stopTime();
    if (this.caller) leaveAbort(this.caller, this);
    if (outcome.failures) outcome.fail(this.where, outcome.failures, runner.tellsFailures);
    else if (this.done) outcome.fulfil();
    else outcome.cancel(this.isCancelled ? stopping.reason : abortError()); // it may have unsubscribed from itself
    runner.ended(this, state !== 'waiting');
  }

  expired(): void {
    this.closeForks(); // what has failed there, nobody else may have been told of
    this.fail(new CleanupTimeoutError(this.where, this.runner.patience.cleanupTimeout, this.stopping.reason));
    this.settled();
  }

  // Its end

  /** Here, and not by itself: so that it is not over before what its teardown throws is known. */
  private tearDown(): void {
    this.runner.during(() => {
      this.holds?.add();
      try {
        this.work?.unsubscribe();
      } catch (thrown) {
        this.fail(thrown);
      }
      if (this.isCancelled) this.holds?.limit();
      this.holds?.release();
    });
  }

  private closeForks(): void {
    for (const fork of this.takeForks()) this.track(fork.close());
  }

  private enter(state: 'running' | 'stopping'): void {
    if (this.isOver || this.state === state) return;
    this.state = state;
    this.runner.changed();
  }

  private fail(error: unknown): void {
    if (this.isOver) {
      reportUnhandled(error);
      return;
    }
    (this.outcome.failures ??= []).push(error);
    this.abort(error);
    this.runner.failed(error);
  }
}
