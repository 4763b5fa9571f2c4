import {
  concat,
  EMPTY,
  filter,
  finalize,
  from,
  interval,
  lastValueFrom,
  map,
  merge,
  NEVER,
  Observable,
  of,
  range,
  Subject,
  take,
  tap,
  throwError,
  toArray,
  VirtualTimeScheduler,
} from 'rxjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  bufferedMergeMap,
  BufferOverflowError,
  findCleanupScope,
  fromPull,
  gatedBy,
  toAsyncIterable,
  type Overflow,
  type ToAsyncIterableOptions,
} from '../../src/index.js';
import { AnsweredIterator } from '../support/AnsweredIterator.js';
import { ManualGate } from '../support/ManualGate.js';
import { deferred, settle, turn } from '../support/settle.js';
import { collectUnhandled, reported } from '../support/unhandled.js';

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);

type Iterates<T> = Required<Pick<AsyncIterator<T>, 'next' | 'return'>> & AsyncIterable<T>;

function open<T>(source: Observable<T>, options?: ToAsyncIterableOptions<T>): Iterates<T> {
  return toAsyncIterable(source, options)[Symbol.asyncIterator]() as Iterates<T>;
}

const value = <T>(given: T) => ({ done: false, value: given });
const done = { done: true, value: undefined };

/** What the promises have come to, when everything has settled. */
async function outcomes(...promises: Promise<unknown>[]): Promise<unknown[]> {
  const found = promises.map((): unknown => 'pending');
  promises.forEach((promise, i) => {
    promise.then(
      (result) => (found[i] = result),
      (error: unknown) => (found[i] = ['error', error]),
    );
  });
  await settle();
  return found;
}

async function collect<T>(iterable: AsyncIterable<T>): Promise<T[]> {
  const values: T[] = [];
  for await (const each of iterable) values.push(each);
  return values;
}

/** Counts what is taken out of it. */
function counted(end = Infinity) {
  const pulled: number[] = [];
  function* values() {
    for (let i = 0; i < end; i++) {
      pulled.push(i);
      yield i;
    }
  }
  return { pulled, source: fromPull(values) };
}

/** A source whose teardown hands `cleanup` to whoever waits below. */
const cleaning = (cleanup: PromiseLike<unknown>, source: Observable<number> = NEVER) =>
  new Observable<number>((subscriber) => {
    const scope = findCleanupScope(subscriber);
    subscriber.add(() => scope?.track(cleanup));
    return source.subscribe(subscriber);
  });

describe('toAsyncIterable', () => {
  const unhandled = collectUnhandled();

  describe('checks what it is called with', () => {
    it.each([
      [{ highWaterMark: -1 }, RangeError, 'highWaterMark must be a non-negative integer or Infinity, got -1'],
      [{ highWaterMark: 3, bufferSize: 2 }, RangeError, 'highWaterMark must be at most bufferSize (2), got 3'],
      [{ bufferSize: 0.5 }, RangeError, 'bufferSize must be a non-negative integer or Infinity, got 0.5'],
      [
        { overflow: 'drop' as Overflow },
        RangeError,
        "overflow must be one of 'error', 'drop-oldest', 'drop-newest', 'drop-buffer', got 'drop'",
      ],
      [{ onDrop: 1 as never }, TypeError, 'onDrop must be a function, got 1'],
      [
        { cleanupTimeout: NaN },
        RangeError,
        'cleanupTimeout must be a number of milliseconds from 0 to 2147483647 or Infinity, got NaN',
      ],
      [{ name: Symbol('name') as never }, TypeError, 'name must be a string, got Symbol(name)'],
      [{ scheduler: 5 as never }, TypeError, "scheduler must have the functions 'now' and 'schedule', got 5"],
      [10 as never, TypeError, 'options must be an object, got 10'],
    ] as [ToAsyncIterableOptions<number>, typeof Error, string][])('%o', (options, Class, message) => {
      expect(() => toAsyncIterable(of(1), options)).toThrow(new Class(message));
    });

    it('what is no source', () => {
      expect(() => toAsyncIterable(undefined as never)).toThrow(TypeError);
      expect(() => toAsyncIterable({} as never)).toThrow(TypeError);
    });
  });

  describe('is lazy', () => {
    it('subscribes with the first next()', () => {
      let subscribed = 0;
      const iterable = toAsyncIterable(
        new Observable<never>(() => {
          subscribed++;
        }),
      );
      const iterator = iterable[Symbol.asyncIterator]();
      expect(subscribed).toBe(0);
      void iterator.next();
      expect(subscribed).toBe(1);
      void iterator.next();
      expect(subscribed).toBe(1);
    });

    it('and for each iterator anew', async () => {
      let subscribed = 0;
      const iterable = toAsyncIterable(
        new Observable<number>((subscriber) => {
          subscriber.next(++subscribed);
          subscriber.complete();
        }),
      );
      expect(await collect(iterable)).toEqual([1]);
      expect(await collect(iterable)).toEqual([2]);
      const [first, second] = [iterable[Symbol.asyncIterator](), iterable[Symbol.asyncIterator]()];
      expect(await second.next()).toEqual(value(3));
      expect(await first.next()).toEqual(value(4));
    });

    it('is an iterator of itself', () => {
      const iterator = open(of(1));
      expect(iterator[Symbol.asyncIterator]()).toBe(iterator);
    });
  });

  describe('pulls through the link', () => {
    const through = (source: Observable<number>) =>
      source.pipe(
        map((i) => i * 10),
        filter(() => true),
        tap(() => undefined),
      );

    it('what is asked for, and no more', async () => {
      const { pulled, source } = counted();
      const iterator = open(through(source));
      expect(await iterator.next()).toEqual(value(0));
      expect(pulled).toEqual([0]);
      await turn();
      expect(pulled).toEqual([0]);
      expect(await iterator.next()).toEqual(value(10));
      expect(pulled).toEqual([0, 1]);
      await iterator.return();
    });

    it('and highWaterMark ahead', async () => {
      const { pulled, source } = counted();
      const iterator = open(through(source), { highWaterMark: 2 });
      expect(pulled).toEqual([]);
      expect(await iterator.next()).toEqual(value(0));
      expect(pulled).toEqual([0, 1, 2]);
      expect(await iterator.next()).toEqual(value(10));
      expect(pulled).toEqual([0, 1, 2, 3]);
      await iterator.return();
    });

    it('as many as there are next() that wait', async () => {
      const { pulled, source } = counted();
      const iterator = open(source);
      expect(await Promise.all([iterator.next(), iterator.next(), iterator.next()])).toEqual([0, 1, 2].map(value));
      expect(pulled).toEqual([0, 1, 2]);
      await iterator.return();
    });

    it('of asynchronous sources, merged, not one more', async () => {
      const iterators = numbers(10).map(() => new AnsweredIterator<number>());
      let emitted = 0;
      const iterator = open(merge(...iterators.map((each) => fromPull(each))).pipe(tap(() => emitted++)));
      const first = iterator.next();
      iterators.forEach((each, i) => {
        each.give(i);
      });
      expect(await first).toEqual(value(0));
      await settle();
      expect(emitted).toBe(1);
      for (let i = 1; i < 10; i++) expect(await iterator.next()).toEqual(value(i));
      expect(emitted).toBe(10);
      await iterator.return();
    });

    it('through bufferedMergeMap, which works ahead as far as its slots and its queue allow', async () => {
      const { pulled, source } = counted();
      const iterator = open(source.pipe(bufferedMergeMap((i) => of(i), { concurrent: 2, highWaterMark: 1 })));
      expect(await iterator.next()).toEqual(value(0));
      await settle();
      expect(pulled).toEqual([0, 1, 2, 3]); // one given, two results wait in their slots, one waits for a slot
      await iterator.return();
    });

    it('and there and back', async () => {
      const { pulled, source } = counted();
      const iterator = open(fromPull(toAsyncIterable(fromPull(toAsyncIterable(source)))).pipe(map((i) => i)));
      expect(await iterator.next()).toEqual(value(0));
      await turn();
      expect(pulled).toEqual([0]);
      expect(await iterator.next()).toEqual(value(1));
      await iterator.return();
      const ends = fromPull(toAsyncIterable(fromPull(toAsyncIterable(counted(1000).source))));
      expect(await lastValueFrom(ends.pipe(toArray()))).toEqual(numbers(1000));
    });
  });

  describe('a source that cannot wait', () => {
    it('fills the buffer, from which next() takes', async () => {
      const source = new Subject<number>();
      const iterator = open(source);
      const first = iterator.next();
      numbers(4).forEach((i) => {
        source.next(i);
      });
      expect(await Promise.all([first, iterator.next(), iterator.next()])).toEqual([0, 1, 2].map(value));
      source.complete();
      expect(await collect(iterator)).toEqual([3]);
    });

    it('faster than the loop is read in order', async () => {
      const seen: number[] = [];
      for await (const each of toAsyncIterable(interval(0).pipe(take(10)))) {
        await turn();
        await turn();
        seen.push(each);
      }
      expect(seen).toEqual(numbers(10));
    });

    const overflowing = (overflow: Overflow, bufferSize = 2, name?: string) => {
      const dropped: unknown[] = [];
      const source = new Subject<number>();
      const iterator = open(source, {
        bufferSize,
        overflow,
        onDrop: (...drop) => dropped.push(drop),
        ...(name !== undefined && { name }),
      });
      const first = iterator.next();
      numbers(5).forEach((i) => {
        source.next(i);
      });
      return { dropped, source, iterator, first };
    };

    it.each([
      ['drop-oldest', [1, 2], [3, 4]],
      ['drop-newest', [3, 4], [1, 2]],
      ['drop-buffer', [1, 2], [3, 4]],
    ] as [Overflow, number[], number[]][])('overflow: %s', async (overflow, gone, kept) => {
      const { dropped, source, iterator, first } = overflowing(overflow);
      expect(dropped).toEqual(gone.map((each) => [each, 'overflow']));
      source.complete();
      expect(await first).toEqual(value(0));
      expect(await collect(iterator)).toEqual(kept);
    });

    it.each(['drop-oldest', 'drop-newest', 'drop-buffer'] as const)(
      'overflow: %s, with no place at all',
      async (overflow) => {
        const { dropped, source, iterator } = overflowing(overflow, 0);
        expect(dropped).toEqual([1, 2, 3, 4].map((each) => [each, 'overflow']));
        const next = iterator.next();
        source.next(5);
        expect(await next).toEqual(value(5));
      },
    );

    it('overflow: error, after the values that wait', async () => {
      const { dropped, source, iterator, first } = overflowing('error', 2, 'feed');
      expect(source.observed).toBe(false);
      expect(dropped).toEqual([[3, 'overflow']]);
      expect(await first).toEqual(value(0));
      expect(await iterator.next()).toEqual(value(1));
      expect(await iterator.next()).toEqual(value(2));
      const error: unknown = await iterator.next().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(BufferOverflowError);
      expect(error).toMatchObject({ waiting: 2, where: "toAsyncIterable 'feed'", what: 'values' });
      expect(await iterator.next()).toEqual(done);
    });

    it('1000 may wait by default, and then it is an error', async () => {
      await expect(collect(toAsyncIterable(range(0, 1001)))).resolves.toHaveLength(1001); // one is asked for
      await expect(collect(toAsyncIterable(range(0, 1002)))).rejects.toThrow(
        /^toAsyncIterable: 1000 values wait already/,
      );
    });

    it('1 000 000 values wait without a bound, if that is asked for, and cost no more each', async () => {
      let sum = 0;
      for await (const each of toAsyncIterable(range(0, 1_000_000), { bufferSize: Infinity })) sum += each;
      expect(sum).toBe((1_000_000 * 999_999) / 2);
    });

    it('an onDrop that throws becomes the error, after the values that wait, and the others are handed over all the same', async () => {
      const dropped: number[] = [];
      const source = new Subject<number>();
      const iterator = open(source, {
        bufferSize: 2,
        overflow: 'drop-buffer',
        onDrop: (each) => {
          dropped.push(each);
          if (each === 1) throw new Error('onDrop');
        },
      });
      const first = iterator.next();
      numbers(5).forEach((i) => {
        source.next(i);
      });
      expect(dropped).toEqual([1, 2]);
      expect(source.observed).toBe(false);
      expect(await first).toEqual(value(0));
      expect(await iterator.next()).toEqual(value(3));
      await expect(iterator.next()).rejects.toThrow('onDrop');
      expect(await iterator.next()).toEqual(done);
    });

    it('an onDrop that throws of the value that was too many: the overflow is the error, and the other is reported', async () => {
      const iterator = open(of(0, 1), {
        bufferSize: 0,
        onDrop: () => {
          throw new Error('onDrop');
        },
      });
      expect(await iterator.next()).toEqual(value(0));
      await expect(iterator.next()).rejects.toThrow(BufferOverflowError);
      expect(await reported(unhandled)).toEqual(new Error('onDrop'));
    });
  });

  describe('next()', () => {
    it('is answered in the order in which it was called', async () => {
      const source = new Subject<number>();
      const iterator = open(source);
      const reads = numbers(4).map(() => iterator.next());
      source.next(0);
      source.next(1);
      source.next(2);
      source.complete();
      expect(await outcomes(...reads)).toEqual([value(0), value(1), value(2), done]);
    });

    it('gives undefined and null as values', async () => {
      expect(await collect(toAsyncIterable(of(undefined, null)))).toEqual([undefined, null]);
    });

    it('is done when the source has completed and all values have been read', async () => {
      const iterator = open(of(1, 2));
      expect(await outcomes(iterator.next())).toEqual([value(1)]);
      expect(await outcomes(iterator.next())).toEqual([value(2)]);
      expect(await outcomes(iterator.next(), iterator.next())).toEqual([done, done]);
      expect(await collect(toAsyncIterable(EMPTY))).toEqual([]);
    });

    it('rejects with the error of the source, after the values that came before it, and once', async () => {
      const iterator = open(
        concat(
          of(1, 2),
          throwError(() => new Error('source')),
        ),
      );
      expect(await outcomes(...numbers(5).map(() => iterator.next()))).toEqual([
        value(1),
        value(2),
        ['error', new Error('source')],
        done,
        done,
      ]);
    });

    it('rejects with whatever the error is', async () => {
      expect(await outcomes(open(throwError(() => undefined)).next())).toEqual([['error', undefined]]);
    });

    it('called again while the source emits, finds its value', async () => {
      const source = new Subject<number>();
      const reads: Promise<unknown>[] = [];
      const iterator = open(
        source.pipe(
          tap((i) => {
            if (i < 3) reads.push(iterator.next());
          }),
        ),
      );
      reads.push(iterator.next());
      numbers(4).forEach((i) => {
        source.next(i);
      });
      expect(await outcomes(...reads)).toEqual(numbers(4).map(value));
    });

    it('waits for the clean-up of a source that has completed, but values do not', async () => {
      const cleanup = deferred();
      const iterator = open(cleaning(cleanup.promise, of(1, 2)));
      expect(await outcomes(iterator.next())).toEqual([value(1)]);
      const [two, end] = [iterator.next(), iterator.next()];
      expect(await outcomes(two, end)).toEqual([value(2), 'pending']);
      cleanup.resolve();
      expect(await outcomes(end)).toEqual([done]);
    });

    it('waits for the clean-up of a source that has failed, too', async () => {
      const cleanup = deferred();
      const next = open(
        cleaning(
          cleanup.promise,
          throwError(() => 'source'),
        ),
      ).next();
      expect(await outcomes(next)).toEqual(['pending']);
      cleanup.resolve();
      expect(await outcomes(next)).toEqual([['error', 'source']]);
    });
  });

  describe('return()', () => {
    it('unsubscribes at once', () => {
      const source = new Subject<number>();
      const iterator = open(source);
      void iterator.next();
      expect(source.observed).toBe(true);
      void iterator.return();
      expect(source.observed).toBe(false);
    });

    it('resolves the next() that wait as done', async () => {
      const iterator = open(NEVER);
      const reads = [iterator.next(), iterator.next()];
      expect(await outcomes(...reads, iterator.return())).toEqual([done, done, done]);
    });

    it('before the first next(), never subscribes', async () => {
      const subscribe = vi.fn();
      const iterator = open(new Observable<number>(subscribe));
      expect(await iterator.return()).toEqual(done);
      expect(await iterator.next()).toEqual(done);
      expect(subscribe).not.toHaveBeenCalled();
    });

    it('called again, gives the same end; and so does next()', async () => {
      const teardown = vi.fn();
      const iterator = open(of(1, 2, 3).pipe(finalize(teardown)));
      await iterator.next();
      expect(await Promise.all([iterator.return(), iterator.return(), iterator.next()])).toEqual([done, done, done]);
      expect(teardown).toHaveBeenCalledTimes(1);
    });

    it('after the end, is content', async () => {
      const iterator = open(of(1));
      await collect(iterator);
      expect(await iterator.return()).toEqual(done);
    });

    it('hands what waits to onDrop', async () => {
      const dropped: unknown[] = [];
      const iterator = open(of(1, 2, 3), { onDrop: (...drop) => dropped.push(drop) });
      await iterator.next();
      await iterator.return();
      expect(dropped).toEqual([
        [2, 'unsubscribe'],
        [3, 'unsubscribe'],
      ]);
      expect(await iterator.next()).toEqual(done);
    });

    it('rejects with what onDrop throws, when each has been handed over; what more it throws is reported', async () => {
      const dropped: number[] = [];
      const iterator = open(of(1, 2, 3), {
        onDrop: (each) => {
          dropped.push(each);
          throw new Error(`onDrop ${String(each)}`);
        },
      });
      await iterator.next();
      await expect(iterator.return()).rejects.toThrow('onDrop 2');
      expect(dropped).toEqual([2, 3]);
      expect(await reported(unhandled)).toEqual(new Error('onDrop 3'));
    });

    it('forgets an error that nobody has read', async () => {
      const iterator = open(
        concat(
          of(1),
          throwError(() => new Error('source')),
        ),
      );
      await iterator.next();
      expect(await iterator.return()).toEqual(done);
      expect(await iterator.next()).toEqual(done);
    });

    it('inside a synchronous emission of the source', async () => {
      const iterator = open(
        range(0, 10).pipe(
          tap((i) => {
            if (i === 3) void iterator.return();
          }),
        ),
      );
      const reads = numbers(3).map(() => iterator.next());
      expect(await outcomes(...reads)).toEqual([value(0), done, done]);
    });

    it('waits for the finally of an async generator', async () => {
      const log: string[] = [];
      const cleanup = deferred();
      const iterator = open(
        fromPull(async function* () {
          try {
            yield 1;
            yield 2;
          } finally {
            log.push('finally');
            await cleanup.promise;
            log.push('cleaned');
          }
        }),
      );
      await iterator.next();
      const returned = iterator.return();
      expect(await outcomes(returned)).toEqual(['pending']);
      expect(log).toEqual(['finally']);
      expect(await outcomes(iterator.next())).toEqual([done]);
      cleanup.resolve();
      expect(await returned).toEqual(done);
      expect(log).toEqual(['finally', 'cleaned']);
    });

    it('waits for the clean-up that goes on after the source has ended', async () => {
      const cleanup = deferred();
      const iterator = open(cleaning(cleanup.promise, of(1)));
      await iterator.next();
      const returned = iterator.return();
      expect(await outcomes(returned)).toEqual(['pending']);
      cleanup.resolve();
      expect(await outcomes(returned)).toEqual([done]);
    });

    it('rejects when the clean-up fails, when all of it has settled', async () => {
      const slow = deferred();
      const iterator = open(merge(cleaning(Promise.reject(new Error('cleanup'))), cleaning(slow.promise)));
      void iterator.next();
      const returned = iterator.return();
      expect(await outcomes(returned)).toEqual(['pending']);
      slow.resolve();
      expect(await outcomes(returned)).toEqual([['error', new Error('cleanup')]]);
    });

    it('rejects when a teardown throws', async () => {
      const iterator = open(
        NEVER.pipe(
          finalize(() => {
            throw new Error('teardown');
          }),
        ),
      );
      void iterator.next();
      await expect(iterator.return()).rejects.toThrow('teardown');
    });

    it('tells one failure; the others are reported', async () => {
      const iterator = open(
        merge(cleaning(Promise.reject(new Error('one'))), cleaning(Promise.reject(new Error('two')))),
      );
      void iterator.next();
      await expect(iterator.return()).rejects.toThrow('one');
      expect(await reported(unhandled)).toEqual(new Error('two'));
    });

    it('waits no longer than cleanupTimeout; a failure that comes later is reported', async () => {
      const scheduler = new VirtualTimeScheduler();
      const cleanup = deferred();
      const iterator = open(cleaning(cleanup.promise), { cleanupTimeout: 100, scheduler });
      void iterator.next();
      const returned = iterator.return();
      expect(await outcomes(returned)).toEqual(['pending']);
      scheduler.flush();
      expect(scheduler.frame).toBe(100);
      expect(await outcomes(returned)).toEqual([done]);
      cleanup.reject(new Error('late'));
      expect(await reported(unhandled)).toEqual(new Error('late'));
    });

    it('waits as long as it takes, if cleanupTimeout is Infinity, without a timer', async () => {
      vi.useFakeTimers();
      const iterator = open(cleaning(new Promise(() => undefined)), { cleanupTimeout: Infinity });
      void iterator.next();
      const returned = iterator.return();
      expect(vi.getTimerCount()).toBe(0);
      vi.useRealTimers();
      expect(await outcomes(returned)).toEqual(['pending']);
    });
  });

  describe('a clean-up that fails after the source has ended by itself', () => {
    it('is reported', async () => {
      expect(await collect(toAsyncIterable(cleaning(Promise.reject(new Error('cleanup')), of(1))))).toEqual([1]);
      expect(await reported(unhandled)).toEqual(new Error('cleanup'));
    });

    it('is reported, also after the end has been told', async () => {
      const cleanup = deferred();
      expect(await collect(toAsyncIterable(cleaning(cleanup.promise, of(1)), { cleanupTimeout: 1 }))).toEqual([1]);
      cleanup.reject(new Error('cleanup'));
      expect(await reported(unhandled)).toEqual(new Error('cleanup'));
    });
  });

  describe('leaves no timer behind', () => {
    afterEach(() => {
      vi.useRealTimers();
    });

    it('when the clean-up settles in time', async () => {
      vi.useFakeTimers();
      const cleanup = deferred();
      const ending = open(cleaning(cleanup.promise, of(1)));
      const stopped = open(cleaning(cleanup.promise));
      const reads = [ending.next(), ending.next(), stopped.next()];
      const returned = stopped.return();
      expect(vi.getTimerCount()).toBe(2);
      cleanup.resolve();
      await Promise.all([...reads, returned]);
      expect(vi.getTimerCount()).toBe(0);
    });

    it('when return() takes over the wait', async () => {
      vi.useFakeTimers();
      const cleanup = deferred();
      const iterator = open(cleaning(cleanup.promise, of(1)), { cleanupTimeout: 100 });
      await iterator.next();
      expect(vi.getTimerCount()).toBe(1);
      const returned = iterator.return();
      expect(vi.getTimerCount()).toBe(1);
      vi.advanceTimersByTime(100);
      expect(await returned).toEqual(done);
      expect(vi.getTimerCount()).toBe(0);
      cleanup.resolve();
    });
  });

  describe('in a loop', () => {
    it('break unsubscribes, and the loop goes on when the clean-up is over', async () => {
      const log: unknown[] = [];
      const source = fromPull(async function* () {
        try {
          yield* numbers(10);
        } finally {
          await settle(5);
          log.push('cleaned');
        }
      });
      for await (const each of toAsyncIterable(source)) {
        log.push(each);
        if (each === 2) break;
      }
      log.push('after');
      expect(log).toEqual([0, 1, 2, 'cleaned', 'after']);
    });

    it('throw does so too, and its error is the one that is seen', async () => {
      const source = new Subject<number>();
      const loop = async () => {
        for await (const each of toAsyncIterable(source)) throw new Error(`loop ${String(each)}`);
      };
      const looping = loop();
      source.next(1);
      await expect(looping).rejects.toThrow('loop 1');
      expect(source.observed).toBe(false);
    });

    it('a clean-up that fails is thrown where it broke off', async () => {
      const loop = async () => {
        for await (const _ of toAsyncIterable(cleaning(Promise.reject(new Error('cleanup')), merge(of(1), NEVER))))
          break;
      };
      await expect(loop()).rejects.toThrow('cleanup');
    });

    it('a slow one loses nothing of a source that can wait', async () => {
      const seen: number[] = [];
      const most = { ahead: 0 };
      let pulled = 0;
      const source = fromPull(numbers(50)).pipe(tap(() => pulled++));
      for await (const each of toAsyncIterable(source, { highWaterMark: 3, bufferSize: 3 })) {
        await turn();
        most.ahead = Math.max(most.ahead, pulled - seen.push(each));
      }
      expect(seen).toEqual(numbers(50));
      expect(most.ahead).toBe(3);
    });
  });

  describe('for others', () => {
    it('yield* passes values and the end on', async () => {
      const closed = vi.fn();
      async function* delegating() {
        yield* toAsyncIterable(concat(of(1, 2), NEVER).pipe(finalize(closed)));
      }
      const seen: number[] = [];
      for await (const each of delegating()) {
        seen.push(each);
        if (each === 2) break;
      }
      expect(seen).toEqual([1, 2]);
      expect(closed).toHaveBeenCalledTimes(1);
    });

    it('from of RxJS', async () => {
      expect(await lastValueFrom(from(toAsyncIterable(of(1, 2))).pipe(toArray()))).toEqual([1, 2]);
    });
  });

  describe('takes', () => {
    it('whatever RxJS takes for a source', async () => {
      expect(await collect(toAsyncIterable([1, 2]))).toEqual([1, 2]);
      expect(await collect(toAsyncIterable(Promise.resolve(1)))).toEqual([1]);
    });
  });

  it('leaves no waiter at its gate', async () => {
    const gate = new ManualGate(true);
    const iterator = open(fromPull(numbers(3)).pipe(gatedBy(gate)));
    await iterator.next();
    await iterator.return();
    expect(gate.waiters.size).toBe(0);
  });
});
