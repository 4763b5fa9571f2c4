import { from, NEVER, type ObservableInput, type Subscriber } from 'rxjs';
import { findCanceller, findCleanupScope, findGate } from '../link/walk.js';
import { Completion } from './Completion.js';
import { pullsInner, subscribeByPull } from './innerPull.js';
import { isCancellation } from './isCancellation.js';
import { operate } from './operate.js';
import { isPromise } from './puller.js';
import { reportUnhandled } from './reportUnhandled.js';
import { LazySignal, type WorkContext } from './workContext.js';

/**
 * Calls `work`, and gives `destination` what it gives. Its signal is aborted when `destination` is unsubscribed before the work
 * has ended by itself, and then it unsubscribes from the work; or when a canceller below asks for it, and then it does not: a
 * result may still come.
 *
 * A promise that goes on after it was unsubscribed is the clean-up, and is handed to the scope below `destination`. Where a
 * canceller has asked before, `work` is not called, and nothing comes: an error would cut off those who still may give a result.
 */
export function subscribeWork<T>(work: (signal: AbortSignal) => ObservableInput<T>, destination: Subscriber<T>): void {
  subscribeWorkWith(({ signal }) => (signal.aborted ? NEVER : work(signal)), destination);
}

/**
 * As `subscribeWork`, but the signal is made only when `work` reads it, and only then is there anybody whom a canceller could
 * ask. Where it has asked before, the signal is aborted already. `onResult` is called before the value of a promise is passed on:
 * with it the work has ended, also where that value is enough for somebody; where nobody wants it any more, when its clean-up is over.
 */
export function subscribeWorkWith<T>(
  work: (context: WorkContext) => ObservableInput<T>,
  destination: Subscriber<T>,
  onResult?: () => void,
): void {
  if (destination.closed) return;
  const gated = !!findGate(destination);
  const scope = findCleanupScope(destination);
  let ended = false;
  /** Of the promise that the work gave. */
  let settling: Completion | undefined;

  const canceller = findCanceller(destination);
  let leave: (() => void) | undefined;
  const context = new LazySignal(() => {
    if (destination.closed) return;
    leave = canceller?.onCancel((reason) => {
      context.abort(reason);
    });
  });

  const handOver = (cleanup: Completion) => {
    if (scope) scope.track(cleanup);
    else void cleanup.then(undefined, reportUnhandled);
  };

  const finish = (cleanup: Completion, error: unknown) => {
    if (isCancellation(error, context.signal.reason)) cleanup.resolve();
    else cleanup.reject(error);
  };

  const fail = (error: unknown) => {
    if (destination.closed) {
      const cleanup = new Completion();
      finish(cleanup, error);
      handOver(cleanup);
      return;
    }
    ended = true;
    destination.error(error);
  };

  // Added before the subscriber, so that the signal is aborted before that is unsubscribed.
  destination.add(() => {
    if (!ended) {
      context.abort();
      if (settling) handOver(settling);
    }
    leave?.();
  });

  const subscriber = operate<T, T>({
    destination,
    cleanupScope: scope, // found already: when it is unsubscribed inside of work, the chain is cut
    error: fail,
    complete: () => {
      ended = true;
      destination.complete();
    },
  });

  // One `then` for everything: with each, a query builder runs its query.
  const settle = (promise: PromiseLike<T>) => {
    const cleanup = (settling = new Completion());
    if (subscriber.closed) handOver(cleanup); // unsubscribed inside of work
    Promise.resolve(promise).then(
      (value) => {
        ended = true; // before anybody hears of it, who may have enough with that
        cleanup.resolve();
        onResult?.();
        subscriber.next(value);
        subscriber.complete();
      },
      (error: unknown) => {
        if (subscriber.closed) finish(cleanup, error);
        else subscriber.error(error);
      },
    );
  };

  try {
    const given = work(context);
    if (isPromise(given)) settle(given);
    else if (pullsInner(given, gated)) subscribeByPull(given, subscriber);
    else if (!subscriber.closed) from(given).subscribe(subscriber);
  } catch (thrown) {
    fail(thrown);
  }
}
