import type { SchedulerLike } from 'rxjs';
import type { PermitRule } from '../../machines/PermitRule.js';

/**
 * How permits are given out in time.
 *
 * - `'sliding-window'`: at most `limit` in any `interval`, whenever it begins. A permit taken at `t` is free again at
 *   `t + interval` exactly. Keeps when each was taken, so up to `limit` numbers.
 * - `'token-bucket'`: `burst` permits can be saved up, and `limit` come back in each interval, evenly: so up to `burst + limit`
 *   of them in an interval.
 * - `'spaced'`: one in each `interval / limit`, evenly, and none is saved up; whoever comes late does not catch up.
 * - `'fixed-window'`: at most `limit` in a window, which begins with the first permit after the last one has ended. Where two
 *   windows meet, twice the limit can pass in a moment.
 * @public
 */
export type RateAlgorithm = 'sliding-window' | 'token-bucket' | 'spaced' | 'fixed-window';

/**
 * What a limiter asks of its store.
 * @public
 */
export interface PermitRequest {
  /** Whose limit it is; `undefined` where there is one for all. */
  readonly key: unknown;
  /** How many permits are wanted, all or none. */
  readonly cost: number;
  /** How many permits there are in each `interval`. */
  readonly limit: number;
  /** In ms. */
  readonly interval: number;
  /** How they are counted. */
  readonly algorithm: RateAlgorithm;
  /** How many permits can be free at a time. */
  readonly burst: number;
}

/**
 * What a store answers.
 * @public
 */
export interface PermitAnswer {
  /** Whether the permits have been taken. */
  readonly granted: boolean;
  /** If not, in how many ms it is worth to ask again. */
  readonly retryAfter: number;
}

/**
 * Where permits are counted outside of the process, for a limit that several share.
 * @public
 */
export interface RateLimitStore {
  /** Takes permits, all or none. It bounds by itself how long that may last: who waits for the answer waits for it. */
  take(request: PermitRequest): PromiseLike<PermitAnswer>;
}

export interface StoreSettings {
  readonly store: RateLimitStore;
  readonly failure: 'open' | 'closed';
  /** In ms. */
  readonly retryDelay: number;
  readonly onStoreFailure: (error: unknown) => void;
}

export interface LimitSettings {
  readonly limit: number;
  readonly interval: number;
  readonly algorithm: RateAlgorithm;
  /** How many permits can ever be free at a time. */
  readonly capacity: number;
  readonly newRule: () => PermitRule;
  readonly scheduler: SchedulerLike;
  readonly stored: StoreSettings | undefined;
}
