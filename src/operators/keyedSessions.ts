import { noop, Observable, type ObservableInput, type ObservedValueOf, type OperatorFunction } from 'rxjs';
import {
  functionOf,
  nonNegativeDurationOrInfinity,
  oneOf,
  optionalFunction,
  optionsObject,
  positiveIntegerOrInfinity,
} from '../internal/arguments.js';
import type { Session, SessionCloseReason } from '../internal/sessions/Session.js';
import { SessionsOperation } from '../internal/sessions/SessionsOperation.js';
import type { SessionSettings } from '../internal/sessions/SessionSettings.js';
import { readCleanupOptions, type CleanupOptions } from '../options/cleanup.js';
import { readName, type NameOptions } from '../options/name.js';
import { readQueueOptions, type DropReason, type QueueOptions } from '../options/queue.js';

/**
 * What becomes of a value of a new key when there are `maxSessions` sessions.
 *
 * - `'close-oldest-idle'`: the session in which nothing has happened for longest makes room, as soon as there is one of which no
 *   value waits and of which the consumer is not full; meanwhile the value waits.
 * - `'wait'`: it waits until a session ends. It needs an `idleTimeout` or a `maxAge`, for it could wait forever.
 * - `'drop'`: it is dropped.
 * - `'error'`: the operator fails with a `TooManySessionsError`.
 * @public
 */
export type MaxSessionsPolicy = 'close-oldest-idle' | 'wait' | 'drop' | 'error';

/**
 * Options of `keyedSessions`.
 * @public
 */
export interface KeyedSessionsOptions<T, K, R> extends QueueOptions, CleanupOptions, NameOptions {
  /** A session is closed when none of its values waits, and for so many ms none was taken and no result came out. Default: Infinity. */
  idleTimeout?: number;
  /** A session is closed so many ms after its opening, when it has taken what had come until then. Default: Infinity. */
  maxAge?: number;
  /** How many sessions there may be at a time. Default: 1000. */
  maxSessions?: number;
  /** What becomes of a value of a new key when there are so many. Default: `'close-oldest-idle'`. */
  onMaxSessions?: MaxSessionsPolicy;
  /** How many values may wait, of all keys, before sources that can wait are asked to. Default: 100, at most `bufferSize`. */
  highWaterMark?: number;
  /** How many values of one key may wait before sources that can wait are asked to, also for others. Default: Infinity. */
  highWaterMarkPerKey?: number;
  /** How many values of one key may wait; `overflow` decides about one more, among those of its key. Default: `bufferSize`. */
  bufferSizePerKey?: number;
  // Methods, because TypeScript compares the parameters of functions before it knows what `handler` gives.
  /** Called with each value that no session has taken, and why: `'max-sessions'` is the reason of `onMaxSessions: 'drop'`. */
  onDrop?(this: void, value: T, reason: DropReason | 'max-sessions'): void;
  /** Called with each result that had to wait and could not be emitted any more, and why. */
  onDropResult?(this: void, result: R, reason: Exclude<DropReason, 'overflow'>): void;
  /** Called before a handler is. */
  onOpen?(this: void, key: K): void;
  /** Called when a session is over, with its clean-up, and why it was closed; if it is cut off, at once. */
  onClose?(this: void, key: K, reason: SessionCloseReason): void;
}

/**
 * Opens a pipeline for each key, feeds it the values of that key, and closes it when it is idle.
 *
 * ```marble
 * source                                         ab-a------ab|
 * keyedSessions(key, count, { idleTimeout: 4 })  11-2------11|
 * ```
 *
 * `groupBy` with an end. Here `count` numbers the values of its session: 4 ms after its last value a session is closed, and the next
 * value of its key opens a new one. Each key has one pipeline at a time: `handler` is called with a `Session`, and when that is closed,
 * its `values` complete and the handler finishes what it has begun. Only when it has completed, its results are out and its
 * clean-up has settled, the key is forgotten. A value that comes meanwhile waits, and opens a new session then: so none is lost, and
 * the order of each key is kept. The keys are compared as those of a `Map`.
 *
 * A session is idle when none of its values waits, its consumer is not full, and for `idleTimeout` none was taken and no result came
 * out. Work that a native operator does without telling (`concatMap`) is finished when the session is closed, but does not keep
 * it open; a consumer that says that it is busy does: `bufferedMergeMap(work, { concurrent: 1, highWaterMark: 0 })`.
 *
 * A handler may complete by itself: what it has not taken opens a new session. One that has taken nothing at all would do so
 * forever: then the operator fails with an `UnreadSessionError`. `values` may be subscribed late, and by one after the other.
 *
 * - **Completes** after the source: each session is closed when it has taken its values, and all handlers have completed and have
 *   cleaned up.
 * - **Errors** with the source, a handler (`catchError` or `settle` inside of it keep the others going), `key` or a callback; with a
 *   `BufferOverflowError`, a `TooManySessionsError` or an `UnreadSessionError`. The signals are aborted and all handlers
 *   unsubscribed; the error passes when the clean-ups have settled, after `cleanupTimeout` at the latest.
 * - **Unsubscribed**, it unsubscribes from the source, aborts the signals, unsubscribes from what the handlers gave, and hands the promises
 *   of their clean-up to the nearest consumer below that waits for such. Who reads `values` outside of that gets the `AbortError` of the signal.
 * - **Backpressure**: asks the source for values while fewer than `highWaterMark` wait, and up to `bufferSize` while the consumer
 *   below is open and a session, or a new one, could take another: so one key that is slow does not hold up the others, and keys
 *   without a session do not hold up those that have one. Consumers in a handler set the pace of its `values`, and the consumer
 *   below that of all handlers.
 * - **Drops** by `overflow` what comes beyond `bufferSize` (only a source that cannot wait can bring it) or `bufferSizePerKey`, by
 *   `onMaxSessions: 'drop'`, and what waits on error and unsubscription: `onDrop` sees each value, `onDropResult` each result.
 * - **Rather** `bufferedMergeMap` with `key` when values of a key need an order but no state; `groupBy` for a few keys that never end.
 *
 * @throws RangeError if called with an option out of range
 * @throws TypeError if `key`, `handler`, a callback or the options are of another type, or `onMaxSessions: 'wait'` comes without an
 *   `idleTimeout` or a `maxAge`
 *
 * @example
 * ```ts
 * import { map, of, scan } from 'rxjs';
 * import { keyedSessions } from 'rxjs-flow-control';
 *
 * of({ user: 'ann', cents: 5 }, { user: 'bob', cents: 1 }, { user: 'ann', cents: 7 })
 *   .pipe(
 *     keyedSessions(
 *       ({ user }) => user,
 *       ({ key, values }) =>
 *         values.pipe(
 *           scan((sum, { cents }) => sum + cents, 0),
 *           map((sum) => `${key} ${sum}`),
 *         ),
 *       { idleTimeout: 60_000 },
 *     ),
 *   )
 *   .subscribe(console.log);
 * // prints: ann 5, bob 1, ann 12
 * ```
 * @public
 */
export function keyedSessions<T, K, O extends ObservableInput<unknown>>(
  key: (value: T) => K,
  handler: (session: Session<K, T>) => O,
  options: KeyedSessionsOptions<T, K, ObservedValueOf<O>> = {},
): OperatorFunction<T, ObservedValueOf<O>> {
  const settings = readOptions(key, handler, options);

  return (source) =>
    new Observable((destination) => {
      source.subscribe(new SessionsOperation(destination, settings).subscriber);
    });
}

function readOptions<T, K, O extends ObservableInput<unknown>>(
  key: (value: T) => K,
  handler: (session: Session<K, T>) => O,
  options: KeyedSessionsOptions<T, K, ObservedValueOf<O>>,
): SessionSettings<K, T, ObservedValueOf<O>> {
  functionOf('key', key);
  functionOf('handler', handler);
  const { idleTimeout = Infinity, maxAge = Infinity, maxSessions = 1000 } = optionsObject(options);
  const { onMaxSessions = 'close-oldest-idle', bufferSize = 1000, highWaterMarkPerKey = Infinity } = options;
  positiveIntegerOrInfinity('bufferSize', bufferSize);
  const { bufferSizePerKey = bufferSize } = options;
  if (onMaxSessions === 'wait' && maxSessions < Infinity && Math.min(idleTimeout, maxAge) === Infinity)
    throw new TypeError("onMaxSessions: 'wait' needs an idleTimeout or a maxAge: else values could wait forever");
  return {
    ...readQueueOptions({ ...options, bufferSize }, 100),
    key,
    handler: handler as SessionSettings<K, T, ObservedValueOf<O>>['handler'],
    idleTimeout: nonNegativeDurationOrInfinity('idleTimeout', idleTimeout),
    maxAge: nonNegativeDurationOrInfinity('maxAge', maxAge),
    maxSessions: positiveIntegerOrInfinity('maxSessions', maxSessions),
    onMaxSessions: oneOf('onMaxSessions', ['close-oldest-idle', 'wait', 'drop', 'error'], onMaxSessions),
    highWaterMarkPerKey: positiveIntegerOrInfinity('highWaterMarkPerKey', highWaterMarkPerKey),
    bufferSizePerKey: positiveIntegerOrInfinity('bufferSizePerKey', bufferSizePerKey),
    onDrop: optionalFunction('onDrop', options.onDrop) ?? noop,
    onDropResult: optionalFunction('onDropResult', options.onDropResult) ?? noop,
    onOpen: optionalFunction('onOpen', options.onOpen) ?? noop,
    onClose: optionalFunction('onClose', options.onClose) ?? noop,
    patience: readCleanupOptions(options),
    where: readName('keyedSessions', options),
  };
}
