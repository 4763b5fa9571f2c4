import Bottleneck from 'bottleneck';
import { RateLimiter } from 'limiter';
import pThrottle from 'p-throttle';
import { from, lastValueFrom, mergeMap, reduce } from 'rxjs';
import { createRateLimiter, rateLimit } from '../dist/esm/index.js';
import { rounds, timesAsFast } from './compare.mjs';
import { inProcesses } from './processes.mjs';
import { row } from './row.mjs';

export const title = 'Rate limits, against others: how many times as much CPU time they take';

const plenty = { limit: 1_000_000_000, interval: 1000 };
const identity = (value) => value;

/** Give a call that passes at once. */
const free = {
  ours: () => {
    const limiter = createRateLimiter(plenty);
    return () => limiter.acquire();
  },
  bottleneck: () => {
    const limiter = new Bottleneck({ reservoir: plenty.limit });
    const nothing = async () => undefined;
    return () => limiter.schedule(nothing);
  },
  'p-throttle': () => pThrottle(plenty)(identity),
  limiter: () => {
    const limiter = new RateLimiter({ tokensPerInterval: plenty.limit, interval: plenty.interval });
    return () => limiter.removeTokens(1);
  },
};

/** Operators that let so many values pass in so many ms. */
const operators = {
  ours: ({ limit, interval, spaced }) =>
    rateLimit({ limit, interval, bufferSize: Infinity, algorithm: spaced ? 'spaced' : 'sliding-window' }),
  bottleneck: ({ limit, interval, spaced }) => {
    if (!spaced) return undefined; // its reservoir is filled every 250 ms at most
    const limiter = new Bottleneck({ minTime: interval / limit });
    return mergeMap((value) => limiter.schedule(async () => value));
  },
  'p-throttle': ({ limit, interval }) => mergeMap(pThrottle({ limit, interval, strict: true })(identity)),
  limiter: ({ limit, interval }) => {
    const limiter = new RateLimiter({ tokensPerInterval: limit, interval });
    return mergeMap((value) => limiter.removeTokens(1).then(() => value));
  },
};

const shapes = {
  'one value in each ms': { count: 50, limit: 1, interval: 1, spaced: true },
  'a thousand values, 100 in 2 ms': { count: 1000, limit: 100, interval: 2, spaced: false },
};
/**
 * Not claimed: here the wake-ups of the event loop are what costs. p-throttle sets all its timers beforehand, and those that are
 * late come together; ours sets each after the one before, so that two values are never closer than they may be.
 */
const unclaimed = 'one value in each ms: p-throttle';
const calls = 50; // bottleneck sets a timer for each

export async function* rows() {
  for (const what of ['a permit is free', ...Object.keys(shapes)]) {
    const processes = await inProcesses(import.meta.url, [what], { processes: 3 });
    for (const peer of Object.keys(processes[0])) {
      const ratios = processes.map((ratios) => ratios[peer]);
      const pair = `${what}: ${peer}`;
      yield row(pair, ratios, pair === unclaimed ? {} : { atLeast: 1 });
    }
  }
}

export async function measure(what) {
  const runs = what in shapes ? shaped(shapes[what]) : calling();
  const { ours, ...peers } = await rounds(runs, { count: 8, sampleMs: 1, warmUpMs: 60 });
  return Object.fromEntries(Object.entries(peers).map(([name, times]) => [name, timesAsFast(ours, times)]));
}

function calling() {
  return Object.fromEntries(
    Object.entries(free).map(([name, make]) => {
      const call = make();
      return [
        name,
        async () => {
          for (let i = 0; i < calls; i++) await call(i);
        },
      ];
    }),
  );
}

function shaped(shape) {
  const values = Array.from({ length: shape.count }, (_, i) => i);
  const sum$ = (operator) =>
    from(values).pipe(
      operator,
      reduce((sum, value) => sum + value, 0),
    );
  return Object.fromEntries(
    Object.entries(operators)
      .filter(([, make]) => make(shape))
      .map(([name, make]) => [
        name,
        async () => {
          check(name, await lastValueFrom(sum$(make(shape))), shape.count);
        },
      ]),
  );
}

function check(name, sum, count) {
  if (sum !== (count * (count - 1)) / 2) throw new Error(`${name}: values are missing: ${sum}`);
}
