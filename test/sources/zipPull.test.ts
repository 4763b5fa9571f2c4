import {
  BehaviorSubject,
  concat,
  EMPTY,
  from,
  merge,
  mergeMap,
  NEVER,
  Observable,
  of,
  range,
  Subject,
  Subscription,
  take,
  tap,
  throwError,
  zip,
  type ObservableInput,
} from 'rxjs';
import { describe, expect, expectTypeOf, it, vi } from 'vitest';
import {
  bufferedMergeMap,
  BufferOverflowError,
  findGate,
  fromPull,
  gatedBy,
  toAsyncIterable,
} from '../../src/index.js';
import { operate } from '../../src/internal/operate.js';
import { zipPull, type ZipPullOptions } from '../../src/sources/zipPull.js';
import { AnsweredIterator } from '../support/AnsweredIterator.js';
import { ManualGate } from '../support/ManualGate.js';
import { marbles } from '../support/marbles.js';
import { record } from '../support/record.js';
import { deferred, settle } from '../support/settle.js';
import { collectUnhandled, reported } from '../support/unhandled.js';

/** Counts what is asked of it. */
function counting(end = Infinity) {
  const counter = { pulled: 0, returned: 0 };
  function* values() {
    try {
      for (let i = 0; i < end; i++) {
        counter.pulled++;
        yield i;
      }
    } finally {
      counter.returned++;
    }
  }
  return { counter, values };
}

const drops = () => {
  const dropped: unknown[] = [];
  return { dropped, onDrop: (...args: unknown[]) => void dropped.push(args) };
};

describe('zipPull', () => {
  const unhandled = collectUnhandled();

  describe('does what zip does', () => {
    const programs: Record<string, (zipAll: (inputs: ObservableInput<unknown>[]) => Observable<unknown>) => unknown[]> =
      {
        'with no inputs': (zipAll) => record(zipAll([])).log,
        'with one': (zipAll) => record(zipAll([of(1, 2)])).log,
        'with arrays, sets, strings and generators': (zipAll) =>
          record(zipAll([[1, 2, 3], new Set([4, 5, 6, 7]), 'a😀', counting().values()])).log,
        'when an input is empty': (zipAll) => record(zipAll([NEVER, EMPTY])).log,
        'when an input fails': (zipAll) => record(zipAll([of(1), throwError(() => 'error'), of(2)])).log,
        'when an input fails after a few': (zipAll) =>
          record(
            zipAll([
              of(1, 2),
              concat(
                [3],
                throwError(() => 'error'),
              ),
            ]),
          ).log,
        'when it is unsubscribed in the midst': (zipAll) =>
          record(
            zipAll([
              [1, 2, 3],
              [4, 5, 6],
            ]).pipe(take(2)),
          ).log,
        'when a value comes inside of next': (zipAll) => {
          const a = new BehaviorSubject(0);
          const b = new BehaviorSubject(0);
          const { log } = record(
            zipAll([a, b]).pipe(
              tap((tuple) => {
                const [value = 0] = tuple as number[];
                if (value > 3) return;
                a.next(value + 1);
                b.next(value + 1);
                log.push(`after ${String(value)}`);
              }),
            ),
          );
          b.error('error');
          return log;
        },
        'when an input completes inside of next': (zipAll) => {
          const a = new Subject();
          const { log } = record(
            zipAll([a, of(1, 2, 3)]).pipe(
              tap(() => {
                a.complete();
              }),
            ),
          );
          a.next(1);
          return [...log, a.observed];
        },
        'when an input fails inside of next': (zipAll) => {
          const a = new Subject();
          const { log } = record(
            zipAll([a, of(1, 2, 3)]).pipe(
              tap(() => {
                a.next('b');
                a.error('error');
              }),
            ),
          );
          a.next('a');
          return log;
        },
        'and subscribes to no more when it is over': (zipAll) => {
          const subscribed = vi.fn(() => NEVER.subscribe());
          record(zipAll([EMPTY, new Observable(subscribed)]));
          return [subscribed.mock.calls.length];
        },
      };

    it.each(Object.entries(programs))('%s', (_, program) => {
      const expected = program((inputs) => zip(inputs));
      expect(program((inputs) => zipPull(inputs))).toEqual(expected);
    });

    it('with promises, async iterables and streams', async () => {
      const { log } = record(
        zipPull([
          Promise.resolve(1),
          (async function* () {
            yield 2;
            yield 3;
          })(),
          new ReadableStream({
            start(controller) {
              controller.enqueue(4);
              controller.close();
            },
          }),
        ]),
      );
      await settle(40);
      expect(log).toEqual([[1, 2, 4], 'complete']);
    });

    it(
      'in virtual time',
      marbles((m) => {
        const a = m.hot('-a-b-----c|');
        const b = m.cold('---1-23-45--6|');
        for (const zipped of [zip([a, b]), zipPull([a, b])])
          m.expect(zipped).toBeObservable('---x-y---z|', { x: ['a', '1'], y: ['b', '2'], z: ['c', '3'] });
      }),
    );
  });

  it('gives tuples of the types of its inputs', () => {
    expectTypeOf(zipPull([of(1), ['a'], Promise.resolve(true)])).toEqualTypeOf<Observable<[number, string, boolean]>>();
    const many: Observable<number>[] = [];
    expectTypeOf(zipPull(many)).toEqualTypeOf<Observable<number[]>>();
    void zipPull([of(1), ['a']], {
      onDrop: (value, reason, input) => {
        expectTypeOf(value).toEqualTypeOf<number | string>();
        expectTypeOf(reason).toEqualTypeOf<'overflow' | 'error' | 'unsubscribe' | 'complete'>();
        expectTypeOf(input).toEqualTypeOf<number>();
      },
    });
  });

  it.each<[unknown, unknown, string]>([
    [undefined, {}, 'inputs must be an array, got undefined'],
    [of(1), {}, 'inputs must be an array, got an object'],
    [[], 5, 'options must be an object, got 5'],
    [[], { highWaterMark: 0 }, 'highWaterMark must be a positive integer or Infinity, got 0'],
    [[], { bufferSize: 0 }, 'bufferSize must be a positive integer or Infinity, got 0'],
    [[], { bufferSize: 1, highWaterMark: 2 }, 'highWaterMark must be at most bufferSize (1), got 2'],
    [[], { overflow: 'drop-oldest' }, "overflow must be one of 'error', got 'drop-oldest'"],
    [[], { overflow: null }, "overflow must be one of 'error', got null"],
    [[], { onDrop: 5 }, 'onDrop must be a function, got 5'],
    [[], { name: 5 }, 'name must be a string, got 5'],
  ])('refuses %o with %o', (inputs, options, message) => {
    expect(() => zipPull(inputs as [], options as ZipPullOptions<never>)).toThrow(message);
  });

  it('refuses at the call what is no input', () => {
    expect(() => zipPull([of(1), 5 as unknown as Observable<number>])).toThrow(TypeError);
    expect(() => zipPull([of(1), null as unknown as Observable<number>])).toThrow(TypeError);
  });

  it('is not changed by what becomes of the array', () => {
    const inputs = [of(1)];
    const zipped = zipPull(inputs);
    inputs.push(of(2));
    expect(record(zipped).log).toEqual([[1], 'complete']);
  });

  describe('lets an input that is ahead wait', () => {
    it.each([1, 3])('at most %i values ahead', (highWaterMark) => {
      const { counter, values } = counting();
      const slow = new Subject<string>();
      const { log } = record(zipPull([fromPull(values), slow], { highWaterMark }));
      const ahead = [];
      for (let i = 0; i < 3; i++) {
        ahead.push(counter.pulled - i);
        slow.next('a');
      }
      expect(ahead).toEqual([highWaterMark, highWaterMark, highWaterMark]);
      expect(log).toEqual([
        [0, 'a'],
        [1, 'a'],
        [2, 'a'],
      ]);
    });

    it('pulls iterables itself, one ahead', () => {
      const { counter, values } = counting();
      const slow = new Subject<string>();
      const { subscription } = record(zipPull([values(), slow]));
      expect(counter).toEqual({ pulled: 1, returned: 0 });
      slow.next('a');
      expect(counter.pulled).toBe(2);
      subscription.unsubscribe();
      expect(counter).toEqual({ pulled: 2, returned: 1 });
    });

    it('of each input that is merged, all together', () => {
      const { counter, values } = counting();
      const slow = new Subject<string>();
      const { log } = record(
        zipPull([merge(fromPull(values), fromPull(values), fromPull(values)), slow], { bufferSize: 1 }),
      );
      expect(counter.pulled).toBe(1);
      slow.next('a');
      slow.next('b');
      expect([counter.pulled, log.length]).toEqual([3, 2]);
    });

    it('and asks the one that is behind, whatever the others do', async () => {
      const iterators = [new AnsweredIterator<number>(), new AnsweredIterator<number>()];
      const { log } = record(zipPull(iterators.map((iterator) => fromPull(iterator))));
      expect(iterators.map(({ pending }) => pending)).toEqual([true, true]);
      iterators[0]?.give(1);
      await settle();
      expect(iterators.map(({ pending }) => pending)).toEqual([false, true]);
      iterators[1]?.give(2);
      await settle();
      expect(iterators.map(({ pending }) => pending)).toEqual([true, true]);
      expect(log).toEqual([[1, 2]]);
    });

    it('up to bufferSize if it cannot wait, then errors and says which', () => {
      const { dropped, onDrop } = drops();
      const { log } = record(zipPull([NEVER, range(0, 10)], { bufferSize: 2, name: 'pairs', onDrop }));
      expect(log).toEqual([['error', new BufferOverflowError("zipPull 'pairs', input 1", 'results', 2)]]);
      expect(dropped).toEqual([
        [0, 'error', 1],
        [1, 'error', 1],
        [2, 'overflow', 1],
      ]);
    });

    it('up to 1000 by default', () => {
      expect(record(zipPull([range(0, 1000), range(0, 1000)])).log.at(-1)).toBe('complete');
      expect(record(zipPull([range(0, 1001), range(0, 1001)])).log).toHaveLength(1);
    });

    it('with a fan-out above, by what the fan-out adds', () => {
      const { counter, values } = counting();
      const fan = fromPull(values).pipe(mergeMap((i) => [i, i, i]));
      record(zipPull([fan, NEVER], { bufferSize: 3 }));
      expect(counter.pulled).toBe(1);
    });
  });

  describe('above a consumer that can be full', () => {
    it('asks for nothing while it is closed', () => {
      const gate = new ManualGate();
      const { counter, values } = counting();
      const { log } = record(zipPull([values(), values()]).pipe(gatedBy(gate)));
      expect(counter.pulled).toBe(0);
      gate.ready = true;
      expect(log.length).toBeGreaterThan(0);
    });

    it('emits one tuple for each time that it opens', () => {
      const gate = new ManualGate();
      const { counter, values } = counting(3);
      const { log } = record(
        zipPull([values(), fromPull(values)]).pipe(
          gatedBy(gate),
          tap(() => (gate.ready = false)),
        ),
      );
      const seen = [];
      for (let i = 0; i < 5; i++) {
        gate.ready = true;
        seen.push([log.length, counter.pulled]);
      }
      expect(log).toEqual([[0, 0], [1, 1], [2, 2], 'complete']);
      expect(seen.slice(0, 3)).toEqual([
        [1, 2],
        [2, 4],
        [3, 6],
      ]);
      expect(gate.waiters.size).toBe(0);
    });

    it('lets tuples wait that it cannot take, completion behind them', () => {
      const gate = new ManualGate();
      const a = new Subject<number>();
      const { log } = record(
        zipPull([a, of(1, 2)]).pipe(
          gatedBy(gate),
          tap(() => (gate.ready = false)),
        ),
      );
      a.next(10);
      a.next(20);
      a.complete();
      expect([log, gate.waiters.size]).toEqual([[], 1]);
      gate.ready = true;
      expect([log, gate.waiters.size]).toEqual([[[10, 1]], 1]);
      gate.ready = true;
      expect(log).toEqual([[10, 1], [20, 2], 'complete']);
      expect(gate.waiters.size).toBe(0);
    });

    it('lets an error pass those that wait', () => {
      const gate = new ManualGate();
      const { dropped, onDrop } = drops();
      const a = new Subject<number>();
      const { log } = record(zipPull([a, of(1, 2)], { onDrop }).pipe(gatedBy(gate)));
      a.next(10);
      a.error('error');
      expect(log).toEqual([['error', 'error']]);
      expect(dropped).toEqual([
        [10, 'error', 0],
        [1, 'error', 1],
        [2, 'error', 1],
      ]);
      expect(gate.waiters.size).toBe(0);
    });

    it('is bounded with inputs that cannot wait', () => {
      const a = new Subject<number>();
      const { log } = record(zipPull([a, a], { bufferSize: 2 }).pipe(gatedBy(new ManualGate())));
      a.next(1);
      a.next(2);
      expect(log).toEqual([]);
      a.next(3);
      expect(log).toEqual([['error', new BufferOverflowError('zipPull, input 0', 'results', 2)]]);
    });

    it('takes its turn there no longer when what waited has left another way', () => {
      const gate = new ManualGate();
      const a = new Subject<number>();
      const { log } = record(zipPull([a, of(1, 2, 3)]).pipe(gatedBy(gate)));
      a.next(10);
      const [waiter] = gate.waiters;
      gate.waiters.clear(); // its turn has not come yet, though the gate is open
      gate.ready = true;
      if (waiter) gate.waiters.add(waiter);
      a.next(20);
      expect([log.length, gate.waiters.size]).toEqual([2, 0]);
      gate.ready = false;
      a.next(30);
      expect(log).toHaveLength(2);
      gate.ready = true;
      expect(log.slice(2)).toEqual([[30, 3], 'complete']);
    });

    it('lets what waits go first when more comes and the gate is open', () => {
      const gate = new ManualGate();
      const a = new Subject<number>();
      const { log } = record(zipPull([a, of(1, 2, 3)], { bufferSize: 3 }).pipe(gatedBy(gate)));
      for (let i = 0; i < 3; i++) a.next(i);
      gate.waiters.clear(); // its turn does not come
      gate.ready = true;
      a.next(3);
      expect(log).toEqual([[0, 1], [1, 2], [2, 3], 'complete']);
    });

    it('drops what comes when that ends it', () => {
      const gate = new ManualGate();
      const { dropped, onDrop } = drops();
      const a = new Subject<number>();
      const { log } = record(zipPull([a, of(1, 2, 3)], { onDrop }).pipe(gatedBy(gate), take(1)));
      a.next(0);
      gate.waiters.clear(); // its turn does not come
      gate.ready = true;
      a.next(1);
      expect([log, dropped]).toEqual([
        [[0, 1], 'complete'],
        [
          [2, 'unsubscribe', 1],
          [3, 'unsubscribe', 1],
          [1, 'unsubscribe', 0],
        ],
      ]);
    });

    it('asks all of those who were ahead when what waited has left', () => {
      const gate = new ManualGate(true);
      const a = new Subject<number>();
      const { log } = record(zipPull([a, [0, 1, 2, 3, 4], [0, 1, 2, 3, 4]]).pipe(gatedBy(gate)));
      gate.ready = false;
      for (let i = 0; i < 5; i++) a.next(i);
      gate.ready = true;
      expect([log.length, log.at(-1)]).toEqual([6, 'complete']);
    });

    it('keeps every bound in a pipeline', async () => {
      const { counter, values } = counting();
      const work = Array.from({ length: 4 }, () => deferred());
      let started = 0;
      const { subscription } = record(
        zipPull([fromPull(values), values()]).pipe(
          bufferedMergeMap(() => work[started++]?.promise ?? NEVER, { concurrent: 2, highWaterMark: 1 }),
        ),
      );
      expect([started, counter.pulled]).toEqual([2, 6]);
      work[0]?.resolve();
      await settle();
      expect([started, counter.pulled]).toEqual([3, 8]);
      subscription.unsubscribe();
      expect(counter.returned).toBe(2);
    });
  });

  describe('at its end', () => {
    it('hands what is left over to onDrop, and unsubscribes from the others', () => {
      const { dropped, onDrop } = drops();
      const { counter, values } = counting();
      const a = new Subject<string>();
      const { log } = record(zipPull([a, of(1, 2, 3), values()], { onDrop }));
      a.next('a');
      a.complete();
      expect(log).toEqual([['a', 1, 0], 'complete']);
      expect(dropped).toEqual([
        [2, 'complete', 1],
        [3, 'complete', 1],
        [1, 'complete', 2],
      ]);
      expect(counter.returned).toBe(1);
    });

    it('drops a value that was under way when it was unsubscribed, after the inputs', async () => {
      const { dropped, onDrop } = drops();
      const iterator = new AnsweredIterator<number>();
      const values: AsyncIterable<number> = { [Symbol.asyncIterator]: () => iterator };
      const ended = new Observable<string>((subscriber) => {
        subscriber.next('a');
        return () => {
          dropped.push('teardown');
        };
      });
      const { subscription } = record(zipPull([ended, values], { onDrop }));
      subscription.unsubscribe();
      iterator.give(5);
      await settle();
      expect(dropped).toEqual(['teardown', ['a', 'unsubscribe', 0], [5, 'unsubscribe', 1]]);
    });

    it('keeps the reason for a value that comes back after the end', async () => {
      const { dropped, onDrop } = drops();
      const iterator = new AnsweredIterator<number>();
      const values: AsyncIterable<number> = { [Symbol.asyncIterator]: () => iterator };
      const a = new Subject<number>();
      record(zipPull([values, a], { onDrop }));
      a.complete();
      iterator.give(5);
      await settle();
      expect(dropped).toEqual([[5, 'complete', 0]]);
    });

    it('is not completed by what comes after it was unsubscribed', async () => {
      const { dropped, onDrop } = drops();
      const iterator = new AnsweredIterator<number>();
      const values: AsyncIterable<number> = { [Symbol.asyncIterator]: () => iterator };
      const last = new Subject<number>();
      record(zipPull([of(0), values, last], { highWaterMark: 2, onDrop }).pipe(take(1)));
      iterator.give(1);
      await settle();
      last.next(2);
      iterator.give(3);
      await settle();
      expect(dropped).toEqual([[3, 'unsubscribe', 1]]);
    });

    it.each([
      ['unsubscription', 2],
      ['an error', 2],
      ['an overflow, but not what was too much', 2],
      ['completion: nothing, since no tuple can come of it', 0],
    ])('counts as lost what waited before %s', (end, count) => {
      const lost: unknown[] = [];
      const [a, b] = [new Subject<number>(), new Subject<number>()];
      const subscriber = operate<unknown, never>({
        lossCounter: { lost: (...args) => lost.push(args) },
        error: () => undefined,
      });
      zipPull([a, b], { bufferSize: 2 }).subscribe(subscriber);
      a.next(1);
      a.next(2);
      if (end.startsWith('unsubscription')) subscriber.unsubscribe();
      else if (end.startsWith('an error')) b.error('error');
      else if (end.startsWith('an overflow')) a.next(3);
      else b.complete();
      expect(lost).toEqual(Array(count).fill(['waiting', 1]));
    });

    it('drops what waits though a teardown throws', () => {
      const { dropped, onDrop } = drops();
      const failing = new Observable<number>((subscriber) => {
        subscriber.next(1);
        return () => {
          throw new Error('teardown');
        };
      });
      const { subscription } = record(zipPull([failing, NEVER], { onDrop }));
      expect(() => {
        subscription.unsubscribe();
      }).toThrow('teardown');
      expect(dropped).toEqual([[1, 'unsubscribe', 0]]);
    });

    it('hands the clean-up of its inputs down', async () => {
      const cleanup = deferred();
      const iterator = new AnsweredIterator<number>(cleanup.promise);
      const a = new Subject<number>();
      const values: AsyncIterable<number> = { [Symbol.asyncIterator]: () => iterator };
      const loop = toAsyncIterable(zipPull([values, a]))[Symbol.asyncIterator]();
      const over = vi.fn();
      void loop.next().then(over);
      a.complete();
      await settle();
      expect([iterator.calls, over.mock.calls.length]).toEqual([['next', 'return'], 0]);
      cleanup.resolve();
      await settle();
      expect(over).toHaveBeenCalledWith({ done: true, value: undefined });
    });

    it('reports what onDrop throws, and goes on', async () => {
      const onDrop = (value: unknown) => {
        throw new Error(`onDrop ${String(value)}`);
      };
      const { subscription } = record(zipPull([NEVER, of(1, 2)], { onDrop }));
      subscription.unsubscribe();
      expect(await reported(unhandled)).toEqual(new Error('onDrop 1'));
      expect(await reported(unhandled)).toEqual(new Error('onDrop 2'));
    });

    it('passes the error of an iterable that cannot be opened', () => {
      const values: Iterable<number> = {
        [Symbol.iterator]: () => {
          throw new Error('open');
        },
      };
      const { counter, values: others } = counting();
      expect(record(zipPull([others(), values])).log).toEqual([['error', new Error('open')]]);
      expect(counter.returned).toBe(1);
    });
  });

  it('gives each input a gate of its own', () => {
    const gates: unknown[] = [];
    const looking = new Observable<number>((subscriber) => {
      gates.push(findGate(subscriber)?.ready);
      subscriber.next(1);
      gates.push(findGate(subscriber)?.ready);
    });
    record(zipPull([looking, looking, NEVER]));
    expect(gates).toEqual([true, false, true, false]);
  });

  it('starts afresh with each subscription', () => {
    const zipped = zipPull([
      [1, 2],
      ['a', 'b'],
    ]);
    const expected = [[1, 'a'], [2, 'b'], 'complete'];
    expect([record(zipped).log, record(zipped).log]).toEqual([expected, expected]);
  });

  it('leaves the subscriber of an input that has ended', () => {
    const a = new Subject<number>();
    const teardown = vi.fn();
    const { log } = record(
      zipPull([
        new Observable<number>((subscriber) => {
          subscriber.next(1);
          subscriber.complete();
          return teardown;
        }),
        a,
      ]),
    );
    expect(teardown).toHaveBeenCalledTimes(1);
    a.next(2);
    expect(log).toEqual([[1, 2], 'complete']);
  });

  it('goes through a million values of iterables and fans of inputs, with a flat stack', () => {
    const count = 1_000_000;
    const quick = (end: number) => fromPull(() => counting(end).values(), { slice: Infinity });
    let seen = 0;
    zipPull([quick(count), quick(count)]).subscribe(() => seen++);
    expect(seen).toBe(count);
    seen = 0;
    zipPull(Array.from({ length: 2000 }, () => quick(5))).subscribe(() => seen++);
    expect(seen).toBe(5);
  });

  it('opens and closes with what stands below at any moment', () => {
    const gate = new ManualGate();
    const subscription = new Subscription();
    const seen: unknown[] = [];
    subscription.add(
      zipPull([fromPull(counting(6).values), from([0, 1, 2, 3, 4, 5])])
        .pipe(gatedBy(gate))
        .subscribe((tuple) => {
          seen.push(tuple);
          gate.ready = false;
          gate.ready = true; // others may have their turn inside of next
        }),
    );
    gate.ready = true;
    expect(seen).toEqual(Array.from({ length: 6 }, (_, i) => [i, i]));
    expect(subscription.closed).toBe(false);
    expect(gate.waiters.size).toBe(0);
  });

  it('finds the scope of clean-up below', () => {
    const tracked: unknown[] = [];
    const subscriber = operate({ cleanupScope: { track: (each) => tracked.push(each) } });
    zipPull([fromPull(new AnsweredIterator())]).subscribe(subscriber);
    subscriber.unsubscribe();
    expect(tracked).toHaveLength(1);
  });
});
