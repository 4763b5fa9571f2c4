import {
  concat,
  EMPTY,
  filter,
  finalize,
  from,
  map,
  mergeMap,
  NEVER,
  Observable,
  of,
  range,
  Subject,
  Subscription,
  take,
  throwError,
  toArray,
  type Subscriber,
} from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import {
  bufferedMergeMap,
  BufferOverflowError,
  findCleanupScope,
  fromPull,
  gatedBy,
  type BufferedMergeMapOptions,
  type Overflow,
} from '../../src/index.js';
import { AnsweredIterator } from '../support/AnsweredIterator.js';
import { ManualGate } from '../support/ManualGate.js';
import { marbles } from '../support/marbles.js';
import { deferred, settle } from '../support/settle.js';
import { collectUnhandled } from '../support/unhandled.js';

/** Inner sources that a test holds in its hand. */
function controlled() {
  const inners = new Map<number, Subject<string>>();
  const started: number[] = [];
  const project = (value: number) => {
    const inner = new Subject<string>();
    started.push(value);
    inners.set(value, inner);
    return inner;
  };
  const finish = (value: number, ...results: string[]) => {
    results.forEach((result) => inners.get(value)?.next(result));
    inners.get(value)?.complete();
  };
  return { project, started, finish, inner: (value: number) => inners.get(value) as Subject<string> };
}

function record<T>(source: Observable<T>): { log: unknown[]; subscription: Subscription } {
  const log: unknown[] = [];
  const subscription = source.subscribe({
    next: (value) => log.push(value),
    error: (error: unknown) => log.push(['error', error]),
    complete: () => log.push('complete'),
  });
  return { log, subscription };
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);

describe('bufferedMergeMap', () => {
  const unhandled = collectUnhandled();

  describe('checks what it is called with', () => {
    it.each([
      [{ concurrent: 0 }, 'concurrent must be a positive integer or Infinity, got 0'],
      [{ concurrent: 1.5 }, 'concurrent must be a positive integer or Infinity, got 1.5'],
      [{ concurrent: NaN }, 'concurrent must be a positive integer or Infinity, got NaN'],
      [{ concurrent: '4' as never }, "concurrent must be a positive integer or Infinity, got '4'"],
      [{ bufferSize: -1 }, 'bufferSize must be a non-negative integer or Infinity, got -1'],
      [{ highWaterMark: -1 }, 'highWaterMark must be a non-negative integer or Infinity, got -1'],
      [{ highWaterMark: 5, bufferSize: 4 }, 'highWaterMark must be at most bufferSize (4), got 5'],
      [
        { overflow: 'drop' as Overflow },
        "overflow must be one of 'error', 'drop-oldest', 'drop-newest', 'drop-buffer', got 'drop'",
      ],
      [{ onDrop: 1 as never }, 'onDrop must be a function, got 1'],
      [
        { cleanupTimeout: -1 },
        'cleanupTimeout must be a number of milliseconds from 0 to 2147483647 or Infinity, got -1',
      ],
      [{ bufferSize: null as never }, 'bufferSize must be a non-negative integer or Infinity, got null'],
      [{ highWaterMark: null as never }, 'highWaterMark must be a non-negative integer or Infinity, got null'],
      [
        { overflow: null as never },
        "overflow must be one of 'error', 'drop-oldest', 'drop-newest', 'drop-buffer', got null",
      ],
      [{ ordered: 1 as never }, 'ordered must be a boolean, got 1'],
      [{ name: {} as never }, 'name must be a string, got an object'],
      [{ scheduler: {} as never }, "scheduler must have the functions 'now' and 'schedule', got an object"],
      [{ scheduler: null as never }, "scheduler must have the functions 'now' and 'schedule', got null"],
      [
        { cleanupTimeout: 2 ** 31 },
        'cleanupTimeout must be a number of milliseconds from 0 to 2147483647 or Infinity, got 2147483648',
      ],
      [4 as never, 'options must be an object, got 4'],
      [['concurrent'] as never, 'options must be an object, got an array'],
      [null as never, 'options must be an object, got null'],
    ] as [BufferedMergeMapOptions<number, number>, string][])('%o', (options, message) => {
      expect(() => bufferedMergeMap((value: number) => of(value), options)).toThrow(message);
    });

    it('project', () => {
      expect(() => bufferedMergeMap(of(1) as never)).toThrow('project must be a function, got an object');
    });

    it('takes a highWaterMark that fits any concurrent and bufferSize', () => {
      expect(() => bufferedMergeMap((value) => of(value), { concurrent: 2000 })).not.toThrow();
      expect(() => bufferedMergeMap((value) => of(value), { bufferSize: 0 })).not.toThrow();
    });
  });

  describe('asks for no more than it can take', () => {
    const wanted = (
      options: BufferedMergeMapOptions<number, never>,
      source = (values: number[]) => fromPull(values),
    ) => {
      const pulled: number[] = [];
      const values = function* () {
        for (const value of numbers(100)) {
          pulled.push(value);
          yield value;
        }
      };
      const subscription = source(values() as unknown as number[])
        .pipe(bufferedMergeMap(() => NEVER, options))
        .subscribe();
      subscription.unsubscribe();
      return pulled.length;
    };

    it('concurrent + highWaterMark, which is concurrent by default', () => {
      expect(wanted({})).toBe(8);
      expect(wanted({ concurrent: 3 })).toBe(6);
      expect(wanted({ concurrent: 3, highWaterMark: 5 })).toBe(8);
      expect(wanted({ concurrent: 3, bufferSize: 1 })).toBe(4);
    });

    it('nothing before a slot is free, where highWaterMark is 0', () => {
      expect(wanted({ concurrent: 3, highWaterMark: 0 })).toBe(3);
    });

    it('through operators of RxJS', () => {
      const through = (values: number[]) =>
        fromPull(values).pipe(
          map((value) => value * 2),
          filter((value) => value % 4 === 0),
        );
      expect(wanted({ concurrent: 2, highWaterMark: 1 }, through)).toBe(5); // 0 (1) 2 (3) 4
    });

    it('the same with a policy that drops', () => {
      expect(wanted({ concurrent: 2, overflow: 'drop-oldest' })).toBe(4);
    });

    it('of ten merged asynchronous sources, not one more', async () => {
      const { project, started, finish } = controlled();
      async function* one(from: number) {
        for (let i = 0; ; i++) {
          await Promise.resolve();
          yield from + i;
        }
      }
      const emitted: number[] = [];
      const subscription = from(numbers(10))
        .pipe(
          mergeMap((i) => fromPull(() => one(1000 * i))),
          map((value) => (emitted.push(value), value)),
          bufferedMergeMap(project, { concurrent: 2, highWaterMark: 3, bufferSize: 3 }),
        )
        .subscribe();
      for (let done = 0; done < 50; done++) {
        await settle();
        expect(emitted.length).toBe(done + 5);
        finish(started[done] as number);
      }
      subscription.unsubscribe();
    });
  });

  describe('when more comes than may wait', () => {
    const overflowing = (overflow: Overflow, options: BufferedMergeMapOptions<number, string> = {}) => {
      const source = new Subject<number>();
      const { project, started, finish } = controlled();
      const dropped: unknown[] = [];
      const { log, subscription } = record(
        source.pipe(
          bufferedMergeMap(project, {
            concurrent: 1,
            bufferSize: 2,
            overflow,
            onDrop: (...drop) => dropped.push(drop),
            ...options,
          }),
        ),
      );
      numbers(5).forEach((value) => {
        source.next(value);
      });
      return { log, started, dropped, finish, source, subscription };
    };

    it.each([
      ['drop-oldest', [1, 2], [0, 3, 4]],
      ['drop-newest', [3, 4], [0, 1, 2]],
      ['drop-buffer', [1, 2], [0, 3, 4]],
    ] as [Overflow, number[], number[]][])('%s', (overflow, gone, done) => {
      const { dropped, finish, started, source, log } = overflowing(overflow);
      expect(dropped).toEqual(gone.map((value) => [value, 'overflow']));
      source.complete();
      done.forEach((value) => {
        finish(value, String(value));
      });
      expect(started).toEqual(done);
      expect(log).toEqual([...done.map(String), 'complete']);
    });

    it.each(['drop-oldest', 'drop-newest', 'drop-buffer'] as const)('%s with no place to wait at all', (overflow) => {
      const { dropped } = overflowing(overflow, { bufferSize: 0 });
      expect(dropped).toEqual([1, 2, 3, 4].map((value) => [value, 'overflow']));
    });

    it('error, which names the operator, the number and the choices; nothing that had been taken is lost in silence', () => {
      const { dropped, log, started, source } = overflowing('error', { name: 'geocode' });
      expect(log).toEqual([['error', expect.any(BufferOverflowError)]]);
      expect((log as [[string, BufferOverflowError]])[0][1]).toMatchObject({
        name: 'BufferOverflowError',
        what: 'values',
        waiting: 2,
        message: expect.stringMatching(
          /^bufferedMergeMap 'geocode': 2 values wait .*fromPull.*bufferSize.*drop-oldest/,
        ) as string,
      });
      expect(dropped).toEqual([
        [1, 'error'],
        [2, 'error'],
        [3, 'overflow'],
      ]);
      expect(started).toEqual([0]);
      expect(source.observed).toBe(false);
    });

    it('an onDrop that throws becomes the error, and the others are handed over all the same', () => {
      const source = new Subject<number>();
      const dropped: unknown[] = [];
      const { log } = record(
        source.pipe(
          bufferedMergeMap(() => NEVER, {
            concurrent: 1,
            bufferSize: 2,
            overflow: 'drop-buffer',
            onDrop: (...drop) => {
              dropped.push(drop);
              if (dropped.length === 1) throw new Error('onDrop');
            },
          }),
        ),
      );
      numbers(4).forEach((value) => {
        source.next(value);
      });
      expect(log).toEqual([['error', new Error('onDrop')]]);
      expect(dropped).toEqual([
        [1, 'overflow'],
        [3, 'error'],
        [2, 'overflow'],
      ]);
    });

    it('a fan-out in between overshoots by less than it is wide', () => {
      const seen: number[] = [];
      fromPull(numbers(10))
        .pipe(
          mergeMap((value) => numbers(5).map((i) => value * 5 + i)),
          map((value) => (seen.push(value), value)),
          bufferedMergeMap(() => NEVER, { concurrent: 1, highWaterMark: 1 }),
        )
        .subscribe();
      expect(seen.length).toBe(5); // 2 are wanted: 5 - 2 < 5 - 1 over
    });
  });

  describe('hands over what waits', () => {
    it('on unsubscription', () => {
      const dropped: unknown[] = [];
      of(1, 2, 3)
        .pipe(bufferedMergeMap(() => NEVER, { concurrent: 1, onDrop: (...drop) => dropped.push(drop) }))
        .subscribe()
        .unsubscribe();
      expect(dropped).toEqual([
        [2, 'unsubscribe'],
        [3, 'unsubscribe'],
      ]);
    });

    it('on an error of the source', () => {
      const dropped: unknown[] = [];
      const source = concat(
        of(1, 2),
        throwError(() => 'source'),
      );
      const { log } = record(
        source.pipe(bufferedMergeMap(() => NEVER, { concurrent: 1, onDrop: (...drop) => dropped.push(drop) })),
      );
      expect(log).toEqual([['error', 'source']]);
      expect(dropped).toEqual([[2, 'error']]);
    });

    it('to an onDrop that throws: each, and what it throws is reported', async () => {
      const dropped: unknown[] = [];
      of(1, 2, 3)
        .pipe(
          bufferedMergeMap(() => NEVER, {
            concurrent: 1,
            onDrop: (value) => {
              dropped.push(value);
              throw new Error(`onDrop ${String(value)}`);
            },
          }),
        )
        .subscribe()
        .unsubscribe();
      expect(dropped).toEqual([2, 3]);
      await new Promise((resolve) => setTimeout(resolve, 10));
      expect(unhandled.splice(0)).toEqual([new Error('onDrop 2'), new Error('onDrop 3')]);
    });
  });

  describe('a slot is free when the clean-up has settled', () => {
    /** Completes at once and cleans up until `cleanup` settles. */
    const cleaning = (cleanup: PromiseLike<unknown>) =>
      new Observable<never>((subscriber) => {
        const scope = findCleanupScope(subscriber);
        subscriber.add(() => scope?.track(cleanup));
        subscriber.complete();
      });

    it('and not before', async () => {
      const cleanups = [deferred(), deferred(), deferred()];
      const started: number[] = [];
      const { log } = record(
        fromPull(numbers(3)).pipe(
          bufferedMergeMap((i) => (started.push(i), cleaning((cleanups[i] as (typeof cleanups)[0]).promise)), {
            concurrent: 1,
          }),
        ),
      );
      await settle();
      expect(started).toEqual([0]);
      cleanups[0]?.resolve();
      await settle();
      expect(started).toEqual([0, 1]);
      cleanups[1]?.resolve();
      await settle();
      expect(started).toEqual([0, 1, 2]);
      expect(log).toEqual([]);
      cleanups[2]?.resolve();
      await settle();
      expect(log).toEqual(['complete']);
    });

    it('also when the clean-up fails, which is reported', async () => {
      const { log } = record(
        of(1, 2).pipe(
          bufferedMergeMap((i) => cleaning(Promise.reject(new Error(`cleanup ${String(i)}`))), { concurrent: 1 }),
        ),
      );
      await new Promise((resolve) => setTimeout(resolve, 5));
      expect(log).toEqual(['complete']);
      expect(unhandled.splice(0)).toEqual([new Error('cleanup 1'), new Error('cleanup 2')]);
    });

    it('once, whatever else is tracked afterwards', async () => {
      let late: (() => void) | undefined;
      const started: number[] = [];
      record(
        of(1, 2, 3).pipe(
          bufferedMergeMap(
            (i) =>
              new Observable<never>((subscriber) => {
                started.push(i);
                const scope = findCleanupScope(subscriber);
                if (i === 1) {
                  late = () => scope?.track(Promise.resolve());
                  subscriber.complete();
                }
              }),
            { concurrent: 1 },
          ),
        ),
      );
      expect(started).toEqual([1, 2]);
      late?.();
      await settle();
      expect(started).toEqual([1, 2]);
    });

    it('of an async generator: when its finally has run', async () => {
      const log: string[] = [];
      async function* work(i: number) {
        try {
          log.push(`start ${String(i)}`);
          yield i;
          yield i;
        } finally {
          await Promise.resolve();
          await Promise.resolve();
          log.push(`cleaned ${String(i)}`);
        }
      }
      await new Promise<void>((resolve) => {
        of(1, 2)
          .pipe(bufferedMergeMap((i) => fromPull(() => work(i)).pipe(take(1)), { concurrent: 1 }))
          .subscribe({ complete: resolve });
      });
      expect(log).toEqual(['start 1', 'cleaned 1', 'start 2', 'cleaned 2']);
    });
  });

  describe('an error', () => {
    it('passes at once where nobody cleans up, before the teardowns, as in mergeMap', () => {
      const log: string[] = [];
      of(1, 2)
        .pipe(
          bufferedMergeMap((i) =>
            i === 1 ? NEVER.pipe(finalize(() => log.push('teardown'))) : throwError(() => 'error'),
          ),
        )
        .subscribe({ error: () => log.push('error') });
      expect(log).toEqual(['error', 'teardown']);
    });

    it('waits for the clean-up of the siblings', async () => {
      const cleanup = deferred();
      const sibling = new Observable<never>((subscriber) => {
        const scope = findCleanupScope(subscriber);
        return () => scope?.track(cleanup.promise);
      });
      const failing = new Subject<never>();
      const { log } = record(of(sibling, failing).pipe(bufferedMergeMap((inner) => inner)));
      failing.error('error');
      await settle();
      expect(log).toEqual([]);
      cleanup.resolve();
      await settle();
      expect(log).toEqual([['error', 'error']]);
    });

    it(
      'waits for it no longer than cleanupTimeout',
      marbles((m) => {
        const sibling = new Observable<never>((subscriber) => {
          const scope = findCleanupScope(subscriber);
          return () => scope?.track(new Promise(() => undefined));
        });
        const source = m.cold('  ab-------');
        const failing = m.cold('  --#');
        const expected = '       --------#'; // 1 + 2 + 5
        const result = source.pipe(
          bufferedMergeMap((value) => (value === 'a' ? sibling : failing), { cleanupTimeout: 5 }),
        );
        m.expect(result).toBeObservable(expected);
        m.expect(source).toHaveSubscriptions('^--!');
      }),
    );

    it('does not come any more when it is unsubscribed meanwhile, and no timer is left', () => {
      vi.useFakeTimers();
      const sibling = new Observable<never>((subscriber) => {
        const scope = findCleanupScope(subscriber);
        return () => scope?.track(new Promise(() => undefined));
      });
      const { log, subscription } = record(
        of(
          sibling,
          throwError(() => 'error'),
        ).pipe(bufferedMergeMap((inner) => inner)),
      );
      expect(vi.getTimerCount()).toBe(1);
      subscription.unsubscribe();
      expect(vi.getTimerCount()).toBe(0);
      expect(log).toEqual([]);
      vi.useRealTimers();
    });

    it('starts and emits nothing while it waits', async () => {
      const cleanup = deferred();
      const started: string[] = [];
      const source = new Subject<string>();
      const { log } = record(
        source.pipe(
          bufferedMergeMap(
            (value) => {
              started.push(value);
              if (value === 'fail') return throwError(() => 'error');
              return new Observable<string>((subscriber) => {
                const scope = findCleanupScope(subscriber);
                return () => {
                  subscriber.next('from the teardown');
                  scope?.track(cleanup.promise);
                };
              });
            },
            { concurrent: 2 },
          ),
        ),
      );
      source.next('work');
      source.next('fail');
      source.next('late');
      expect(source.observed).toBe(false);
      cleanup.resolve();
      await settle();
      expect(started).toEqual(['work', 'fail']);
      expect(log).toEqual([['error', 'error']]);
    });

    it('of a teardown does not take the slot with it', () => {
      const source = new Subject<number>();
      const inner = new Subject<never>();
      const started: number[] = [];
      source
        .pipe(
          bufferedMergeMap(
            (i) => {
              started.push(i);
              return i === 1
                ? inner.pipe(
                    finalize(() => {
                      throw new Error('teardown');
                    }),
                  )
                : EMPTY;
            },
            { concurrent: 1 },
          ),
        )
        .subscribe();
      source.next(1);
      source.next(2);
      expect(() => {
        inner.complete();
      }).toThrow('teardown');
      expect(started).toEqual([1, 2]);
    });
  });

  describe('the signal', () => {
    it('is made only when it is read', () => {
      const { AbortController: Original } = globalThis;
      let made = 0;
      vi.stubGlobal(
        'AbortController',
        class extends Original {
          constructor() {
            super();
            made++;
          }
        },
      );
      of(1, 2)
        .pipe(bufferedMergeMap((value) => of(value)))
        .subscribe();
      expect(made).toBe(0);
      of(1, 2)
        .pipe(bufferedMergeMap((value, _, { signal }) => of(signal.aborted)))
        .subscribe();
      expect(made).toBe(2);
      vi.unstubAllGlobals();
    });

    const signals = () => {
      const seen: AbortSignal[] = [];
      const project = (
        inner: Observable<unknown> | Promise<unknown>,
        _: number,
        { signal }: { signal: AbortSignal },
      ) => {
        seen.push(signal);
        return inner;
      };
      return { seen, project, aborted: () => seen.map(({ aborted }) => aborted) };
    };

    it('is aborted on unsubscription, before the teardown of the inner source', () => {
      const { seen, project } = signals();
      const log: unknown[] = [];
      of(NEVER.pipe(finalize(() => log.push('teardown'))))
        .pipe(
          bufferedMergeMap((inner, index, context) => {
            context.signal.addEventListener('abort', () => log.push('abort'));
            return project(inner, index, context);
          }),
        )
        .subscribe()
        .unsubscribe();
      expect(log).toEqual(['abort', 'teardown']);
      expect(seen[0]?.reason).toMatchObject({ name: 'AbortError' });
    });

    it('is aborted when a sibling fails, but not the signal of what is over', async () => {
      const { project, aborted } = signals();
      const failing = new Subject<never>();
      const { log } = record(of(of(1), Promise.resolve(2), NEVER, failing).pipe(bufferedMergeMap(project)));
      await settle();
      failing.error('error');
      await settle();
      expect(aborted()).toEqual([false, false, true, false]);
      expect(log).toEqual([1, 2, ['error', 'error']]);
    });

    it('read late, belongs to the work all the same', async () => {
      let context!: { readonly signal: AbortSignal };
      const work = deferred();
      const subscription = of(1)
        .pipe(bufferedMergeMap((_, __, given) => ((context = given), work.promise)))
        .subscribe();
      expect(context.signal.aborted).toBe(false);
      subscription.unsubscribe();
      expect(context.signal.aborted).toBe(true);
      work.resolve();
      await settle();
    });

    it('first read after the unsubscription, is aborted', () => {
      let context!: { readonly signal: AbortSignal };
      const subscription = of(1)
        .pipe(bufferedMergeMap((_, __, given) => ((context = given), NEVER)))
        .subscribe();
      subscription.unsubscribe();
      expect(context.signal.aborted).toBe(true);
    });

    it('of an async function: the error waits until the function has ended', async () => {
      const log: string[] = [];
      const failing = new Subject<never>();
      const work = async (signal: AbortSignal) => {
        try {
          await new Promise((_, reject) => {
            signal.addEventListener('abort', () => {
              reject(signal.reason as Error);
            });
          });
        } finally {
          await settle(3);
          log.push('cleaned');
        }
      };
      of('work', 'fail')
        .pipe(bufferedMergeMap((what, _, { signal }) => (what === 'fail' ? failing : work(signal))))
        .subscribe({ error: () => log.push('error') });
      failing.error(new Error());
      expect(log).toEqual([]);
      await settle();
      expect(log).toEqual(['cleaned', 'error']);
    });

    it('of an async function whose clean-up fails: that is reported', async () => {
      const subscription = of(1)
        .pipe(
          bufferedMergeMap(async (_, __, { signal }) => {
            await new Promise((resolve) => {
              signal.addEventListener('abort', resolve);
            });
            throw new Error('cleanup');
          }),
        )
        .subscribe();
      subscription.unsubscribe();
      await new Promise((resolve) => setTimeout(resolve, 10));
      expect(unhandled.splice(0)).toEqual([new Error('cleanup')]);
    });
  });

  describe('above a consumer that is full', () => {
    it('results wait, each in its slot', () => {
      const { project, started, finish } = controlled();
      const gate = new ManualGate();
      const { log } = record(range(0, 9).pipe(bufferedMergeMap(project, { concurrent: 2 }), gatedBy(gate)));
      finish(0, 'a');
      finish(1, 'b');
      expect(log).toEqual([]);
      expect(started).toEqual([0, 1]);
      gate.ready = true;
      expect(log).toEqual(['a', 'b']);
      expect(started).toEqual([0, 1, 2, 3]);
      gate.ready = false;
      finish(2);
      expect(started).toEqual([0, 1, 2, 3, 4]); // no result, nothing to wait for
    });

    it('a promise too', async () => {
      const gate = new ManualGate();
      const started: number[] = [];
      const { log } = record(
        range(0, 5).pipe(
          bufferedMergeMap((i) => (started.push(i), Promise.resolve(i)), { concurrent: 2 }),
          gatedBy(gate),
        ),
      );
      await settle();
      expect([started, log]).toEqual([[0, 1], []]);
      gate.ready = true;
      await settle();
      expect(log).toEqual([0, 1, 2, 3, 4, 'complete']);
    });

    it('inner iterables are pulled, not drained', () => {
      const pulled: number[] = [];
      const gate = new ManualGate();
      function* inner() {
        for (const value of numbers(100)) {
          pulled.push(value);
          yield value;
        }
      }
      const { log } = record(
        of(1).pipe(
          bufferedMergeMap(() => inner()),
          map((value) => {
            gate.ready = false;
            return value;
          }),
          gatedBy(gate),
        ),
      );
      expect(pulled).toEqual([]);
      gate.ready = true;
      gate.ready = true;
      expect(log).toEqual([0, 1]);
      expect(pulled).toEqual([0, 1]);
    });

    it('two in a chain never let more wait than they say', async () => {
      const inSecond = { now: 0, most: 0 };
      const sleep = () => new Promise((resolve) => setTimeout(resolve, 1));
      const done: number[] = [];
      await new Promise<void>((resolve) => {
        fromPull(numbers(60))
          .pipe(
            bufferedMergeMap(async (i) => (await sleep(), i), { concurrent: 8 }),
            map((i) => {
              inSecond.most = Math.max(inSecond.most, ++inSecond.now);
              return i;
            }),
            bufferedMergeMap(async (i) => (await sleep(), inSecond.now--, i), {
              concurrent: 1,
              highWaterMark: 0,
              bufferSize: 0,
            }),
          )
          .subscribe({ next: (i) => done.push(i), complete: resolve });
      });
      expect(done.sort((a, b) => a - b)).toEqual(numbers(60));
      expect(inSecond.most).toBe(1);
    });

    it('slots without number look below themselves', () => {
      const gate = new ManualGate();
      const started: number[] = [];
      record(
        fromPull(numbers(100)).pipe(
          bufferedMergeMap((i) => (started.push(i), of(i)), { concurrent: Infinity }),
          gatedBy(gate),
        ),
      );
      expect(started).toEqual([]);
      gate.ready = true;
      expect(started.length).toBe(100);
    });

    it('of an inner source that cannot wait, one result for each slot and bufferSize more may wait; then it is an error', () => {
      const gate = new ManualGate();
      const dropped: unknown[] = [];
      const { log } = record(
        of(1, 2).pipe(
          bufferedMergeMap(() => range(0, 3), { bufferSize: 3, onDropResult: (...drop) => dropped.push(drop) }),
          gatedBy(gate),
        ),
      );
      expect(log).toEqual([
        ['error', expect.objectContaining({ name: 'BufferOverflowError', what: 'results', waiting: 5 })],
      ]);
      expect(String((log[0] as unknown[])[1])).toMatch(/inner source.*fromPull/);
      expect(String((log[0] as unknown[])[1])).not.toMatch(/policy/);
      expect(dropped).toEqual([0, 1, 2, 0, 1, 2].map((result) => [result, 'error']));
    });

    it('an error jumps the results that wait, completion does not', () => {
      const gate = new ManualGate();
      const failing = new Subject<never>();
      const dropped: unknown[] = [];
      const { log } = record(
        of(of('a'), failing).pipe(
          bufferedMergeMap((inner) => inner, { onDropResult: (...drop) => dropped.push(drop) }),
          gatedBy(gate),
        ),
      );
      failing.error('error');
      expect(log).toEqual([['error', 'error']]);
      expect(dropped).toEqual([['a', 'error']]);

      const completing = record(
        of(of('a')).pipe(
          bufferedMergeMap((inner) => inner),
          gatedBy(gate),
        ),
      );
      expect(completing.log).toEqual([]);
      gate.ready = true;
      expect(completing.log).toEqual(['a', 'complete']);
    });

    it.each([true, false])(
      'hands over what an inner iterable gave that can no longer be emitted (late: %s)',
      async (late) => {
        const dropped: unknown[] = [];
        const gate = new ManualGate(true);
        const iterator = new AnsweredIterator<string>();
        const inner = { [Symbol.asyncIterator]: () => iterator };
        const onDropResult = (...drop: unknown[]) => dropped.push(drop);
        const { subscription } = record(
          of(1).pipe(
            bufferedMergeMap(() => inner, { onDropResult }),
            gatedBy(gate),
          ),
        );
        gate.ready = false;
        if (late) subscription.unsubscribe();
        iterator.give('x');
        await settle();
        if (!late) subscription.unsubscribe();
        expect(dropped).toEqual([['x', 'unsubscribe']]);
      },
    );

    it('hands the results over when it is unsubscribed, and waits below no longer', () => {
      const gate = new ManualGate();
      const dropped: unknown[] = [];
      const { subscription } = record(
        fromPull(['a', 'b', 'c']).pipe(
          bufferedMergeMap((value) => of(value), {
            concurrent: 1,
            onDrop: (...drop) => dropped.push(drop),
            onDropResult: (...drop) => dropped.push(drop),
          }),
          gatedBy(gate),
        ),
      );
      expect(gate.waiters.size).toBe(1);
      subscription.unsubscribe();
      expect(dropped).toEqual([
        ['a', 'unsubscribe'],
        ['b', 'unsubscribe'],
      ]);
      expect(gate.waiters.size).toBe(0);
    });
  });

  describe('ordered', () => {
    it('emits in the order of the source', () => {
      const { project, finish, inner } = controlled();
      const { log } = record(of(0, 1, 2).pipe(bufferedMergeMap(project, { ordered: true })));
      finish(2, 'c1', 'c2');
      inner(1).next('b1');
      inner(0).next('a1');
      expect(log).toEqual(['a1']);
      inner(0).complete();
      expect(log).toEqual(['a1', 'b1']);
      inner(1).next('b2');
      expect(log).toEqual(['a1', 'b1', 'b2']);
      inner(1).complete();
      expect(log).toEqual(['a1', 'b1', 'b2', 'c1', 'c2', 'complete']);
    });

    it('counts what is finished but not emitted: a slow head holds no more than its siblings', async () => {
      const started: number[] = [];
      const head = deferred<number>();
      const results: number[] = [];
      const completed = deferred();
      fromPull(numbers(1000))
        .pipe(
          bufferedMergeMap((i) => (started.push(i), i === 0 ? head.promise : Promise.resolve(i)), {
            concurrent: 8,
            ordered: true,
          }),
        )
        .subscribe({
          next: (result) => results.push(result),
          complete: () => {
            completed.resolve();
          },
        });
      await settle(100);
      expect(started).toEqual(numbers(8));
      expect(results).toEqual([]);
      head.resolve(0);
      await completed.promise;
      expect(results).toEqual(numbers(1000));
    });

    it('lets inner sources that can wait be one value ahead of their turn', () => {
      const pulled: string[] = [];
      function* inner(name: string) {
        for (let i = 0; i < 3; i++) {
          pulled.push(`${name}${String(i)}`);
          yield `${name}${String(i)}`;
        }
      }
      const head = new Subject<string>();
      const { log } = record(
        of('a', 'b', 'c').pipe(
          bufferedMergeMap((name) => (name === 'a' ? head : fromPull(inner(name))), { ordered: true }),
        ),
      );
      expect(pulled).toEqual(['b0', 'c0']);
      head.complete();
      expect(log).toEqual(['b0', 'b1', 'b2', 'c0', 'c1', 'c2', 'complete']);
    });

    it('bounds what an inner source pushes before its turn', () => {
      const { log } = record(
        of(NEVER, range(0, 100)).pipe(bufferedMergeMap((inner) => inner, { ordered: true, bufferSize: 10 })),
      );
      expect(log).toEqual([['error', expect.objectContaining({ what: 'results', waiting: 12 })]]);
    });

    it('heeds the consumer below too', () => {
      const gate = new ManualGate();
      const { log } = record(
        of('a', 'b').pipe(
          bufferedMergeMap((value) => of(`${value}1`, `${value}2`), { ordered: true }),
          gatedBy(gate),
        ),
      );
      expect(log).toEqual([]);
      gate.ready = true;
      expect(log).toEqual(['a1', 'a2', 'b1', 'b2', 'complete']);
    });
  });

  describe('does not grow the stack or the cost', () => {
    it('with 1 000 000 synchronous inner sources behind a slow one', () => {
      const slow = new Subject<never>();
      let count = 0;
      range(0, 1_000_001)
        .pipe(bufferedMergeMap((i) => (i === 0 ? slow : of(i)), { concurrent: 1, bufferSize: Infinity }))
        .subscribe(() => count++);
      slow.complete();
      expect(count).toBe(1_000_000);
    });

    it('with 100 000 running inner sources that complete at once, and as many that wait', () => {
      const inners: Subject<never>[] = [];
      let completed = false;
      range(0, 200_000)
        .pipe(
          bufferedMergeMap(
            () => {
              const inner = new Subject<never>();
              inners.push(inner);
              return inner;
            },
            { concurrent: 100_000, bufferSize: Infinity },
          ),
        )
        .subscribe({ complete: () => (completed = true) });
      expect(inners.length).toBe(100_000);
      for (const inner of inners) inner.complete(); // those that start meanwhile come after
      expect(completed).toBe(true);
    });

    it('with a consumer that pushes into the source each time', () => {
      const source = new Subject<number>();
      let last = 0;
      source.pipe(bufferedMergeMap((i) => of(i), { concurrent: 1 })).subscribe((i) => {
        last = i;
        if (i < 100_000) source.next(i + 1);
      });
      source.next(1);
      expect(last).toBe(100_000);
    });
  });

  it('keeps nothing of one subscription for the next', () => {
    const result = of(1, 2, 3).pipe(
      bufferedMergeMap((value, index) => of([value, index]), { concurrent: 1 }),
      toArray(),
    );
    const first = record(result);
    const second = record(result);
    expect(first.log).toEqual(second.log);
  });

  it('lets an inner subscriber that ends leave the subscriptions it was added to', () => {
    const parent = new Subscription();
    const remove = vi.spyOn(parent, 'remove');
    const inner = new Subject<number>();
    let subscriber!: Subscriber<number>;
    of(1)
      .pipe(
        bufferedMergeMap(
          () =>
            new Observable<number>((given) => {
              subscriber = given;
              parent.add(given);
              inner.subscribe(given);
            }),
        ),
      )
      .subscribe();
    inner.complete();
    expect(subscriber.closed).toBe(true);
    expect(remove).toHaveBeenCalledWith(subscriber);
  });
});
