import { Observable, type OperatorFunction } from 'rxjs';
import { operate } from '../internal/operate.js';
import { findGate } from '../link/walk.js';

/**
 * Emits values and the error as outcomes, named as those of `Promise.allSettled`, and completes after the error.
 *
 * ```marble
 * source    --a--b--#
 * settle()  --v--w--(e|)
 * ```
 *
 * Here `v` is `{ status: 'fulfilled', value: 'a' }`, and `e` is `{ status: 'rejected', reason: error }`. With it in an inner
 * source, the error of one does not end the others.
 *
 * - **Completes** with the source, or after its error.
 * - **Errors** never.
 * - **Unsubscribed**, it unsubscribes from the source.
 * - **Backpressure**: sources above see the consumer below. An error that comes while that is full waits until it is not.
 * - **Drops** nothing.
 * - **Rather** `catchError` when the error is to be dealt with here, `materialize` when completion is to be seen, too.
 *
 * @example
 * ```ts
 * import { defer, of } from 'rxjs';
 * import { bufferedMergeMap, settle } from 'rxjs-flow-control';
 *
 * const divide = (by: number) => {
 *   if (by === 0) throw new Error('by zero');
 *   return of(6 / by);
 * };
 * of(3, 0, 2)
 *   .pipe(bufferedMergeMap((by) => defer(() => divide(by)).pipe(settle())))
 *   .subscribe((outcome) => console.log(outcome.status === 'fulfilled' ? outcome.value : outcome.reason.message));
 * // prints: 2, by zero, 3
 * ```
 * @public
 */
export function settle<T>(): OperatorFunction<T, PromiseSettledResult<T>> {
  return (source) =>
    new Observable((destination) => {
      const below = findGate(destination);
      let cancelWait: (() => void) | undefined;

      const reject = (reason: unknown) => {
        if (below && !below.ready) {
          cancelWait = below.onReady(() => {
            reject(reason);
          });
          return;
        }
        destination.next({ status: 'rejected', reason });
        destination.complete();
      };

      destination.add(() => {
        cancelWait?.();
      });
      source.subscribe(
        operate<T, PromiseSettledResult<T>>({
          destination,
          next: (value) => {
            destination.next({ status: 'fulfilled', value });
          },
          error: reject,
        }),
      );
    });
}
