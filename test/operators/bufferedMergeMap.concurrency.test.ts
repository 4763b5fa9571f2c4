import {
  BehaviorSubject,
  EMPTY,
  map,
  NEVER,
  Observable,
  of,
  Subject,
  tap,
  throwError,
  VirtualTimeScheduler,
  type Subscriber,
} from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  bufferedMergeMap,
  findCleanupScope,
  findGate,
  fromPull,
  gatedBy,
  type BufferedMergeMapOptions,
  type Gate,
} from '../../src/index.js';
import { AimdLimit, GradientLimit } from '../../src/machines/AdaptiveLimit.js';
import { type AdaptiveConcurrency, type Concurrency } from '../../src/options/concurrency.js';
import { adaptiveConcurrency, type AdaptiveConcurrencyOptions } from '../../src/resources/adaptiveConcurrency.js';
import { heldInners } from '../support/heldInners.js';
import { ManualGate } from '../support/ManualGate.js';
import { marbles } from '../support/marbles.js';
import { record } from '../support/record.js';
import { deferred, settle } from '../support/settle.js';
import { collectUnhandled } from '../support/unhandled.js';

type Options = BufferedMergeMapOptions<number, number>;

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);

/** With a source that can wait. */
function pulled(count: number, options: Options) {
  const inners = heldInners<number>();
  const read: number[] = [];
  const { log, subscription } = record(
    fromPull(numbers(count)).pipe(
      tap((value) => read.push(value)),
      bufferedMergeMap(inners.project, options),
    ),
  );
  return { ...inners, read, log, subscription };
}

describe('bufferedMergeMap with a limit that is told', () => {
  collectUnhandled();

  it.each([
    [{ concurrent: {} as never }, 'concurrent must be a positive integer or Infinity, got an object'],
    [{ concurrent: null as never }, 'concurrent must be a positive integer or Infinity, got null'],
    [{ concurrent: [] as never }, 'concurrent must be a positive integer or Infinity, got an array'],
    [{ concurrent: (() => 4) as never }, 'concurrent must be a positive integer or Infinity, got a function'],
    [{ concurrent: of(1), highWaterMark: 5, bufferSize: 4 }, 'highWaterMark must be at most bufferSize (4), got 5'],
    [{ concurrent: of(1), highWaterMark: -1 }, 'highWaterMark must be a non-negative integer or Infinity, got -1'],
  ] as [Options, string][])('checks what it is called with: %o', (options, message) => {
    expect(() => bufferedMergeMap((value: number) => of(value), options)).toThrow(message);
  });

  it('runs nothing and asks for nothing before the first number', () => {
    const limit = new Subject<number>();
    const { read, started } = pulled(9, { concurrent: limit });
    expect([read, started]).toEqual([[], []]);
    limit.next(1);
    expect([read, started]).toEqual([[0, 1], [0]]);
  });

  it('lets what cannot wait wait before the first number', () => {
    const limit = new Subject<number>();
    const { project, started } = heldInners<number>();
    const { log } = record(of(1, 2, 3).pipe(bufferedMergeMap(project, { concurrent: limit, bufferSize: 3 })));
    expect([started, log]).toEqual([[], []]);
    limit.next(2);
    expect(started).toEqual([1, 2]);
  });

  it('starts more when it is raised', () => {
    const limit = new BehaviorSubject(1);
    const { started } = pulled(9, { concurrent: limit });
    limit.next(3);
    expect(started).toEqual([0, 1, 2]);
  });

  it('lowered, lets those that run finish, and starts none before there are fewer', () => {
    const limit = new BehaviorSubject(3);
    const { started, finish, log } = pulled(9, { concurrent: limit });
    limit.next(1);
    finish(1, 0);
    expect([started, log]).toEqual([
      [0, 1, 2],
      [1, 0],
    ]);
    finish(2);
    expect(started).toEqual([0, 1, 2, 3]);
  });

  it('0 pauses: those that run finish, nothing starts and nothing is asked for; then it goes on', () => {
    const limit = new BehaviorSubject(2);
    const { started, finish, log, read } = pulled(9, { concurrent: limit });
    expect(read).toEqual([0, 1, 2, 3]);
    limit.next(0);
    finish(0, 1);
    expect([started, read, log]).toEqual([
      [0, 1],
      [0, 1, 2, 3],
      [0, 1],
    ]);
    limit.next(1);
    expect([started, read]).toEqual([
      [0, 1, 2],
      [0, 1, 2, 3],
    ]);
    finish(2);
    expect([started, read]).toEqual([
      [0, 1, 2, 3],
      [0, 1, 2, 3, 4],
    ]);
  });

  it('the mark follows it', () => {
    const limit = new BehaviorSubject(1);
    const { read } = pulled(99, { concurrent: limit, bufferSize: 6 });
    expect(read).toHaveLength(2);
    limit.next(4);
    expect(read).toHaveLength(8);
    limit.next(10);
    expect(read).toHaveLength(16); // at most bufferSize
  });

  it('but not the one that is given: so many are read ahead in a pause, too', () => {
    const limit = new BehaviorSubject(0);
    const { read, started } = pulled(9, { concurrent: limit, highWaterMark: 3 });
    expect([read, started]).toEqual([[0, 1, 2], []]);
  });

  it('while slots are filled, nothing beyond the mark is asked for: who waits goes first', () => {
    const limit = new BehaviorSubject(0);
    let gate: Gate | undefined;
    const source = new Observable<number>((subscriber) => {
      gate = findGate(subscriber);
      for (const value of numbers(4)) subscriber.next(value);
    });
    const ready: unknown[] = [];
    source
      .pipe(
        bufferedMergeMap(
          () => {
            ready.push(gate?.ready);
            return NEVER;
          },
          { concurrent: limit, highWaterMark: 1 },
        ),
      )
      .subscribe();
    limit.next(3);
    expect(ready).toEqual([false, false, false]);
  });

  it('raised while all is torn down, starts nothing any more', () => {
    const limit = new BehaviorSubject(1);
    const started: number[] = [];
    const dropped: unknown[] = [];
    const { subscription } = record(
      of(0, 1, 2).pipe(
        bufferedMergeMap(
          (value, _, { signal }) => {
            started.push(value);
            signal.addEventListener('abort', () => {
              limit.next(5);
            });
            return NEVER;
          },
          { concurrent: limit, onDrop: (...drop) => dropped.push(drop) },
        ),
      ),
    );
    subscription.unsubscribe();
    expect(started).toEqual([0]);
    expect(dropped).toEqual([
      [1, 'unsubscribe'],
      [2, 'unsubscribe'],
    ]);
  });

  it('completes in a pause, if nothing waits', () => {
    const limit = new BehaviorSubject(1);
    const { finish, log } = pulled(1, { concurrent: limit });
    limit.next(0);
    finish(0);
    expect(log).toEqual([0, 'complete']);
    expect(record(EMPTY.pipe(bufferedMergeMap(() => NEVER, { concurrent: NEVER }))).log).toEqual(['complete']);
  });

  it('does not complete in a pause, while something waits', () => {
    const limit = new BehaviorSubject(1);
    const { finish, log } = pulled(2, { concurrent: limit });
    limit.next(0);
    finish(0);
    expect(log).toEqual([0]);
    limit.next(1);
    finish(1);
    expect(log).toEqual([0, 1, 'complete']);
  });

  it('is followed before the source: of the numbers that come at once, the last counts; it stays when it completes', () => {
    const { started, log } = pulled(9, { concurrent: of(5, 2) });
    expect([started, log]).toEqual([[0, 1], []]);
  });

  describe('errors', () => {
    const failing = (concurrent: Observable<number>) => {
      const source = new Subject<number>();
      const dropped: unknown[] = [];
      const { log } = record(
        source.pipe(bufferedMergeMap(() => NEVER, { concurrent, onDrop: (...drop) => dropped.push(drop) })),
      );
      const send = () => {
        source.next(1);
        source.next(2);
      };
      return { source, send, log, dropped };
    };

    it.each([
      [-1, '-1'],
      [1.5, '1.5'],
      [NaN, 'NaN'],
      [Infinity, 'Infinity'],
      ['3' as never, "'3'"],
      [undefined as never, 'undefined'],
    ])('with %s', (invalid, told) => {
      const limit = new BehaviorSubject(1);
      const { source, send, log, dropped } = failing(limit);
      send();
      limit.next(invalid);
      expect(log).toEqual([['error', new RangeError(`concurrent must emit non-negative integers, got ${told}`)]]);
      expect(dropped).toEqual([[2, 'error']]);
      expect([source.observed, limit.observed]).toEqual([false, false]);
    });

    it('at once with an invalid number that comes at once: the source is left alone', () => {
      const { source, log } = failing(of(-1));
      expect(log).toEqual([['error', new RangeError('concurrent must emit non-negative integers, got -1')]]);
      expect(source.observed).toBe(false);
    });

    it('with its error', () => {
      const limit = new BehaviorSubject(1);
      const { source, send, log, dropped } = failing(limit);
      send();
      limit.error('failed');
      expect(log).toEqual([['error', 'failed']]);
      expect(dropped).toEqual([[2, 'error']]);
      expect(source.observed).toBe(false);
      expect(failing(throwError(() => 'at once')).log).toEqual([['error', 'at once']]);
    });

    const ends = [['error', new RangeError('concurrent completed at 0: nothing could ever start')]];

    it('when it completes at 0, or without a number', () => {
      const limit = new BehaviorSubject(1);
      const { log } = failing(limit);
      limit.next(0);
      expect(log).toEqual([]);
      limit.complete();
      expect(log).toEqual(ends);
      expect(failing(EMPTY).log).toEqual(ends);
      expect(failing(of(3, 0)).log).toEqual(ends);
    });

    it('not when it completes at another number', () => {
      expect(failing(of(0, 1)).log).toEqual([]);
    });

    it('after the clean-up of what runs', async () => {
      const { promise, resolve } = deferred();
      const limit = new BehaviorSubject(1);
      const work = new Observable<number>((subscriber) => {
        const scope = findCleanupScope(subscriber);
        subscriber.add(() => scope?.track(promise));
      });
      const { log } = record(of(1, 2).pipe(bufferedMergeMap(() => work, { concurrent: limit })));
      limit.error('failed');
      expect(log).toEqual([]);
      limit.next(5); // no more
      resolve();
      await settle();
      expect(log).toEqual([['error', 'failed']]);
    });
  });

  describe('is unsubscribed', () => {
    const ended = (end: (source: Subject<number>, finish: () => void, unsubscribe: () => void) => void) => {
      const limit = new BehaviorSubject(1);
      const source = new Subject<number>();
      const { project, finish } = heldInners<number>();
      const { subscription } = record(source.pipe(bufferedMergeMap(project, { concurrent: limit })));
      source.next(1);
      expect(limit.observed).toBe(true);
      end(
        source,
        () => {
          finish(1);
        },
        () => {
          subscription.unsubscribe();
        },
      );
      return limit.observed;
    };

    it('when the operator completes, not before', () => {
      expect(
        ended((source) => {
          source.complete();
        }),
      ).toBe(true);
      expect(
        ended((source, finish) => {
          source.complete();
          finish();
        }),
      ).toBe(false);
    });

    it('when it errors', () => {
      expect(
        ended((source) => {
          source.error('failed');
        }),
      ).toBe(false);
    });

    it('when it is unsubscribed', () => {
      expect(
        ended((_, __, unsubscribe) => {
          unsubscribe();
        }),
      ).toBe(false);
    });

    it('for each subscription by itself', () => {
      const limit = new BehaviorSubject(1);
      const result = NEVER.pipe(bufferedMergeMap(() => NEVER, { concurrent: limit }));
      const first = result.subscribe();
      const second = result.subscribe();
      first.unsubscribe();
      expect(limit.observed).toBe(true);
      second.unsubscribe();
      expect(limit.observed).toBe(false);
    });
  });

  describe('changed', () => {
    it('inside of next: raised', () => {
      const limit = new BehaviorSubject(1);
      const { project, started, finish } = heldInners<number>();
      of(0, 1, 2, 3)
        .pipe(bufferedMergeMap(project, { concurrent: limit }))
        .subscribe(() => {
          limit.next(3);
        });
      finish(0);
      expect(started).toEqual([0, 1, 2, 3]); // 0 ran until its completion: two more, then its slot
    });

    it('inside of next: lowered', () => {
      const limit = new BehaviorSubject(2);
      const { project, started, finish } = heldInners<number>();
      of(0, 1, 2, 3)
        .pipe(bufferedMergeMap(project, { concurrent: limit }))
        .subscribe(() => {
          limit.next(1);
        });
      finish(0);
      expect(started).toEqual([0, 1]);
      finish(1);
      expect(started).toEqual([0, 1, 2]);
    });

    it('inside of project: raised, by each, without a growing stack', () => {
      const limit = new BehaviorSubject(1);
      const many = 20_000;
      let started = 0;
      fromPull(numbers(many), { slice: Infinity })
        .pipe(
          bufferedMergeMap(
            () => {
              limit.next(limit.value + 1);
              started++;
              return NEVER;
            },
            { concurrent: limit, bufferSize: Infinity },
          ),
        )
        .subscribe();
      expect(started).toBe(many);
    });

    it('inside of project: lowered, while slots are filled', () => {
      const limit = new BehaviorSubject(0);
      const started: number[] = [];
      of(0, 1, 2, 3)
        .pipe(
          bufferedMergeMap(
            (value) => {
              started.push(value);
              if (value === 1) limit.next(0);
              return NEVER;
            },
            { concurrent: limit },
          ),
        )
        .subscribe();
      limit.next(4);
      expect(started).toEqual([0, 1]);
    });

    it('inside of onDrop', () => {
      const limit = new BehaviorSubject(0);
      const { project, started } = heldInners<number>();
      of(0, 1, 2)
        .pipe(
          bufferedMergeMap(project, {
            concurrent: limit,
            bufferSize: 1,
            overflow: 'drop-oldest',
            onDrop: (value) => {
              if (value === 1) limit.next(1);
            },
          }),
        )
        .subscribe();
      expect(started).toEqual([2]);
    });

    it('to the same number, a hundred thousand times, starts nothing', () => {
      const limit = new BehaviorSubject(1);
      const { started } = pulled(9, { concurrent: limit });
      for (let i = 0; i < 100_000; i++) limit.next(1);
      expect(started).toEqual([0]);
    });
  });

  it('is not held back by a consumer that is busy', () => {
    const gate = new ManualGate();
    const { project, started } = heldInners<number>();
    of(0, 1, 2)
      .pipe(bufferedMergeMap(project, { concurrent: fromPull([1, 2]) }), gatedBy(gate))
      .subscribe();
    expect(started).toEqual([0, 1]);
    const second = heldInners<number>();
    of(0, 1, 2)
      .pipe(
        bufferedMergeMap(second.project, { concurrent: of(1, 2).pipe(gatedBy(new ManualGate(true))) }),
        gatedBy(gate),
      )
      .subscribe();
    expect(second.started).toEqual([0, 1]);
  });

  it('may come from another copy of RxJS', () => {
    const foreign = {
      lift: () => foreign,
      subscribe: (observer: Subscriber<number>) => {
        observer.next(2);
        return { unsubscribe: () => undefined };
      },
    };
    const { started } = pulled(9, { concurrent: foreign as unknown as Observable<number> });
    expect(started).toEqual([0, 1]);
  });

  it('results that wait for the consumer below count, and so a lowered limit holds', () => {
    const limit = new BehaviorSubject(2);
    const gate = new ManualGate();
    const { project, started, finish } = heldInners<number>();
    const { log } = record(
      fromPull(numbers(9)).pipe(bufferedMergeMap(project, { concurrent: limit, highWaterMark: 0 }), gatedBy(gate)),
    );
    finish(0, 1);
    limit.next(1);
    expect([started, log]).toEqual([[0, 1], []]);
    gate.pass();
    expect(log).toEqual([0, 1]); // ManualGate lets all through that can come in that moment
    expect(started).toEqual([0, 1, 2]);
  });

  it.each([
    ['raised', 'abcdef-------------|', '1-----2-------------', '----a---b-c-d-e-f--|'],
    ['lowered', 'abcdef---------------|', '2--1------------------', '----ab---c---d---e---(f|)'],
    ['paused', 'abcd-----------------|', '1-0-------1-----------', '----a---------b---c---(d|)'],
  ])('in virtual time: %s', (_, values, numbers, expected) => {
    marbles((m) => {
      const work = (value: string) => m.cold('----(x|)', { x: value });
      const limit = m.hot(numbers).pipe(map((digit) => Number(digit)));
      m.expect(m.hot(values).pipe(bufferedMergeMap(work, { concurrent: limit }))).toBeObservable(expected);
    })();
  });
});

describe('bufferedMergeMap with a limit that finds itself', () => {
  /** Takes down what it is told; the limit is what `next` says then. */
  function told(initial: number, next: (limit: number) => number = (limit) => limit) {
    const log: [latency: number, running: number][] = [];
    const limits: { value: number }[] = [];
    const concurrent: AdaptiveConcurrency = {
      newLimit: () => {
        const limit = {
          value: initial,
          record: (latency: number, running: number) => {
            log.push([latency, running]);
            limit.value = next(limit.value);
          },
        };
        limits.push(limit);
        return limit;
      },
    };
    return { log, limits, concurrent };
  }

  const held = (concurrent: Concurrency, options: Options = {}) => {
    const scheduler = new VirtualTimeScheduler();
    const inners = heldInners<number>();
    const { log, subscription } = record(
      fromPull(numbers(9)).pipe(bufferedMergeMap(inners.project, { concurrent, scheduler, ...options })),
    );
    return { ...inners, scheduler, log, subscription };
  };

  it('tells it how long each took, from its start to its completion, and beside how many it ran', () => {
    const { log, concurrent } = told(2);
    const { scheduler, finish } = held(concurrent);
    scheduler.frame = 5;
    finish(0); // 2 starts
    scheduler.frame = 7;
    finish(2);
    scheduler.frame = 100;
    finish(1);
    expect(log).toEqual([
      [5, 2],
      [2, 2],
      [100, 2],
    ]);
  });

  it('the time that a value waited does not count, nor that of a clean-up', async () => {
    const { log, concurrent } = told(1);
    const scheduler = new VirtualTimeScheduler();
    const { promise, resolve } = deferred();
    const done = new Subject<void>();
    const work = new Observable<number>((subscriber) => {
      const scope = findCleanupScope(subscriber);
      subscriber.add(() => scope?.track(promise));
      subscriber.add(done.subscribe(subscriber as unknown as Subject<void>));
    });
    of(1, 2)
      .pipe(bufferedMergeMap(() => work, { concurrent, scheduler }))
      .subscribe();
    scheduler.frame = 3;
    done.next();
    done.complete();
    scheduler.frame = 50;
    resolve();
    await settle();
    expect(log[0]).toEqual([3, 1]);
    expect(log[1]).toEqual([0, 1]); // started at 50
  });

  it.each([
    ['a promise', (value: number) => Promise.resolve(value)],
    ['an array', (value: number) => [value]],
    [
      'an async generator',
      async function* (value: number) {
        await Promise.resolve();
        yield value;
      },
    ],
  ] as [string, (value: number) => Promise<number>][])('%s counts, too', async (_, project) => {
    const { log, concurrent } = told(1);
    of(1, 2).pipe(bufferedMergeMap(project, { concurrent })).subscribe();
    await settle(50);
    expect(log).toHaveLength(2);
  });

  it('work that fails tells nothing', () => {
    const { log, concurrent } = told(1);
    record(of(1).pipe(bufferedMergeMap(() => throwError(() => 'failed'), { concurrent })));
    expect(log).toEqual([]);
  });

  it('starts more when the limit has grown, also while the slot itself is still taken', () => {
    const { concurrent } = told(1, () => 3);
    const { started, finish } = held(concurrent);
    finish(0);
    expect(started).toEqual([0, 1, 2, 3]);

    const cleaning = told(1, () => 3);
    const end = new Subject<number>();
    const begun: number[] = [];
    of(0, 1, 2, 3)
      .pipe(
        bufferedMergeMap(
          (value) =>
            new Observable<number>((subscriber) => {
              begun.push(value);
              const scope = findCleanupScope(subscriber);
              subscriber.add(() => scope?.track(new Promise(() => undefined)));
              subscriber.add(end.subscribe(subscriber));
            }),
          { concurrent: cleaning.concurrent },
        ),
      )
      .subscribe();
    expect(begun).toEqual([0]);
    end.complete();
    expect(begun).toEqual([0, 1, 2]);
  });

  it('starts none while too many run, when the limit has shrunk', () => {
    const { concurrent } = told(3, () => 1);
    const { started, finish } = held(concurrent);
    finish(0, 1);
    expect(started).toEqual([0, 1, 2]);
    finish(2);
    expect(started).toEqual([0, 1, 2, 3]);
  });

  it('the mark follows it', () => {
    const read: number[] = [];
    const { concurrent } = told(1, () => 3);
    const { project, finish } = heldInners<number>();
    fromPull(numbers(20))
      .pipe(
        tap((value) => read.push(value)),
        bufferedMergeMap(project, { concurrent }),
      )
      .subscribe();
    expect(read).toHaveLength(2);
    finish(0);
    expect(read).toHaveLength(7); // 0, three that run, three that wait
  });

  it('begins anew for each subscription', () => {
    const { limits, concurrent } = told(2);
    const result = NEVER.pipe(bufferedMergeMap(() => NEVER, { concurrent }));
    result.subscribe();
    result.subscribe();
    expect(limits).toHaveLength(2);
  });

  it.each(['aimd', 'gradient'] as const)(
    '%s: more run while the work is quick, fewer when it gets slow',
    (algorithm) => {
      const scheduler = new VirtualTimeScheduler(undefined, 0);
      let capacity = 1000;
      let running = 0;
      let most = 0;
      const work = (value: number) =>
        new Observable<number>((subscriber) => {
          running++;
          most = Math.max(most, running);
          const latency = 10 * Math.max(1, running / capacity);
          return scheduler.schedule(() => {
            running--;
            subscriber.next(value);
            subscriber.complete();
          }, latency);
        });
      const concurrent = adaptiveConcurrency({ algorithm, max: 40, maxLatency: 15 });
      const subscription = fromPull(numbers(100_000), { slice: Infinity })
        .pipe(bufferedMergeMap(work, { concurrent, scheduler }))
        .subscribe();
      const advance = (ms: number) => {
        most = 0;
        scheduler.maxFrames += ms;
        scheduler.flush();
        return most;
      };
      expect(advance(5000)).toBe(40);
      capacity = 8;
      advance(10_000);
      expect(advance(1000)).toBeLessThan(24);
      subscription.unsubscribe();
    },
  );

  it('does not come to a stop where the work takes no time that could be measured', () => {
    const seen: number[] = [];
    const scheduler = new VirtualTimeScheduler();
    of(...numbers(500))
      .pipe(bufferedMergeMap((value) => of(value), { concurrent: adaptiveConcurrency(), scheduler }))
      .subscribe((value) => seen.push(value));
    expect(seen).toEqual(numbers(500));
  });
});

describe('adaptiveConcurrency', () => {
  it.each([
    [{ min: 0 }, 'min must be a positive integer, got 0'],
    [{ max: 1.5 }, 'max must be a positive integer, got 1.5'],
    [{ max: Infinity }, 'max must be a positive integer, got Infinity'],
    [{ initial: 0 }, 'initial must be a positive integer, got 0'],
    [{ min: 5, max: 4 }, 'min must be at most max (4), got 5'],
    [{ min: 5, max: 8, initial: 4 }, 'initial must be from min to max (5 to 8), got 4'],
    [{ max: 8, initial: 9 }, 'initial must be from min to max (1 to 8), got 9'],
    [{ algorithm: 'vegas' as never }, "algorithm must be one of 'aimd', 'gradient', got 'vegas'"],
    [{ maxLatency: -1 }, 'maxLatency must be a number from 0, got -1'],
    [{ maxLatency: Infinity }, 'maxLatency must be a number from 0, got Infinity'],
    [{ tolerance: 0.9 }, 'tolerance must be a number from 1, got 0.9'],
    [8 as never, 'options must be an object, got 8'],
  ] as [AdaptiveConcurrencyOptions, string][])('checks what it is called with: %o', (options, message) => {
    expect(() => adaptiveConcurrency(options)).toThrow(message);
  });

  it('begins with 4, within min and max, or as it is told', () => {
    const initial = (options?: AdaptiveConcurrencyOptions) => adaptiveConcurrency(options).newLimit().value;
    expect([initial(), initial({ min: 6 }), initial({ max: 3 }), initial({ initial: 7 })]).toEqual([4, 6, 3, 7]);
  });

  it('is by gradient, unless it is told otherwise', () => {
    const range = { min: 1, max: 200, initial: 4 };
    const limit = (options?: AdaptiveConcurrencyOptions) => adaptiveConcurrency(options).newLimit();
    expect(limit()).toEqual(new GradientLimit(range, 1.05));
    expect(limit({ tolerance: 2 })).toEqual(new GradientLimit(range, 2));
    expect(limit({ algorithm: 'aimd' })).toEqual(new AimdLimit(range, 5000));
    expect(limit({ algorithm: 'aimd', maxLatency: 10 })).toEqual(new AimdLimit(range, 10));
  });

  it('gives a limit of its own each time', () => {
    const { newLimit } = adaptiveConcurrency({ algorithm: 'aimd' });
    const limit = newLimit();
    for (let i = 0; i < 10; i++) limit.record(1e6, 4);
    expect([limit.value, newLimit().value]).toEqual([3, 4]);
  });
});
