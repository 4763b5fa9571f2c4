import { identity, noop, type MonoTypeOperatorFunction } from 'rxjs';
import { optionalFunction, optionsObject } from '../internal/arguments.js';
import { conflation } from '../internal/conflation.js';

/**
 * Options of `latest`.
 * @public
 */
export interface LatestOptions<T> {
  /** Called with each value that is dropped, and why: `'overflow'` if a newer one took its place. */
  onDrop?(this: void, value: T, reason: 'overflow' | 'error' | 'unsubscribe'): void;
}

/**
 * Keeps only the newest of the values that come while the consumer below is busy.
 *
 * ```marble
 * source      -a-b-c---d-|
 * gate below  o-x----o----
 * latest()    -a-----c-d-|
 * ```
 *
 * Here `o` opens the gate and `x` closes it. For sources of which only the present state matters: positions, prices, progress.
 * It is `conflate((waiting, value) => value)`, and tells of each value that it leaves out.
 *
 * - **Completes** after the source and the value that waits.
 * - **Errors** with the source or `onDrop`; the value that waits is dropped.
 * - **Unsubscribed**, it drops the value that waits.
 * - **Backpressure** ends here: the sources above run at their own pace, also those that could wait. Where nothing below can
 *   be full, each value passes.
 * - **Drops** the value that waits when a newer one comes, and on error and unsubscription: `onDrop` sees each.
 * - **Rather** `auditTime` or `throttleTime` to thin values out by time, whatever the consumer can take.
 *
 * @throws TypeError if `onDrop` or the options are of another type
 *
 * @example
 * ```ts
 * import { interval, take } from 'rxjs';
 * import { bufferedMergeMap, latest } from 'rxjs-flow-control';
 *
 * const draw = (position: number) => new Promise<number>((resolve) => setTimeout(() => resolve(position), 35));
 *
 * interval(10)
 *   .pipe(
 *     take(10),
 *     latest({ onDrop: (position) => console.log('left out', position) }),
 *     bufferedMergeMap(draw, { concurrent: 1, highWaterMark: 0 }),
 *   )
 *   .subscribe((position) => console.log('drawn', position));
 * ```
 * @public
 */
export function latest<T>(options: LatestOptions<T> = {}): MonoTypeOperatorFunction<T> {
  const onDrop = optionalFunction('onDrop', optionsObject(options).onDrop) ?? noop;
  return conflation<T, T>({
    seed: identity,
    merge: (_, value) => value,
    onReplace: (replaced, losses) => {
      losses.tellOverflow(onDrop, replaced);
    },
    onDrop,
  });
}
