import { EMPTY, noop, Observable, type ObservableInput, type ObservedValueOf, type OperatorFunction } from 'rxjs';
import {
  booleanOf,
  functionOf,
  optionalFunction,
  optionsObject,
  positiveIntegerOrInfinity,
  shown,
} from '../internal/arguments.js';
import { MergeOperation } from '../internal/merge/MergeOperation.js';
import type { MergeSettings } from '../internal/merge/MergeSettings.js';
import type { Pool } from '../internal/pool/Pool.js';
import type { WorkContext } from '../internal/workContext.js';
import { FirstComeLine } from '../machines/FirstComeLine.js';
import { readCleanupOptions, type CleanupOptions } from '../options/cleanup.js';
import { readName, type NameOptions } from '../options/name.js';
import { readQueueOptions, type DropReason, type QueueOptions } from '../options/queue.js';

/**
 * Options of `usePool`.
 * @public
 */
export interface UsePoolOptions<T, R> extends QueueOptions, CleanupOptions, NameOptions {
  /** How many values may have a resource, or wait for one, at a time. Default: `max` of the pool. */
  concurrent?: number;
  /** How many values may wait before sources that can wait are asked to. Default: `concurrent`, at most `bufferSize`. */
  highWaterMark?: number;
  /** Emits the results in the order of the source. Default: `false`. */
  ordered?: boolean;
  /** Called with each value that is dropped before `project` was called with it, and why: those that wait for a resource, too. */
  onDrop?(this: void, value: T, reason: DropReason): void;
  /** Called with each result that had to wait and could not be emitted any more, and why. */
  onDropResult?(this: void, result: R, reason: Exclude<DropReason, 'overflow'>): void;
}

/**
 * Maps each value to an inner source that works with a resource of a pool, a few at a time, and merges what they emit.
 *
 * ```marble
 * source                abc----|
 * usePool(pool, query)  ---ab-c|
 * ```
 *
 * Here the pool has two connections, and each query takes three frames. It is `bufferedMergeMap` with `pool.use` inside: the
 * resource is returned when the inner source has ended and its clean-up has settled, and the next value has its turn.
 *
 * - **Completes** after the source, the waiting values, the inner sources and their clean-up.
 * - **Errors** with the source, the pool (a `PoolTimeoutError`, a `PoolClosedError`, the error of `create`), `project`, an inner source, or a
 *   `BufferOverflowError`. The others are cancelled; the error passes when all resources are returned, after `cleanupTimeout` at the latest.
 * - **Unsubscribed**, it unsubscribes from the source and cancels the inner sources; each resource is returned after its clean-up.
 * - **Backpressure**: asks the source for no more than `concurrent + highWaterMark` values ahead. Inner iterables and streams are pulled
 *   at the pace of the consumer below.
 * - **Drops** by `overflow`, and what waits on error and unsubscription, for its turn or for a resource: `onDrop` sees each value,
 *   `onDropResult` each result.
 * - **Rather** `bufferedMergeMap` and `pool.use` inside of `project` when not all of its work needs the resource, or with keys and priorities.
 *
 * @throws RangeError if called with an option out of range
 * @throws TypeError if `pool`, `project`, a callback or the options are of another type
 *
 * @example
 * ```ts
 * import { createPool, fromPull, usePool } from 'rxjs-flow-control';
 *
 * const pool = createPool({ create: async () => ({ square: async (n: number) => n * n }), max: 2 });
 * fromPull([1, 2, 3])
 *   .pipe(usePool(pool, (n, calculator) => calculator.square(n), { ordered: true }))
 *   .subscribe(console.log);
 * // prints: 1, 4, 9
 * ```
 * @public
 */
export function usePool<T, P, O extends ObservableInput<unknown>>(
  pool: Pool<P>,
  project: (value: T, resource: P, context: WorkContext) => O,
  options: UsePoolOptions<T, ObservedValueOf<O>> = {},
): OperatorFunction<T, ObservedValueOf<O>> {
  const settings = readOptions(pool, project, options);

  return (source) =>
    new Observable((destination) => {
      const operation = new MergeOperation<T, ObservedValueOf<O>>(destination, {
        ...settings,
        project: (value) =>
          new Observable<ObservedValueOf<O>>((inner) => {
            let isStarted = false;
            inner.add(() => {
              if (!isStarted) operation.drops.unstarted(value);
            });
            const work = (resource: P, context: WorkContext) => {
              if (operation.closed) return EMPTY; // the resource is that of another, which has been torn down just now
              isStarted = true;
              return project(value, resource, context) as ObservableInput<ObservedValueOf<O>>;
            };
            pool.use(work).subscribe(inner);
          }),
      });
      source.subscribe(operation.asSubscriber());
    });
}

function readOptions<T, P, O extends ObservableInput<unknown>>(
  pool: Pool<P>,
  project: (value: T, resource: P, context: WorkContext) => O,
  options: UsePoolOptions<T, ObservedValueOf<O>>,
): Omit<MergeSettings<T, ObservedValueOf<O>>, 'project'> {
  if (typeof (pool as Partial<Pool<P>> | undefined)?.use !== 'function')
    throw new TypeError(`pool must be a pool, got ${shown(pool)}`);
  functionOf('project', project);
  const { concurrent = pool.max, ordered = false, onDrop, onDropResult } = optionsObject(options);
  positiveIntegerOrInfinity('concurrent', concurrent);
  const { bufferSize, highWaterMark, overflow } = readQueueOptions(options, concurrent);
  const patience = readCleanupOptions(options);
  return {
    concurrent,
    bufferSize,
    highWaterMark,
    newLine: () => new FirstComeLine(bufferSize, overflow),
    maxAge: Infinity,
    now: () => patience.scheduler.now(),
    ordered: booleanOf('ordered', ordered),
    onDrop: (optionalFunction('onDrop', onDrop) as MergeSettings<T, never>['onDrop'] | undefined) ?? noop, // there is no age
    onDropResult: optionalFunction('onDropResult', onDropResult) ?? noop,
    patience,
    where: readName('usePool', options),
  };
}
