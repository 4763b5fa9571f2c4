import { from, type ObservableInput, type Subscriber } from 'rxjs';
import type { CleanupScope } from '../../link/protocol.js';
import { pullsInner, subscribeByPull } from '../innerPull.js';
import { operate } from '../operate.js';
import { isPromise } from '../puller.js';
import type { TaskContext } from './TaskScope.js';

/** Who has the work done. */
export interface Worker extends TaskContext, CleanupScope {
  /** It has been told to stop. */
  readonly isCancelled: boolean;
  /** The work has come to its end by itself; its teardown comes now. */
  completed(): void;
  failed(error: unknown): void;
  /** The work is over, its teardown included; asynchronous clean-up may go on. */
  ended(): void;
}

/** What a task does: its function, and then what that gives. */
export class TaskWork<T> {
  /** The last one. */
  value: T | undefined = undefined;
  private subscriber: Subscriber<T> | undefined = undefined;

  constructor(private readonly worker: Worker) {}

  start(task: (context: TaskContext) => ObservableInput<T>): void {
    const { worker } = this;
    try {
      const input = task(worker);
      if (isPromise(input)) this.follow(input);
      else this.subscribeTo(input);
    } catch (thrown) {
      worker.failed(thrown);
      if (this.subscriber) this.subscriber.unsubscribe();
      else worker.ended();
    }
  }

  /** A promise goes on. */
  unsubscribe(): void {
    this.subscriber?.unsubscribe();
  }

  private follow(promise: PromiseLike<T>): void {
    const { worker } = this;
    Promise.resolve(promise).then(
      (value) => {
        this.value = value;
        worker.completed();
        worker.ended();
      },
      (error: unknown) => {
        worker.failed(error);
        worker.ended();
      },
    );
  }

  private subscribeTo(input: ObservableInput<T>): void {
    const { worker } = this;
    const subscriber = (this.subscriber = operate<T, never>({
      cleanupScope: worker,
      next: (value) => {
        this.value = value;
      },
      error: (error) => {
        worker.failed(error);
      },
      complete: () => {
        worker.completed();
      },
      finalize: () => {
        worker.ended();
      },
    }));
    if (worker.isCancelled) subscriber.unsubscribe(); // from within its function
    if (pullsInner(input, false)) subscribeByPull(input, subscriber);
    else if (!subscriber.closed) from(input).subscribe(subscriber);
  }
}
