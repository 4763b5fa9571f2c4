import { from } from 'rxjs';
import { expect, it } from 'vitest';
import { gatedBy } from '../../src/index.js';
import { BoundedQueue } from '../../src/resources/BoundedQueue.js';
import { ManualGate } from '../support/ManualGate.js';
import { settle } from '../support/settle.js';
import { heapGrowth, isCollected } from './support.js';

it('keeps no value that has been taken, in whatever way', async () => {
  const queue = new BoundedQueue<object>({ capacity: 1 });
  const takes: Record<string, () => Promise<unknown>> = {
    take: () => queue.take(),
    tryTake: async () => queue.tryTake(),
    'for await': () => queue[Symbol.asyncIterator]().next(),
    'from(queue)': async () => {
      from(queue).subscribe().unsubscribe();
    },
  };
  for (const [way, takeIt] of Object.entries(takes)) {
    const collected = await isCollected(async () => {
      const value = {};
      await queue.put(value);
      await takeIt();
      return value;
    });
    expect(collected, way).toBe(true);
  }
});

it('keeps no value whose put was aborted, and is kept by no signal', async () => {
  const { signal } = new AbortController();
  const full = new BoundedQueue<object>({ capacity: 1 });
  full.tryPut({});
  const aborted = await isCollected(async () => {
    const value = {};
    const controller = new AbortController();
    const putting = full.put(value, { signal: controller.signal }).catch(() => undefined);
    controller.abort();
    await putting;
    return value;
  });
  expect(aborted).toBe(true);
  const queue = await isCollected(async () => {
    const used = new BoundedQueue<object>({ capacity: 1 });
    const taking = used.take({ signal });
    await used.put({});
    await taking;
    return used;
  });
  expect(queue).toBe(true);
  expect([full.size, signal.aborted]).toEqual([1, false]);
});

it('is a check that can fail', async () => {
  const { signal } = new AbortController();
  const full = new BoundedQueue<object>({ capacity: 1 });
  full.tryPut({});
  const collected = await isCollected(async () => {
    const value = {};
    void full.put(value, { signal });
    return value;
  });
  expect(collected).toBe(false);
  expect(signal.aborted).toBe(false);
});

it('lets the values go that are dropped at the end', async () => {
  const queue = new BoundedQueue<object>();
  const collected = await isCollected(() => {
    const value = {};
    queue.tryPut(value);
    queue.close({ immediate: true });
    return value;
  });
  expect(collected).toBe(true);
  expect(queue.closed).toBe(true);
});

it('keeps nobody who has left', async () => {
  const queue = new BoundedQueue<number>();
  const gate = new ManualGate();
  const leaves: Record<string, (consumer: object) => Promise<unknown>> = {
    'a loop': async (consumer) => {
      const iterator = queue[Symbol.asyncIterator]();
      const next = iterator.next().then(() => consumer);
      await iterator.return?.();
      await next;
    },
    'a subscriber': async (consumer) => {
      from(queue)
        .subscribe(() => consumer)
        .unsubscribe();
    },
    'a subscriber at a gate': async (consumer) => {
      const subscription = from(queue)
        .pipe(gatedBy(gate))
        .subscribe(() => consumer);
      subscription.unsubscribe();
    },
    'a subscriber whose gate has opened': async (consumer) => {
      const subscription = from(queue)
        .pipe(gatedBy(gate))
        .subscribe(() => consumer);
      gate.pass();
      subscription.unsubscribe();
    },
  };
  for (const [who, leave] of Object.entries(leaves)) {
    const collected = await isCollected(async () => {
      const consumer = {};
      await leave(consumer);
      return consumer;
    });
    expect(collected, who).toBe(true);
  }
  expect([queue.size, gate.ready]).toEqual([0, false]);
});

it('does not grow with use', async () => {
  const queue = new BoundedQueue<object>({ capacity: 2 });
  const { signal } = new AbortController();
  const gate = new ManualGate();
  const growth = await heapGrowth(async () => {
    for (let i = 0; i < 3; i++) void queue.put({ i }, { signal });
    for (let i = 0; i < 3; i++) await queue.take({ signal });
    const taking = queue.take({ signal });
    await queue.put({});
    await taking;
    const { subscription, controller } = {
      subscription: from(queue).pipe(gatedBy(gate)).subscribe(),
      controller: new AbortController(),
    };
    const cancelled = queue.take({ signal: controller.signal }).catch(() => undefined);
    controller.abort();
    await cancelled;
    gate.pass(); // from the gate to the line
    subscription.unsubscribe();
    const join = queue.join({ signal });
    for (let i = 0; i < 4; i++) queue.taskDone();
    await join;
  });
  expect(growth).toBeLessThan(64 * 1024);
  await settle();
});

it('does not grow with the values of one loop that waits for each', async () => {
  const queue = new BoundedQueue<object>();
  const iterator = queue[Symbol.asyncIterator]();
  const growth = await heapGrowth(async () => {
    const next = iterator.next();
    await queue.put({});
    await next;
  });
  expect(growth).toBeLessThan(64 * 1024);
  await iterator.return?.();
});
