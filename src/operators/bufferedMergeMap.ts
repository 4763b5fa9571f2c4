import { noop, Observable, type ObservableInput, type ObservedValueOf, type OperatorFunction } from 'rxjs';
import {
  booleanOf,
  functionOf,
  optionalFunction,
  optionsObject,
  positiveIntegerOrInfinity,
} from '../internal/arguments.js';
import { MergeOperation } from '../internal/merge/MergeOperation.js';
import type { MergeSettings } from '../internal/merge/MergeSettings.js';
import type { WorkContext } from '../internal/workContext.js';
import { readCleanupOptions, type CleanupOptions } from '../options/cleanup.js';
import { readName, type NameOptions } from '../options/name.js';
import { readQueueOptions, type DropReason, type QueueOptions } from '../options/queue.js';

/**
 * Options of `bufferedMergeMap`.
 * @public
 */
export interface BufferedMergeMapOptions<T, R> extends QueueOptions, CleanupOptions, NameOptions {
  /** How many inner sources may run at a time. Default: 4. */
  concurrent?: number;
  /** How many values may wait before sources that can wait are asked to. Default: `concurrent`, at most `bufferSize`. */
  highWaterMark?: number;
  /** Emits the results in the order of the source, like `concatMap` that starts early. Default: `false`. */
  ordered?: boolean;
  // Methods, because TypeScript compares the parameters of functions before it knows what `project` gives.
  /** Called with each value that is dropped before it was started, and why. */
  onDrop?(this: void, value: T, reason: DropReason): void;
  /** Called with each result that had to wait and could not be emitted any more, and why. */
  onDropResult?(this: void, result: R, reason: Exclude<DropReason, 'overflow'>): void;
}

/**
 * Maps values to inner sources and merges what they emit, a few at a time; the values that wait are bounded.
 *
 * ```marble
 * source                                     abcd-----|
 * bufferedMergeMap(work, { concurrent: 2 })  ---ab-cd-|
 * ```
 *
 * `mergeMap(project, concurrent)` with a queue that has a bound. When `highWaterMark` values wait, sources that can wait
 * (`fromPull`, operators of this package) pause, through whatever RxJS operators stand in between; `overflow` decides about
 * a value beyond `bufferSize`, which only a source that cannot wait can bring. A slot is free when its inner source has
 * completed and its clean-up has settled. When the consumer below is full, results wait, each in its slot.
 *
 * - **Completes** after the source, the waiting values, the inner sources and their clean-up.
 * - **Errors** with the source, an inner source, `project` or `onDrop`, or a `BufferOverflowError`. The signals are aborted
 *   and everything is unsubscribed; the error passes when the clean-ups have settled, after `cleanupTimeout` at the latest.
 * - **Unsubscribed**, it unsubscribes from the source, aborts the signals, unsubscribes from the inner sources, and hands the
 *   promises of their clean-up to the nearest consumer below that waits for such.
 * - **Backpressure**: asks the source for no more than `concurrent + highWaterMark` values ahead. Inner iterables and streams
 *   are pulled at the pace of the consumer below. Of inner sources that cannot wait, one result for each that runs and
 *   `bufferSize` more may wait; beyond that it is a `BufferOverflowError`, whatever `overflow` says.
 * - **Drops** by `overflow`, and what waits on error and unsubscription: `onDrop` sees each value, `onDropResult` each result.
 * - **Rather** `mergeMap` for a handful of values, `switchMap` or `exhaustMap` if only one matters.
 *
 * @throws RangeError if called with an option out of range
 * @throws TypeError if `project`, a callback or the options are of another type
 *
 * @example
 * ```ts
 * import { bufferedMergeMap, fromPull } from 'rxjs-flow-control';
 *
 * fromPull(['a', 'b', 'c'])
 *   .pipe(
 *     bufferedMergeMap(async (id, _, { signal }) => (await fetch(`http://localhost:8080/${id}`, { signal })).json(), {
 *       concurrent: 2,
 *     }),
 *   )
 *   .subscribe(console.log);
 * ```
 * @public
 */
export function bufferedMergeMap<T, O extends ObservableInput<unknown>>(
  project: (value: T, index: number, context: WorkContext) => O,
  options: BufferedMergeMapOptions<T, ObservedValueOf<O>> = {},
): OperatorFunction<T, ObservedValueOf<O>> {
  const settings = readOptions(project, options);

  return (source) =>
    new Observable((destination) => {
      source.subscribe(new MergeOperation(destination, settings).asSubscriber());
    });
}

function readOptions<T, O extends ObservableInput<unknown>>(
  project: (value: T, index: number, context: WorkContext) => O,
  options: BufferedMergeMapOptions<T, ObservedValueOf<O>>,
): MergeSettings<T, ObservedValueOf<O>> {
  const { concurrent = 4, ordered = false } = optionsObject(options);
  return {
    project: functionOf('project', project) as MergeSettings<T, ObservedValueOf<O>>['project'],
    concurrent: positiveIntegerOrInfinity('concurrent', concurrent),
    ...readQueueOptions(options, concurrent),
    ordered: booleanOf('ordered', ordered),
    onDrop: optionalFunction('onDrop', options.onDrop) ?? noop,
    onDropResult: optionalFunction('onDropResult', options.onDropResult) ?? noop,
    patience: readCleanupOptions(options),
    where: readName('bufferedMergeMap', options),
  };
}
