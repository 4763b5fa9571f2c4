import { noop } from 'rxjs';
import type { WorkContext } from '../workContext.js';
import type { Works } from './Works.js';

/** What `project` is told of the work that it starts. */
export class InnerWork implements WorkContext {
  private controller: AbortController | undefined;
  /** What `project` gave, if it is a promise: the work is over when it has settled. */
  private promise: Promise<unknown> | undefined;
  private over = false;

  constructor(private readonly works: Works) {}

  get signal(): AbortSignal {
    if (!this.controller) {
      this.controller = new AbortController();
      if (!this.over) {
        if (this.works.aborted) this.controller.abort();
        else this.works.add(this);
        this.endWithPromise();
      }
    }
    return this.controller.signal;
  }

  runsUntil(promise: Promise<unknown>): void {
    this.promise = promise;
    if (this.controller) this.endWithPromise();
  }

  /** From now on there is nothing to abort. */
  end(): void {
    this.over = true;
    if (this.controller) this.works.remove(this);
  }

  /** Gives the promise of what still goes on, if that is known. */
  abort(): Promise<unknown> | undefined {
    this.controller?.abort();
    return this.promise?.then(noop, ignoreAbort);
  }

  private endWithPromise(): void {
    const end = () => {
      this.end();
    };
    this.promise?.then(end, end);
  }
}

/** That aborted work rejects is what was asked for; that its clean-up fails is not. */
function ignoreAbort(error: unknown): void {
  if ((error as Partial<Error> | undefined)?.name !== 'AbortError') throw error;
}
