import { Observable, type MonoTypeOperatorFunction } from 'rxjs';
import {
  booleanOf,
  nonNegativeDurationOrInfinity,
  optionalFunction,
  optionsObject,
  positiveInteger,
} from '../internal/arguments.js';
import { HedgeOperation } from '../internal/hedge/HedgeOperation.js';
import type { HedgeSettings } from '../internal/hedge/HedgeSettings.js';
import { readCleanupOptions, type CleanupOptions } from '../options/cleanup.js';
import { readName, type NameOptions } from '../options/name.js';

/**
 * A further attempt that begins.
 * @public
 */
export interface HedgeInfo {
  /** Which attempt it is, from 2. */
  readonly attempt: number;
  /** What another one has failed with, if it begins because of that. */
  readonly error?: unknown;
}

/**
 * Options of `hedge`.
 * @public
 */
export interface HedgeOptions extends CleanupOptions, NameOptions {
  /** For how many ms the last attempt may give nothing before another one begins; or a function of how many have begun. 0: all at once; `Infinity`: only when one has failed. */
  after: number | ((this: void, attempts: number) => number);
  /** How many attempts there may be in all. Default: 2. */
  max?: number;
  /** Whether another attempt makes sense after this error of one that has given nothing yet; `attempt` counts from 1. Default: it does. */
  shouldHedge?(this: void, error: unknown, attempt: number): boolean;
  /** Called with each further attempt when it begins. */
  onHedge?(this: void, hedge: HedgeInfo): void;
}

/**
 * Subscribes to a slow source a second time, and goes on with whichever gives something first.
 *
 * ```marble
 * first attempt        ---------a|
 * second attempt       ------b-|
 * hedge({ after: 4 })  ------b-|
 * ```
 *
 * Here the second attempt begins in frame 4; its value comes first, and so the first attempt is unsubscribed. This is for requests
 * that may be sent twice: each attempt that begins is work for the server. With `after` at the 95th percentile of the response
 * times there are 5 % more requests, and far fewer slow responses ("The Tail at Scale", Dean and Barroso, 2013). An attempt that
 * fails before it has given anything is replaced at once, as in gRPC (gRFC A6).
 *
 * - **Completes** with the attempt that won, also one that completes without a value, when the others have cleaned up, `cleanupTimeout`
 *   after that at the latest. The values pass at once.
 * - **Errors** with the attempt that won, or with the first for which `shouldHedge` gives `false`; when all have failed, with the error of the
 *   last, as it is: `onHedge` sees those that led to another attempt. It waits for clean-up as completion does.
 * - **Unsubscribed**, it cancels its timer and unsubscribes from all attempts. Clean-up that goes on is left to the nearest consumer
 *   below that waits for such; so is one that fails or takes longer than `cleanupTimeout`.
 * - **Backpressure**: each attempt sees the consumer below. While that is full, none begins because of time: `after` begins anew when it
 *   can take a value again. None begins either when it has asked all work to stop.
 * - **Drops** nothing of the attempt that won.
 * - **Rather** `raceWith` for sources that are to begin together, `retryBackoff` for those that fail, `timeoutWithCleanup` for those that
 *   have to be given up.
 *
 * @throws RangeError if called with an option out of range
 * @throws TypeError if an option is of another type
 *
 * @example
 * ```ts
 * import { abortable, hedge } from 'rxjs-flow-control';
 *
 * let calls = 0;
 * const request = (signal: AbortSignal) => {
 *   const call = ++calls;
 *   return new Promise<string>((resolve, reject) => {
 *     const timer = setTimeout(() => resolve(`answer ${call}`), call === 1 ? 1000 : 10);
 *     signal.addEventListener('abort', () => {
 *       clearTimeout(timer);
 *       console.log(`call ${call} is cancelled`);
 *       reject(signal.reason);
 *     });
 *   });
 * };
 * abortable(request).pipe(hedge({ after: 50 })).subscribe(console.log);
 * // prints: answer 2, call 1 is cancelled
 * ```
 * @public
 */
export function hedge<T>(options: HedgeOptions): MonoTypeOperatorFunction<T> {
  const settings = readOptions(options);

  return (source) =>
    new Observable((destination) => {
      new HedgeOperation(destination, source, settings).start();
    });
}

function readOptions(options: HedgeOptions): HedgeSettings {
  const { after, max = 2, shouldHedge } = optionsObject(options);
  const where = readName('hedge', options);
  const duration = nonNegativeDurationOrInfinity;
  if (typeof after !== 'function') duration('after', after);
  optionalFunction('shouldHedge', shouldHedge);
  return {
    after: (attempts) =>
      typeof after === 'function' ? duration(`${where}: what after gives`, after(attempts)) : after,
    max: positiveInteger('max', max),
    shouldHedge: (error, attempt) =>
      !shouldHedge || booleanOf(`${where}: what shouldHedge gives`, shouldHedge(error, attempt)),
    onHedge: optionalFunction('onHedge', options.onHedge),
    patience: readCleanupOptions(options),
  };
}
