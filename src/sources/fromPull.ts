import { Observable, type SchedulerLike } from 'rxjs';
import { SourceConsumedError } from '../errors/SourceConsumedError.js';
import {
  gateOf,
  optionalFunction,
  optionsObject,
  positiveIntegerOrInfinity,
  schedulerOf,
  shown,
} from '../internal/arguments.js';
import { macrotask, type Pause } from '../internal/macrotask.js';
import { defaultSlice, pull, type PullSettings } from '../internal/pull.js';
import { isPullable, isThenable, openPuller, type Pullable, type Puller } from '../internal/puller.js';
import { LazySignal, type WorkContext } from '../internal/workContext.js';
import type { Gate } from '../link/protocol.js';
import { findGate, findLossCounter } from '../link/walk.js';

/**
 * Options of `fromPull`.
 * @public
 */
export interface FromPullOptions<T> {
  /** Whose demand counts, where the consumer cannot be found by itself. Default: the nearest gate below. */
  gate?: Gate;
  /**
   * How many values may be emitted before the event loop gets a turn; it gets one after 10 ms too. `Infinity`: it gets none.
   * Default: 1000.
   */
  slice?: number;
  /** Gives the event loop its turn, and has the clock for that. Default: `setImmediate` or a `MessageChannel`. */
  scheduler?: SchedulerLike;
  /** Called with a value that was pulled, but not emitted before the subscription ended. */
  onDrop?: (value: T, reason: 'unsubscribe') => void;
}

/**
 * Emits what an iterable, an async iterable, an iterator or a web stream gives, at the pace of the consumer below.
 *
 * ```marble
 * fromPull('abcde')                                            (abc)d----e----|
 * bufferedMergeMap(work, { concurrent: 1, highWaterMark: 2 })  -----a----b----c----d----(e|)
 * ```
 *
 * It asks for a value only when the nearest consumer below can take one, through whatever RxJS operators stand in between;
 * without such a consumer it emits as fast as it can. Pass a function to open the source anew for each subscription; the
 * `signal` that it is given is aborted when the subscription ends before the source does.
 *
 * - **Completes** when the source is done.
 * - **Errors** when the source throws or rejects, the function throws, or an iterator or a stream, which can be gone through
 *   only once, is subscribed to a second time.
 * - **Unsubscribed**, it aborts the `signal` and calls `return()` (of a stream: `cancel()`, of one of Node: `destroy()`), at once
 *   even while `next()` is pending, and hands the promise of that clean-up to the nearest consumer below that waits for such.
 *   An async generator runs its `finally` when the promise that it awaits has settled; the `signal` can hurry it.
 * - **Backpressure**: never more than one `next()` under way, and none while the consumer is full.
 * - **Drops** nothing but a value that was under way when it was unsubscribed: `onDrop` sees it.
 * - **Rather** `from` for a handful of values that may come all at once, in the same task.
 *
 * @throws TypeError if called with what cannot be pulled
 * @throws RangeError if called with an option out of range
 *
 * @example
 * ```ts
 * import { bufferedMergeMap, fromPull } from 'rxjs-flow-control';
 *
 * async function* pages() {
 *   for (let page = 1; page <= 3; page++) yield page;
 * }
 * fromPull(pages)
 *   .pipe(bufferedMergeMap(async (page) => `page ${page}`, { concurrent: 2 }))
 *   .subscribe(console.log);
 * ```
 * @public
 */
export function fromPull<T>(
  source: Pullable<T> | ((context: WorkContext) => Pullable<T>),
  options: FromPullOptions<T> = {},
): Observable<T> {
  const { gate, ...settings } = readOptions(options);
  const open = typeof source === 'function' ? opensAnew(source) : opensGiven(source);

  return new Observable((subscriber) => {
    const counter = findLossCounter(subscriber);
    const onDrop = (value: T) => {
      counter?.lost('waiting', 1);
      settings.onDrop?.(value);
    };
    pull(open(), subscriber, { ...settings, gate: gate ?? findGate(subscriber), onDrop });
  });
}

function readOptions<T>(options: FromPullOptions<T>): PullSettings<T> {
  const { gate, slice = defaultSlice, scheduler, onDrop } = optionsObject(options);
  optionalFunction('onDrop', onDrop);
  return {
    gate: gate === undefined ? undefined : gateOf('gate', gate),
    slice: positiveIntegerOrInfinity('slice', slice),
    now: scheduler === undefined ? Date.now : () => scheduler.now(),
    pause: scheduler === undefined ? macrotask : pauseOn(schedulerOf('scheduler', scheduler)),
    onDrop:
      onDrop &&
      ((value) => {
        onDrop(value, 'unsubscribe');
      }),
  };
}

function opensAnew<T>(open: (context: WorkContext) => Pullable<T>): () => Puller<T> {
  return () => {
    const work = new LazySignal();
    try {
      const puller = openPuller(pullable(open(work)));
      const close = puller.close.bind(puller);
      puller.close = () => {
        work.abort();
        return close();
      };
      return puller;
    } catch (thrown) {
      work.abort();
      throw thrown;
    }
  };
}

function opensGiven<T>(source: Pullable<T>): () => Puller<T> {
  pullable(source);
  let consumed = false;
  const cursors = new WeakSet();
  return () => {
    if (consumed) throw new SourceConsumedError('fromPull');
    const puller = openPuller(source);
    consumed = puller.oneShot;
    if (cursors.has(puller.cursor)) throw new SourceConsumedError('fromPull');
    cursors.add(puller.cursor);
    return puller;
  };
}

function pullable<T>(source: Pullable<T>): Pullable<T> {
  if (isPullable(source)) return source;
  const hint = isThenable(source) ? '; to wait for it, make it an async generator' : '';
  throw new TypeError(
    `fromPull takes an iterable, an async iterable, an iterator, a ReadableStream or a function that opens one, got ${shown(source)}${hint}`,
  );
}

function pauseOn(scheduler: SchedulerLike): Pause {
  return (callback) => {
    const action = scheduler.schedule(callback);
    return () => {
      action.unsubscribe();
    };
  };
}
