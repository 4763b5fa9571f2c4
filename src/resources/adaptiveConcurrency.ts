import { finiteNumberFrom, oneOf, optionsObject, positiveInteger } from '../internal/arguments.js';
import { AimdLimit, GradientLimit, type AdaptiveLimit } from '../machines/AdaptiveLimit.js';
import type { AdaptiveConcurrency } from '../options/concurrency.js';

/**
 * Options of `adaptiveConcurrency`.
 * @public
 */
export interface AdaptiveConcurrencyOptions {
  /** How it finds the limit. Default: `'gradient'`. */
  algorithm?: 'aimd' | 'gradient';
  /** The least that may run. Default: 1. */
  min?: number;
  /** The most that may run. Default: 200. */
  max?: number;
  /** How many may run at first. Default: 4, within `min` and `max`. */
  initial?: number;
  /** Of `'aimd'`: when they take longer than this on average, in ms, too many run. Default: 5000. */
  maxLatency?: number;
  /** Of `'gradient'`: how many times what they take without load is taken for normal. Default: 1.05. */
  tolerance?: number;
}

/**
 * Lets `bufferedMergeMap` find by itself how many inner sources may run at a time.
 *
 * It goes by how long they take, from their start to their end, on average over as many of them as run at a time.
 *
 * - `'gradient'` lets more run until they take longer than they do without load, and then fewer, in proportion. What they take
 *   without load it measures itself: from time to time, and when it seems to have changed, only half as many run for a while.
 * - `'aimd'` lets one more run at a time until they take longer than `maxLatency`, and then a tenth less.
 *
 * Each subscription begins anew at `initial`. A limit that is not used up does not grow.
 *
 * `'gradient'` is `GradientLimit` of Netflix concurrency-limits, with a latency without load that is an average, measured as BBR
 * (draft-ietf-ccwg-bbr) measures its minimal round-trip time; `'aimd'` is its `AIMDLimit` in a `WindowedLimit`, after Chiu and Jain,
 * "Analysis of the increase and decrease algorithms for congestion avoidance" (1989). `npm run bench -- adaptive` shows what they find.
 *
 * @throws RangeError if called with an option out of range
 * @throws TypeError if the options are of another type
 *
 * @example
 * ```ts
 * import { adaptiveConcurrency, bufferedMergeMap, fromPull } from 'rxjs-flow-control';
 *
 * fromPull(Array.from({ length: 1000 }, (_, id) => id))
 *   .pipe(
 *     bufferedMergeMap(async (id) => fetch(`http://localhost:8080/${id}`), {
 *       concurrent: adaptiveConcurrency({ max: 64 }),
 *     }),
 *   )
 *   .subscribe({ error: console.error });
 * ```
 * @public
 */
export function adaptiveConcurrency(options: AdaptiveConcurrencyOptions = {}): AdaptiveConcurrency {
  const { algorithm = 'gradient', min = 1, max = 200, maxLatency = 5000, tolerance = 1.05 } = optionsObject(options);
  positiveInteger('min', min);
  positiveInteger('max', max);
  const { initial = Math.min(max, Math.max(min, 4)) } = options;
  positiveInteger('initial', initial);
  if (min > max) throw new RangeError(`min must be at most max (${String(max)}), got ${String(min)}`);
  if (initial < min || initial > max)
    throw new RangeError(`initial must be from min to max (${String(min)} to ${String(max)}), got ${String(initial)}`);
  oneOf('algorithm', ['aimd', 'gradient'], algorithm);
  finiteNumberFrom('maxLatency', 0, maxLatency);
  finiteNumberFrom('tolerance', 1, tolerance);
  const range = { min, max, initial };
  const newLimit = (): AdaptiveLimit =>
    algorithm === 'aimd' ? new AimdLimit(range, maxLatency) : new GradientLimit(range, tolerance);
  return { newLimit };
}
