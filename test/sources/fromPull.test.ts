import {
  concat,
  config,
  defer,
  EMPTY,
  filter,
  finalize,
  from,
  lastValueFrom,
  map,
  merge,
  mergeMap,
  Observable,
  of,
  queueScheduler,
  repeat,
  retry,
  Subject,
  Subscription,
  switchMap,
  take,
  tap,
  toArray,
  VirtualTimeScheduler,
  zip,
  type SchedulerLike,
} from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  bufferedMergeMap,
  fromPull,
  gatedBy,
  SourceConsumedError,
  ungated,
  type FromPullOptions,
  type Pullable,
  type PullStream,
  type WorkContext,
} from '../../src/index.js';
import { operate } from '../../src/internal/operate.js';
import { AnsweredIterator } from '../support/AnsweredIterator.js';
import { ManualGate } from '../support/ManualGate.js';
import { record } from '../support/record.js';
import { deferred, settle, turn } from '../support/settle.js';
import { collectUnhandled, reported } from '../support/unhandled.js';

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);

function* generated<T>(...values: T[]) {
  yield* values;
}

async function* generatedLater<T>(...values: T[]) {
  for (const value of values) {
    await Promise.resolve();
    yield value;
  }
}

/** Ready at once, each time that it is asked. */
function* endless() {
  for (let i = 0; ; i++) yield i;
}

const iterable = <T>(iterator: object): Pullable<T> => ({ [Symbol.asyncIterator]: () => iterator as AsyncIterator<T> });

const streamOf = (...values: number[]) =>
  new ReadableStream<number>({
    start(controller) {
      values.forEach((value) => {
        controller.enqueue(value);
      });
      controller.close();
    },
  });

const all = <T>(source: Observable<T>): Promise<T[]> => lastValueFrom(source.pipe(toArray()));

/** What a consumer does that takes one value each time that its gate opens. */
function oneByOne<T>(source: Observable<T>, gate: ManualGate) {
  const { log, subscription } = record(
    source.pipe(
      tap(() => {
        gate.ready = false;
      }),
    ),
  );
  return { log, subscription };
}

describe('fromPull', () => {
  const unhandled = collectUnhandled();

  describe('emits what it is given', () => {
    const sources: Record<string, () => Pullable<unknown>> = {
      'an array': () => [1, 2, 3],
      'a set': () => new Set([1, 2, 3]),
      'a generator': () => generated(1, 2, 3),
      'an async generator': () => generatedLater(1, 2, 3),
      'an async iterable that answers at once': () => {
        const values = generated(1, 2, 3);
        return iterable({ next: () => values.next() });
      },
      'a ReadableStream': () => streamOf(1, 2, 3),
      'what has only getReader': () => {
        const values = generatedLater(1, 2, 3);
        return {
          getReader: () => ({
            read: () => values.next() as Promise<{ done: boolean; value?: number }>,
            cancel: async () => undefined,
            releaseLock: () => undefined,
          }),
        };
      },
      'an iterator that is not iterable': () => {
        const values = generated(1, 2, 3);
        return { next: () => values.next() };
      },
      'an asynchronous iterator that is not iterable': () => {
        const values = generatedLater(1, 2, 3);
        return { next: () => values.next() };
      },
    };

    it.each(Object.entries(sources))('%s', async (_, open) => {
      expect(await all(fromPull(open()))).toEqual([1, 2, 3]);
      expect(await all(fromPull(open))).toEqual([1, 2, 3]);
    });

    it('a string, by code points', async () => {
      expect(await all(fromPull('a👍c'))).toEqual(['a', '👍', 'c']);
      expect(await all(fromPull(''))).toEqual([]);
    });

    it('a map, as entries', async () => {
      expect(await all(fromPull(new Map([['a', 1]])))).toEqual([['a', 1]]);
    });

    it('undefined, null and what looks like the end, as values', async () => {
      const values = [undefined, null, { done: true }];
      expect(await all(fromPull(values))).toEqual(values);
      expect(await all(fromPull(generatedLater(...values)))).toEqual(values);
    });

    it('what a sequence returns at its end, not', async () => {
      const source = function* () {
        yield 1;
        return 2;
      };
      expect(await all(fromPull(source))).toEqual([1]);
    });

    it('promises in an array as they are', async () => {
      const promise = Promise.resolve(1);
      expect(await all(fromPull([promise]))).toEqual([promise]);
    });

    it('of what can be gone through both ways, the asynchronous way', async () => {
      const both = Object.assign(generatedLater('async'), { [Symbol.iterator]: () => generated('sync') });
      expect(await all(fromPull<string>(both))).toEqual(['async']);
    });

    it('synchronously, what is synchronous', () => {
      expect(record(fromPull([1, 2, 3])).log).toEqual([1, 2, 3, 'complete']);
    });

    it('to each subscriber from the start, where that is possible', () => {
      const source = fromPull(new Set([1, 2]));
      expect(record(source).log).toEqual([1, 2, 'complete']);
      expect(record(source).log).toEqual([1, 2, 'complete']);
    });
  });

  describe('checks what it is called with', () => {
    const expected =
      'fromPull takes an iterable, an async iterable, an iterator, a ReadableStream or a function that opens one';
    const hint = '; to wait for it, make it an async generator';

    it.each([
      [undefined, 'undefined'],
      [null, 'null'],
      [5, '5'],
      [true, 'true'],
      [Symbol('s'), 'Symbol(s)'],
      [{}, 'an object'],
      [of(1), 'an object'],
      [Promise.resolve([1]), `an object${hint}`],
    ])('%o', (source, got) => {
      expect(() => fromPull(source as never)).toThrow(new TypeError(`${expected}, got ${got}`));
    });

    it('what a function opens, when it is subscribed', () => {
      expect(record(fromPull((() => undefined) as never)).log).toEqual([
        ['error', new TypeError(`${expected}, got undefined`)],
      ]);
      expect(record(fromPull((async () => [1]) as never)).log).toEqual([
        ['error', new TypeError(`${expected}, got an object${hint}`)],
      ]);
    });

    it.each([
      [{ slice: 0 }, RangeError, 'slice must be a positive integer or Infinity, got 0'],
      [{ slice: 1.5 }, RangeError, 'slice must be a positive integer or Infinity, got 1.5'],
      [{ slice: '5' as never }, RangeError, "slice must be a positive integer or Infinity, got '5'"],
      [{ onDrop: {} as never }, TypeError, 'onDrop must be a function, got an object'],
      [{ gate: {} as never }, TypeError, "gate must have a boolean 'ready' and a function 'onReady', got an object"],
      [{ gate: null as never }, TypeError, "gate must have a boolean 'ready' and a function 'onReady', got null"],
      [{ scheduler: {} as never }, TypeError, "scheduler must have the functions 'now' and 'schedule', got an object"],
      [{ scheduler: null as never }, TypeError, "scheduler must have the functions 'now' and 'schedule', got null"],
      [null as never, TypeError, 'options must be an object, got null'],
      [4 as never, TypeError, 'options must be an object, got 4'],
    ] as [FromPullOptions<number>, typeof Error, string][])('%o', (options, Class, message) => {
      expect(() => fromPull([1], options)).toThrow(new Class(message));
    });
  });

  describe('what can be gone through only once', () => {
    const once: Record<string, () => Pullable<unknown>> = {
      'a generator object': () => generated(1, 2),
      'an async generator object': () => generatedLater(1, 2),
      'an iterator of a map': () => new Map([[1, 2]]).entries(),
      'an iterator': () => ({ next: () => ({ done: true, value: undefined }) }),
      'a stream': () => streamOf(1, 2),
      'an async iterable that gives the same iterator again': () => iterable(generatedLater(1, 2)),
      'an iterable that gives the same iterator again': () => {
        const values = generated(1, 2);
        return { [Symbol.iterator]: () => values };
      },
    };

    it.each(Object.entries(once))('%s: the second subscription is an error that says what to do', async (_, open) => {
      const source = fromPull(open());
      await all(source);
      await expect(all(source)).rejects.toThrow(SourceConsumedError);
      await expect(all(source)).rejects.toThrow(/only once.*fromPull\(\(\) => \.\.\.\)/);
    });

    it('two subscriptions at a time: the second is an error, the first goes on', async () => {
      const source = fromPull(generatedLater(1, 2));
      const first = all(source);
      await expect(all(source)).rejects.toThrow(SourceConsumedError);
      expect(await first).toEqual([1, 2]);
    });

    it('so that retry does not complete in silence', () => {
      const failing = (function* () {
        yield 1;
        throw new Error('source');
      })();
      expect(record(fromPull(failing).pipe(retry(2))).log).toEqual([1, ['error', new SourceConsumedError('fromPull')]]);
    });

    it.each(['pipe', 'destroy'])('is not what only looks like a stream of Node, because it has %s', (member) => {
      const called = vi.fn();
      const iterable = Object.assign({ [Symbol.asyncIterator]: () => new AnsweredIterator() }, { [member]: called });
      const source = fromPull(iterable);
      for (let i = 0; i < 2; i++) {
        const { log, subscription } = record(source);
        subscription.unsubscribe();
        expect(log).toEqual([]);
      }
      expect(called).not.toHaveBeenCalled();
    });

    it('nor repeat', () => {
      expect(record(fromPull(generated(1)).pipe(repeat(2))).log).toEqual([
        1,
        ['error', new SourceConsumedError('fromPull')],
      ]);
    });

    it('a locked stream is the error of the stream', async () => {
      const stream = streamOf(1);
      stream.getReader();
      const source = fromPull(stream);
      await expect(all(source)).rejects.toThrow(/locked/);
    });
  });

  describe('a function', () => {
    it('opens the source anew for each subscription, with a context of its own', () => {
      const contexts: WorkContext[] = [];
      const source = fromPull((context) => {
        contexts.push(context);
        return generated(contexts.length);
      });
      expect(contexts).toEqual([]);
      expect(record(source.pipe(repeat(2))).log).toEqual([1, 2, 'complete']);
      expect(contexts[0]).not.toBe(contexts[1]);
    });

    it('lets retry work', async () => {
      let attempts = 0;
      const source = fromPull(async function* () {
        attempts++;
        yield attempts;
        if (attempts < 3) throw new Error('source');
      });
      expect(await all(source.pipe(retry(2)))).toEqual([1, 2, 3]);
    });

    it('that throws is an error notification', () => {
      const { log } = record(
        fromPull(() => {
          throw new Error('open');
        }),
      );
      expect(log).toEqual([['error', new Error('open')]]);
    });

    it('that unsubscribes the subscription gets its source closed unread', async () => {
      const iterator = new AnsweredIterator<number>();
      const stop = new Subject<void>();
      const { log } = record(
        fromPull<number>(() => {
          stop.next();
          return iterator;
        }).pipe(
          (source) =>
            new Observable((subscriber) => {
              stop.subscribe(() => {
                subscriber.unsubscribe();
              });
              return source.subscribe(subscriber);
            }),
        ),
      );
      await settle();
      expect(log).toEqual([]);
      expect(iterator.calls).toEqual(['return']);
    });
  });

  describe('the signal', () => {
    /** How a subscription ends, and what the signal says. */
    const aborted = async (source: Pullable<number>, end: (subscription: Subscription) => void = () => undefined) => {
      let signal!: AbortSignal;
      const subscription = fromPull((context) => {
        ({ signal } = context);
        return source;
      }).subscribe({ error: () => undefined });
      end(subscription);
      await settle();
      return signal.aborted;
    };

    it('is aborted when the subscription ends early', async () => {
      expect(
        await aborted(new AnsweredIterator<number>(), (subscription) => {
          subscription.unsubscribe();
        }),
      ).toBe(true);
    });

    it('is not aborted on completion, nor when the source fails: then there is nothing left to stop', async () => {
      expect(await aborted([1])).toBe(false);
      expect(await aborted(generatedLater(1))).toBe(false);
      expect(
        await aborted(generatedLater(1), (subscription) => {
          setTimeout(() => {
            subscription.unsubscribe();
          });
        }),
      ).toBe(false);
      const failing = new AnsweredIterator<number>();
      expect(
        await aborted(failing, () => {
          failing.fail(new Error('source'));
        }),
      ).toBe(false);
    });

    it('is aborted before return() is called', () => {
      const calls: string[] = [];
      const { subscription } = record(
        fromPull(({ signal }) => {
          signal.addEventListener('abort', () => calls.push('abort'));
          return {
            next: () => new Promise<never>(() => undefined),
            return: () => (calls.push('return'), Promise.resolve({ done: true, value: undefined })),
          };
        }),
      );
      subscription.unsubscribe();
      expect(calls).toEqual(['abort', 'return']);
    });

    it('stops a generator that hangs in an await', async () => {
      const calls: string[] = [];
      const { subscription } = record(
        fromPull(async function* ({ signal }) {
          try {
            yield 1;
            await new Promise((_, reject) => {
              signal.addEventListener('abort', () => {
                reject(signal.reason as Error);
              });
            });
          } finally {
            calls.push('finally');
          }
        }),
      );
      await settle();
      subscription.unsubscribe();
      await settle();
      expect(calls).toEqual(['finally']);
    });

    it('first read after the end, is aborted', () => {
      let context!: WorkContext;
      fromPull((given) => {
        context = given;
        return new AnsweredIterator<number>();
      })
        .subscribe()
        .unsubscribe();
      expect(context.signal.aborted).toBe(true);
    });
  });

  describe('when the source fails', () => {
    it.each([
      [
        'next() throws',
        () => ({
          next: () => {
            throw new Error('source');
          },
        }),
      ],
      ['next() rejects', () => ({ next: () => Promise.reject(new Error('source')) })],
      [
        'a getter of the answer throws',
        () => ({
          next: () => ({
            get done(): boolean {
              throw new Error('source');
            },
          }),
        }),
      ],
    ] as [string, () => Iterator<number>][])('%s: that is the error', async (_, open) => {
      await expect(all(fromPull(open()))).rejects.toThrow('source');
    });

    it.each([
      [
        'throws',
        () => {
          throw new Error('source');
        },
      ],
      ['rejects', () => Promise.reject(new Error('source'))],
    ] as [string, () => never][])('an iterator whose next() %s is over: return() is not called', async (_, next) => {
      const close = vi.fn(() => ({ done: true as const, value: undefined }));
      await expect(all(fromPull<number>({ next, return: close }))).rejects.toThrow('source');
      expect(close).not.toHaveBeenCalled();
    });

    it.each([
      ['given', () => undefined],
      ['promised', async () => undefined],
      ['a number', () => 5],
      ['a promised number', async () => 5],
    ])('an answer that is no object, %s, is a TypeError, and the iterator is closed', async (_, next) => {
      const close = vi.fn();
      const source = { next, return: close } as unknown as Iterator<number>;
      await expect(all(fromPull(source))).rejects.toThrow(TypeError);
      expect(close).toHaveBeenCalledTimes(1);
    });

    it('opening what a function gave throws: that is the error, and the signal is aborted', () => {
      const signals: AbortSignal[] = [];
      const source = fromPull<number>(({ signal }) => {
        signals.push(signal);
        return {
          [Symbol.iterator]: () => {
            throw new Error('open');
          },
        };
      });
      expect(record(source).log).toEqual([['error', new Error('open')]]);
      expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    });

    it('thenables that are functions are waited for', async () => {
      const values = [1, 2, 3].values();
      const next = () =>
        Object.assign(() => undefined, {
          then: (call: (result: unknown) => void) => {
            call(values.next());
          },
        });
      expect(await all(fromPull({ next } as unknown as Iterator<number>))).toEqual([1, 2, 3]);
    });

    it('opening it throws: that is the error', () => {
      const source = {
        [Symbol.iterator]: () => {
          throw new Error('open');
        },
      };
      expect(record(fromPull(source)).log).toEqual([['error', new Error('open')]]);
    });

    it('a pull that rejects after the unsubscription is a late error, of which RxJS tells onStoppedNotification', async () => {
      const late = vi.fn();
      config.onStoppedNotification = late;
      const iterator = new AnsweredIterator<number>();
      const { subscription, log } = record(fromPull(iterator));
      subscription.unsubscribe();
      iterator.fail(new Error('late'));
      await settle();
      await turn();
      config.onStoppedNotification = null;
      expect(log).toEqual([]);
      expect(late).toHaveBeenCalledTimes(1);
    });
  });

  describe('when it is unsubscribed', () => {
    it('calls return() at once, also while next() is pending, and once', async () => {
      const iterator = new AnsweredIterator<number>();
      const { subscription, log } = record(fromPull(iterator));
      subscription.unsubscribe();
      expect(iterator.calls).toEqual(['next', 'return']);
      iterator.give(1);
      await settle();
      subscription.unsubscribe();
      expect(iterator.calls).toEqual(['next', 'return']);
      expect(log).toEqual([]);
    });

    it('also when that pull was the last', async () => {
      const iterator = new AnsweredIterator<number>();
      const { subscription, log } = record(fromPull(iterator));
      subscription.unsubscribe();
      iterator.end();
      await settle();
      expect(iterator.calls).toEqual(['next', 'return']);
      expect(log).toEqual([]);
    });

    it('once, also where the promise of a pull begins its work when it is waited for, and that unsubscribes', async () => {
      const stop = new Subject<void>();
      const then = () => {
        stop.next();
      };
      const next = () => Object.assign(new Promise(() => undefined), { then }) as Promise<IteratorResult<number>>;
      const close = vi.fn(async () => ({ done: true as const, value: undefined }));
      const gate = new ManualGate();
      const { subscription } = record(fromPull<number>({ next, return: close }, { gate }));
      stop.subscribe(() => {
        subscription.unsubscribe();
      });
      gate.ready = true;
      await settle();
      expect(close).toHaveBeenCalledTimes(1);
    });

    it('not after the source has come to its end', async () => {
      const iterator = new AnsweredIterator<number>();
      const { subscription, log } = record(fromPull(iterator));
      iterator.end();
      await settle();
      subscription.unsubscribe();
      expect(iterator.calls).toEqual(['next']);
      expect(log).toEqual(['complete']);
    });

    it('is content without a return()', async () => {
      const next = vi.fn(() => new Promise<never>(() => undefined));
      const { subscription } = record(fromPull({ next }));
      subscription.unsubscribe();
      await settle();
      expect(next).toHaveBeenCalledTimes(1);
    });

    it.each([
      ['a generator', () => endless()],
      [
        'an async generator',
        async function* () {
          yield* endless();
        },
      ],
    ])('inside next, %s: nothing more is pulled and emitted', async (_, open) => {
      let seen = 0;
      const source = (open as () => Iterator<number>)();
      const close = vi.spyOn(source as Required<Iterator<number>>, 'return');
      const subscription = fromPull(() => source).subscribe(() => {
        // Synchronously, the subscription is not there yet.
        if (++seen === 3)
          queueMicrotask(() => {
            subscription.unsubscribe();
          });
      });
      await turn();
      expect(close).toHaveBeenCalledTimes(1);
      const before = seen;
      await turn();
      expect(seen).toBe(before);
    });

    it.each([
      ['a generator', () => endless()],
      [
        'an async generator',
        async function* () {
          yield* endless();
        },
      ],
      [
        'a stream',
        () =>
          new ReadableStream({
            pull: (controller) => {
              controller.enqueue(1);
            },
          }),
      ],
    ] as [string, () => Pullable<number>][])('by take(3) below, %s is closed with the third value', async (_, open) => {
      let cancelled = 0;
      const source = fromPull<number>(open);
      const { log } = record(
        source.pipe(
          finalize(() => cancelled++),
          take(3),
        ),
      );
      await turn();
      expect(log).toHaveLength(4);
      expect(cancelled).toBe(1);
    });

    it('inside next, by the consumer: a generator runs its finally, then and there', () => {
      const log: unknown[] = [];
      function* source() {
        try {
          yield 1;
          yield 2;
          yield 3;
        } finally {
          log.push('finally');
        }
      }
      fromPull(source())
        .pipe(take(2))
        .subscribe({ next: (value) => log.push(value), complete: () => log.push('complete') });
      expect(log).toEqual([1, 2, 'complete', 'finally']);
    });

    it('by an operator below that throws', () => {
      const log: unknown[] = [];
      function* source() {
        try {
          yield 1;
          yield 2;
        } finally {
          log.push('finally');
        }
      }
      fromPull(source())
        .pipe(
          map(() => {
            throw new Error('map');
          }),
        )
        .subscribe({ error: (error: unknown) => log.push(error) });
      expect(log).toEqual([new Error('map'), 'finally']);
    });

    /** Runs `act` from inside the body of a generator, when its first value is pulled. */
    const selfStopping = (act: () => void, afterwards: () => void = () => undefined) => {
      const log: string[] = [];
      function* sync() {
        try {
          act();
          afterwards();
          yield 'late';
          log.push('resumed');
        } finally {
          log.push('finally');
        }
      }
      async function* async() {
        try {
          act(); // still inside of next()
          afterwards();
          await Promise.resolve();
          yield 'late';
          log.push('resumed');
        } finally {
          log.push('finally');
        }
      }
      return { log, sync, async };
    };

    it.each(['sync', 'async'] as const)(
      'by the body of the %s generator itself, closes it when it is no longer running',
      async (kind) => {
        const stop = new Subject<void>();
        const dropped: unknown[] = [];
        const source = selfStopping(() => {
          stop.next();
        });
        const events: unknown[] = [];
        const gate = new ManualGate(false);
        const subscription = fromPull<string>(source[kind], {
          gate,
          onDrop: (...drop) => dropped.push(drop),
        }).subscribe({
          next: (value) => events.push(value),
          complete: () => events.push('complete'),
        });
        stop.subscribe(() => {
          subscription.unsubscribe();
        });
        gate.ready = true;
        await turn();
        expect(events).toEqual([]);
        expect(source.log).toEqual(['finally']);
        expect(dropped).toEqual([['late', 'unsubscribe']]);
      },
    );

    it('by the body of an async generator, aborts its signal then, and not when the pull comes back', async () => {
      const stop = new Subject<void>();
      const gate = new ManualGate(false);
      const log: string[] = [];
      const subscription = fromPull<never>(
        async function* ({ signal }) {
          signal.addEventListener('abort', () => log.push('abort'));
          stop.next();
          log.push('after');
          await new Promise(() => undefined);
        },
        { gate },
      ).subscribe();
      stop.subscribe(() => {
        subscription.unsubscribe();
      });
      gate.ready = true;
      expect(log).toEqual(['after', 'abort']);
    });

    it('by the body of a generator that then throws: that error is reported', async () => {
      const stop = new Subject<void>();
      const gate = new ManualGate(false);
      const source = selfStopping(
        () => {
          stop.next();
        },
        () => {
          throw new Error('body');
        },
      );
      const subscription = fromPull<string>(source.sync, { gate }).subscribe();
      stop.subscribe(() => {
        subscription.unsubscribe();
      });
      gate.ready = true;
      await turn();
      await turn();
      expect(await reported(unhandled)).toEqual(new Error('body'));
    });
  });

  describe('a return() that fails after the unsubscription', () => {
    const failing: Record<string, () => unknown> = {
      throws: () => {
        throw new Error('return');
      },
      rejects: () => Promise.reject(new Error('return')),
    };
    const source = (close: () => unknown) =>
      fromPull(iterable({ next: () => new Promise(() => undefined), return: close }));

    it.each(Object.entries(failing))('%s: reported as unhandled where nobody waits', async (_, close) => {
      record(source(close)).subscription.unsubscribe();
      expect(await reported(unhandled)).toEqual(new Error('return'));
    });

    it('rejects: that is the business of the clean-up scope, where there is one', async () => {
      const tracked: PromiseLike<unknown>[] = [];
      const cleanupScope = { track: (cleanup: PromiseLike<unknown>) => tracked.push(cleanup) };
      const subscriber = operate({ cleanupScope });
      source(failing['rejects'] as () => unknown)
        .pipe(map((value) => value))
        .subscribe(subscriber);
      subscriber.unsubscribe();
      expect(tracked).toHaveLength(1);
      await expect(tracked[0]).rejects.toThrow('return');
    });
  });

  describe('hands its clean-up to the scope below', () => {
    const tracked = async (pullable: Pullable<unknown>) => {
      const cleanups: PromiseLike<unknown>[] = [];
      const subscriber = operate({ cleanupScope: { track: (cleanup) => cleanups.push(cleanup) } });
      fromPull(pullable).subscribe(subscriber);
      await settle();
      subscriber.unsubscribe();
      return cleanups;
    };
    const settled = async (promise: PromiseLike<unknown> | undefined) => {
      const open = Symbol();
      return (await Promise.race([Promise.resolve(promise).then(() => true), settle().then(() => open)])) !== open;
    };

    it('the promise of return()', async () => {
      const cleanup = deferred();
      const [promise] = await tracked(new AnsweredIterator(cleanup.promise));
      expect(await settled(promise)).toBe(false);
      cleanup.resolve();
      expect(await settled(promise)).toBe(true);
    });

    it('without a return(), the pull that is under way, however it ends', async () => {
      for (const end of ['resolve', 'reject'] as const) {
        const answer = deferred<IteratorResult<number>>();
        const [promise] = await tracked({ next: () => answer.promise });
        expect(await settled(promise)).toBe(false);
        answer[end]({ done: true, value: undefined });
        expect(await settled(promise)).toBe(true);
      }
    });

    it('the cancellation of a stream', async () => {
      const cleanup = deferred();
      const [promise] = await tracked(new ReadableStream({ cancel: () => cleanup.promise }));
      expect(await settled(promise)).toBe(false);
      cleanup.resolve();
      expect(await settled(promise)).toBe(true);
    });

    it('nothing for what is over when return() has returned', async () => {
      expect(await tracked(new Set([1]))).toEqual([]);
      expect(await tracked(generatedLater(1))).toEqual([]);
    });
  });

  describe('a stream', () => {
    it('with a pending read is cancelled at once', async () => {
      const cancel = vi.fn();
      const stream = new ReadableStream<number>({ cancel });
      const { subscription, log } = record(fromPull(stream));
      await settle();
      subscription.unsubscribe();
      expect(cancel).toHaveBeenCalledTimes(1);
      await settle();
      expect(log).toEqual([]);
    });

    const ends: Record<
      string,
      (controller: ReadableStreamDefaultController<number>, subscription: Subscription) => void
    > = {
      completed: (controller) => {
        controller.close();
      },
      failed: (controller) => {
        controller.error(new Error('stream'));
      },
      'been unsubscribed': (_, subscription) => {
        subscription.unsubscribe();
      },
    };
    it.each(Object.entries(ends))('is not locked any more when it has %s', async (_, end) => {
      let controller!: ReadableStreamDefaultController<number>;
      const stream = new ReadableStream<number>({
        start: (given) => {
          controller = given;
        },
      });
      const { subscription } = record(fromPull(stream));
      expect(stream.locked).toBe(true);
      end(controller, subscription);
      await settle();
      expect(stream.locked).toBe(false);
    });

    it('whose cancellation fails is not locked any more either, and that is reported', async () => {
      const stream = new ReadableStream<number>({
        cancel: () => {
          throw new Error('cancel');
        },
      });
      record(fromPull(stream)).subscription.unsubscribe();
      expect(await reported(unhandled)).toEqual(new Error('cancel'));
      expect(stream.locked).toBe(false);
    });

    it('that its own signal makes fail: that is what was asked for', async () => {
      const gate = new ManualGate();
      for (const ready of [true, false]) {
        gate.ready = ready;
        const { subscription } = record(
          fromPull(
            ({ signal }) =>
              new ReadableStream({
                start: (controller) => {
                  signal.addEventListener('abort', () => {
                    controller.error(signal.reason);
                  });
                },
              }),
            { gate },
          ),
        );
        subscription.unsubscribe();
      }
      await turn();
    });

    it('that fails, and is unsubscribed before anybody is told: a late error', async () => {
      let controller!: ReadableStreamDefaultController<number>;
      const stream = new ReadableStream<number>({
        start: (given) => {
          controller = given;
        },
      });
      const { subscription, log } = record(fromPull(stream));
      controller.error(new Error('late'));
      subscription.unsubscribe();
      await turn();
      expect(log).toEqual([]);
      expect(stream.locked).toBe(false);
    });

    it('is read no further than the consumer can take', async () => {
      let produced = 0;
      const gate = new ManualGate();
      const stream = new ReadableStream<number>(
        {
          pull: (controller) => {
            controller.enqueue(produced++);
          },
        },
        { highWaterMark: 0 },
      );
      const { log, subscription } = oneByOne(fromPull(stream).pipe(gatedBy(gate)), gate);
      await settle();
      expect(produced).toBe(0);
      gate.ready = true;
      await settle();
      expect([log, produced]).toEqual([[0], 1]);
      subscription.unsubscribe();
      await settle();
    });
  });

  describe('below a gate', () => {
    it('pulls nothing while it is closed', async () => {
      const gate = new ManualGate();
      const iterator = new AnsweredIterator<number>();
      record(fromPull(iterator).pipe(gatedBy(gate)));
      await settle();
      expect(iterator.calls).toEqual([]);
      gate.ready = true;
      expect(iterator.calls).toEqual(['next']);
    });

    it('emits one value for each time that it was open', () => {
      const gate = new ManualGate();
      const { log } = oneByOne(fromPull([1, 2, 3]).pipe(gatedBy(gate)), gate);
      expect(log).toEqual([]);
      for (const expected of [[1], [1, 2], [1, 2, 3], [1, 2, 3, 'complete']]) {
        gate.ready = true;
        expect(log).toEqual(expected);
      }
    });

    it('reads it again after an asynchronous pull: the value waits, and nothing is pulled meanwhile', async () => {
      const gate = new ManualGate(true);
      const iterator = new AnsweredIterator<number>();
      const { log } = record(fromPull(iterator).pipe(gatedBy(gate)));
      gate.ready = false;
      iterator.give(1);
      await settle();
      expect([log, iterator.calls]).toEqual([[], ['next']]);
      gate.ready = true;
      await settle();
      expect([log, iterator.calls]).toEqual([[1], ['next', 'next']]);
    });

    it('reads it again after a synchronous pull, whose body may have closed it', () => {
      const gate = new ManualGate(true);
      const closing = function* () {
        gate.ready = false;
        yield 1;
      };
      const { log } = record(fromPull(closing).pipe(gatedBy(gate)));
      expect(log).toEqual([]);
      gate.ready = true;
      expect(log).toEqual([1, 'complete']);
    });

    it('lets completion wait for the value that waits, and an error too', async () => {
      for (const end of ['end', 'fail'] as const) {
        const gate = new ManualGate(true);
        const iterator = new AnsweredIterator<number>();
        const { log } = record(fromPull(iterator).pipe(gatedBy(gate)));
        gate.ready = false;
        iterator.give(1);
        await settle();
        gate.ready = true;
        iterator[end](new Error('source'));
        await settle();
        expect(log[0]).toBe(1);
        expect(log).toHaveLength(2);
      }
    });

    it('lets an end pass that comes while it is closed: it needs no room', async () => {
      const gate = new ManualGate(true);
      const iterator = new AnsweredIterator<number>();
      const { log } = record(fromPull(iterator).pipe(gatedBy(gate)));
      gate.ready = false;
      iterator.end();
      await settle();
      expect(log).toEqual(['complete']);
    });

    it('ten merged asynchronous sources overshoot by none', async () => {
      const gate = new ManualGate();
      const { log, subscription } = oneByOne(
        from(numbers(10)).pipe(
          mergeMap((i) => fromPull(() => generatedLater(...numbers(5).map((j) => 10 * j + i)))),
          gatedBy(gate),
        ),
        gate,
      );
      for (let taken = 0; taken < 50; taken++) {
        await settle();
        expect(log).toHaveLength(taken);
        gate.ready = true;
      }
      expect([...log].sort((a, b) => Number(a) - Number(b))).toEqual(numbers(50));
      for (let i = 0; i < 10; i++) {
        gate.ready = true;
        await settle();
      }
      expect(log.at(-1)).toBe('complete');
      subscription.unsubscribe();
    });

    it('a source that does not answer holds no place that others could use', async () => {
      const gate = new ManualGate();
      const silent = new AnsweredIterator<number>();
      const { log } = oneByOne(merge(fromPull(silent), fromPull([1, 2, 3])).pipe(gatedBy(gate)), gate);
      for (let i = 0; i < 3; i++) gate.ready = true;
      await settle();
      expect(log).toEqual([1, 2, 3]);
    });

    it('waits with one callback, which goes when it is unsubscribed', async () => {
      const gate = new ManualGate();
      const { subscription } = record(fromPull([1]).pipe(gatedBy(gate)));
      expect(gate.waiters.size).toBe(1);
      subscription.unsubscribe();
      expect(gate.waiters.size).toBe(0);

      gate.ready = true;
      const iterator = new AnsweredIterator<number>();
      const parked = record(fromPull(iterator).pipe(gatedBy(gate)));
      gate.ready = false;
      iterator.give(1);
      await settle();
      expect(gate.waiters.size).toBe(1);
      parked.subscription.unsubscribe();
      expect(gate.waiters.size).toBe(0);
    });

    it('heeds the nearest of two', () => {
      const near = new ManualGate(true);
      const far = new ManualGate();
      expect(record(fromPull([1]).pipe(gatedBy(near), gatedBy(far))).log).toEqual([1, 'complete']);
      near.ready = false;
      far.ready = true;
      expect(record(fromPull([1]).pipe(gatedBy(near), gatedBy(far))).log).toEqual([]);
    });

    it('heeds the one that it is given, and not what stands below', () => {
      const given = new ManualGate();
      const below = new ManualGate(true);
      const { log } = record(fromPull([1], { gate: given }).pipe(gatedBy(below)));
      expect(log).toEqual([]);
      below.ready = false;
      given.ready = true;
      expect(log).toEqual([1, 'complete']);
      expect(record(fromPull([1], { gate: given }).pipe(ungated())).log).toEqual([1, 'complete']);
    });

    it('finds it through operators, in later and in inner subscriptions', () => {
      const places: Record<string, (source: Observable<number>) => Observable<number>> = {
        'map, filter': (source) =>
          source.pipe(
            map((i) => i),
            filter(() => true),
          ),
        retry: (source) =>
          concat(
            source,
            new Observable<never>((subscriber) => {
              subscriber.error();
            }),
          ).pipe(retry(1), take(6)),
        'concat, second': (source) => concat(EMPTY, source),
        defer: (source) => defer(() => source),
        'switchMap, inner': (source) => of(1).pipe(switchMap(() => source)),
        zip: (source) => zip(source, of(1, 2, 3)).pipe(map(([i]) => i)),
      };
      for (const [place, through] of Object.entries(places)) {
        const gate = new ManualGate();
        let pulled = 0;
        const counted = function* () {
          for (const i of numbers(3)) {
            pulled++;
            yield i;
          }
        };
        oneByOne(through(fromPull(counted)).pipe(gatedBy(gate)), gate);
        expect(pulled, place).toBe(0);
        gate.ready = true;
        expect(pulled, place).toBe(1);
        gate.ready = true;
        expect(pulled, place).toBe(2);
      }
    });
  });

  describe('hands to onDrop', () => {
    it('the value that waits at a gate when it is unsubscribed', async () => {
      const dropped: unknown[] = [];
      const gate = new ManualGate(true);
      const iterator = new AnsweredIterator<number>();
      const { subscription } = record(fromPull(iterator, { gate, onDrop: (...drop) => dropped.push(drop) }));
      gate.ready = false;
      iterator.give(1);
      await settle();
      subscription.unsubscribe();
      expect(dropped).toEqual([[1, 'unsubscribe']]);
      expect(iterator.calls).toEqual(['next', 'return']);
    });

    it('the value that comes after it was unsubscribed', async () => {
      const dropped: unknown[] = [];
      const iterator = new AnsweredIterator<number | undefined>();
      const { subscription } = record(fromPull(iterator, { onDrop: (...drop) => dropped.push(drop) }));
      subscription.unsubscribe();
      expect(dropped).toEqual([]);
      iterator.give(undefined);
      await settle();
      expect(dropped).toEqual([[undefined, 'unsubscribe']]);
    });

    it('nothing that was emitted, and nothing that never was pulled', async () => {
      const onDrop = vi.fn();
      fromPull(endless(), { onDrop }).pipe(take(2)).subscribe();
      const iterator = new AnsweredIterator<number>();
      const { subscription } = record(fromPull(iterator, { onDrop }));
      iterator.give(1);
      await settle();
      subscription.unsubscribe();
      iterator.end();
      await settle();
      expect(onDrop).not.toHaveBeenCalled();
    });

    it('and reports what it throws', async () => {
      const iterator = new AnsweredIterator<number>();
      const { subscription } = record(
        fromPull(iterator, {
          onDrop: () => {
            throw new Error('onDrop');
          },
        }),
      );
      subscription.unsubscribe();
      iterator.give(1);
      expect(await reported(unhandled)).toEqual(new Error('onDrop'));
    });
  });

  describe('never calls next() before the last answer is there', () => {
    it('though the gate opens and closes meanwhile', async () => {
      const gate = new ManualGate(true);
      const iterator = new AnsweredIterator<number>(); // throws if it happens
      const { log } = record(fromPull(iterator).pipe(gatedBy(gate)));
      gate.pass();
      gate.ready = true;
      iterator.give(1);
      await settle();
      gate.pass();
      gate.ready = true;
      expect(iterator.calls).toEqual(['next', 'next']);
      expect(log).toEqual([1]);
    });

    it('though the consumer lets the gate open inside next', async () => {
      const gate = new ManualGate(true);
      let running = false;
      let i = 0;
      const source = iterable<number>({
        next: () => {
          expect(running).toBe(false);
          running = true;
          return Promise.resolve().then(() => {
            running = false;
            return i < 20 ? { done: false, value: i++ } : { done: true, value: undefined };
          });
        },
      });
      const seen = await all(
        fromPull(source).pipe(
          gatedBy(gate),
          tap(() => {
            gate.ready = false;
            gate.ready = true;
          }),
        ),
      );
      expect(seen).toEqual(numbers(20));
    });

    it('though it is inside one', () => {
      const gate = new ManualGate(true);
      function* source() {
        for (let i = 0; i < 5; i++) {
          gate.ready = false;
          gate.ready = true; // a generator that is entered again throws
          yield i;
        }
      }
      expect(record(fromPull(source()).pipe(gatedBy(gate))).log).toEqual([...numbers(5), 'complete']);
    });
  });

  describe('gives the event loop a turn', () => {
    const manyValues = 100_000;
    const many: Record<string, () => Observable<unknown>> = {
      'a generator': () => fromPull(endless).pipe(take(manyValues)),
      'an async generator': () =>
        fromPull(async function* () {
          yield* endless();
        }).pipe(take(manyValues)),
      'a generator below a gate that opens in microtasks': () =>
        fromPull(endless).pipe(
          take(manyValues),
          bufferedMergeMap((i) => Promise.resolve(i), { concurrent: 1 }),
        ),
      'an async generator below a gate that opens in microtasks': () =>
        fromPull(async function* () {
          yield* endless();
        }).pipe(
          take(manyValues),
          bufferedMergeMap((i) => Promise.resolve(i), { concurrent: 1, highWaterMark: 0 }),
        ),
    };

    it.each(Object.entries(many))('with %s that is always ready', async (_, open) => {
      let ticks = 0;
      const timer = setInterval(() => ticks++, 1);
      let count = 0;
      await lastValueFrom(open().pipe(tap(() => count++)));
      clearInterval(timer);
      expect(count).toBe(manyValues);
      expect(ticks).toBeGreaterThan(0);
    });

    it('with inner sources of bufferedMergeMap', async () => {
      let ticks = 0;
      const timer = setInterval(() => ticks++, 1);
      await lastValueFrom(
        of(1, 2).pipe(
          bufferedMergeMap(async function* () {
            yield* numbers(manyValues / 2);
          }),
        ),
      );
      clearInterval(timer);
      expect(ticks).toBeGreaterThan(0);
    });

    it('after 1000 values, the first of which are emitted synchronously', async () => {
      const { log, subscription } = record(fromPull(endless));
      const synchronous = log.length;
      expect(synchronous).toBeLessThanOrEqual(1000);
      expect(synchronous % 16).toBe(synchronous === 1000 ? 8 : 0); // on a machine that is busy, 10 ms are over earlier
      await turn();
      expect(log.length).toBeGreaterThan(synchronous);
      subscription.unsubscribe();
    });

    it('after 10 ms, read after every 16th value', () => {
      const { log, subscription } = record(
        fromPull(endless, { slice: 1_000_000 }).pipe(
          tap(() => {
            const start = performance.now();
            while (performance.now() - start < 1);
          }),
        ),
      );
      expect(log).toHaveLength(16);
      subscription.unsubscribe();
    });

    const emittedBy = (scheduler: SchedulerLike, flush: () => void) => {
      const source = fromPull(numbers(5), { slice: 2, scheduler });
      const { log } = record(source);
      const first = [...log];
      flush();
      return [first, log];
    };

    it('in slices of a given size, on a scheduler of virtual time', () => {
      const virtual = new VirtualTimeScheduler();
      expect(
        emittedBy(virtual, () => {
          virtual.flush();
        }),
      ).toEqual([
        [0, 1],
        [...numbers(5), 'complete'],
      ]);
      expect(virtual.frame).toBe(0);
      const test = new TestScheduler(() => undefined);
      expect(
        emittedBy(test, () => {
          test.flush();
        }),
      ).toEqual([
        [0, 1],
        [...numbers(5), 'complete'],
      ]);
    });

    it('after 10 ms by the clock of the scheduler, whose turn is cancelled on unsubscription', () => {
      let now = 0;
      const turns: Subscription[] = [];
      const scheduler = {
        now: () => now,
        schedule: () => {
          turns.push(new Subscription());
          return turns.at(-1);
        },
      } as unknown as SchedulerLike;
      const { log, subscription } = record(fromPull(endless, { scheduler }).pipe(tap((i) => (now = i < 20 ? 9 : 10))));
      expect(log).toHaveLength(32);
      expect(turns.map(({ closed }) => closed)).toEqual([false]);
      subscription.unsubscribe();
      expect(turns.map(({ closed }) => closed)).toEqual([true]);
    });

    it('not, on a scheduler that does not wait; and the stack stays flat', async () => {
      expect(emittedBy(queueScheduler, () => undefined)).toEqual([
        [...numbers(5), 'complete'],
        [...numbers(5), 'complete'],
      ]);
      expect(await all(fromPull(numbers(100_000), { slice: 1, scheduler: queueScheduler }))).toHaveLength(100_000);
    });

    it('on a scheduler that does not wait, and leaves nobody waiting at the gate when it is unsubscribed', () => {
      const gate = new ManualGate(true);
      const pulled: number[] = [];
      const source = fromPull(numbers(5), { slice: 2, scheduler: queueScheduler, gate }).pipe(
        tap((value) => {
          pulled.push(value);
          gate.ready = value < 3;
        }),
      );
      const { subscription } = record(source);
      expect([pulled, gate.waiters.size]).toEqual([[0, 1, 2, 3], 1]);
      subscription.unsubscribe();
      expect(gate.waiters.size).toBe(0);
    });

    it('not, if the slice is infinite and it does not take long', () => {
      expect(record(fromPull(numbers(5), { slice: Infinity })).log).toHaveLength(6);
    });

    describe('and leaves nothing behind', () => {
      beforeEach(() => {
        vi.useFakeTimers();
        vi.stubGlobal('setImmediate', undefined);
      });
      afterEach(() => {
        vi.unstubAllGlobals();
        vi.useRealTimers();
      });

      it('when it is unsubscribed: no timer', () => {
        vi.stubGlobal('MessageChannel', undefined);
        const { subscription } = record(fromPull(endless, { slice: 10 }));
        expect(vi.getTimerCount()).toBe(1);
        subscription.unsubscribe();
        expect(vi.getTimerCount()).toBe(0);
      });

      it('when it is unsubscribed where setImmediate cannot be cancelled', () => {
        const setImmediate = vi.fn();
        vi.stubGlobal('setImmediate', setImmediate);
        vi.stubGlobal('clearImmediate', undefined);
        vi.stubGlobal('MessageChannel', undefined);
        const { subscription } = record(fromPull(endless, { slice: 10 }));
        expect([setImmediate.mock.calls.length, vi.getTimerCount()]).toEqual([0, 1]);
        subscription.unsubscribe();
        expect(vi.getTimerCount()).toBe(0);
      });

      it('when it is unsubscribed: no port', () => {
        const ports: Port[] = [];
        class Port {
          onmessage: unknown = null;
          closed = false;
          close = () => {
            this.closed = true;
          };
          postMessage = () => undefined;
        }
        vi.stubGlobal(
          'MessageChannel',
          class {
            readonly port1 = new Port();
            readonly port2 = new Port();
            constructor() {
              ports.push(this.port1);
            }
          },
        );
        record(fromPull(endless, { slice: 10 })).subscription.unsubscribe();
        expect(ports).toMatchObject([{ onmessage: null, closed: true }]);
        expect(vi.getTimerCount()).toBe(0);
      });

      it('when it completes', () => {
        vi.stubGlobal('MessageChannel', undefined);
        const { log } = record(fromPull(numbers(20), { slice: 10 }));
        vi.runAllTimers();
        expect(log.at(-1)).toBe('complete');
        expect(vi.getTimerCount()).toBe(0);
      });
    });

    it('by a MessageChannel too', async () => {
      vi.stubGlobal('setImmediate', undefined);
      const seen = await all(fromPull(numbers(30), { slice: 10 }));
      vi.unstubAllGlobals();
      expect(seen).toEqual(numbers(30));
    });
  });

  describe('keeps the stack flat', () => {
    const million = 1_000_000;
    const counted = async (source: Observable<unknown>) => {
      let count = 0;
      await lastValueFrom(source.pipe(tap(() => count++)), { defaultValue: undefined });
      return count;
    };
    function* upTo(end: number) {
      for (let i = 0; i < end; i++) yield i;
    }
    const answering = (end: number, answer: (result: IteratorResult<number>) => unknown) => {
      const values = upTo(end);
      return iterable<number>({ next: () => answer(values.next()) });
    };

    it('with 1 000 000 values of a generator in one slice', async () => {
      expect(await counted(fromPull(upTo(million), { slice: Infinity }))).toBe(million);
    });

    it('with 1 000 000 of an async iterable that answers at once', async () => {
      expect(
        await counted(
          fromPull(
            answering(million, (result) => result),
            { slice: Infinity },
          ),
        ),
      ).toBe(million);
    });

    it('with 1 000 000 of an async generator', async () => {
      expect(
        await counted(
          fromPull(async function* () {
            yield* upTo(million);
          }),
        ),
      ).toBe(million);
    });

    it('with 100 000 thenables that are no promises', async () => {
      const later = (result: IteratorResult<number>) => ({
        then: (resolve: (result: IteratorResult<number>) => void) => {
          queueMicrotask(() => {
            resolve(result);
          });
        },
      });
      expect(await counted(fromPull(answering(100_000, later)))).toBe(100_000);
    });

    it('with 100 000 thenables that call back at once', async () => {
      const atOnce = (result: IteratorResult<number>) => ({
        then: (resolve: (result: IteratorResult<number>) => void) => {
          resolve(result);
        },
      });
      expect(await counted(fromPull(answering(100_000, atOnce), { slice: Infinity }))).toBe(100_000);
    });

    it('with a gate that opens inside of next, 100 000 times', async () => {
      const gate = new ManualGate(true);
      const source = fromPull(upTo(100_000)).pipe(
        gatedBy(gate),
        tap(() => {
          gate.pass();
          gate.ready = true;
        }),
      );
      expect(await counted(source)).toBe(100_000);
    });
  });

  it('tears a hand-made stream down that throws from cancel(): reported', async () => {
    const stream: PullStream<number> = {
      getReader: () => ({
        read: () => new Promise(() => undefined),
        cancel: () => {
          throw new Error('cancel');
        },
        releaseLock: () => undefined,
      }),
    };
    record(fromPull(stream)).subscription.unsubscribe();
    expect(await reported(unhandled)).toEqual(new Error('cancel'));
  });
});
