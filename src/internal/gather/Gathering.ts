import { Subscription, type ObservableInput } from 'rxjs';
import { Cleanups, type CleanupPatience } from '../../link/Cleanups.js';
import { RingBuffer } from '../../machines/RingBuffer.js';
import { leaveAbort, listenToAbort, type Abortable } from '../abortLine.js';
import { reportUnhandled } from '../reportUnhandled.js';
import type { WorkContext } from '../workContext.js';
import { TaskRun, type TaskRunner } from './TaskRun.js';

export interface GatherSettings {
  readonly concurrent: number;
  readonly settle: boolean;
  readonly signal: AbortSignal | undefined;
  readonly patience: CleanupPatience;
  readonly where: string;
}

type Task<R> = (context: WorkContext) => ObservableInput<R>;

/** One call of `gather`. */
export class Gathering<R> implements TaskRunner<R>, Abortable {
  closed = false;
  private readonly waiting = new RingBuffer<Task<R>>();
  private readonly running = new Set<TaskRun<R>>();
  private readonly results: (R | PromiseSettledResult<R>)[];
  private readonly cleanups = new Cleanups(undefined);
  private failure: { readonly error: unknown } | undefined;
  private started = 0;
  private active = 0;
  private draining = false;

  constructor(
    tasks: readonly Task<R>[],
    private readonly settings: GatherSettings,
    private readonly resolve: (results: (R | PromiseSettledResult<R>)[]) => void,
    private readonly reject: (error: unknown) => void,
  ) {
    this.results = new Array<R>(tasks.length);
    for (const task of tasks) this.waiting.push(task);
  }

  get where(): string {
    return this.settings.where;
  }

  start(): void {
    const { signal } = this.settings;
    if (signal?.aborted) {
      this.reject(signal.reason);
      return;
    }
    if (signal) listenToAbort(signal, this);
    this.drain();
  }

  aborted(): void {
    this.fail(this.settings.signal?.reason);
  }

  track(cleanup: PromiseLike<unknown>, onSettled: () => void): void {
    this.cleanups.track(cleanup, onSettled);
  }

  ended(run: TaskRun<R>): void {
    this.running.delete(run);
    if (run.failure && !this.settings.settle) this.fail(run.failure.error);
  }

  settled(run: TaskRun<R>): void {
    if (this.closed) return;
    const { failure, result } = run;
    this.results[run.index] = !this.settings.settle
      ? result
      : failure
        ? { status: 'rejected', reason: failure.error }
        : { status: 'fulfilled', value: result };
    this.active--;
    this.drain();
  }

  /** A loop, however many tasks end synchronously. */
  private drain(): void {
    if (this.draining) return;
    const { waiting, running, settings } = this;
    this.draining = true;
    while (waiting.size > 0 && this.active < settings.concurrent) {
      const run = new TaskRun(this, this.started++);
      this.active++;
      running.add(run);
      run.start(waiting.shift());
    }
    this.draining = false;
    if (this.failure) this.rejectAfterCleanup(this.failure.error);
    else if (this.active === 0) {
      this.close();
      this.resolve(this.results);
    }
  }

  private fail(error: unknown): void {
    this.failure = { error };
    this.close();
    this.stop();
    this.drain();
  }

  private close(): void {
    this.closed = true;
    const { signal } = this.settings;
    if (signal) leaveAbort(signal, this);
  }

  /** First the signals, then the subscriptions. */
  private stop(): void {
    const teardown = new Subscription(); // goes on when one of them throws
    for (const run of this.running) {
      teardown.add(() => {
        run.abort();
      });
    }
    for (const { subscriber } of this.running) teardown.add(subscriber);
    this.waiting.takeAll();
    try {
      teardown.unsubscribe();
    } catch (thrown) {
      reportUnhandled(thrown);
    }
  }

  private rejectAfterCleanup(error: unknown): void {
    this.cleanups.whenSettled(this.settings.patience, () => {
      this.reject(error);
    });
  }
}
