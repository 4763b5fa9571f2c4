import { Observable, Subject, VirtualTimeScheduler, type Subscriber } from 'rxjs';
import { expect, it } from 'vitest';
import { SlidingWindow } from '../../src/machines/SlidingWindow.js';
import { rateLimit } from '../../src/operators/rateLimit.js';
import { createRateLimiter } from '../../src/resources/createRateLimiter.js';
import { heapGrowth, heapUsed, isCollected } from './support.js';

/** A source that does not let its subscribers go. */
function keeping() {
  const kept: Subscriber<object>[] = [];
  const source = new Observable<object>((subscriber) => {
    kept.push(subscriber);
  });
  return { kept, source };
}

const limit = () => ({ limit: 1, interval: 10, scheduler: new VirtualTimeScheduler() });

for (const end of ['unsubscribe', 'error'] as const) {
  it(`lets the values go that wait, on ${end}, also where the limiter lives on`, async () => {
    const { kept, source } = keeping();
    const limiter = createRateLimiter(limit());
    const subscription = source.pipe(rateLimit(limiter)).subscribe({ error: () => undefined });
    const collected = await isCollected(() => {
      kept[0]?.next({});
      const value = {};
      kept[0]?.next(value);
      if (end === 'unsubscribe') subscription.unsubscribe();
      else kept[0]?.error(new Error());
      return value;
    });
    expect(collected).toBe(true);
    expect(kept).toHaveLength(1);
    expect(limiter.statistics().waiting).toBe(0);
  });
}

it('is a check that can fail', async () => {
  const { kept, source } = keeping();
  const subscription = source.pipe(rateLimit(limit())).subscribe();
  const collected = await isCollected(() => {
    kept[0]?.next({});
    const value = {};
    kept[0]?.next(value);
    return value;
  });
  expect(collected).toBe(false);
  subscription.unsubscribe();
});

it('keeps no value that has passed or was dropped', async () => {
  for (const options of [{}, { mode: 'drop' as const }, { bufferSize: 1, overflow: 'drop-oldest' as const }]) {
    const { kept, source } = keeping();
    const { scheduler, ...rest } = limit();
    const subscription = source.pipe(rateLimit({ ...rest, scheduler, ...options })).subscribe();
    const collected = await isCollected(() => {
      kept[0]?.next({});
      const value = {};
      kept[0]?.next(value);
      kept[0]?.next({});
      scheduler.flush();
      return value;
    });
    expect(collected, JSON.stringify(options)).toBe(true);
    expect(subscription.closed).toBe(false);
    subscription.unsubscribe();
  }
});

it('keeps no key that is idle: a million of them leave the heap as it is', async () => {
  let now = 0;
  const limiter = createRateLimiter({
    limit: 2,
    interval: 100,
    scheduler: { now: () => now, schedule: () => new VirtualTimeScheduler().schedule(() => undefined) },
  });
  const use = (count: number) => {
    for (let i = 0; i < count; i++) limiter.tryAcquire({ key: `key ${String(now++)}` });
  };
  use(10_000);
  const before = await heapUsed();
  use(1_000_000);
  expect((await heapUsed()) - before).toBeLessThan(256 * 1024);
  expect(limiter.statistics()).toMatchObject({ taken: 1_010_000, refused: 0 });
});

it('keeps no key of a pipeline', async () => {
  let now = 0;
  const source = new Subject<object>();
  const scheduler = { now: () => now++, schedule: () => new VirtualTimeScheduler().schedule(() => undefined) };
  const subscription = source.pipe(rateLimit({ limit: 1, interval: 50, key: (value) => value, scheduler })).subscribe();
  const growth = await heapGrowth(() => {
    source.next({});
  });
  expect(growth).toBeLessThan(64 * 1024);
  subscription.unsubscribe();
});

it('does not grow with calls that wait and are called off, nor with subscriptions to one limiter', async () => {
  const limiter = createRateLimiter(limit());
  await limiter.acquire();
  const growth = await heapGrowth(async () => {
    const controller = new AbortController();
    const call = limiter.acquire({ signal: controller.signal });
    new Observable<number>((subscriber) => {
      subscriber.next(1);
    })
      .pipe(rateLimit(limiter))
      .subscribe()
      .unsubscribe();
    controller.abort();
    await call.catch(() => undefined);
  }, 2_000);
  expect(growth).toBeLessThan(64 * 1024);
  expect(limiter.statistics()).toMatchObject({ waiting: 0, taken: 1 });
});

it('a sliding window that is idle keeps no memory', async () => {
  const window = new SlidingWindow(200_000, 1_000_000);
  const fill = (start: number) => {
    for (let now = start; now < start + 200_000; now++) window.take(now, 1);
  };
  fill(0); // what the engine puts aside for the code itself comes once
  expect(window.isIdle(2_000_000)).toBe(true);
  const before = await heapUsed();
  fill(2_000_000);
  expect((await heapUsed()) - before).toBeGreaterThan(1_000_000);
  expect(window.isIdle(4_000_000)).toBe(true);
  expect((await heapUsed()) - before).toBeLessThan(64 * 1024);
});

it('a sliding window keeps no more than the permits of an interval', async () => {
  let now = 0;
  const limiter = createRateLimiter({
    limit: 1000,
    interval: 1000,
    scheduler: { now: () => now++, schedule: () => new VirtualTimeScheduler().schedule(() => undefined) },
  });
  const growth = await heapGrowth(() => {
    limiter.tryAcquire();
  }, 50_000);
  expect(growth).toBeLessThan(64 * 1024);
});
