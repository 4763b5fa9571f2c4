import {
  defer,
  noop,
  Observable,
  share,
  type MonoTypeOperatorFunction,
  type ObservableInput,
  type ShareConfig,
  type Subscriber,
} from 'rxjs';
import { oneOf, optionalFunction, optionsObject, shown } from '../internal/arguments.js';
import { Multicast } from '../internal/Multicast.js';
import { operate } from '../internal/operate.js';
import { reportUnhandled } from '../internal/reportUnhandled.js';
import { queueSubscriber, type QueueSettings } from '../internal/queueSubscriber.js';
import type { DemandPolicy } from '../link/CombinedGate.js';
import { readName, type NameOptions } from '../options/name.js';
import { readQueueOptions, type QueueOptions } from '../options/queue.js';

/**
 * Options of `shareDemand`.
 * @public
 */
export interface ShareDemandOptions<T> extends QueueOptions, NameOptions {
  /** How many values may wait for a subscriber before it counts as one that cannot take another. Default: 0. */
  highWaterMark?: number;
  /** How many values may wait for each subscriber; `Infinity` is the loud way to say unbounded. Default: 1000. */
  bufferSize?: number;
  /** Whether a subscriber that comes after an error subscribes to the source anew; or from when on. Default: `true`. */
  resetOnError?: boolean | ((error: unknown) => ObservableInput<unknown>);
  /** Whether a subscriber that comes after completion subscribes to the source anew; or from when on. Default: `true`. */
  resetOnComplete?: boolean | (() => ObservableInput<unknown>);
  /** Whether the source is unsubscribed from when the last subscriber has left; or when. Default: `true`. */
  resetOnRefCountZero?: boolean | (() => ObservableInput<unknown>);
  /** Called with each value that is dropped, once for each subscriber that does not get it, and why. */
  onDrop?(this: void, value: T, reason: 'overflow' | 'error' | 'unsubscribe'): void;
}

/**
 * Shares one subscription to the source, at the pace of the slowest subscriber or of the fastest.
 *
 * ```marble
 * source                           --a-b-c-d-|
 * gate of one subscriber           o----x------o----
 * shareDemand('all'), for another  --a-b-------c-d-|
 * ```
 *
 * `share` that passes demand on. With `'all'` the source is asked for a value when every subscriber can take one, with
 * `'any'` when at least one can. What a subscriber cannot take all the same waits for it, up to `bufferSize`: with `'any'` it
 * lags behind, with `'all'` only a source that cannot wait, or subscribers who fill the same consumer, can bring that about.
 *
 * - **Completes** with the source, for each subscriber after the values that wait for it.
 * - **Errors** with the source, without the values that wait; for one subscriber with a `BufferOverflowError`, or when
 *   `onDrop` throws. The source is torn down before its end passes, so that those who are there can wait for its clean-up.
 * - **Unsubscribed**, the others go on, at once if they had to wait for this one. The last who leaves unsubscribes from the
 *   source, as `resetOnRefCountZero` says, and is handed the promises of its clean-up.
 * - **Backpressure**: subscribers without a gate below can always take a value. While nobody is subscribed, nothing is asked
 *   for; what comes all the same is for nobody, as with `share`. With `'all'`, branches that meet again in a `zip` have to take
 *   equally many.
 * - **Drops** by `overflow`, what waits on error and unsubscription, and what was on its way to a subscriber who left before it
 *   reached him: `onDrop` sees each.
 * - **Rather** `share` if no subscriber can be full.
 *
 * Who comes late gets what comes from then on, as with `share`; so the first subscriber of a synchronous source gets all of
 * it, if nothing holds it back. After an end for which nothing is reset, who comes late gets that end.
 *
 * @throws RangeError if called with another policy or an option out of range
 * @throws TypeError if a callback or the options are of another type
 *
 * @example
 * ```ts
 * import { bufferedMergeMap, fromPull, shareDemand } from 'rxjs-flow-control';
 *
 * async function* rows() {
 *   for (let row = 1; row <= 3; row++) yield row;
 * }
 * const shared = fromPull(rows).pipe(shareDemand('all'));
 * shared.pipe(bufferedMergeMap(async (row) => `stored ${row}`, { concurrent: 1 })).subscribe(console.log);
 * shared.pipe(bufferedMergeMap(async (row) => `indexed ${row}`, { concurrent: 2 })).subscribe(console.log);
 * ```
 * @public
 */
export function shareDemand<T>(policy: DemandPolicy, options: ShareDemandOptions<T> = {}): MonoTypeOperatorFunction<T> {
  const queue = readOptions(policy, options);
  const resets = readResets(options);
  /** Whoever could be told of an error has left. */
  const missed = (value: T) => {
    try {
      queue.onDrop(value, 'unsubscribe');
    } catch (thrown) {
      reportUnhandled(thrown);
    }
  };

  return (source) => {
    let multicast: Multicast<T>;
    const connector = () => (multicast = new Multicast(policy, missed));
    const linked = new Observable<T>((connection) => {
      source.subscribe(feeder(multicast, connection));
    });
    const shared = linked.pipe(share({ ...resets, connector }));

    return new Observable((destination) => {
      shared.subscribe(queueSubscriber(destination, queue));
      multicast.gate.wake(); // not before: `share` does not expect the end while somebody is being subscribed
    });
  };
}

/** Tears the source down before its end passes: then those are still there to whom its clean-up is handed. */
function feeder<T>(multicast: Multicast<T>, connection: Subscriber<T>): Subscriber<T> {
  let end = noop;
  return operate<T, T>({
    destination: connection,
    gate: multicast.gate,
    cleanupScope: multicast,
    error: (error) => {
      end = () => {
        connection.error(error);
      };
    },
    complete: () => {
      end = () => {
        connection.complete();
      };
    },
    finalize: () => {
      end();
    },
  });
}

function readOptions<T>(policy: DemandPolicy, options: ShareDemandOptions<T>): QueueSettings<T> {
  oneOf('policy', ['all', 'any'], policy);
  return {
    ...readQueueOptions(optionsObject(options), 0),
    onDrop: optionalFunction('onDrop', options.onDrop) ?? noop,
    where: readName(`shareDemand('${policy}')`, options),
  };
}

function readResets({
  resetOnError = true,
  resetOnComplete = true,
  resetOnRefCountZero = true,
}: ShareDemandOptions<never>): ShareConfig<never> {
  return {
    resetOnError: resetOf('resetOnError', resetOnError),
    resetOnComplete: resetOf('resetOnComplete', resetOnComplete),
    resetOnRefCountZero: resetOf('resetOnRefCountZero', resetOnRefCountZero),
  };
}

/** Deferred, because a callback that throws would keep the end from the subscribers. */
function resetOf<A extends unknown[]>(name: string, reset: boolean | ((...args: A) => ObservableInput<unknown>)) {
  if (typeof reset === 'boolean') return reset;
  if (typeof reset !== 'function') throw new TypeError(`${name} must be a boolean or a function, got ${shown(reset)}`);
  return (...args: A) => defer(() => reset(...args));
}
