import { Observable, type MonoTypeOperatorFunction } from 'rxjs';
import {
  check,
  finiteNumberFrom,
  functionOf,
  nonNegativeDuration,
  nonNegativeDurationOrInfinity,
  nonNegativeIntegerOrInfinity,
  oneOf,
  optionalFunction,
  optionsObject,
} from '../internal/arguments.js';
import { RetryOperation, type RetrySettings } from '../internal/retry/RetryOperation.js';
import type { BackoffSettings, Jitter } from '../machines/Backoff.js';
import { readCleanupOptions, type CleanupOptions } from '../options/cleanup.js';
import { readName, type NameOptions } from '../options/name.js';

/**
 * A retry that is to come.
 * @public
 */
export interface RetryInfo {
  /** What the source has failed with. */
  readonly error: unknown;
  /** Which retry in a row it is, from 1. */
  readonly attempt: number;
  /** How long it waits for that, in ms. */
  readonly delay: number;
}

/**
 * Options of `retryBackoff`.
 * @public
 */
export interface RetryBackoffOptions extends CleanupOptions, NameOptions {
  /** How many retries there may be in a row; `Infinity`: for ever. Default: 10. */
  count?: number;
  /** The longest wait before the first retry, in ms; with 0, and no `delayFor`, all are at once. Default: 100. */
  initialDelay?: number;
  /** The longest wait, in ms. Default: 30 000, or `initialDelay` if that is more. */
  maxDelay?: number;
  /** How much longer the wait may be each time, at least 1. Default: 2; with jitter `'decorrelated'` 3. */
  factor?: number;
  /** How the waits are spread. Default: `'full'`, anything from 0 to the longest wait. */
  jitter?: Jitter;
  /** No wait begins that would end later than so many ms after the first failure in a row. Default: `Infinity`. */
  maxElapsed?: number;
  /** For how many ms the source must have gone on, from its first value, for a failure to be the first again. Default: 60 000. */
  resetAfter?: number;
  /** Whether another attempt makes sense after this error; `attempt` counts the retries in a row from 1. Default: it does. */
  shouldRetry?(this: void, error: unknown, attempt: number): boolean;
  /** How long to wait instead, in ms, if it gives a number: what a server has asked for, also if that is more than `maxDelay`. Default: never. */
  delayFor?(this: void, error: unknown, attempt: number): number | undefined;
  /** Called with each retry when the wait for it begins. */
  onRetry?(this: void, retry: RetryInfo): void;
  /** How long the next attempt waits for clean-up of the last, in ms; `Infinity`: until it has settled. Default: 5000. */
  cleanupTimeout?: number;
  /** Gives numbers from 0 to 1, for the jitter. Default: `Math.random`. */
  random?(this: void): number;
}

/**
 * Subscribes to the source anew when it fails, after waits that grow, and not before the failed attempt has cleaned up.
 *
 * ```marble
 * first attempt                                      --a#
 * second attempt                                     ------b#
 * third attempt                                      ------------c-|
 * retryBackoff({ initialDelay: 2, jitter: 'none' })  --a---b-----c-|
 * ```
 *
 * Here the attempts begin in the frames 0, 5 and 11. The waits are those of
 * "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015): `initialDelay`, and then `factor` times as much each time, `maxDelay` at
 * most; of that, as much as `jitter` says. With `'decorrelated'`, many waits come to be exactly `maxDelay`; `'full'` spreads best.
 *
 * A source that gives a value and fails again has not recovered: waits and `count` start anew only when a failure comes `resetAfter`
 * or more after the first value of the attempt. With `resetAfter: 0` each value is enough, as with `resetOnSuccess` of `retry`, which
 * lets a server that flaps be hammered. The clean-up of an attempt is waited for while the back-off time goes by.
 *
 * - **Completes** with the source.
 * - **Errors** with the last error of the source, as it is, when there have been `count` retries, `shouldRetry` gives `false`, the wait would end
 *   after `maxElapsed` or would never end, or a consumer below has asked all work to stop. Clean-up is then left to the consumer below. A
 *   source that can be gone through only once is not retried: a `SourceConsumedError` whose `cause` is the first error. (`from` of such
 *   a source completes in silence instead: use `fromPull`.)
 * - **Unsubscribed**, it cancels the wait or unsubscribes from the source. Clean-up that goes on is left to the nearest consumer below
 *   that waits for such; so is one that fails or has not settled after `cleanupTimeout` when the next attempt begins.
 * - **Backpressure**: the source sees the consumer below, each time.
 * - **Drops** nothing. Values that came before a failure have passed.
 * - **Rather** `retry` for a plain number of attempts, `catchError` behind it for what is to be done at the end.
 *
 * @throws RangeError if called with an option out of range
 * @throws TypeError if an option is of another type
 *
 * @example
 * ```ts
 * import { defer } from 'rxjs';
 * import { fromRetryAfter, retryBackoff } from 'rxjs-flow-control';
 *
 * let calls = 0;
 * const request = async () => {
 *   if (++calls < 3) throw new Response('', { status: 503, headers: { 'retry-after': '0.01' } });
 *   return `answered call ${calls}`;
 * };
 * defer(request)
 *   .pipe(
 *     retryBackoff({
 *       shouldRetry: (error) => error instanceof Response && error.status >= 500,
 *       delayFor: (error) => fromRetryAfter(error as Response),
 *       onRetry: ({ attempt, delay }) => console.log(`retry ${attempt} in ${delay} ms`),
 *     }),
 *   )
 *   .subscribe(console.log);
 * // prints: retry 1 in 10 ms, retry 2 in 10 ms, answered call 3
 * ```
 * @public
 */
export function retryBackoff<T>(options: RetryBackoffOptions = {}): MonoTypeOperatorFunction<T> {
  const settings = readOptions(options);

  return (source) =>
    new Observable((destination) => {
      new RetryOperation(destination, source, settings).start();
    });
}

function readOptions(options: RetryBackoffOptions): RetrySettings {
  const { count = 10, maxElapsed = Infinity, resetAfter = 60_000 } = optionsObject(options);
  return {
    count: nonNegativeIntegerOrInfinity('count', count),
    maxElapsed: nonNegativeDurationOrInfinity('maxElapsed', maxElapsed),
    resetAfter: nonNegativeDurationOrInfinity('resetAfter', resetAfter),
    backoff: readBackoff(options),
    shouldRetry: optionalFunction('shouldRetry', options.shouldRetry),
    delayFor: optionalFunction('delayFor', options.delayFor),
    onRetry: optionalFunction('onRetry', options.onRetry),
    patience: readCleanupOptions(options),
    where: readName('retryBackoff', options),
  };
}

function readBackoff(options: RetryBackoffOptions): BackoffSettings {
  const { initialDelay = 100, jitter = 'full', random = Math.random } = options;
  nonNegativeDuration('initialDelay', initialDelay);
  oneOf('jitter', ['full', 'equal', 'decorrelated', 'none'], jitter);
  functionOf('random', random);
  const { maxDelay = Math.max(30_000, initialDelay), factor = jitter === 'decorrelated' ? 3 : 2 } = options;
  nonNegativeDuration('maxDelay', maxDelay);
  check(
    maxDelay >= initialDelay,
    RangeError,
    'maxDelay',
    `be at least initialDelay, ${String(initialDelay)}`,
    maxDelay,
  );
  return {
    initialDelay,
    maxDelay,
    factor: finiteNumberFrom('factor', 1, factor),
    jitter,
    random: () => {
      const share = random();
      return check(share >= 0 && share <= 1, RangeError, 'what random gives', 'be a number from 0 to 1', share);
    },
  };
}
