import { noop } from 'rxjs';
import type { WorkContext } from '../workContext.js';

/** Knows the works whose signal has been read, so that they can be told to stop. */
export interface WorkRegister {
  readonly closed: boolean;
  addWork(work: InnerWork): void;
  removeWork(work: InnerWork): void;
}

/** What `project` is told of the work that it starts. */
export class InnerWork implements WorkContext {
  private controller: AbortController | undefined;
  /** What `project` gave, if it is a promise: the work is over when it has settled. */
  private promise: Promise<unknown> | undefined;
  private over = false;

  constructor(private readonly register: WorkRegister) {}

  get signal(): AbortSignal {
    if (!this.controller) {
      this.controller = new AbortController();
      if (!this.over) {
        if (this.register.closed) this.controller.abort();
        else this.register.addWork(this);
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
    if (this.controller) this.register.removeWork(this);
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
