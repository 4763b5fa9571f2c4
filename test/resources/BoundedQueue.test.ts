import { EMPTY, from, map, merge, Observable, of, take, takeUntil, Subject, tap } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { bufferedMergeMap, fromPull, gatedBy, ungated, type Gate } from '../../src/index.js';
import { QueueClosedError } from '../../src/errors/QueueClosedError.js';
import { BoundedQueue, type BoundedQueueOptions } from '../../src/resources/BoundedQueue.js';
import { operate } from '../../src/internal/operate.js';
import { CountedSignal } from '../support/CountedSignal.js';
import { ManualGate } from '../support/ManualGate.js';
import { outcomes } from '../support/outcomes.js';
import { record } from '../support/record.js';
import { settle } from '../support/settle.js';
import { collectUnhandled, reported } from '../support/unhandled.js';

const closedToPut = (name = 'BoundedQueue') => new QueueClosedError(name, 'put');
const closedToTake = (name = 'BoundedQueue') => new QueueClosedError(name, 'take');

/** A queue with these values in it. */
function holding<T>(values: readonly T[], options?: BoundedQueueOptions<T>): BoundedQueue<T> {
  const queue = new BoundedQueue<T>(options);
  for (const value of values) expect(queue.tryPut(value)).toBe(true);
  return queue;
}

/** Everything that can be taken now. */
function drain<T>(queue: BoundedQueue<T>): T[] {
  const values: T[] = [];
  while (queue.size > 0) values.push(queue.tryTake() as T);
  return values;
}

async function collect<T>(queue: BoundedQueue<T>, into: T[], count = Infinity): Promise<T[]> {
  for await (const value of queue) {
    into.push(value);
    if (into.length === count) break;
  }
  return into;
}

const unhandled = collectUnhandled();

describe('checks what it is called with', () => {
  it.each([
    [{ capacity: -1 }, RangeError, 'capacity must be a non-negative integer or Infinity, got -1'],
    [{ capacity: 1.3 }, RangeError, 'capacity must be a non-negative integer or Infinity, got 1.3'],
    [{ capacity: '5' as never }, RangeError, "capacity must be a non-negative integer or Infinity, got '5'"],
    [{ onDrop: 1 as never }, TypeError, 'onDrop must be a function, got 1'],
    [{ name: 1 as never }, TypeError, 'name must be a string, got 1'],
    [5 as never, TypeError, 'options must be an object, got 5'],
  ] as [BoundedQueueOptions<number>, typeof Error, string][])('%o', (options, Class, message) => {
    expect(() => new BoundedQueue(options)).toThrow(new Class(message));
  });

  it('in every call', () => {
    const queue = new BoundedQueue<number>();
    for (const call of ['take', 'join'] as const) {
      expect(() => queue[call]({ signal: {} as AbortSignal })).toThrow(
        new TypeError('signal must be an AbortSignal, got an object'),
      );
      expect(() => queue[call]({ signal: null as unknown as AbortSignal })).toThrow(TypeError);
    }
    expect(() => queue.put(1, { signal: 5 as unknown as AbortSignal })).toThrow(
      new TypeError('signal must be an AbortSignal, got 5'),
    );
    expect(() => {
      queue.close({ immediate: 1 as never });
    }).toThrow(new TypeError('immediate must be a boolean, got 1'));
    expect(() => {
      queue.close(true as never);
    }).toThrow(new TypeError('options must be an object, got true'));
    expect([queue.size, queue.closed]).toEqual([0, false]);
  });
});

// The names of the tests of CPython 3.13, Lib/test/test_asyncio/test_queues.py, and what they are about.

describe('QueueBasicTests', () => {
  it('test_empty', async () => {
    const queue = new BoundedQueue<number>();
    expect(queue.size).toBe(0);
    await queue.put(1);
    expect(queue.size).toBe(1);
    expect(await queue.take()).toBe(1);
    expect(queue.size).toBe(0);
  });

  it('test_full', () => {
    expect(new BoundedQueue().capacity).toBe(1000);
    const queue = holding([1], { capacity: 1 });
    expect(queue.tryPut(2)).toBe(false);
    expect([queue.size, queue.capacity]).toEqual([1, 1]);
  });

  it('test_order', async () => {
    const queue = new BoundedQueue<number>();
    for (const i of [1, 3, 2]) await queue.put(i);
    expect([await queue.take(), await queue.take(), await queue.take()]).toEqual([1, 3, 2]);
  });

  it('test_maxsize', async () => {
    const queue = new BoundedQueue<number>({ capacity: 2 });
    const put: number[] = [];
    const putter = async () => {
      for (let i = 0; i < 3; i++) {
        await queue.put(i);
        put.push(i);
      }
      return true;
    };
    const putting = putter();
    await settle();
    expect(put).toEqual([0, 1]);
    expect(await queue.take()).toBe(0);
    await settle();
    expect(put).toEqual([0, 1, 2]);
    expect([await queue.take(), await queue.take(), await putting]).toEqual([1, 2, true]);
  });

  it('without a bound, where that was asked for', () => {
    const queue = new BoundedQueue<number>({ capacity: Infinity });
    for (let i = 0; i < 10_000; i++) expect(queue.tryPut(i)).toBe(true);
    expect(queue.size).toBe(10_000);
  });
});

describe('QueueGetTests', () => {
  it('test_blocking_get', async () => {
    expect(await holding([1]).take()).toBe(1);
  });

  it('test_get_with_putters', async () => {
    const queue = holding([1], { capacity: 1 });
    const putter = queue.put(2);
    expect(await queue.take()).toBe(1);
    expect(await outcomes(putter)).toEqual([undefined]);
    expect(queue.size).toBe(1);
  });

  it('test_blocking_get_wait', async () => {
    const queue = new BoundedQueue<number>();
    const taking = queue.take();
    expect(await outcomes(taking)).toEqual(['pending']);
    expect(queue.tryPut(1)).toBe(true);
    expect(await taking).toBe(1);
    expect(queue.size).toBe(0);
  });

  it('test_nonblocking_get', () => {
    expect(holding([1]).tryTake()).toBe(1);
  });

  it('test_nonblocking_get_exception', () => {
    expect(new BoundedQueue().tryTake()).toBe(undefined);
  });

  it('test_get_cancelled_race', async () => {
    const queue = new BoundedQueue<string>();
    const controller = new AbortController();
    const [first, second] = [queue.take({ signal: controller.signal }), queue.take()];
    controller.abort('enough');
    expect(await outcomes(first)).toEqual([['error', 'enough']]);
    await queue.put('a');
    expect(await second).toBe('a');
  });

  it('test_get_with_waiting_putters', async () => {
    const queue = new BoundedQueue<string>({ capacity: 1 });
    void queue.put('a');
    void queue.put('b');
    expect([await queue.take(), await queue.take()]).toEqual(['a', 'b']);
  });

  it('test_why_are_getters_waiting', async () => {
    const queue = new BoundedQueue<number>({ capacity: 1 });
    const taken: number[] = [];
    const producer = async () => {
      for (let i = 0; i < 5; i++) await queue.put(i);
    };
    const consumer = async () => {
      for (let i = 0; i < 5; i++) taken.push(await queue.take());
    };
    await Promise.all([producer(), consumer()]);
    expect(taken).toEqual([0, 1, 2, 3, 4]);
  });

  it('test_cancelled_getters_not_being_held_in_self_getters', async () => {
    const queue = new BoundedQueue<number>({ capacity: 5 });
    const controller = new AbortController();
    const taking = queue.take({ signal: controller.signal });
    expect(queue.statistics().waitingTakes).toBe(1);
    controller.abort();
    await expect(taking).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
    expect(queue.statistics().waitingTakes).toBe(0);
  });
});

describe('QueuePutTests', () => {
  it('test_blocking_put', async () => {
    const queue = new BoundedQueue<number>();
    expect(await outcomes(queue.put(1))).toEqual([undefined]);
    expect(await queue.take()).toBe(1);
  });

  it('test_blocking_put_wait', async () => {
    const queue = new BoundedQueue<number>({ capacity: 1 });
    const [first, second] = [queue.put(1), queue.put(2)];
    expect(await outcomes(first, second)).toEqual([undefined, 'pending']);
    queue.tryTake();
    expect(await outcomes(second)).toEqual([undefined]);
  });

  it('test_nonblocking_put', () => {
    expect(drain(holding([1]))).toEqual([1]);
  });

  it('test_get_cancel_drop_one_pending_reader', async () => {
    const queue = new BoundedQueue<number>();
    const controller = new AbortController();
    const reader = queue.take({ signal: controller.signal });
    queue.tryPut(1);
    queue.tryPut(2);
    controller.abort();
    expect(await reader).toBe(1); // it had been handed over before
    expect(drain(queue)).toEqual([2]);
  });

  it('test_get_cancel_drop_many_pending_readers', async () => {
    const queue = new BoundedQueue<number>();
    const controller = new AbortController();
    const readers = [queue.take({ signal: controller.signal }), queue.take(), queue.take()];
    queue.tryPut(1);
    controller.abort();
    queue.tryPut(2);
    expect(await outcomes(...readers)).toEqual([1, 2, 'pending']);
    queue.tryPut(3);
    expect(await readers[2]).toBe(3);
  });

  it('test_put_cancel_drop', async () => {
    const queue = holding([1], { capacity: 1 });
    const controller = new AbortController();
    const writer = queue.put(2, { signal: controller.signal });
    expect(queue.tryTake()).toBe(1);
    controller.abort();
    expect(await outcomes(writer)).toEqual([undefined]); // it had been put before
    expect(drain(queue)).toEqual([2]);
  });

  it('test_nonblocking_put_exception', () => {
    expect(holding([1], { capacity: 1 }).tryPut(2)).toBe(false);
  });

  it('test_put_cancelled', async () => {
    const queue = new BoundedQueue<number>();
    const putting = queue.put(1);
    expect(await queue.take()).toBe(1);
    expect(await outcomes(putting)).toEqual([undefined]);
  });

  it('test_put_cancelled_race', async () => {
    const queue = new BoundedQueue<string>({ capacity: 1 });
    const controller = new AbortController();
    const [a, b] = [queue.put('a'), queue.put('b')];
    const c = queue.put('X', { signal: controller.signal });
    expect(await outcomes(a, b)).toEqual([undefined, 'pending']);
    controller.abort('enough');
    expect(await outcomes(c)).toEqual([['error', 'enough']]);
    expect(drain(queue)).toEqual(['a', 'b']);
    expect(await outcomes(b)).toEqual([undefined]);
  });

  it('test_put_with_waiting_getters', async () => {
    const queue = new BoundedQueue<string>();
    const taking = queue.take();
    await queue.put('a');
    expect(await taking).toBe('a');
  });

  it('test_why_are_putters_waiting', async () => {
    const queue = new BoundedQueue<number>({ capacity: 2 });
    const putting = [0, 1, 2, 3].map((i) => queue.put(i));
    for (let i = queue.size; i > 0; i--) queue.tryTake();
    expect(await outcomes(...putting)).toEqual([undefined, undefined, undefined, undefined]);
  });

  it('test_cancelled_puts_not_being_held_in_self_putters', async () => {
    const queue = holding([1], { capacity: 1 });
    const controller = new AbortController();
    const putting = queue.put(2, { signal: controller.signal });
    expect(queue.statistics().waitingPuts).toBe(1);
    controller.abort('enough');
    expect(await outcomes(putting)).toEqual([['error', 'enough']]);
    expect(queue.statistics().waitingPuts).toBe(0);
    expect(drain(queue)).toEqual([1]);
  });

  it('test_cancelled_put_silence_value_error_exception', async () => {
    const queue = holding([1], { capacity: 1 });
    const controller = new AbortController();
    const putting = queue.put(2, { signal: controller.signal });
    queue.tryTake();
    controller.abort();
    expect(await outcomes(putting)).toEqual([undefined]);
    expect(queue.statistics()).toMatchObject({ size: 1, waitingPuts: 0 });
  });
});

describe('QueueJoinTests', () => {
  it('test_task_done_underflow', () => {
    const queue = new BoundedQueue({ name: 'jobs' });
    expect(() => {
      queue.taskDone();
    }).toThrow(new RangeError("BoundedQueue 'jobs': taskDone() was called more often than values were taken"));
  });

  it('and one that is called for a value that has not been taken', async () => {
    const queue = holding([1, 2]);
    queue.tryTake();
    queue.taskDone();
    expect(() => {
      queue.taskDone();
    }).toThrow(RangeError);
    expect(queue.statistics().unfinished).toBe(1);
  });

  it('test_task_done', async () => {
    const queue = holding(Array.from({ length: 100 }, (_, i) => i));
    let sum = 0;
    const worker = async () => {
      for await (const value of queue) {
        await settle(3);
        sum += value;
        queue.taskDone();
      }
    };
    const workers = [worker(), worker()];
    await queue.join();
    expect(sum).toBe(4950);
    queue.close();
    await Promise.all(workers);
  });

  it('test_join_empty_queue', async () => {
    const queue = new BoundedQueue();
    expect(await outcomes(queue.join(), queue.join())).toEqual([undefined, undefined]);
  });

  it('waits for what was taken, and for whoever is aborted no longer', async () => {
    const queue = holding([1, 2]);
    const controller = new AbortController();
    const joins = [queue.join(), queue.join({ signal: controller.signal }), queue.join()];
    queue.tryTake();
    queue.tryTake();
    queue.taskDone();
    controller.abort('enough');
    expect(await outcomes(...joins)).toEqual(['pending', ['error', 'enough'], 'pending']);
    queue.taskDone();
    expect(await outcomes(...joins)).toEqual([undefined, ['error', 'enough'], undefined]);
    expect(await outcomes(queue.join({ signal: controller.signal }))).toEqual([['error', 'enough']]);
  });

  it('is released for good: what is put afterwards is for the next', async () => {
    const queue = holding([1]);
    const join = queue.join();
    queue.tryTake();
    queue.taskDone();
    queue.tryPut(2);
    expect(await outcomes(join, queue.join())).toEqual([undefined, 'pending']);
  });
});

describe('QueueShutdownTests', () => {
  /** All that is put or taken says that it is closed. */
  async function isShutDown(queue: BoundedQueue<string>) {
    expect(queue.closed).toBe(true);
    expect(await outcomes(queue.put('data'), queue.take())).toEqual([
      ['error', closedToPut()],
      ['error', closedToTake()],
    ]);
    expect(() => queue.tryPut('data')).toThrow(closedToPut());
    expect(() => queue.tryTake()).toThrow(closedToTake());
  }
  const isAllDone = (queue: BoundedQueue<string>) => {
    expect(() => {
      queue.taskDone();
    }).toThrow(RangeError);
  };

  it('test_format', () => {
    const queue = new BoundedQueue();
    expect(queue.closed).toBe(false);
    queue.close();
    expect(queue.closed).toBe(true);
  });

  it('test_shutdown_empty', async () => {
    const queue = new BoundedQueue<string>();
    const taking = queue.take();
    queue.close();
    expect(queue.size).toBe(0);
    expect(await outcomes(queue.join(), taking)).toEqual([undefined, ['error', closedToTake()]]);
    await isShutDown(queue);
  });

  it('test_shutdown_nonempty', async () => {
    const queue = holding(['data'], { capacity: 1 });
    const [join, putting] = [queue.join(), queue.put('data2')];
    expect(await outcomes(putting)).toEqual(['pending']);
    queue.close();
    expect(queue.size).toBe(1);
    expect(await outcomes(putting)).toEqual([['error', closedToPut()]]);
    expect(await queue.take()).toBe('data');
    expect(await outcomes(join)).toEqual(['pending']);
    await isShutDown(queue);
    queue.taskDone();
    expect(await outcomes(join)).toEqual([undefined]);
    isAllDone(queue);
  });

  it('test_shutdown_immediate', async () => {
    const queue = holding(['data']);
    const join = queue.join();
    queue.close({ immediate: true });
    expect(queue.size).toBe(0);
    expect(await outcomes(join)).toEqual([undefined]);
    await isShutDown(queue);
    isAllDone(queue);
  });

  it('test_shutdown_immediate_with_unfinished', async () => {
    const queue = holding(['data', 'data']);
    const join = queue.join();
    expect(await queue.take()).toBe('data');
    queue.close({ immediate: true });
    expect(queue.size).toBe(0);
    expect(await outcomes(join)).toEqual(['pending']);
    await isShutDown(queue);
    queue.taskDone();
    isAllDone(queue);
    expect(await outcomes(join)).toEqual([undefined]);
  });

  it('hands over what is dropped, oldest first, each once, also when the callback throws', async () => {
    const dropped: unknown[] = [];
    const queue = holding([1, 2, 3], {
      onDrop: (value, reason) => {
        dropped.push([value, reason]);
        if (value === 2) throw 'thrown';
      },
    });
    queue.close({ immediate: true });
    queue.close({ immediate: true });
    expect(dropped).toEqual([1, 2, 3].map((value) => [value, 'close']));
    expect(await reported(unhandled)).toBe('thrown');
  });

  it('drops what a graceful end has left', async () => {
    const dropped: number[] = [];
    const queue = holding([1, 2], { onDrop: (value) => dropped.push(value) });
    queue.close();
    expect(dropped).toEqual([]);
    expect(queue.tryTake()).toBe(1);
    queue.close({ immediate: true });
    expect(dropped).toEqual([2]);
    queue.taskDone();
    expect(await outcomes(queue.join())).toEqual([undefined]);
  });

  it('says who is closed, and what to do', async () => {
    const queue = new BoundedQueue({ name: 'jobs' });
    queue.close();
    const error = (await queue.put(1).catch((thrown: unknown) => thrown)) as QueueClosedError;
    expect(error).toMatchObject({ name: 'QueueClosedError', where: "BoundedQueue 'jobs'", operation: 'put' });
    expect(error.message).toBe(
      "BoundedQueue 'jobs' is closed and takes no more values. Close it when those who put have ended.",
    );
    expect(() => queue.tryTake()).toThrow("BoundedQueue 'jobs' is closed, and no value is left to take.");
  });
});

describe('order', () => {
  it('is first come, first served, among those who put', async () => {
    const queue = holding([0], { capacity: 1 });
    const controller = new AbortController();
    const order: unknown[] = [];
    const puts = [1, 2, 3].map((i) =>
      queue.put(i, i === 2 ? { signal: controller.signal } : {}).then(
        () => order.push(i),
        (error: unknown) => order.push(error),
      ),
    );
    controller.abort('2 is gone');
    expect(drain(queue)).toEqual([0, 1, 3]);
    await Promise.all(puts);
    expect(order).toEqual(['2 is gone', 1, 3]);
  });

  it('lets nobody pass who waits to put', async () => {
    const queue = holding([0], { capacity: 1 });
    const waiting = queue.put(1);
    expect(queue.tryTake()).toBe(0);
    expect(queue.tryPut(2)).toBe(false);
    await waiting;
    expect(drain(queue)).toEqual([1]);
  });

  it('is first come, first served, among those who take, loop and subscribe', async () => {
    const queue = new BoundedQueue<number>();
    const taking = queue.take();
    const looping = queue[Symbol.asyncIterator]().next();
    const { log, subscription } = record(from(queue));
    const last = queue.take();
    for (const i of [1, 2, 3, 4]) queue.tryPut(i);
    expect(await outcomes(taking, looping, last)).toEqual([1, { done: false, value: 2 }, 4]);
    expect(log).toEqual([3]);
    subscription.unsubscribe();
  });

  it('shares out among subscribers in turn', () => {
    const queue = new BoundedQueue<number>();
    const [a, b] = [record(from(queue)), record(from(queue))];
    for (let i = 0; i < 6; i++) queue.tryPut(i);
    queue.close();
    expect([a.log, b.log]).toEqual([
      [0, 2, 4, 'complete'],
      [1, 3, 5, 'complete'],
    ]);
  });
});

describe('a signal', () => {
  it('that has been aborted before puts and takes nothing', async () => {
    const queue = new BoundedQueue<number>({ capacity: 1 });
    const signal = AbortSignal.abort('enough');
    expect(await outcomes(queue.put(1, { signal }))).toEqual([['error', 'enough']]);
    expect(queue.statistics()).toMatchObject({ size: 0, puts: 0 });
    queue.tryPut(1);
    expect(await outcomes(queue.take({ signal }), queue.put(2, { signal }))).toEqual([
      ['error', 'enough'],
      ['error', 'enough'],
    ]);
    expect(queue.statistics()).toMatchObject({ size: 1, takes: 0, waitingPuts: 0 });
  });

  it('gives the turn to the next although its listeners have not all been called', async () => {
    const queue = new BoundedQueue<number>({ capacity: 1 });
    const controller = new AbortController();
    const { signal } = controller;
    signal.addEventListener('abort', () => queue.tryPut(1)); // the first that hears of it
    const takes = [queue.take({ signal }), queue.take()];
    controller.abort('enough');
    expect(await outcomes(...takes)).toEqual([['error', 'enough'], 1]);
  });

  it('takes back a value that waits to be put although its listeners have not all been called', async () => {
    for (const capacity of [0, 1]) {
      const queue = new BoundedQueue<number>({ capacity });
      if (capacity === 1) queue.tryPut(0);
      const controller = new AbortController();
      const { signal } = controller;
      const taken: (number | undefined)[] = [];
      signal.addEventListener('abort', () => taken.push(queue.tryTake()));
      const puts = [queue.put(1, { signal }), queue.put(2)];
      controller.abort('enough');
      taken.push(queue.tryTake());
      expect(await outcomes(...puts)).toEqual([['error', 'enough'], undefined]);
      expect(taken).toEqual(capacity === 0 ? [2, undefined] : [0, 2]);
      expect(queue.statistics()).toMatchObject({ waitingPuts: 0 });
    }
  });

  it('reaches all that wait with it, also when others of them have been answered', async () => {
    const queue = new BoundedQueue<number>();
    const controller = new AbortController();
    const { signal } = controller;
    const calls = [queue.take({ signal }), queue.take({ signal }), new BoundedQueue().take({ signal })];
    queue.tryPut(1);
    controller.abort('enough');
    expect(await outcomes(...calls)).toEqual([1, ['error', 'enough'], ['error', 'enough']]);
  });

  it('has no listener left, on any path', async () => {
    const queue = new BoundedQueue<number>({ capacity: 1 });
    const counted = new CountedSignal();
    const { signal } = counted;
    const rounds = 20_000;
    for (let i = 0; i < rounds; i++) {
      await queue.put(i, { signal }); // at once
      const waiting = queue.put(-i, { signal });
      await queue.take({ signal }); // at once
      await waiting;
      await queue.take({ signal });
      const join = queue.join({ signal });
      queue.taskDone();
      queue.taskDone();
      await join;
      const taking = queue.take({ signal });
      queue.tryPut(i);
      await taking;
      queue.taskDone();
    }
    expect(counted).toMatchObject({ added: 3 * rounds, listeners: 0 });

    const rejected = async (calls: Promise<unknown>[]) => {
      expect(counted.listeners).toBe(1);
      return (await Promise.allSettled(calls)).filter(({ status }) => status === 'rejected').length;
    };
    const takes = Array.from({ length: rounds }, () => queue.take({ signal }));
    const empty = rejected(takes);
    queue.close();
    expect(await empty).toBe(rounds);
    const full = holding([0], { capacity: 1 });
    const puts = Array.from({ length: rounds }, () => full.put(1, { signal }));
    const closing = rejected(puts);
    full.close();
    expect(await closing).toBe(rounds);
    expect(counted).toMatchObject({ added: 3 * rounds + 2, listeners: 0 });

    const other = holding([0], { capacity: 1 });
    const calls = [other.put(1, { signal }), other.join({ signal }), new BoundedQueue().take({ signal })];
    expect(counted.listeners).toBe(1);
    counted.abort('enough');
    expect(await outcomes(...calls)).toEqual(calls.map(() => ['error', 'enough']));
    expect(counted.listeners).toBe(0);
  });
});

describe('capacity 0', () => {
  it('lets a value be put when it is taken', async () => {
    const queue = new BoundedQueue<number>({ capacity: 0 });
    expect(queue.tryPut(0)).toBe(false);
    const puts = [queue.put(1), queue.put(2)];
    expect(await outcomes(...puts)).toEqual(['pending', 'pending']);
    expect(await queue.take()).toBe(1);
    expect(await outcomes(...puts)).toEqual([undefined, 'pending']);
    expect(queue.tryTake()).toBe(2);
    expect(queue.tryTake()).toBe(undefined);
    const taking = queue.take();
    expect(queue.tryPut(3)).toBe(true);
    expect(await taking).toBe(3);
    expect(queue.statistics()).toMatchObject({ puts: 3, takes: 3, size: 0, peakSize: 0, unfinished: 3 });
  });

  it('closes', async () => {
    const queue = new BoundedQueue<number>({ capacity: 0 });
    const putting = queue.put(1);
    queue.close();
    expect(await outcomes(putting, queue.take())).toEqual([
      ['error', closedToPut()],
      ['error', closedToTake()],
    ]);
  });
});

describe('for await', () => {
  it('ends when the queue is closed and empty', async () => {
    const queue = holding([1, 2]);
    const loop = collect(queue, []);
    await queue.put(3);
    queue.close();
    expect(await loop).toEqual([1, 2, 3]);
    expect(await collect(queue, [])).toEqual([]);
  });

  it('competes: each value goes to one loop', async () => {
    const queue = new BoundedQueue<number>({ capacity: 2 });
    const [a, b]: [number[], number[]] = [[], []];
    const loops = [collect(queue, a), collect(queue, b)];
    for (let i = 0; i < 100; i++) await queue.put(i);
    queue.close();
    await Promise.all(loops);
    expect([...a, ...b].sort((x, y) => x - y)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(Math.min(a.length, b.length)).toBeGreaterThan(20);
  });

  it('leaves the queue open, and takes nothing ahead, when it is left', async () => {
    const queue = holding([1, 2, 3]);
    expect(await collect(queue, [], 2)).toEqual([1, 2]);
    expect([queue.closed, drain(queue)]).toEqual([false, [3]]);
  });

  it('leaves it to its user to mark values as done', async () => {
    const queue = holding([1, 2]);
    await collect(queue, [], 2);
    expect(queue.statistics().unfinished).toBe(2);
  });

  it('gives up its place by return(), and loses nothing', async () => {
    const queue = new BoundedQueue<number>();
    const iterator = queue[Symbol.asyncIterator]();
    const nexts = [iterator.next(), iterator.next()];
    const other = queue.take();
    const end = { done: true, value: undefined };
    expect(await iterator.return?.()).toEqual(end);
    queue.tryPut(1);
    expect(await outcomes(...nexts, other)).toEqual([end, end, 1]);
    queue.tryPut(2);
    expect(await iterator.next()).toEqual(end);
    expect(drain(queue)).toEqual([2]);
    expect(queue.statistics().waitingTakes).toBe(0);
  });

  it('answers calls of next() that overlap in order', async () => {
    const queue = new BoundedQueue<number>();
    const iterator = queue[Symbol.asyncIterator]();
    const nexts = [iterator.next(), iterator.next(), iterator.next()];
    queue.tryPut(1);
    queue.tryPut(2);
    queue.close();
    expect(await Promise.all(nexts)).toEqual([
      { done: false, value: 1 },
      { done: false, value: 2 },
      { done: true, value: undefined },
    ]);
  });

  it('is an iterator that can be looped over', async () => {
    const queue = holding([1]);
    queue.close();
    const seen: number[] = [];
    for await (const value of queue[Symbol.asyncIterator]() as AsyncIterableIterator<number>) seen.push(value);
    expect(seen).toEqual([1]);
  });

  it('is what fromPull pulls, one value for each time that the gate was seen open', async () => {
    const gate = new ManualGate();
    const queue = holding([1, 2, 3]);
    const { log, subscription } = record(fromPull(queue).pipe(gatedBy(gate)));
    await settle();
    expect(queue.size).toBe(3);
    gate.ready = true;
    await settle();
    expect(log).toEqual([1, 2, 3]);
    subscription.unsubscribe();
    queue.tryPut(4);
    expect(queue.size).toBe(1);
  });
});

describe('from(queue)', () => {
  it('emits what is there and what comes, at once', () => {
    const queue = holding([1, 2]);
    const { log, subscription } = record(from(queue));
    expect(log).toEqual([1, 2]);
    queue.tryPut(3);
    expect(log).toEqual([1, 2, 3]);
    subscription.unsubscribe();
    queue.tryPut(4);
    expect(log).toEqual([1, 2, 3]);
    expect(drain(queue)).toEqual([4]);
    expect(queue.statistics().waitingTakes).toBe(0);
  });

  it('makes room: those who wait to put come in', async () => {
    const queue = holding([0], { capacity: 1 });
    const puts = [queue.put(1), queue.put(2)];
    expect(record(from(queue)).log).toEqual([0, 1, 2]);
    expect(await outcomes(...puts)).toEqual([undefined, undefined]);
  });

  it('completes when the queue is closed, or has been', () => {
    const queue = holding([1]);
    const { log } = record(from(queue));
    queue.close();
    expect(log).toEqual([1, 'complete']);
    expect(record(from(queue)).log).toEqual(['complete']);
    const closed = holding([1, 2]);
    closed.close();
    expect(record(from(closed)).log).toEqual([1, 2, 'complete']);
  });

  it('takes a value only while the gate below is open, and leaves it to others meanwhile', async () => {
    const queue = holding([1, 2, 3, 4]);
    const gate = new ManualGate();
    const { log } = record(
      from(queue).pipe(
        map((i) => i * 10),
        gatedBy(gate),
      ),
    );
    expect(log).toEqual([]);
    expect(await queue.take()).toBe(1);
    gate.ready = true;
    expect(log).toEqual([20, 30, 40]);
    gate.ready = false; // while it waits in the line
    expect(queue.tryPut(5)).toBe(true);
    expect([queue.size, log]).toEqual([1, [20, 30, 40]]);
    expect(gate.waiters.size).toBe(1);
    expect(queue.tryTake()).toBe(5);
    gate.ready = true;
    expect(gate.waiters.size).toBe(0);
    queue.tryPut(6);
    queue.close();
    expect(log).toEqual([20, 30, 40, 60, 'complete']);
  });

  it('goes on to the next consumer when the first cannot take', () => {
    const queue = new BoundedQueue<number>();
    const gate = new ManualGate(true);
    const full = record(from(queue).pipe(gatedBy(gate)));
    const free = record(from(queue));
    gate.ready = false;
    queue.tryPut(1);
    queue.tryPut(2);
    gate.ready = true; // comes behind the other
    queue.tryPut(3);
    queue.tryPut(4);
    expect([full.log, free.log]).toEqual([[4], [1, 2, 3]]);
  });

  it('shares one gate with other sources, and never passes it', () => {
    const queue = new BoundedQueue<number>();
    const gate = new ManualGate(true);
    const others = new Subject<number>();
    const { log } = record(
      merge(from(queue), others).pipe(
        tap(() => (gate.ready = false)),
        gatedBy(gate),
      ),
    );
    others.next(0);
    queue.tryPut(1);
    expect([log, queue.size]).toEqual([[0], 1]);
    gate.ready = true;
    expect([log, queue.size]).toEqual([[0, 1], 0]);
  });

  it('paces whoever puts, by the work below', async () => {
    const queue = new BoundedQueue<number>({ capacity: 2 });
    let running = 0;
    let most = 0;
    const done: number[] = [];
    const work = async (value: number) => {
      most = Math.max(most, ++running);
      await settle(5);
      running--;
      queue.taskDone();
      return value;
    };
    const { log } = record(
      from(queue).pipe(
        bufferedMergeMap(work, { concurrent: 2, highWaterMark: 0 }),
        tap((value) => done.push(value)),
      ),
    );
    let ahead = 0;
    for (let i = 0; i < 20; i++) {
      await queue.put(i);
      ahead = Math.max(ahead, i + 1 - done.length);
    }
    await queue.join();
    queue.close();
    await settle();
    expect(log).toEqual([...Array.from({ length: 20 }, (_, i) => i), 'complete']);
    expect(most).toBe(2);
    expect(ahead).toBeLessThanOrEqual(2 + 2);
  });

  it('is pulled as an inner source, and ungated where that was asked for', () => {
    const queue = holding([1, 2]);
    const gate = new ManualGate();
    expect(
      record(
        of(0).pipe(
          bufferedMergeMap(() => queue),
          gatedBy(gate),
        ),
      ).log,
    ).toEqual([]);
    expect(queue.size).toBe(2);
    expect(record(from(queue).pipe(ungated(), gatedBy(gate))).log).toEqual([1, 2]);
  });

  it('waits at the gate no longer once it is unsubscribed', () => {
    const queue = holding([1]);
    const gate = new ManualGate();
    const { subscription } = record(from(queue).pipe(gatedBy(gate)));
    expect(gate.waiters.size).toBe(1);
    subscription.unsubscribe();
    expect(gate.waiters.size).toBe(0);
    queue.close();
    expect(drain(queue)).toEqual([1]);
  });

  it('completes above a consumer that is full as soon as there is nothing to wait for', async () => {
    for (const end of [
      (queue: BoundedQueue<number>) => {
        queue.tryTake();
        queue.close();
      },
      (queue: BoundedQueue<number>) => {
        queue.close();
        void queue.take();
      },
      (queue: BoundedQueue<number>) => {
        queue.close({ immediate: true });
      },
      (queue: BoundedQueue<number>) => {
        queue.close();
        record(from(queue));
      },
    ]) {
      const queue = holding([1]);
      const gate = new ManualGate();
      const logs = [record(from(queue).pipe(gatedBy(gate))), record(from(queue).pipe(gatedBy(gate)))];
      end(queue);
      expect(logs.map(({ log }) => log)).toEqual([['complete'], ['complete']]);
      expect(gate.waiters.size).toBe(0);
    }
  });

  it('stops at take(n): the next value stays', () => {
    const queue = holding([1, 2, 3]);
    expect(record(from(queue).pipe(take(2))).log).toEqual([1, 2, 'complete']);
    expect(drain(queue)).toEqual([3]);
  });

  it('keeps a value that is put while its subscriber is being torn down', () => {
    const queue = new BoundedQueue<number>();
    const stop = new Subject<void>();
    const { log } = record(
      new Observable<number>((subscriber) => {
        subscriber.add(() => queue.tryPut(1)); // before the queue hears that it is unsubscribed
        return from(queue).subscribe(subscriber);
      }).pipe(takeUntil(stop)),
    );
    stop.next();
    expect(log).toEqual(['complete']);
    expect(drain(queue)).toEqual([1]);
  });

  it('takes what a consumer puts inside next', () => {
    const queue = new BoundedQueue<number>();
    const seen: number[] = [];
    from(queue).subscribe((value) => {
      seen.push(value);
      if (value < 5) queue.tryPut(value + 1);
    });
    queue.tryPut(0);
    expect(seen).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('hands a value that is put inside next to whoever waits', () => {
    const queue = new BoundedQueue<number>();
    const order: string[] = [];
    from(queue).subscribe((value) => {
      order.push(`a${String(value)}`);
      if (value < 4) queue.tryPut(value + 1);
    });
    from(queue).subscribe((value) => {
      order.push(`b${String(value)}`);
      if (value < 4) queue.tryPut(value + 1);
    });
    queue.tryPut(0);
    expect(order).toHaveLength(5);
    expect(order.map((each) => each.at(-1))).toEqual(['0', '1', '2', '3', '4']);
  });

  it('can be closed, and unsubscribed, inside next', () => {
    const queue = holding([1, 2]);
    const log: unknown[] = [];
    from(queue).subscribe({
      next: (value) => {
        log.push(value);
        queue.close();
      },
      complete: () => log.push('complete'),
    });
    expect(log).toEqual([1, 2, 'complete']);

    const other = holding([1, 2]);
    const seen: number[] = [];
    const subscription = new Observable<number>((subscriber) => from(other).subscribe(subscriber)).subscribe(
      (value) => {
        seen.push(value);
        queueMicrotask(() => {
          subscription.unsubscribe();
        });
      },
    );
    expect(seen).toEqual([1, 2]);
  });

  it('gives the last value to whom it is due, although the end unsubscribes that one', () => {
    const queue = holding([1]);
    const gate = new ManualGate();
    const taking = new ManualGate();
    const taker = record(from(queue).pipe(gatedBy(taking)));
    from(queue)
      .pipe(gatedBy(gate))
      .subscribe({
        complete: () => {
          taker.subscription.unsubscribe();
        },
      });
    queue.close();
    taking.ready = true;
    expect(taker.log[0]).toBe(1);
  });

  it('goes on with the others when a consumer throws', async () => {
    const queue = new BoundedQueue<number>();
    const errors: unknown[] = [];
    for (const ends of [false, true]) {
      const subscriber = operate<number, never>({ error: (error) => errors.push(error) });
      subscriber.next = () => {
        if (ends) subscriber.unsubscribe();
        throw new Error('teardown');
      };
      from(queue).subscribe(subscriber);
    }
    const { log } = record(from(queue));
    for (const i of [1, 2, 3]) queue.tryPut(i);
    expect(log).toEqual([3]);
    expect(errors).toEqual([new Error('teardown')]);
    expect(await reported(unhandled)).toEqual(new Error('teardown'));
  });

  it('passes on as an error what a gate throws', () => {
    const queue = holding([1]);
    const error = new Error('gate');
    const gate: Gate = {
      ready: false,
      onReady: () => {
        throw error;
      },
    };
    expect(record(from(queue).pipe(gatedBy(gate))).log).toEqual([['error', error]]);
    expect(drain(queue)).toEqual([1]);
    const turning = { ...gate, ready: true };
    const { log } = record(from(queue).pipe(gatedBy(turning)));
    turning.ready = false;
    expect(queue.tryPut(2)).toBe(true);
    expect(log).toEqual([['error', error]]);
    expect(drain(queue)).toEqual([2]);
  });

  it('does not nest: a million values, put before or inside next', () => {
    const count = 1_000_000;
    const queue = new BoundedQueue<number>({ capacity: Infinity });
    for (let i = 0; i < count; i++) queue.tryPut(i);
    let seen = 0;
    const subscription = from(queue).subscribe(() => seen++);
    expect(seen).toBe(count);
    subscription.unsubscribe();
    from(queue).subscribe((value) => {
      if (value < count) queue.tryPut(value + 1);
      else seen = value;
    });
    queue.tryPut(0);
    expect(seen).toBe(count);
  });

  it('completes whom it is merged with', async () => {
    const queue = holding([1]);
    const { log } = record(merge(queue, EMPTY));
    queue.close();
    expect(log).toEqual([1, 'complete']);
  });
});

describe('statistics', () => {
  it('says what it has seen, and does not change', async () => {
    const queue = new BoundedQueue<string>({ capacity: 2 });
    const { log, subscription } = record(from(queue));
    const taking = queue.take();
    queue.tryPut('a');
    queue.tryPut('b');
    subscription.unsubscribe();
    await taking;
    queue.tryPut('c');
    queue.tryPut('d');
    const putting = queue.put('e');
    const before = queue.statistics();
    expect(before).toEqual({
      size: 2,
      peakSize: 2,
      puts: 4,
      takes: 2,
      dropped: 0,
      unfinished: 4,
      waitingPuts: 1,
      waitingTakes: 0,
    });
    expect(Object.isFrozen(before)).toBe(true);
    expect(log).toEqual(['a']);
    await queue.take();
    await putting;
    queue.taskDone();
    queue.close({ immediate: true });
    expect(queue.statistics()).toEqual({
      size: 0,
      peakSize: 2,
      puts: 5,
      takes: 3,
      dropped: 2,
      unfinished: 2,
      waitingPuts: 0,
      waitingTakes: 0,
    });
    expect(before.size).toBe(2);
  });

  it('counts those who wait for a value', async () => {
    const queue = new BoundedQueue<string>();
    const takes = [queue.take(), queue[Symbol.asyncIterator]().next()];
    record(from(queue));
    record(from(queue).pipe(gatedBy(new ManualGate())));
    expect(queue.statistics().waitingTakes).toBe(3);
    queue.close();
    expect(queue.statistics().waitingTakes).toBe(0);
    await Promise.allSettled(takes);
  });
});

it('costs the same however many wait to be cancelled', async () => {
  const queue = new BoundedQueue<number>();
  const controllers = Array.from({ length: 100_000 }, () => new AbortController());
  const takes = controllers.map(({ signal }) => queue.take({ signal }).catch((error: unknown) => error));
  for (const controller of controllers.reverse()) controller.abort('enough');
  expect(new Set(await Promise.all(takes))).toEqual(new Set(['enough']));
  expect(queue.statistics().waitingTakes).toBe(0);
});
