import { noop, Observable, type MonoTypeOperatorFunction } from 'rxjs';
import { check, oneOf, optionalFunction, optionsObject, positiveIntegerOrInfinity } from '../internal/arguments.js';
import { LimitedValues, type LimitedValuesSettings } from '../internal/limiter/LimitedValues.js';
import { Limiter } from '../internal/limiter/Limiter.js';
import { limiterOf } from '../internal/limiter/limiterOf.js';
import { nonNegativeInteger } from '../internal/limiter/nonNegativeInteger.js';
import { operate } from '../internal/operate.js';
import { readLimitOptions, type LimitOptions } from '../options/limit.js';
import type { RateLimiter } from '../options/limiter.js';
import { readName, type NameOptions } from '../options/name.js';
import { readQueueOptions, type QueueOptions } from '../options/queue.js';

/**
 * What becomes of a value for which no permit is free.
 *
 * - `'shape'`: it waits.
 * - `'enforce'`: the operator fails with a `RateLimitError`.
 * - `'drop'`: it is dropped.
 * @public
 */
export type RateLimitMode = 'shape' | 'enforce' | 'drop';

/**
 * Options of `rateLimit` for a limit that is shared.
 * @public
 */
export interface RateLimitLineOptions<T> extends QueueOptions, NameOptions {
  /** What becomes of a value for which no permit is free. Default: `'shape'`, it waits. */
  mode?: RateLimitMode;
  /** How many permits a value needs, all at once; 0 only waits for its turn. Default: 1. */
  cost?: number | ((this: void, value: T) => number);
  /** Values of each key have a limit of their own, and an order of their own. Default: one for all. */
  key?: (this: void, value: T) => unknown;
  /** How many values may wait before sources that can wait are asked to. Default: 0, which lets one wait; with `key`, 100, at most `bufferSize`. */
  highWaterMark?: number;
  // A method, so that it does not take part in finding out T.
  /** Called with each value that is dropped, and why: `'rate-limit'` is the reason of mode `'drop'`. */
  onDrop?(this: void, value: T, reason: 'overflow' | 'rate-limit' | 'error' | 'unsubscribe'): void;
}

/**
 * Options of `rateLimit`.
 * @public
 */
export interface RateLimitOptions<T> extends LimitOptions, RateLimitLineOptions<T> {}

/**
 * Lets no more values pass than a limit allows; the others wait, and keep their order.
 *
 * ```marble
 * source                                abc--d---|
 * rateLimit({ limit: 2, interval: 5 })  ab---cd--|
 * ```
 *
 * Here `c` has its permit when that of `a` is free again, 5 ms later. Each subscription has a limit of its own; one that several
 * pipelines share is made by `createRateLimiter`, and `rateLimit(limiter)` takes its turns there. With `key`, each key has a
 * limit and an order of its own, and its values pass those of others that wait.
 *
 * - **Completes** after the source and what waits.
 * - **Errors** with the source, `cost`, `key` or `onDrop`; with a `BufferOverflowError`; with a `PermitCostError` when a value needs
 *   more permits than there can ever be; in mode `'enforce'` with a `RateLimitError`, which says when to try again. All at once:
 *   what waits is dropped.
 * - **Unsubscribed**, it takes no more permits, and those that it waited for go to others; its timer is cancelled, what waits is
 *   dropped.
 * - **Backpressure**: the source is asked for a value when none waits, or fewer than `highWaterMark`: so one has been read that
 *   has no permit yet, since it says what it costs. A permit is taken only when the consumer below can take the value; while it
 *   is full, values wait in each mode.
 * - **Drops** by `overflow` what comes beyond `bufferSize`, which only a source that cannot wait can bring; by `mode`; and what
 *   waits on error and unsubscription: `onDrop` sees each value.
 * - **Rather** `throttleTime` to lose values, `batchWithin` to send fewer and larger ones, `bufferedMergeMap` to limit how many run
 *   at a time.
 *
 * @throws RangeError if called with an option out of range
 * @throws TypeError if an option is of another type, or has no meaning beside the others
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { rateLimit } from 'rxjs-flow-control';
 *
 * of('a', 'b', 'c')
 *   .pipe(rateLimit({ limit: 2, interval: 100 }))
 *   .subscribe(console.log);
 * console.log('100 ms later:');
 * // prints: a, b, 100 ms later:, c
 * ```
 * @public
 */
export function rateLimit<T>(options: RateLimitOptions<T>): MonoTypeOperatorFunction<T>;
/**
 * Lets no more values pass than a limit allows that is shared with others.
 * @public
 */
export function rateLimit<T>(limiter: RateLimiter, options?: RateLimitLineOptions<T>): MonoTypeOperatorFunction<T>;
export function rateLimit<T>(
  limit: RateLimiter | RateLimitOptions<T>,
  lineOptions: RateLimitLineOptions<T> = {},
): MonoTypeOperatorFunction<T> {
  const shared = limiterOf(limit);
  const options = optionsObject(shared ? lineOptions : (limit as RateLimitOptions<T>));
  const limits = shared?.settings ?? readLimitOptions(options as RateLimitOptions<T>);
  const settings = readOptions(options, limits.capacity);

  return (source) =>
    new Observable((destination) => {
      const values = new LimitedValues(destination, shared ?? new Limiter(limits), settings);
      const subscriber = operate<T, T>({
        destination,
        gate: values.demand.gate,
        next: (value) => {
          values.receive(value);
        },
        error: (error) => {
          values.fail(error);
        },
        complete: () => {
          values.complete();
        },
      });
      // After the subscriber, whose teardown is that of the source.
      destination.add(() => {
        values.stop();
      });
      source.subscribe(subscriber);
    });
}

function readOptions<T>(options: RateLimitLineOptions<T>, capacity: number): LimitedValuesSettings<T> {
  const { mode = 'shape', cost = 1, bufferSize = 1000 } = options;
  const key = optionalFunction('key', options.key);
  positiveIntegerOrInfinity('bufferSize', bufferSize);
  if (typeof cost !== 'function') {
    nonNegativeInteger('cost', cost);
    check(cost <= capacity, RangeError, 'cost', `be at most ${String(capacity)}, the permits that there can be`, cost);
  }
  return {
    ...readQueueOptions({ ...options, bufferSize }, key ? 100 : 0),
    mode: oneOf('mode', ['shape', 'enforce', 'drop'], mode),
    cost,
    key,
    onDrop: optionalFunction('onDrop', options.onDrop) ?? noop,
    where: readName('rateLimit', options),
  };
}
