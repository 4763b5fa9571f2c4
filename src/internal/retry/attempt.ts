import type { Observable, Subscriber, Subscription } from 'rxjs';
import type { CleanupPatience, Cleanups } from '../../link/Cleanups.js';
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

/** Calls `due` when the delay and the clean-up of the last attempt are over, which go on side by side; unless `waiting` is unsubscribed. */
export function waitForNext(
  waiting: Subscription,
  delay: number,
  cleanups: Cleanups,
  patience: CleanupPatience,
  due: () => void,
): void {
  let left = 2;
  const over = () => {
    if (--left === 0) due();
  };
  if (delay > 0) waiting.add(patience.scheduler.schedule(over, delay));
  else over();
  waiting.add(cleanups.whenSettled(patience, over));
}
