import type { Observable, Subscriber } from 'rxjs';
import type { CleanupScope } from '../../link/protocol.js';
import { runCleanup } from '../runCleanup.js';

/** Subscribes to the source: when this returns, what has ended in it has been torn down. */
export function beginAttempt<T>(source: Observable<T>, subscriber: Subscriber<T>, cleanups: CleanupScope): void {
  attemptCleanup(cleanups, () => {
    try {
      source.subscribe(subscriber);
    } catch (thrown) {
      if (subscriber.closed) throw thrown; // by a teardown
      subscriber.error(thrown);
    }
  });
}

/** Tears it down now, so that what is to be cleaned up is known when this returns. */
export function endAttempt<T>(subscriber: Subscriber<T>, cleanups: CleanupScope): void {
  attemptCleanup(cleanups, () => {
    subscriber.unsubscribe();
  });
}

function attemptCleanup(cleanups: CleanupScope, cleanup: () => void): void {
  const failed = runCleanup(cleanup);
  if (failed) cleanups.track(failed);
}
