import { lastValueFrom, NEVER, of, Subject } from 'rxjs';
import { expect, it } from 'vitest';
import { usePool } from '../../src/operators/usePool.js';
import { createPool } from '../../src/resources/createPool.js';
import { settle } from '../support/settle.js';
import { heapGrowth, isCollected } from './support.js';

it('keeps no resource that has been destroyed', async () => {
  const pool = createPool<object>({ create: () => ({}) });
  const subscriptions: unknown[] = [];
  const collected = await isCollected(async () => {
    const lease = await pool.acquire();
    const { resource } = lease;
    lease.destroy();
    subscriptions.push(pool.use(() => NEVER).subscribe());
    return resource;
  });
  expect(collected).toBe(true);
  expect([pool.statistics().size, subscriptions.length]).toEqual([1, 1]);
});

it('keeps nobody who has given up waiting, and is kept by no signal', async () => {
  const { signal } = new AbortController();
  const pool = createPool({ create: () => ({}), max: 1 });
  pool.use(() => NEVER).subscribe();
  const ways: Record<string, (waiter: object) => Promise<unknown>> = {
    'a call that was aborted': async (waiter) => {
      const controller = new AbortController();
      const waiting = pool.acquire({ signal: controller.signal }).catch(() => waiter);
      controller.abort();
      await waiting;
    },
    'a subscription': async (waiter) => {
      pool
        .use(() => of(waiter))
        .subscribe()
        .unsubscribe();
    },
  };
  for (const [way, wait] of Object.entries(ways)) {
    const collected = await isCollected(async () => {
      const waiter = {};
      await wait(waiter);
      return waiter;
    });
    expect(collected, way).toBe(true);
  }
  const collected = await isCollected(async () => {
    const used = createPool({ create: () => ({}), max: 1 });
    const first = await used.acquire({ signal });
    const second = used.acquire({ signal });
    first.release();
    (await second).release();
    return used;
  });
  expect(collected).toBe(true);
  expect([pool.statistics().inUse, signal.aborted]).toEqual([1, false]);
});

it('is a check that can fail', async () => {
  const pool = createPool({ create: () => ({}), max: 1 });
  pool.use(() => NEVER).subscribe();
  const collected = await isCollected(() => {
    const waiter = {};
    pool.use(() => of(waiter)).subscribe();
    return waiter;
  });
  expect(collected).toBe(false);
  expect(pool.statistics().waiting).toBe(1);
});

it('lets the value go that usePool has worked on', async () => {
  const pool = createPool({ create: () => ({}), max: 1 });
  const source = new Subject<object>();
  source.pipe(usePool(pool, async () => 'done')).subscribe();
  const collected = await isCollected(async () => {
    const value = {};
    source.next(value);
    await settle();
    return value;
  });
  expect(collected).toBe(true);
  expect([pool.statistics().idle, source.observed]).toEqual([1, true]);
});

it('does not grow with use', async () => {
  const pool = createPool({ create: () => ({}), max: 2, min: 1, maxIdle: 60_000, validate: () => true });
  const { signal } = new AbortController();
  const growth = await heapGrowth(async () => {
    const leases = [await pool.acquire({ signal }), await pool.acquire({ signal })];
    const waiting = pool.acquire({ signal });
    const cancelled = pool.use(() => NEVER).subscribe();
    const controller = new AbortController();
    const aborted = pool.acquire({ signal: controller.signal }).catch(() => undefined);
    cancelled.unsubscribe();
    controller.abort();
    leases[0]?.destroy();
    leases[1]?.release();
    (await waiting).release();
    await aborted;
    await lastValueFrom(of(1, 2, 3).pipe(usePool(pool, async (value) => value)));
  }, 500);
  expect(growth).toBeLessThan(64 * 1024);
  await pool.drain();
});

it('does not grow with creates that never settle', async () => {
  const pool = createPool({
    create: () => new Promise<object>(() => undefined),
    max: 1,
    createTimeout: 0,
    cleanupTimeout: 0,
  });
  const growth = await heapGrowth(async () => {
    await pool.acquire().catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }, 200);
  expect(growth).toBeLessThan(32 * 1024);
  await pool.drain();
});
