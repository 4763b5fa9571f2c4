import { noop } from 'rxjs';
import type { WorkContext } from '../workContext.js';
import type { Works } from './Works.js';

/** What `project` is told of the work that it starts. */
export class InnerWork implements WorkContext {
  private controller: AbortController | undefined;
  /** What `project` gave, if it is a promise: the work is over when it has settled. */
  private promise: PromiseLike<unknown> | undefined;
  private over = false;

  constructor(private readonly works: Works) {}

  get signal(): AbortSignal {
    if (!this.controller) {
      this.controller = new AbortController();
      if (!this.over) {
        if (this.works.aborted) this.controller.abort();
        else this.works.add(this);
      }
    }
    return this.controller.signal;
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

  /** From now on there is nothing to abort. */
  end(): void {
    this.over = true;
    if (this.controller) this.works.remove(this);
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

/** That aborted work rejects is what was asked for, whatever its library calls that; that its clean-up fails is not. */
function isCancellation(error: unknown, reason: unknown): boolean {
  const { name, code, cause } = Object(error) as { name?: unknown; code?: unknown; cause?: unknown };
  return (
    error === reason ||
    (cause !== undefined && cause === reason) ||
    /^(Abort|Cancell?ed|Cancel)Error$/.test(String(name)) ||
    code === 'ABORT_ERR' ||
    code === 'ERR_CANCELED'
  );
}
