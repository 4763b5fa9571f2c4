import { asyncScheduler, noop, type SchedulerLike } from 'rxjs';
import {
  check,
  finiteNumberFrom,
  functionOf,
  oneOf,
  optionalFunction,
  positiveInteger,
  schedulerOf,
} from '../internal/arguments.js';
import type { LimitSettings, RateAlgorithm, RateLimitStore, StoreSettings } from '../internal/limiter/LimitSettings.js';
import { FixedWindow } from '../machines/FixedWindow.js';
import type { PermitRule } from '../machines/PermitRule.js';
import { SlidingWindow } from '../machines/SlidingWindow.js';
import { Spaced } from '../machines/Spaced.js';
import { TokenBucket } from '../machines/TokenBucket.js';

/**
 * Options of everything that limits a rate.
 * @public
 */
export interface LimitOptions {
  /** How many permits there are in each `interval`. */
  limit: number;
  /** In ms. */
  interval: number;
  /** How they are given out in time. Default: `'sliding-window'`. */
  algorithm?: RateAlgorithm;
  /** Of `'token-bucket'`: how many permits can be saved up. Default: `limit`. */
  burst?: number;
  /** Where permits are counted outside of this process. Default: here. */
  store?: RateLimitStore;
  /** With a `store`, to be said: when it fails, `'open'` lets pass, `'closed'` waits (or refuses) and asks again. */
  failure?: 'open' | 'closed';
  /** With a `store`: how long after a failure it is asked again, in ms. Default: 1000. */
  retryDelay?: number;
  /** With a `store`: called with each failure. Default: nobody is told. */
  onStoreFailure?(this: void, error: unknown): void;
  /** Source of time. Default: `asyncScheduler`. */
  scheduler?: SchedulerLike;
}

export function readLimitOptions(options: LimitOptions): LimitSettings {
  const { limit, interval, algorithm = 'sliding-window', scheduler = asyncScheduler } = options;
  positiveInteger('limit', limit);
  check(
    Number.isFinite(interval) && interval > 0,
    RangeError,
    'interval',
    'be a positive number of milliseconds',
    interval,
  );
  oneOf('algorithm', ['sliding-window', 'token-bucket', 'spaced', 'fixed-window'], algorithm);
  if (options.burst !== undefined && algorithm !== 'token-bucket')
    throw new TypeError(`burst is an option of the algorithm 'token-bucket', not of '${algorithm}'`);
  const { burst: capacity = limit } = options;
  positiveInteger('burst', capacity);
  const rules: Readonly<Record<RateAlgorithm, () => PermitRule>> = {
    'sliding-window': () => new SlidingWindow(limit, interval),
    'token-bucket': () => new TokenBucket(limit, interval, capacity),
    spaced: () => new Spaced(limit, interval),
    'fixed-window': () => new FixedWindow(limit, interval),
  };
  return {
    limit,
    interval,
    algorithm,
    capacity,
    newRule: rules[algorithm],
    scheduler: schedulerOf('scheduler', scheduler),
    stored: readStoreOptions(options),
  };
}

function readStoreOptions(options: LimitOptions): StoreSettings | undefined {
  const { store, failure, retryDelay = 1000 } = options;
  if (store === undefined) {
    for (const name of ['failure', 'retryDelay', 'onStoreFailure'] as const)
      if (options[name] !== undefined) throw new TypeError(`${name} is an option for a store, and there is none`);
    return undefined;
  }
  functionOf('store.take', (store as Partial<RateLimitStore> | null)?.take as RateLimitStore['take']);
  return {
    store,
    failure: oneOf('failure', ['open', 'closed'], failure as 'open' | 'closed'),
    retryDelay: finiteNumberFrom('retryDelay', 0, retryDelay),
    onStoreFailure: optionalFunction('onStoreFailure', options.onStoreFailure) ?? noop,
  };
}
