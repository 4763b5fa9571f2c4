import { noop } from 'rxjs';
import { Completion } from '../Completion.js';
import { isCancellation } from '../isCancellation.js';
import type { WorkContext } from '../workContext.js';
import type { Works } from './Works.js';

/** What `project` is told of the work that it starts. */
export class InnerWork implements WorkContext {
  private controller: AbortController | undefined;
  /** What `project` gave, if it is a promise: the work is over when it has settled. */
  private promise: PromiseLike<unknown> | undefined;
  private over = false;
  private isCutOff = false;

  constructor(private readonly works: Works) {
    works.running++;
  }

  get signal(): AbortSignal {
    return this.listen().signal;
  }

  /** From now on it is told to stop, also where nobody reads the signal. */
  listen(): AbortController {
    if (this.controller) return this.controller;
    const controller = (this.controller = new AbortController());
    if (!this.over || this.isCutOff) {
      if (this.works.aborted) controller.abort();
      else this.works.add(this);
    }
    return controller;
  }

  /** `mayRead`: somebody may read the signal, now or later. Then the end has to be known here before anybody hears of it. */
  runsUntil(promise: PromiseLike<unknown>, mayRead: boolean): void {
    this.promise = promise;
    if (!mayRead) return;
    const end = () => {
      this.end();
    };
    promise.then(end, end);
    if (this.controller && this.works.aborted) this.works.awaitEnd(this); // aborted inside of project
  }

  /** What is no promise of the platform may begin its work in `then`, a query for example: that is called once, by whoever this is given. */
  follow<R>(thenable: PromiseLike<R>, mayRead: boolean): PromiseLike<R> {
    if (!mayRead || thenable instanceof Promise) {
      this.runsUntil(thenable, mayRead);
      return thenable;
    }
    const end = new Completion();
    this.runsUntil(end, mayRead);
    return {
      then: (onFulfilled, onRejected) =>
        thenable.then(
          (value) => {
            end.resolve();
            return onFulfilled?.(value) as never;
          },
          (error: unknown) => {
            end.reject(error);
            return onRejected?.(error) as never;
          },
        ),
    };
  }

  /** From now on there is nothing to abort. */
  end(): void {
    this.fail();
    if (this.controller) this.works.remove(this);
  }

  /** It does not run any more, and is not lost; but what it has begun may go on, and is told to stop with the others. */
  fail(): void {
    if (this.over) return;
    this.over = true;
    this.works.running--;
  }

  /** All has been aborted, and who has the signal, or reads it yet, is to know that: also where the work has ended before. */
  cutOff(): void {
    this.isCutOff = true;
    this.controller?.abort();
  }

  /** Gives the promise of what still goes on, if that is known. */
  abort(): Promise<unknown> | undefined {
    const { promise, controller, works } = this;
    controller?.abort();
    if (!promise) return undefined;
    return Promise.resolve(promise).then(noop, (error: unknown) => {
      if (!works.failed && !isCancellation(error, controller?.signal.reason)) throw error;
    });
  }
}
