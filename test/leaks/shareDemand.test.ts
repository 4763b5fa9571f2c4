import { Observable, Subject, type Subscriber } from 'rxjs';
import { expect, it } from 'vitest';
import { gatedBy } from '../../src/index.js';
import { shareDemand } from '../../src/operators/shareDemand.js';
import { ManualGate } from '../support/ManualGate.js';
import { heapGrowth, isCollected } from './support.js';

/** A source that does not let its subscribers go. */
function keeping() {
  const kept: Subscriber<object>[] = [];
  const source = new Observable<object>((subscriber) => {
    kept.push(subscriber);
  });
  return { kept, source };
}

const ends: Record<string, (unsubscribe: () => void, producer: Subscriber<object> | undefined) => void> = {
  unsubscription: (unsubscribe) => {
    unsubscribe();
  },
  'an error': (_, producer) => {
    producer?.error(new Error());
  },
};

it.each(Object.entries(ends))('lets the values go that wait, on %s', async (_, end) => {
  const { kept, source } = keeping();
  const gate = new ManualGate();
  const shared = source.pipe(shareDemand('any'));
  const held: unknown[] = [gate, shared];
  const collected = await isCollected(() => {
    const subscription = shared.pipe(gatedBy(gate)).subscribe({ error: () => undefined });
    held.push(subscription);
    const value = {};
    kept[0]?.next(value);
    end(() => {
      subscription.unsubscribe();
    }, kept[0]);
    return value;
  });
  expect(collected).toBe(true);
  expect(held).toHaveLength(3);
});

it('is a check that can fail', async () => {
  const { kept, source } = keeping();
  const gate = new ManualGate();
  const collected = await isCollected(() => {
    source.pipe(shareDemand('any'), gatedBy(gate)).subscribe();
    const value = {};
    kept[0]?.next(value);
    return value;
  });
  expect(collected).toBe(false);
  expect([kept.length, gate.waiters.size]).toEqual([1, 1]);
});

it('keeps no value that has been delivered, at once or later', async () => {
  const { kept, source } = keeping();
  const gate = new ManualGate();
  const shared = source.pipe(shareDemand('any'));
  const subscriptions = [shared.subscribe(), shared.pipe(gatedBy(gate)).subscribe()];
  const collected = await isCollected(() => {
    const value = {};
    kept[0]?.next(value);
    gate.ready = true;
    gate.ready = false;
    return value;
  });
  expect(collected).toBe(true);
  expect(subscriptions).toHaveLength(2);
});

it('keeps nobody who has left, though others stay', async () => {
  const { kept, source } = keeping();
  const shared = source.pipe(shareDemand('all'));
  const staying = shared.subscribe();
  const collected = await isCollected(() => {
    const gate = new ManualGate();
    const subscription = shared.pipe(gatedBy(gate)).subscribe();
    kept[0]?.next({});
    subscription.unsubscribe();
    return gate; // is known to the subscriber that has left
  });
  expect(collected).toBe(true);
  staying.unsubscribe();
});

it('does not grow with subscribers that come and go, and values', async () => {
  const source = new Subject<object>();
  const gate = new ManualGate();
  const shared = source.pipe(shareDemand('any'));
  const staying = shared.subscribe();
  const growth = await heapGrowth(() => {
    const subscription = shared.pipe(gatedBy(gate)).subscribe();
    for (let i = 0; i < 5; i++) source.next({});
    subscription.unsubscribe();
  });
  expect(growth).toBeLessThan(64 * 1024);
  expect(gate.waiters.size).toBe(0);
  staying.unsubscribe();
  expect(source.observed).toBe(false);
});
