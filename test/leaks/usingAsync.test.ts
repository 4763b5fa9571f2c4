import { EMPTY, NEVER, Observable, of, type Subscriber, type Subscription } from 'rxjs';
import { expect, it } from 'vitest';
import { usingAsync } from '../../src/sources/usingAsync.js';
import { heapGrowth, isCollected } from './support.js';

/** Gives what was acquired, and keeps it no longer. */
function acquiring() {
  const acquired: object[] = [];
  const acquire = () => {
    const resource = {};
    acquired.push(resource);
    return resource;
  };
  return { acquire, takeAcquired: () => acquired.pop() as object };
}

it.each(['complete', 'error', 'cancel'] as const)(
  'lets the resource go once it is released, also while what used it keeps its subscriber: %s',
  async (end) => {
    const kept: Subscriber<number>[] = [];
    const source = new Observable<number>((subscriber) => {
      kept.push(subscriber);
    });
    const collected = await isCollected(() => {
      const { acquire, takeAcquired } = acquiring();
      const using = usingAsync({ acquire, use: () => source, release: () => 0 });
      const subscription = using.subscribe({ error: () => undefined });
      if (end === 'cancel') subscription.unsubscribe();
      else kept[0]?.[end]();
      return takeAcquired();
    });
    expect([kept.length, collected]).toEqual([1, true]);
  },
);

it('lets the resource go while its release, which does not keep it, is under way', async () => {
  let subscription: Subscription | undefined;
  const collected = await isCollected(() => {
    const { acquire, takeAcquired } = acquiring();
    const release = () => NEVER;
    subscription = usingAsync({ acquire, use: () => EMPTY, release, cleanupTimeout: Infinity }).subscribe();
    return takeAcquired();
  });
  expect([subscription?.closed, collected]).toEqual([false, true]);
});

it('lets the consumer go that was unsubscribed while acquire is pending for ever', async () => {
  const acquire = new Promise<number>(() => undefined);
  const collected = await isCollected(() => {
    const consumer = { next: () => undefined };
    usingAsync({ acquire: () => acquire, use: () => of(1), release: () => 0 })
      .subscribe(consumer)
      .unsubscribe();
    return consumer;
  });
  expect([acquire instanceof Promise, collected]).toEqual([true, true]);
});

it('does not grow with use', async () => {
  const source = usingAsync({
    acquire: async () => ({}),
    use: async (_, { signal }) => signal.aborted,
    release: async () => undefined,
  });
  const growth = await heapGrowth(async () => {
    source.subscribe().unsubscribe();
    await new Promise<void>((resolve) => {
      source.subscribe({ complete: resolve });
    });
  });
  expect(growth).toBeLessThan(64 * 1024);
});
