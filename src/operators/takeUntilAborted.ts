import { Observable, type MonoTypeOperatorFunction } from 'rxjs';
import { CleanupTimeoutError } from '../errors/CleanupTimeoutError.js';
import { leaveAbort, listenToAbort, type Abortable } from '../internal/abortLine.js';
import { oneOf, optionsObject } from '../internal/arguments.js';
import { operate } from '../internal/operate.js';
import { runCleanup } from '../internal/runCleanup.js';
import { Cleanups, type CleanupResult } from '../link/Cleanups.js';
import { findCleanupScope } from '../link/walk.js';
import { readCleanupOptions, type CleanupOptions } from '../options/cleanup.js';
import { readName, type NameOptions } from '../options/name.js';
import { signalOf } from '../options/signal.js';

/**
 * Options of `takeUntilAborted`.
 * @public
 */
export interface TakeUntilAbortedOptions extends CleanupOptions, NameOptions {
  /** What becomes of an abort: completion, or an error: the reason of the signal. Default: `'complete'`. */
  onAbort?: 'complete' | 'error';
}

/**
 * Passes values on until a signal is aborted, and ends when the clean-up of the source has settled.
 *
 * ```marble
 * source                    --a--b--c--d--|
 * signal                    -------x
 * clean-up of the source    ----------|
 * takeUntilAborted(signal)  --a--b----|
 * ```
 *
 * Here `x` is the abort: it unsubscribes from the source at once, and what is still to be cleaned up then is waited for
 * (`abortable`, `fromPull`, `bufferedMergeMap` and their kin know of some). Without any, it ends in the same moment. With
 * `onAbort: 'error'` it ends with the reason of the signal.
 *
 * - **Completes** with the source, or on abort after the clean-up.
 * - **Errors** with the source; with `onAbort: 'error'`, on abort after the clean-up, with the reason. If the clean-up fails while it
 *   is waited for, with that error, or with an `AggregateError` of the reason and that error; with a `CleanupTimeoutError` if it has not
 *   settled after `cleanupTimeout`.
 * - **Unsubscribed**, it unsubscribes from the source; the clean-up goes to the nearest consumer below that waits for such.
 * - **Backpressure**: sources above see the consumer below.
 * - **Drops** what the source gives after the abort. If the signal was aborted before, the source is never subscribed to.
 * - **Rather** `takeUntil` for a notifier, `timeoutWithCleanup` for a time.
 *
 * @throws TypeError if called with what is no `AbortSignal`, or with options of another type
 * @throws RangeError if called with an option out of range
 *
 * @example
 * ```ts
 * import { fromPull, takeUntilAborted } from 'rxjs-flow-control';
 *
 * async function* events() {
 *   try {
 *     for (let i = 1; ; i++) yield i;
 *   } finally {
 *     console.log('closed');
 *   }
 * }
 * const controller = new AbortController();
 * fromPull(events)
 *   .pipe(takeUntilAborted(controller.signal))
 *   .subscribe({
 *     next: (i) => (i < 2 ? console.log(i) : controller.abort()),
 *     complete: () => console.log('complete'),
 *   });
 * // prints: 1, closed, complete
 * ```
 * @public
 */
export function takeUntilAborted<T>(
  signal: AbortSignal,
  options: TakeUntilAbortedOptions = {},
): MonoTypeOperatorFunction<T> {
  signalOf('signal', signal);
  const { onAbort = 'complete' } = optionsObject(options);
  oneOf('onAbort', ['complete', 'error'], onAbort);
  const patience = readCleanupOptions(options);
  const where = readName('takeUntilAborted', options);

  /** What it ends with, if that is an error. */
  const failureOf = ({ cleanup, cleanupError }: CleanupResult): { readonly error: unknown } | undefined => {
    const reason: unknown = signal.reason;
    if (cleanup === 'timed-out')
      return { error: new CleanupTimeoutError(where, patience.cleanupTimeout, reason, cleanupError) };
    if (onAbort === 'complete') return cleanup === 'failed' ? { error: cleanupError } : undefined;
    if (cleanup === 'done') return { error: reason };
    return { error: new AggregateError([reason, cleanupError], `${where}: aborted, and the clean-up has failed`) };
  };

  return (source) =>
    new Observable((destination) => {
      const end = (result: CleanupResult) => {
        const failure = failureOf(result);
        if (failure) destination.error(failure.error);
        else destination.complete();
      };
      if (signal.aborted) {
        end({ cleanup: 'done' });
        return;
      }

      const cleanups = new Cleanups(findCleanupScope(destination));
      const member: Abortable = {
        aborted: () => {
          destination.add(cleanups.answer()); // before the teardown: what fails in it is answered for, too
          const failed = runCleanup(() => {
            subscriber.unsubscribe();
          });
          if (failed) cleanups.track(failed);
          if (!destination.closed) destination.add(cleanups.answerWhenSettled(patience, end));
        },
      };
      const leave = () => {
        leaveAbort(signal, member);
      };
      const subscriber = operate<T, T>({
        destination,
        cleanupScope: cleanups,
        error: (error) => {
          leave(); // before: the end may lead to the abort
          destination.error(error);
        },
        complete: () => {
          leave();
          destination.complete();
        },
      });
      listenToAbort(signal, member);
      destination.add(leave); // after: it may be closed already
      source.subscribe(subscriber);
    });
}
