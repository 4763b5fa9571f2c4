import { from, noop, type ObservableInput } from 'rxjs';
import { optionalFunction, optionsObject } from '../internal/arguments.js';
import { ObservableIterator, type IteratorSettings } from '../internal/ObservableIterator.js';
import { readCleanupOptions, type CleanupOptions } from '../options/cleanup.js';
import { readName, type NameOptions } from '../options/name.js';
import { readQueueOptions, type QueueOptions } from '../options/queue.js';

/**
 * Options of `toAsyncIterable`.
 * @public
 */
export interface ToAsyncIterableOptions<T> extends QueueOptions, CleanupOptions, NameOptions {
  /** How many values sources that can wait may emit ahead of `next()`. Default: 0, nothing is emitted unasked. */
  highWaterMark?: number;
  /** Called with each value that is dropped, and why. */
  onDrop?: (value: T, reason: 'overflow' | 'unsubscribe') => void;
}

/**
 * Gives the values of an observable to `for await`, at the pace of the loop.
 *
 * ```marble
 * source                                                           -abc------|
 * for await (const value of toAsyncIterable(source)) await work()  -a--b--c--|
 * ```
 *
 * Each iterator subscribes for itself, when `next()` is first called. A source that can wait emits only what the loop asks for
 * and `highWaterMark` values more; what any other source emits waits, up to `bufferSize`.
 *
 * - **Completes** when the source has completed, all values have been read, and the clean-up has settled.
 * - **Errors**: `next()` rejects with the error of the source, after the values that came before it; or with a
 *   `BufferOverflowError`, after the values that wait.
 * - **Unsubscribed** by `return()` (which `break` in a loop calls), at once; the promise that it gives waits for the clean-up,
 *   and rejects if that fails. An error that nobody has read by then is forgotten with the values.
 * - **Backpressure**: the source is asked for one value for each `next()` that waits, and `highWaterMark` ahead. An iterable or
 *   a stream as `source` cannot be asked, because RxJS goes through it at its own pace: wrap it in `fromPull`.
 * - **Drops** by `overflow`, and what waits on `return()`: `onDrop` sees each.
 * - **Rather** `lastValueFrom` or `firstValueFrom` for a single value.
 *
 * @throws RangeError if called with an option out of range
 * @throws TypeError if the options are of another type
 *
 * @example
 * ```ts
 * import { map, range } from 'rxjs';
 * import { toAsyncIterable } from 'rxjs-flow-control';
 *
 * for await (const square of toAsyncIterable(range(1, 3).pipe(map((x) => x * x)))) console.log(square);
 * ```
 * @public
 */
export function toAsyncIterable<T>(
  source: ObservableInput<T>,
  options: ToAsyncIterableOptions<T> = {},
): AsyncIterable<T> {
  optionsObject(options);
  const settings: IteratorSettings<T> = {
    ...readQueueOptions(options, 0),
    patience: readCleanupOptions(options),
    onDrop: optionalFunction('onDrop', options.onDrop) ?? noop,
    where: readName('toAsyncIterable', options),
  };
  const values$ = from(source);
  return { [Symbol.asyncIterator]: () => new ObservableIterator(values$, settings) };
}
