import { PermitCostError } from '../errors/PermitCostError.js';
import { finiteNumberFrom, optionsObject } from '../internal/arguments.js';
import { CallLine, WaitingAcquire } from '../internal/limiter/CallLine.js';
import { Limiter } from '../internal/limiter/Limiter.js';
import { withLimiter } from '../internal/limiter/limiterOf.js';
import { nonNegativeInteger } from '../internal/limiter/nonNegativeInteger.js';
import { readLimitOptions, type LimitOptions } from '../options/limit.js';
import { readName, type NameOptions } from '../options/name.js';
import type { PermitOptions, RateLimiter } from '../options/limiter.js';
import { readSignal, type SignalOptions } from '../options/signal.js';

/**
 * Options of `createRateLimiter`.
 * @public
 */
export interface RateLimiterOptions extends LimitOptions, NameOptions {}

/**
 * A limit of so many permits in each interval, which pipelines (`rateLimit`) and calls (`acquire`) share.
 *
 * Those who wait have their turns one after the other: each subscription to `rateLimit` is one line, all calls of `acquire` are
 * one, and within a line it is first come, first served. So a pipeline in which a thousand values wait takes every second
 * permit beside one in which one waits. Nobody overtakes: who wants many permits gets them before those behind it get any.
 * There is one timer, however many wait, and none while nobody does.
 *
 * - **Cancelled**, with its `signal` or unsubscribed, whoever waits takes no permit, and the next has its turn at once.
 * - **Keys**: each has a limit of its own and lines of its own. A key is forgotten once its permits are free again and
 *   nobody waits: later calls with a key see to that, without a timer.
 * - **Clock**: one that is set back (`Date` may be) makes waiting longer by a timer's length at most. In real time, the work
 *   behind a permit begins a moment after it was taken, so the other side of a network may count a little differently.
 * - **Store**: with a `store` permits are counted outside of the process. There is one request at a time for each key, for the
 *   first in line, so that the order is kept. If whoever it was for is cancelled meanwhile, permits that are granted go to the
 *   next who wants no more than that and comes within `interval`; else they are lost, and counted as `unused`. In that case the
 *   work may begin up to `interval` after the store has counted it.
 * - **Rather** `bufferedMergeMap` to limit how many run at a time, and not how many start.
 *
 * @throws RangeError if called with an option out of range
 * @throws TypeError if an option is of another type, or has no meaning beside the others
 *
 * @example
 * ```ts
 * import { createRateLimiter } from 'rxjs-flow-control';
 *
 * const limiter = createRateLimiter({ limit: 2, interval: 1000 });
 * for (const id of [1, 2, 3]) console.log(id, limiter.tryAcquire());
 * // prints: 1 true, 2 true, 3 false
 * ```
 * @public
 */
export function createRateLimiter(options: RateLimiterOptions): RateLimiter {
  const limiter = new Limiter(readLimitOptions(optionsObject(options)));
  const { capacity, stored } = limiter.settings;
  const where = readName('createRateLimiter', options);

  const acquire: RateLimiter['acquire'] = (permits = one) => {
    const signal = readSignal(optionsObject(permits));
    const cost = nonNegativeInteger('cost', permits.cost ?? 1);
    if (cost > capacity) return Promise.reject(new PermitCostError(where, cost, capacity));
    if (signal?.aborted) return Promise.reject(signal.reason as unknown);
    const lane = limiter.lane(permits.key);
    if (lane.tryTake(cost)) return isTaken;
    return new Promise((resolve, reject) => {
      const line = (lane.calls ??= new CallLine(lane));
      line.add(new WaitingAcquire(line, cost, resolve, reject, signal));
    });
  };

  const tryAcquire: RateLimiter['tryAcquire'] = (permits = one) => {
    if (stored) throw new TypeError(`${where}: tryAcquire cannot ask a store. Use acquire, with a signal.`);
    const cost = nonNegativeInteger('cost', optionsObject(permits).cost ?? 1);
    if (cost > capacity) throw new PermitCostError(where, cost, capacity);
    const taken = limiter.lane(permits.key).tryTake(cost);
    if (!taken) limiter.refused++;
    return taken;
  };

  const pause: RateLimiter['pause'] = (ms, key) => {
    limiter.pause(finiteNumberFrom('ms', 0, ms), key);
  };

  const statistics: RateLimiter['statistics'] = () => {
    const { taken, refused, unused, waiting, keys } = limiter;
    return Object.freeze({ taken, refused, unused, waiting, keys });
  };

  return withLimiter({ acquire, tryAcquire, pause, statistics }, limiter);
}

const one: PermitOptions & SignalOptions = {};

/** One for all that need not wait. */
const isTaken = /* @__PURE__ */ Promise.resolve();
