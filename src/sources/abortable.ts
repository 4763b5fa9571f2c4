import { Observable, type ObservableInput, type ObservedValueOf } from 'rxjs';
import { subscribeWork } from '../internal/abortableWork.js';
import { functionOf } from '../internal/arguments.js';

/**
 * Starts work for each subscription, and tells it by an `AbortSignal` when it is no longer wanted.
 *
 * ```marble
 * work                                              --a--b--c--|
 * stop                                              ------s
 * abortable((signal) => work).pipe(takeUntil(stop))  --a--b|
 * signal                                            ------x
 * ```
 *
 * Here `x` is the abort. `defer` with a signal of its own for each subscription. The signal is aborted only while the work runs,
 * and not when it has ended: what a `fetch` has resolved to can still be read (to have that aborted as well, read it in the work).
 * Work that is a promise goes on after the abort until it has settled: that is its clean-up, and whoever waits for such below waits
 * for it, as a slot of `bufferedMergeMap` does. A cooperative `timeoutWithCleanup` below aborts the signal when time is up, and stays
 * subscribed for a result that may still come.
 *
 * - **Completes** with the work.
 * - **Errors** with the work, or when the function throws. Where somebody below has already asked all work to stop, the function
 *   is not called and nothing comes: it is about to be unsubscribed.
 * - **Unsubscribed**, it aborts the signal, unsubscribes from what the work has given, and hands the promise that it has given to
 *   the nearest consumer below that waits for clean-up. That a promise rejects because it was aborted is no failure; any other
 *   rejection is one, and is reported as unhandled where nobody waits.
 * - **Backpressure**: iterables and streams are pulled at the pace of the consumer below; of any other work the values pass as
 *   they come.
 * - **Drops** what work still gives after it was unsubscribed.
 * - **Rather** `fromPull(({ signal }) => ...)` for values that are pulled, `bufferedMergeMap` when there is work for each value: its
 *   `project` gets a signal, too.
 *
 * @throws TypeError if called with what is no function
 *
 * @example
 * ```ts
 * import { of, switchMap } from 'rxjs';
 * import { abortable } from 'rxjs-flow-control';
 *
 * const search = async (term: string, signal: AbortSignal) => {
 *   signal.addEventListener('abort', () => console.log(`no more ${term}`));
 *   await Promise.resolve();
 *   return `found ${term}`;
 * };
 * of('r', 'rx')
 *   .pipe(switchMap((term) => abortable((signal) => search(term, signal))))
 *   .subscribe(console.log);
 * // prints: no more r, found rx
 * ```
 * @public
 */
export function abortable<T>(work: (signal: AbortSignal) => ObservableInput<T>): Observable<T>;
/** @public */
export function abortable<O extends ObservableInput<unknown>>(
  work: (signal: AbortSignal) => O,
): Observable<ObservedValueOf<O>>;
export function abortable<T>(work: (signal: AbortSignal) => ObservableInput<T>): Observable<T> {
  functionOf('work', work);
  return new Observable((subscriber) => {
    subscribeWork(work, subscriber);
  });
}
