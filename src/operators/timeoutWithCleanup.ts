import { Observable, type ObservableInput, type OperatorFunction } from 'rxjs';
import type { TimeoutWithCleanupInfo } from '../errors/TimeoutWithCleanupError.js';
import { nonNegativeDuration, oneOf, optionalFunction, optionsObject } from '../internal/arguments.js';
import { TimeoutOperation, type TimeoutSettings } from '../internal/timeout/TimeoutOperation.js';
import type { TimeLimitSettings } from '../machines/TimeLimits.js';
import { readCleanupOptions, type CleanupOptions } from '../options/cleanup.js';
import { readName, type NameOptions } from '../options/name.js';

/**
 * Options of `timeoutWithCleanup`. One of `first`, `each` and `total` has to be given.
 * @public
 */
export interface TimeoutWithCleanupOptions<T, R = never> extends CleanupOptions, NameOptions {
  /** How long the first value may take, in ms. Default: `each`. */
  first?: number;
  /** How long each value may take after the one before, in ms; the first one, too, where `first` is not given. Default: no limit. */
  each?: number;
  /** How long it may take to complete, in ms. Default: no limit. */
  total?: number;
  /** Whether work that can stop by itself is asked to, and may still give its result, before it is unsubscribed. Default: `'cooperative'`. */
  strategy?: 'cooperative' | 'aggressive';
  /** Called once when the source has been unsubscribed because time was up; a promise or an Observable that it gives is waited for. */
  cleanup?(this: void, info: TimeoutWithCleanupInfo<T>): unknown;
  /** How long work that was asked to stop and all clean-up may take together, in ms, from when time is up; `Infinity`: as long as it takes. Default: 5000. */
  cleanupTimeout?: number;
  /** What is emitted instead of the error. Default: a `TimeoutWithCleanupError`. */
  with?(this: void, info: TimeoutWithCleanupInfo<T>): ObservableInput<R>;
}

/**
 * Limits the time that the source may take; where it takes longer, cancels it and waits for the end of that.
 *
 * ```marble
 * source                                                         -a------b--|
 * timeoutWithCleanup({ each: 4, cleanup, with: () => of('x') })  -a-------(x|)
 * ```
 *
 * Here `cleanup` takes 4 frames. It is the `wait_for` of Python's asyncio (since 3.12) for RxJS. With `'cooperative'`, work that can
 * stop by itself (`abortable`, `usingAsync`) is asked to, by the abort of its signal with a `TimeoutError` as of
 * `AbortSignal.timeout`, and it stays subscribed: values still pass, and if the source completes now, that wins. If it errors, or all
 * who were asked have ended without ending the source, or time is over for that as well, it is given up. With `'aggressive'`, or if
 * nobody can be asked, it is given up at once: unsubscribed, then `cleanup` is called, and that and all clean-up of the source is
 * waited for. What is started after the request is told to stop at once, and is not waited for.
 *
 * In the same moment, whichever was scheduled first is first, as with `timeout`: mostly the value, since no timer is moved for a
 * value. If the event loop was busy when time was up, what has come meanwhile goes first: that was no silence.
 *
 * - **Completes** with the source, also while that is asked to stop, or with `with`.
 * - **Errors** with the source; when time was up, with a `TimeoutWithCleanupError` that tells how the clean-up has ended, `cleanupTimeout`
 *   after that at the latest. What work that was asked has failed with, if not with its cancellation, is the `cause`. When it goes on with
 *   `with`, such a failure and that of a clean-up go to the consumer below that waits for clean-up, else are reported as unhandled.
 * - **Unsubscribed**, it cancels its timer and unsubscribes from the source; what is still waited for is handed to the nearest consumer
 *   below that waits for clean-up. `cleanup` is not called any more.
 * - **Backpressure**: heeds it. `first` and `each` count only while the consumer below can take a value, and begin anew when it can again; where it
 *   cannot when time would be up, that is no silence of the source. `total` is plain time.
 * - **Drops** nothing that comes before it unsubscribes.
 * - **Rather** `timeout` when nothing has to be cleaned up.
 *
 * @throws TypeError if called without a limit, or with an option of another type
 * @throws RangeError if called with an option out of range
 *
 * @example
 * ```ts
 * import { abortable, timeoutWithCleanup } from 'rxjs-flow-control';
 *
 * const query = (signal: AbortSignal) =>
 *   new Promise<string>((resolve) => signal.addEventListener('abort', () => resolve('what was found so far')));
 * abortable(query)
 *   .pipe(timeoutWithCleanup({ total: 10 }))
 *   .subscribe(console.log);
 * // prints: what was found so far
 * ```
 * @public
 */
export function timeoutWithCleanup<T, R = never>(options: TimeoutWithCleanupOptions<T, R>): OperatorFunction<T, T | R> {
  const settings = readOptions(options);

  return (source) =>
    new Observable((destination) => {
      const operation = new TimeoutOperation(destination, settings);
      operation.join();
      source.subscribe(operation.subscriber);
      operation.start();
    });
}

function readOptions<T, R>(options: TimeoutWithCleanupOptions<T, R>): TimeoutSettings<T, R> {
  const { strategy = 'cooperative' } = optionsObject(options);
  return {
    limits: readLimits(options),
    isCooperative: oneOf('strategy', ['cooperative', 'aggressive'], strategy) === 'cooperative',
    cleanup: optionalFunction('cleanup', options.cleanup),
    fallback: optionalFunction('with', options.with),
    patience: readCleanupOptions(options),
    where: readName('timeoutWithCleanup', options),
  };
}

function readLimits({ first, each, total }: TimeLimitSettings): TimeLimitSettings {
  const given = Object.entries({ first, each, total }).filter(([, limit]) => limit !== undefined);
  if (given.length === 0) throw new TypeError('timeoutWithCleanup needs first, each or total');
  return Object.fromEntries(given.map(([name, limit]) => [name, nonNegativeDuration(name, limit as number)]));
}
