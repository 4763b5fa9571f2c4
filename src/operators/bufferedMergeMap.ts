import { noop, Observable, type ObservableInput, type ObservedValueOf, type OperatorFunction } from 'rxjs';
import {
  booleanOf,
  check,
  functionOf,
  nonNegativeDurationOrInfinity,
  optionalFunction,
  optionsObject,
  positiveIntegerOrInfinity,
} from '../internal/arguments.js';
import { MergeOperation } from '../internal/merge/MergeOperation.js';
import type { MergeSettings, Ticket } from '../internal/merge/MergeSettings.js';
import type { WorkContext } from '../internal/workContext.js';
import { FirstComeLine } from '../machines/FirstComeLine.js';
import { LaneLine, type LaneRules } from '../machines/LaneLine.js';
import type { Line } from '../machines/Line.js';
import { isAdaptive, readConcurrency, type Concurrency } from '../options/concurrency.js';
import { readCleanupOptions, type CleanupOptions } from '../options/cleanup.js';
import { readName, type NameOptions } from '../options/name.js';
import { readQueueOptions, type DropReason, type QueueOptions } from '../options/queue.js';

/**
 * Options of `bufferedMergeMap`.
 * @public
 */
export interface BufferedMergeMapOptions<T, R> extends QueueOptions, CleanupOptions, NameOptions {
  /** How many inner sources may run at a time; of an Observable the last number counts, and 0 pauses. Default: 4. */
  concurrent?: Concurrency;
  /** How many values may wait before sources that can wait are asked to. Default: `concurrent`, at most `bufferSize`. */
  highWaterMark?: number;
  /** Values of the same key start in the order in which they came. Default: each value is free. */
  key?(this: void, value: T): unknown;
  /** How many inner sources of the same key may run at a time. Default: 1. */
  concurrentPerKey?: number;
  /** How many values of the same key may wait; `overflow` decides about one more. Default: Infinity. */
  maxPerKey?: number;
  /** Of those that may start, the highest is the next. Default: the one that has waited longest. */
  priority?(this: void, value: T): number;
  /** How long a value has to wait to gain 1 in priority, in ms, so that none waits forever; `Infinity`: it never does. Default: 1000. */
  ageing?: number;
  /** How long a value may wait, in ms; then it is dropped. Default: Infinity. */
  maxAge?: number;
  /** Emits the results in the order of the source (with `key` or `priority`: of the starts), like `concatMap` that starts early. Default: `false`. */
  ordered?: boolean;
  // Methods, because TypeScript compares the parameters of functions before it knows what `project` gives.
  /** Called with each value that is dropped before it was started, and why. */
  onDrop?(this: void, value: T, reason: DropReason | 'age'): void;
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
 * With a `key`, values of the same key go one after the other, and those of others pass them. With a `priority`, the highest
 * goes first, but all age alike while they wait (aged priority, as in schedulers of operating systems), so that none starves.
 *
 * - **Completes** after the source, the waiting values, the inner sources and their clean-up.
 * - **Errors** with the source, an inner source, `concurrent`, any of the functions given, or a `BufferOverflowError`. The signals are aborted
 *   and everything is unsubscribed; the error passes when the clean-ups have settled, after `cleanupTimeout` at the latest.
 * - **Unsubscribed**, it unsubscribes from the source, aborts the signals, unsubscribes from the inner sources, and hands the
 *   promises of their clean-up to the nearest consumer below that waits for such.
 * - **Backpressure**: asks the source for no more than `concurrent + highWaterMark` values ahead; with a `key`, for up to
 *   `bufferSize` while a slot is free and all that wait have to wait for their key. Inner iterables and streams are pulled at
 *   the pace of the consumer below. Of inner sources that cannot wait, one result for each that runs and
 *   `bufferSize` more may wait; beyond that it is a `BufferOverflowError`, whatever `overflow` says.
 * - **Drops** by `overflow` and `maxAge`, and what waits on error and unsubscription: `onDrop` sees each value, `onDropResult` each result.
 * - **Rather** `mergeMap` for a handful of values, `switchMap` or `exhaustMap` if only one matters.
 *
 * @throws RangeError if called with an option out of range
 * @throws TypeError if `project`, a callback or the options are of another type, or an option of keys comes without a `key`
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
  const { ordered = false, maxAge = Infinity } = optionsObject(options);
  const concurrent = readConcurrency(options);
  const mayRun = typeof concurrent === 'number' ? concurrent : Infinity; // else the mark follows it
  const queue = readQueueOptions(options, mayRun);
  const patience = readCleanupOptions(options);
  return {
    project: functionOf('project', project) as MergeSettings<T, ObservedValueOf<O>>['project'],
    concurrent,
    bufferSize: queue.bufferSize,
    highWaterMark: typeof concurrent === 'number' ? queue.highWaterMark : options.highWaterMark,
    newLine: readLine(options, queue),
    maxAge: nonNegativeDurationOrInfinity('maxAge', maxAge),
    now: () => patience.scheduler.now(),
    ordered: booleanOf('ordered', ordered),
    onDrop: optionalFunction('onDrop', options.onDrop) ?? noop,
    onDropResult: optionalFunction('onDropResult', options.onDropResult) ?? noop,
    patience,
    where: readName('bufferedMergeMap', options),
  };
}

/** Plain values, first come, first served, are spared the tickets that all else needs. */
function readLine<T>(
  options: BufferedMergeMapOptions<T, never>,
  { bufferSize, overflow }: Required<QueueOptions>,
): () => Line<T, Ticket<T>> {
  const { key, concurrentPerKey = 1, maxPerKey = Infinity, priority, ageing = 1000, concurrent } = options;
  optionalFunction('key', key);
  optionalFunction('priority', priority);
  if (!key && !(options.concurrentPerKey === undefined && options.maxPerKey === undefined))
    throw new TypeError('concurrentPerKey and maxPerKey need a key');
  const rules: LaneRules<T> = {
    bufferSize,
    overflow,
    key,
    concurrentPerKey: positiveIntegerOrInfinity('concurrentPerKey', concurrentPerKey),
    maxPerKey: positiveIntegerOrInfinity('maxPerKey', maxPerKey),
    rank: rankBy(priority, nonNegativeDurationOrInfinity('ageing', ageing)),
  };
  const isPlain = !key && !priority && (options.maxAge ?? Infinity) === Infinity && !isAdaptive(concurrent);
  return isPlain ? () => new FirstComeLine(bufferSize, overflow) : () => new LaneLine(rules);
}

/** Who ages while waiting does so as fast as all others: the order stays, and can be told on arrival. */
function rankBy<T>(priority: ((value: T) => number) | undefined, ageing: number): LaneRules<T>['rank'] {
  if (!priority || ageing === 0) return () => 0; // who ages at once is always before those that come later
  return (value, now) => {
    const given = priority(value);
    check(typeof given === 'number' && !Number.isNaN(given), RangeError, 'priority', 'give a number', given);
    return ageing === Infinity ? -given : now - given * ageing;
  };
}
