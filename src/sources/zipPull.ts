import { EMPTY, from, noop, Observable, type ObservableInput, type ObservableInputTuple } from 'rxjs';
import { oneOf, optionalFunction, optionsObject, positiveIntegerOrInfinity, shown } from '../internal/arguments.js';
import { pullsInner } from '../internal/innerPull.js';
import { ZipOperation, type ZipSettings } from '../internal/ZipOperation.js';
import { readName, type NameOptions } from '../options/name.js';
import { readQueueOptions, type QueueOptions } from '../options/queue.js';

/**
 * Options of `zipPull`.
 * @public
 */
export interface ZipPullOptions<V> extends Omit<QueueOptions, 'overflow'>, NameOptions {
  /** How many values an input may be ahead of the others before it is asked to wait. Default: 1. */
  highWaterMark?: number;
  /** How many values of each input may wait at all; `Infinity` is the loud way to say unbounded. Default: 1000. */
  bufferSize?: number;
  /**
   * Called with each value that comes into no tuple, why, and of which input it is; `'complete'`: another input had come to
   * its end.
   */
  onDrop?(this: void, value: V, reason: 'overflow' | 'error' | 'unsubscribe' | 'complete', input: number): void;
}

/**
 * Combines the first values of all inputs, then the second, and so on; an input that is ahead waits for the others.
 *
 * ```marble
 * numbers                      ---1---2---3|
 * fromPull('abcd')             a--b---c---d
 * zipPull([letters, numbers])  ---x---y---z|
 * ```
 *
 * `zip` in which nothing piles up. Each input has a gate of its own: it is asked for a value while fewer than `highWaterMark`
 * of its own wait for their counterparts, and the consumer below can take a tuple. Inputs that are iterables, async iterables
 * or streams are pulled at that pace.
 *
 * - **Completes** when an input has completed and none of its values waits; the others are unsubscribed from.
 * - **Errors** with an input, or with a `BufferOverflowError` when an input that cannot wait is more than `bufferSize` values
 *   ahead. What waits does not hold an error up.
 * - **Unsubscribed**, it unsubscribes from all inputs, and hands the promises of their clean-up to the nearest consumer below
 *   that waits for such.
 * - **Backpressure**: inputs that can wait are at most `highWaterMark` values ahead of each other. Tuples that the consumer
 *   below cannot take wait, and nothing is asked for.
 * - **Drops** what is left over at the end: `onDrop` sees each value. No policy drops others, because that would shift the
 *   tuples: put an operator that drops above the input.
 * - **Rather** `zip` for inputs that come in step, and `combineLatest` or `withLatestFrom` where only the newest matters.
 *
 * @throws RangeError if called with an option out of range
 * @throws TypeError if an input is no `ObservableInput`, or a callback or the options are of another type
 *
 * @example
 * ```ts
 * import { interval, map } from 'rxjs';
 * import { zipPull } from 'rxjs-flow-control';
 *
 * function* ids() {
 *   for (let id = 1; id <= 3; id++) yield id; // three are asked for, and no more
 * }
 * zipPull([ids(), interval(10).pipe(map((i) => i * 10))]).subscribe(([id, time]) => console.log(`${id} at ${time}`));
 * // prints: 1 at 0, 2 at 10, 3 at 20
 * ```
 * @public
 */
export function zipPull<A extends readonly unknown[]>(
  inputs: readonly [...ObservableInputTuple<A>],
  options: ZipPullOptions<A[number]> = {},
): Observable<A> {
  const settings = readOptions(options);
  const sources = readInputs<A[number]>(inputs);
  if (sources.length === 0) return EMPTY;

  return new Observable((destination) => {
    const operation = new ZipOperation<A[number]>(destination, sources, settings);
    destination.add(() => {
      operation.stop();
    });
    operation.start();
  });
}

function readInputs<V>(inputs: readonly ObservableInput<V>[]): ObservableInput<V>[] {
  if (!Array.isArray(inputs)) throw new TypeError(`inputs must be an array, got ${shown(inputs)}`);
  return inputs.map((input: ObservableInput<V>) => (pullsInner(input, true) ? input : from(input)));
}

function readOptions<V>(options: ZipPullOptions<V>): ZipSettings<V> {
  const { overflow = 'error' } = optionsObject(options) as QueueOptions;
  oneOf('overflow', ['error'], overflow);
  const { highWaterMark, bufferSize } = readQueueOptions(options, 1);
  return {
    bufferSize: positiveIntegerOrInfinity('bufferSize', bufferSize),
    highWaterMark: positiveIntegerOrInfinity('highWaterMark', highWaterMark),
    onDrop: optionalFunction('onDrop', options.onDrop) ?? noop,
    where: readName('zipPull', options),
  };
}
