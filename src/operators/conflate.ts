import { identity, noop, type MonoTypeOperatorFunction, type OperatorFunction } from 'rxjs';
import { functionOf, optionalFunction, optionsObject } from '../internal/arguments.js';
import { conflation } from '../internal/conflation.js';

/**
 * Options of `conflate`.
 * @public
 */
export interface ConflateOptions<Merged> {
  /** Called with the merged value that could not be emitted any more, and why. */
  onDrop?(this: void, merged: Merged, reason: 'error' | 'unsubscribe'): void;
}

/**
 * Merges what comes while the consumer below is busy, so that at most one value waits.
 *
 * ```marble
 * source         -a-b-c---d-|
 * gate below     o-x----o----
 * conflate(add)  -a-----x-d-|
 * ```
 *
 * Here `o` opens the gate, `x` closes it, and `x` in the result is `b` and `c` added. With a `seed`, `conflate(seed, merge)`
 * begins each value that is emitted with `seed(value)`, so that the result may be of another type, and `merge` adds the others.
 * For sources whose values can be summed up: a consumer that is slow gets fewer values, none of them old. `conflate` and
 * `conflateWithSeed` of Akka and Pekko.
 *
 * - **Completes** after the source and what waits.
 * - **Errors** with the source, `seed` or `merge`; what waits is dropped.
 * - **Unsubscribed**, it drops what waits.
 * - **Backpressure** ends here: the sources above run at their own pace, also those that could wait. Of one that always has a
 *   value, such as a generator, everything is read and merged, a slice after the other, while the consumer is busy. Where
 *   nothing below can be full, each value passes by itself.
 * - **Drops** on error and unsubscription: `onDrop` sees what waits.
 * - **Rather** `latest` to keep only the newest, `batchWithin` to keep all.
 *
 * @throws TypeError if a callback or the options are of another type
 *
 * @example
 * ```ts
 * import { interval, take } from 'rxjs';
 * import { conflate, toAsyncIterable } from 'rxjs-flow-control';
 *
 * const ticks = interval(10).pipe(
 *   take(10),
 *   conflate(
 *     (tick) => [tick],
 *     (waiting, tick) => [...waiting, tick],
 *   ),
 * );
 * for await (const missed of toAsyncIterable(ticks)) {
 *   console.log(missed);
 *   await new Promise((resolve) => setTimeout(resolve, 35));
 * }
 * ```
 * @public
 */
export function conflate<T>(
  merge: (waiting: T, value: T) => T,
  options?: ConflateOptions<T>,
): MonoTypeOperatorFunction<T>;
/**
 * Merges what comes while the consumer below is busy, each time beginning with `seed` of the first value.
 * @public
 */
export function conflate<T, Merged>(
  seed: (value: T) => Merged,
  merge: (waiting: Merged, value: T) => Merged,
  options?: ConflateOptions<Merged>,
): OperatorFunction<T, Merged>;
export function conflate(
  first: (...args: never[]) => unknown,
  second?: ((waiting: unknown, value: unknown) => unknown) | ConflateOptions<unknown>,
  third?: ConflateOptions<unknown>,
): OperatorFunction<unknown, unknown> {
  const isSeeded = typeof second === 'function';
  const { onDrop } = optionsObject((isSeeded ? third : second) ?? {});
  const merge = isSeeded ? second : functionOf('merge', first as (waiting: unknown, value: unknown) => unknown);
  return conflation({
    seed: isSeeded ? functionOf('seed', first as (value: unknown) => unknown) : identity,
    merge,
    onDrop: optionalFunction('onDrop', onDrop) ?? noop,
  });
}
