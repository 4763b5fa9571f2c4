import type { Subscriber } from 'rxjs';
import { Cleanups } from '../../link/Cleanups.js';
import { findCleanupScope } from '../../link/walk.js';
import type { InnerWork } from './InnerWork.js';

/** What has to be told to stop, and what has to be waited for then. */
export class Works {
  /** Work that begins now is aborted at once. */
  aborted = false;
  /** It all ends with an error: that what is aborted for it fails as well is no news. */
  failed = false;
  /** How many have not ended. */
  running = 0;
  /** Only when there may be any: an inner source has asked for its scope, or a signal has been read. */
  cleanups: Cleanups | undefined = undefined;
  /** Those whose signal has been read. */
  private readonly listening = new Set<InnerWork>();

  constructor(private readonly destination: Subscriber<never>) {}

  /** Looks for the scope below while the chain is there. */
  expectCleanup(): Cleanups {
    return (this.cleanups ??= new Cleanups(findCleanupScope(this.destination)));
  }

  add(work: InnerWork): void {
    this.expectCleanup();
    this.listening.add(work);
  }

  remove(work: InnerWork): void {
    this.listening.delete(work);
  }

  abort(): void {
    this.aborted = true;
    for (const work of this.listening) this.awaitEnd(work);
    this.listening.clear();
  }

  awaitEnd(work: InnerWork): void {
    const end = work.abort();
    if (end) this.expectCleanup().track(end);
  }
}
