import { filter, map, NEVER, Observable, Subject, switchMap, type Subscription } from 'rxjs';
import { expect, it } from 'vitest';
import { bufferedMergeMap, fromPull, gatedBy } from '../../src/index.js';
import { AnsweredIterator } from '../support/AnsweredIterator.js';
import { ManualGate } from '../support/ManualGate.js';
import { settle } from '../support/settle.js';
import { heapGrowth, heapUsed, isCollected } from './support.js';

const million = 1_000_000;
const megabyte = 2 ** 20;

it('lets the value go that waits at a closed gate, on unsubscription', async () => {
  const gate = new ManualGate(true);
  const held: unknown[] = [gate];
  const collected = await isCollected(async () => {
    const iterator = new AnsweredIterator<object>();
    const subscription = fromPull(iterator).pipe(gatedBy(gate)).subscribe();
    held.push(subscription, iterator); // who gives the values goes on, and the subscription is kept
    const value = {};
    gate.ready = false;
    iterator.give(value);
    await settle();
    subscription.unsubscribe();
    return value;
  });
  expect(collected).toBe(true);
  expect(held).toHaveLength(3);
});

it('is a check that can fail', async () => {
  const gate = new ManualGate(true);
  const held: unknown[] = [gate];
  const collected = await isCollected(async () => {
    const iterator = new AnsweredIterator<object>();
    held.push(fromPull(iterator).pipe(gatedBy(gate)).subscribe(), iterator);
    const value = {};
    gate.ready = false;
    iterator.give(value);
    await settle();
    return value;
  });
  expect(collected).toBe(false);
  expect(held).toHaveLength(3);
});

it('keeps no value that it has emitted', async () => {
  const iterator = new AnsweredIterator<object>();
  const subscription = fromPull(iterator).subscribe();
  const collected = await isCollected(async () => {
    const value = {};
    iterator.give(value);
    await settle();
    return value;
  });
  expect(collected).toBe(true);
  subscription.unsubscribe();
});

it('lets the iterator go when the subscription has ended, though that is kept', async () => {
  const held: Subscription[] = [];
  for (const end of ['end', 'fail', 'unsubscribe'] as const) {
    const collected = await isCollected(async () => {
      const iterator = new AnsweredIterator<object>();
      const subscription = fromPull(iterator).subscribe({ error: () => undefined });
      held.push(subscription);
      if (end === 'unsubscribe') {
        subscription.unsubscribe();
        iterator.end();
      } else iterator[end](new Error());
      await settle();
      return iterator;
    });
    expect(collected, end).toBe(true);
  }
  expect(held).toHaveLength(3);
});

it('lets the signal go when the source has come to its end', async () => {
  const held: Subscription[] = [];
  const collected = await isCollected(async () => {
    let given!: AbortSignal;
    held.push(
      fromPull(async function* ({ signal }) {
        given = signal;
        yield 1;
      }).subscribe(),
    );
    await settle();
    return given;
  });
  expect(collected).toBe(true);
  expect(held).toHaveLength(1);
});

it('lets the consumer go, though a pull never comes back', async () => {
  const held: unknown[] = [];
  const collected = await isCollected(() => {
    const iterator = new AnsweredIterator<object>();
    const consumer = { seen: 0 };
    const subscription = fromPull(iterator).subscribe(() => consumer.seen++);
    held.push(iterator, subscription);
    subscription.unsubscribe();
    return consumer;
  });
  expect(collected).toBe(true);
  expect(held).toHaveLength(2);
});

it('leaves nothing at a gate that lives longer', async () => {
  const gate = new ManualGate();
  const growth = await heapGrowth(() => {
    fromPull([1]).pipe(gatedBy(gate)).subscribe().unsubscribe();
  });
  expect(growth).toBeLessThan(64 * 1024);
  expect(gate.waiters.size).toBe(0);
});

it('leaves nothing in a consumer that lives longer', async () => {
  const trigger = new Subject<void>();
  // It is busy for ever, so each source waits at its gate until the next comes.
  const subscription = trigger
    .pipe(
      switchMap(() => fromPull([1, 2, 3])),
      bufferedMergeMap(() => NEVER, { concurrent: 1, highWaterMark: 1 }),
    )
    .subscribe();
  const growth = await heapGrowth(() => {
    trigger.next();
  });
  expect(growth).toBeLessThan(64 * 1024);
  subscription.unsubscribe();
});

it('leaves no pause behind', async () => {
  const growth = await heapGrowth(() => {
    fromPull([1, 2, 3], { slice: 1 }).subscribe().unsubscribe();
  });
  expect(growth).toBeLessThan(64 * 1024);
});

const endless: Record<string, (end: number) => Iterable<number> | AsyncIterable<number>> = {
  'a generator': function* (end) {
    for (let i = 0; i < end; i++) yield i;
  },
  'an async generator': async function* (end) {
    for (let i = 0; i < end; i++) yield i;
  },
};

it.each(Object.entries(endless))(
  'does not grow with 1 000 000 values of %s',
  async (_, values) => {
    /** What is in use while the pipeline still lives, after so many values. */
    const after = async (end: number) => {
      let count = 0;
      let subscription!: Subscription;
      await new Promise<void>((resolve) => {
        subscription = fromPull(() => values(end))
          .pipe(
            (source) => new Observable<number>((subscriber) => source.subscribe(subscriber)), // another subscriber in the chain
            map((i) => i + 1),
            filter((i) => i % 4 !== 0),
            bufferedMergeMap((i) => Promise.resolve(i), { concurrent: 8 }),
          )
          .subscribe({
            next: () => count++,
            complete: resolve,
          });
      });
      const used = await heapUsed();
      subscription.unsubscribe();
      expect(count).toBe((end / 4) * 3);
      return used;
    };
    const before = await after(10_000);
    expect((await after(million)) - before).toBeLessThan(megabyte);
  },
  60_000,
);

it('does not grow while it runs', async () => {
  const used: number[] = [];
  let pulled = 0;
  async function* values() {
    for (;;) {
      if (++pulled % 250_000 === 0) used.push(await heapUsed()); // in the midst of it
      yield pulled;
    }
  }
  await new Promise<void>((resolve) => {
    const subscription = fromPull(values())
      .pipe(
        map((i) => i + 1),
        filter((i) => i % 4 !== 0),
        bufferedMergeMap((i) => Promise.resolve(i), { concurrent: 8 }),
      )
      .subscribe((i) => {
        if (i < million) return;
        subscription.unsubscribe();
        resolve();
      });
  });
  const [first = 0] = used;
  expect(Math.max(...used) - first).toBeLessThan(megabyte);
  expect(used.length).toBeGreaterThanOrEqual(3);
}, 60_000);
