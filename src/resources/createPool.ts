import { noop, Observable } from 'rxjs';
import {
  check,
  functionOf,
  nonNegativeDurationOrInfinity,
  nonNegativeIntegerOrInfinity,
  oneOf,
  optionalFunction,
  optionsObject,
  positiveIntegerOrInfinity,
} from '../internal/arguments.js';
import type { Lease, Pool } from '../internal/pool/Pool.js';
import { PoolEngine } from '../internal/pool/PoolEngine.js';
import { PoolLease, WaitingAcquire } from '../internal/pool/PoolLease.js';
import type { PoolSettings } from '../internal/pool/PoolSettings.js';
import { PoolUse } from '../internal/pool/PoolUse.js';
import type { WorkContext } from '../internal/workContext.js';
import type { InventoryRules } from '../machines/Inventory.js';
import { readCleanupOptions, type CleanupOptions } from '../options/cleanup.js';
import { readName, type NameOptions } from '../options/name.js';
import { readSignal } from '../options/signal.js';

/**
 * Options of `createPool`.
 * @public
 */
export interface CreatePoolOptions<R> extends CleanupOptions, NameOptions {
  /** Makes a resource, or promises one. Its signal is aborted when that takes too long, or when the pool is drained. */
  create(this: void, context: WorkContext): R | PromiseLike<R>;
  /** Gets rid of a resource. It has its place until what this gives, a promise or an Observable, is over. Default: nothing is done. */
  destroy?(this: void, resource: R): unknown;
  /** Whether a resource can be used again. If not, or if this fails, it is destroyed and another one taken. Default: it can. */
  validate?(this: void, resource: R): boolean | PromiseLike<boolean>;
  /** Whether a resource whose use has failed is destroyed. Default: yes, but with `validate` that decides. */
  shouldDestroy?(this: void, error: unknown, resource: R): boolean;
  /** How many resources there are even if nobody needs them. Default: 0. */
  min?: number;
  /** How many resources there may be. Default: 10. */
  max?: number;
  /** How many may wait for a resource that others use; one more is told a `PoolFullError` at once. Default: 1000. */
  maxWaiting?: number;
  /** How long one may wait for a resource, in ms; `Infinity`: until there is one. Default: 30 000. */
  acquireTimeout?: number;
  /** How long `create` may take, in ms. Default: `acquireTimeout`. */
  createTimeout?: number;
  /** How long `validate` may take, in ms; then the resource is taken for broken. Default: 5000. */
  validateTimeout?: number;
  /** How long a resource may be idle, in ms; then it is destroyed, but `min` are kept. Default: Infinity. */
  maxIdle?: number;
  /** How old a resource may be, in ms; then it is destroyed as soon as it is idle. Default: Infinity. */
  maxLifetime?: number;
  /** By what share of `maxLifetime`, at most, each lives shorter by chance, so that not all end at once. Default: 0.1. */
  lifetimeVariance?: number;
  /** Which of the idle ones is used first: the one returned last (so that what is too much is idle), or first. Default: `'lifo'`. */
  order?: 'lifo' | 'fifo';
  /** How long the clean-up of a cancelled use, and `destroy`, are waited for, in ms. Default: 5000. */
  cleanupTimeout?: number;
}

/**
 * Keeps up to `max` resources that are dear to make (connections, workers, browsers), and lends them, each to one at a time.
 *
 * `use` is an Observable: it acquires when it is subscribed, and returns when it ends or is unsubscribed; what the work still has to
 * clean up is waited for before. `acquire` is for what has to be returned by hand. Who waits is served first come, first served,
 * with whatever is free first: one that is returned, or one that is created for another.
 *
 * - **Creating** is begun for each who waits while there is room. If it fails, the first who waits gets the error, unless what is
 *   on its way is enough for all; then the next is begun. What is created too late is destroyed.
 * - **Validated** is what is used again, not what is new: so an acquire ends after `max` broken ones at the latest.
 * - **After a use that failed** the resource is destroyed; with `validate`, that decides; `shouldDestroy` may decide otherwise. After one
 *   that was cancelled it is kept when the clean-up of that is over (a promise is waited for; an Observable is over when it is
 *   unsubscribed); where the clean-up fails or is not over in time, it is destroyed.
 * - **Errors**: with a `PoolTimeoutError`, a `PoolFullError`, a `PoolClosedError` after `drain`, the error of `create`, or the reason of the
 *   signal. Those of the use pass as they are; a `ReleaseError` tells of its clean-up that has failed or hangs.
 * - **Destroying** holds the place until it is over, `cleanupTimeout` at the most. What it fails with is told to whoever waits in
 *   `drain`, else reported as unhandled.
 * - **Rather** `usingAsync` for a resource that is used once; `bufferedMergeMap` where only the number is to be bounded.
 *
 * `maxLifetime` with a variance is HikariCP's; that the most recently returned goes first, so that the others may age, is Apache Commons
 * Pool's. `npm run bench -- pool` compares it with tarn, generic-pool and lightning-pool.
 *
 * @throws RangeError if called with an option out of range
 * @throws TypeError if a function is missing or an option is of another type
 *
 * @example
 * ```ts
 * import { createPool } from 'rxjs-flow-control';
 *
 * let count = 0;
 * const pool = createPool({
 *   create: async () => ({ id: ++count, query: async (sql: string) => `${sql} done` }),
 *   destroy: (connection) => console.log(`close ${connection.id}`),
 *   max: 2,
 * });
 * pool
 *   .use((connection) => connection.query('select 1'))
 *   .subscribe({ next: console.log, complete: () => void pool.drain() });
 * // prints: select 1 done, close 1
 * ```
 * @public
 */
export function createPool<R>(options: CreatePoolOptions<R>): Pool<R> {
  const settings = readOptions(options);
  const engine = new PoolEngine(settings);
  const { inventory } = engine;
  let drained: Promise<void> | undefined;

  return {
    max: settings.rules.max,

    use(work) {
      functionOf('work', work);
      return new Observable((destination) => {
        new PoolUse(engine, work as never, destination).start();
      });
    },

    acquire(options) {
      const signal = options === undefined ? undefined : readSignal(optionsObject(options));
      if (signal?.aborted) return Promise.reject(signal.reason as unknown);
      const place = inventory.take();
      if (place) return Promise.resolve(new PoolLease(engine, place));
      return new Promise<Lease<R>>((resolve, reject) => {
        engine.claim(new WaitingAcquire(engine, resolve, reject, signal));
      });
    },

    drain: () =>
      (drained ??= new Promise<void>((resolve, reject) => {
        engine.close((failures) => {
          if (failures.length === 0) resolve();
          else reject(failures.length === 1 ? failures[0] : new AggregateError(failures, `${settings.where}: drain`));
        });
      })),

    statistics() {
      const { creating, abandoned, idle, checking, used, destroying } = inventory.counts;
      return Object.freeze({
        size: inventory.size,
        idle,
        inUse: used,
        creating,
        validating: checking,
        destroying: abandoned + destroying,
        waiting: inventory.claims.size,
      });
    },
  };
}

function readOptions<R>(options: CreatePoolOptions<R>): PoolSettings<R> {
  const { create, destroy = noop, validate, shouldDestroy = () => !validate } = optionsObject(options);
  const { maxLifetime = Infinity, lifetimeVariance = 0.1 } = options;
  nonNegativeDurationOrInfinity('maxLifetime', maxLifetime);
  const isShare = typeof lifetimeVariance === 'number' && lifetimeVariance >= 0 && lifetimeVariance <= 1;
  check(isShare, RangeError, 'lifetimeVariance', 'be a number from 0 to 1', lifetimeVariance);
  const patience = readCleanupOptions(options);
  return {
    create: functionOf('create', create),
    destroy: functionOf('destroy', destroy),
    validate: optionalFunction('validate', validate) ?? (() => true),
    shouldDestroy: functionOf('shouldDestroy', shouldDestroy),
    rules: readRules(options, patience.cleanupTimeout),
    lifetime: () => (maxLifetime === Infinity ? maxLifetime : maxLifetime * (1 - lifetimeVariance * Math.random())),
    patience,
    where: readName('createPool', options),
  };
}

function readRules<R>(options: CreatePoolOptions<R>, cleanupTimeout: number): InventoryRules {
  const { min = 0, max = 10, maxWaiting = 1000, order = 'lifo', maxIdle = Infinity } = options;
  const { acquireTimeout = 30_000, createTimeout = acquireTimeout, validateTimeout = 5000 } = options;
  positiveIntegerOrInfinity('max', max);
  check(Number.isInteger(min) && min >= 0, RangeError, 'min', 'be a non-negative integer', min);
  if (min > max) throw new RangeError(`min must be at most max (${String(max)}), got ${String(min)}`);
  return {
    min,
    max,
    maxWaiting: nonNegativeIntegerOrInfinity('maxWaiting', maxWaiting),
    order: oneOf('order', ['lifo', 'fifo'], order),
    checks: options.validate !== undefined,
    acquireTimeout: nonNegativeDurationOrInfinity('acquireTimeout', acquireTimeout),
    lasts: {
      creating: nonNegativeDurationOrInfinity('createTimeout', createTimeout),
      abandoned: cleanupTimeout,
      checking: nonNegativeDurationOrInfinity('validateTimeout', validateTimeout),
      idle: nonNegativeDurationOrInfinity('maxIdle', maxIdle),
      used: Infinity,
      destroying: cleanupTimeout,
    },
  };
}
