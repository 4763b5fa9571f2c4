import { NEVER, Observable, Subject, type Subscriber } from 'rxjs';
import { expect, it } from 'vitest';
import { gatedBy } from '../../src/index.js';
import { zipPull } from '../../src/sources/zipPull.js';
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

const ends: Record<string, (unsubscribe: () => void, other: Subject<object>) => void> = {
  unsubscription: (unsubscribe) => {
    unsubscribe();
  },
  'an error': (_, other) => {
    other.error(new Error());
  },
  completion: (_, other) => {
    other.complete();
  },
};

it.each(Object.entries(ends))('lets the values go that wait, on %s', async (_, end) => {
  const { kept, source } = keeping();
  const held: unknown[] = [];
  const collected = await isCollected(() => {
    const other = new Subject<object>();
    const subscription = zipPull([source, other]).subscribe({ error: () => undefined });
    held.push(subscription, other);
    const value = {};
    kept[0]?.next(value);
    end(() => {
      subscription.unsubscribe();
    }, other);
    return value;
  });
  expect(collected).toBe(true);
  expect([held.length, kept.length]).toEqual([2, 1]);
});

it('is a check that can fail', async () => {
  const { kept, source } = keeping();
  const held: unknown[] = [];
  const collected = await isCollected(() => {
    held.push(zipPull([source, NEVER]).subscribe());
    const value = {};
    kept[0]?.next(value);
    return value;
  });
  expect(collected).toBe(false);
  expect([held.length, kept.length]).toEqual([1, 1]);
});

it('does not grow with tuples, nor with subscriptions that come and go', async () => {
  const source = new Subject<object>();
  const gate = new ManualGate();
  const zipped = zipPull([source, source]).pipe(gatedBy(gate));
  const staying = zipped.subscribe();
  const growth = await heapGrowth(() => {
    const subscription = zipped.subscribe();
    source.next({});
    gate.ready = true;
    gate.ready = false;
    source.next({});
    subscription.unsubscribe();
    gate.ready = true;
    gate.ready = false;
  });
  expect(growth).toBeLessThan(64 * 1024);
  staying.unsubscribe();
  expect([gate.waiters.size, source.observed]).toEqual([0, false]);
});
