import type { SignalOptions } from './signal.js';

/**
 * Which permits are wanted.
 * @public
 */
export interface PermitOptions {
  /** How many, all or none; 0 waits for its turn and takes none. Default: 1. */
  cost?: number;
  /** Of which limit: each key has one of its own. Default: the one without a key. */
  key?: unknown;
}

/**
 * What a rate limiter has seen so far.
 * @public
 */
export interface RateLimiterStatistics {
  /** How many permits have been taken. */
  readonly taken: number;
  /** How often permits were refused: by `tryAcquire`, or to a pipeline that does not wait for them. */
  readonly refused: number;
  /** How many permits a store has counted that nobody could use any more. */
  readonly unused: number;
  /** How many calls and values wait for permits. */
  readonly waiting: number;
  /** How many keys are remembered. */
  readonly keys: number;
}

/**
 * A limit that several share; `createRateLimiter` makes one.
 * @public
 */
export interface RateLimiter {
  /** Resolves when the permits have been taken. When its `signal` is aborted before, none is, and the next has its turn. */
  acquire(options?: PermitOptions & SignalOptions): Promise<void>;
  /** Takes permits if they are free and nobody waits for them. Gives whether it has. Not with a `store`, which cannot tell at once. */
  tryAcquire(options?: PermitOptions): boolean;
  /** Lets nobody pass for so many ms, of that key or of any. Never makes a pause shorter. */
  pause(ms: number, key?: unknown): void;
  /** What it has seen so far. */
  statistics(): RateLimiterStatistics;
}
