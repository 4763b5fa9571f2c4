import { from, noop, type ObservableInput, type Subscriber } from 'rxjs';
import { EmptyTaskError } from '../../errors/EmptyTaskError.js';
import type { CleanupScope } from '../../link/protocol.js';
import { pullsInner, subscribeByPull } from '../innerPull.js';
import { operate } from '../operate.js';
import type { WorkContext } from '../workContext.js';

/** Where tasks are run. */
export interface TaskRunner<R> {
  readonly where: string;
  /** Nothing is wanted any more. */
  readonly closed: boolean;
  track(cleanup: PromiseLike<unknown>, onSettled?: () => void): void;
  /** The task itself has ended; its clean-up may go on. */
  ended(run: TaskRun<R>): void;
  /** The clean-up too. */
  settled(run: TaskRun<R>): void;
}

const none = Symbol('none');

/** One task that runs, and what it is told about its cancellation. */
export class TaskRun<R> implements WorkContext, CleanupScope {
  failure: { readonly error: unknown } | undefined;
  readonly subscriber: Subscriber<R>;
  private last: R | typeof none = none;
  private controller: AbortController | undefined;
  /** What the task gave, if it is a promise: the work is over when it has settled. */
  private promise: Promise<unknown> | undefined;
  /** For what its place is still taken: the task itself, its clean-ups. */
  private holds = 1;

  constructor(
    private readonly runner: TaskRunner<R>,
    readonly index: number,
  ) {
    this.subscriber = operate<R, never>({
      cleanupScope: this,
      next: (value) => {
        this.last = value;
      },
      error: (error) => {
        this.failure = { error };
      },
      complete: () => {
        if (this.last === none) this.failure = { error: new EmptyTaskError(runner.where, index) };
      },
      finalize: () => {
        if (runner.closed) return;
        runner.ended(this);
        this.release();
      },
    });
  }

  get signal(): AbortSignal {
    this.controller ??= new AbortController();
    if (this.runner.closed) this.controller.abort();
    return this.controller.signal;
  }

  /** Only when it has settled without a failure. */
  get result(): R {
    return this.last as R;
  }

  start(task: (context: WorkContext) => ObservableInput<R>): void {
    const { subscriber } = this;
    try {
      const input = task(this);
      if (input instanceof Promise) this.promise = input;
      if (this.runner.closed) this.abort(); // by the task itself
      if (pullsInner(input, false)) subscribeByPull(input, subscriber);
      else if (!subscriber.closed) from(input).subscribe(subscriber);
    } catch (thrown) {
      subscriber.error(thrown);
    }
  }

  abort(): void {
    if (!this.controller) return;
    this.controller.abort();
    if (this.promise) this.track(this.promise.then(noop, noop)); // gather has failed already: a second failure is no news
  }

  track(cleanup: PromiseLike<unknown>): void {
    this.holds++;
    this.runner.track(cleanup, () => {
      this.release();
    });
  }

  private release(): void {
    if (--this.holds === 0) this.runner.settled(this);
  }
}
