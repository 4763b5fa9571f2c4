import { of, type Observable } from 'rxjs';
import { expectTypeOf, it } from 'vitest';
import { rateLimit, type RateLimitMode, type RateLimitOptions } from '../../src/operators/rateLimit.js';
import type { RateLimiter } from '../../src/options/limiter.js';
import { createRateLimiter } from '../../src/resources/createRateLimiter.js';
import { fromRetryAfter } from '../../src/resources/fromRetryAfter.js';

it('rateLimit passes the type of the source on, and into its callbacks', () => {
  const limit = { limit: 1, interval: 1 };
  const limited = of({ id: 1 }).pipe(
    rateLimit({
      ...limit,
      cost: (value) => value.id,
      key: ({ id }) => id,
      onDrop: (value, reason) => {
        expectTypeOf(value).toEqualTypeOf<{ id: number }>();
        expectTypeOf(reason).toEqualTypeOf<'overflow' | 'rate-limit' | 'error' | 'unsubscribe'>();
      },
    }),
  );
  expectTypeOf(limited).toEqualTypeOf<Observable<{ id: number }>>();
  expectTypeOf(of('a').pipe(rateLimit(limit))).toEqualTypeOf<Observable<string>>();
});

it('rateLimit takes a limiter, with options of the line but none of the limit', () => {
  const limiter = createRateLimiter({ limit: 1, interval: 1 });
  expectTypeOf(limiter).toEqualTypeOf<RateLimiter>();
  const limited = of({ id: 1 }).pipe(rateLimit(limiter, { cost: ({ id }) => id, mode: 'drop' }));
  expectTypeOf(limited).toEqualTypeOf<Observable<{ id: number }>>();
  // @ts-expect-error a limiter has its limit
  rateLimit(limiter, { limit: 1 });
  // @ts-expect-error there must be a limit
  rateLimit({ interval: 1 });
  // @ts-expect-error there must be an interval
  createRateLimiter({ limit: 1 });
  expectTypeOf<RateLimitOptions<string>['mode']>().toEqualTypeOf<RateLimitMode | undefined>();
});

it('a limiter answers at once or with a promise', () => {
  const limiter = createRateLimiter({ limit: 1, interval: 1 });
  expectTypeOf(limiter.acquire({ cost: 1, key: 'a' })).toEqualTypeOf<Promise<void>>();
  expectTypeOf(limiter.tryAcquire()).toEqualTypeOf<boolean>();
  // @ts-expect-error it does not wait, so nothing can call it off
  limiter.tryAcquire({ signal: new AbortController().signal });
});

it('a store answers with a promise of its own', () => {
  createRateLimiter({
    limit: 1,
    interval: 1,
    failure: 'closed',
    store: {
      take: async ({ key, cost }) => ({ granted: key === 'a' && cost === 1, retryAfter: 5 }),
    },
  });
});

it('fromRetryAfter takes what has headers', () => {
  expectTypeOf(fromRetryAfter(new Response(''))).toEqualTypeOf<number | undefined>();
  fromRetryAfter({ headers: { 'retry-after': '1' } });
  // @ts-expect-error a string is no response
  fromRetryAfter('1');
});
