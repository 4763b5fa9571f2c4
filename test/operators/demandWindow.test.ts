import {
  asyncScheduler,
  bufferCount,
  bufferTime,
  catchError,
  concat,
  concatMap,
  debounceTime,
  defer,
  delay,
  endWith,
  filter,
  finalize,
  firstValueFrom,
  map,
  merge,
  mergeMap,
  NEVER,
  observeOn,
  of,
  pipe,
  range,
  repeat,
  retry,
  startWith,
  Subject,
  take,
  tap,
  throwError,
  timer,
  toArray,
  VirtualTimeScheduler,
  type MonoTypeOperatorFunction,
  type Observable,
  type OperatorFunction,
  type SchedulerLike,
} from 'rxjs';
import { describe, expect, expectTypeOf, it, vi } from 'vitest';
import { bufferedMergeMap, BufferOverflowError, fromPull, gatedBy } from '../../src/index.js';
import { DemandWindowError } from '../../src/errors/DemandWindowError.js';
import { demandWindow, type DemandWindowOptions } from '../../src/operators/demandWindow.js';
import { ManualGate } from '../support/ManualGate.js';
import { marbles } from '../support/marbles.js';
import { record } from '../support/record.js';
import { turn } from '../support/settle.js';
import { collectUnhandled, reported } from '../support/unhandled.js';

const unhandled = collectUnhandled();
/** The time that a test takes in truth is not to matter. */
const pull = <T>(values: () => Iterable<T>) => fromPull(values, { slice: Infinity });
const same = <T>(): MonoTypeOperatorFunction<T> => map((value) => value);

/** An operator by hand: values come out when the test says so. */
function holding() {
  const inside: string[] = [];
  const out = new Subject<string>();
  const operator: MonoTypeOperatorFunction<string> = (source) =>
    merge(
      source.pipe(
        tap((value) => inside.push(value)),
        filter(() => false),
      ),
      out,
    );
  const scheduler = new VirtualTimeScheduler();
  const release = (count = 1) => {
    for (const value of inside.splice(0, count)) out.next(value);
    scheduler.flush();
  };
  return { inside, out, operator, release, scheduler };
}

function pushing(size: number, options: DemandWindowOptions<string, string> = {}, gate = new ManualGate(true)) {
  const source = new Subject<string>();
  const dropped: unknown[] = [];
  const { inside, out, operator, release, scheduler } = holding();
  const { log, subscription } = record(
    source.pipe(
      demandWindow(size, operator, {
        onDrop: (value, reason) => dropped.push([value, reason]),
        onDropResult: (value, reason) => dropped.push(['result', value, reason]),
        scheduler,
        ...options,
      }),
      gatedBy(gate),
    ),
  );
  const push = (...values: string[]) => {
    for (const value of values) source.next(value);
  };
  return { source, push, inside, out, release, log, dropped, gate, subscription };
}

/** Opens it before those that wait have their turn. */
function openUnheard(gate: ManualGate) {
  const waiters = [...gate.waiters];
  gate.waiters.clear();
  gate.ready = true;
  for (const waiter of waiters) gate.waiters.add(waiter);
}

describe('the arguments of demandWindow', () => {
  it.each<[number, unknown, object | number, Error]>([
    [0, same(), {}, new RangeError('size must be a positive integer or Infinity, got 0')],
    [1.5, same(), {}, new RangeError('size must be a positive integer or Infinity, got 1.5')],
    [1, 5, {}, new TypeError('operator must be a function, got 5')],
    [1, same(), 5, new TypeError('options must be an object, got 5')],
    [1, same(), { valuesIn: 5 }, new TypeError('valuesIn must be a function, got 5')],
    [1, same(), { onDrop: 5 }, new TypeError('onDrop must be a function, got 5')],
    [1, same(), { onDropResult: 5 }, new TypeError('onDropResult must be a function, got 5')],
    [1, same(), { scheduler: 5 }, new TypeError("scheduler must have the functions 'now' and 'schedule', got 5")],
    [1, same(), { bufferSize: -1 }, new RangeError('bufferSize must be a non-negative integer or Infinity, got -1')],
    [1, same(), { name: 5 }, new TypeError('name must be a string, got 5')],
  ])('(%o, %o, %o) are refused', (size, operator, options, error) => {
    expect(() => demandWindow(size, operator as OperatorFunction<1, 1>, options as object)).toThrow(error);
  });

  it('are inferred', () => {
    expectTypeOf(of(1).pipe(demandWindow(2, delay(10)))).toEqualTypeOf<Observable<number>>();
    expectTypeOf(of(1).pipe(demandWindow(2, bufferTime(10), { valuesIn: (batch) => batch.length }))).toEqualTypeOf<
      Observable<number[]>
    >();
    expectTypeOf(
      of(1).pipe(
        demandWindow(
          2,
          concatMap(async (i) => String(i)),
        ),
      ),
    ).toEqualTypeOf<Observable<string>>();
    expectTypeOf(
      of(1).pipe(demandWindow(2, (values, leave) => values.pipe(filter((i) => i > 0 || (leave(), false))))),
    ).toEqualTypeOf<Observable<number>>();
  });
});

/** Counts what was pulled and has not come out. */
function counting(count: number) {
  const counts = { pulled: 0, out: 0, most: 0 };
  const values = function* () {
    while (counts.pulled < count) {
      counts.pulled++;
      counts.most = Math.max(counts.most, counts.pulled - counts.out);
      yield counts.pulled;
    }
  };
  return { counts, values };
}

describe('demandWindow over a source that can wait', () => {
  const all = Array.from({ length: 50 }, (_, i) => i + 1);

  const operators: Record<string, (scheduler: SchedulerLike) => OperatorFunction<number, number | number[]>> = {
    delay: (scheduler) => delay(10, scheduler),
    observeOn: (scheduler) => observeOn(scheduler),
    'observeOn, later': (scheduler) => observeOn(scheduler, 3),
    concatMap: (scheduler) => concatMap((i) => timer(i % 7, scheduler).pipe(map(() => i))),
    mergeMap: (scheduler) => mergeMap((i) => timer(i % 7, scheduler).pipe(map(() => i))),
    'mergeMap with a limit': (scheduler) => mergeMap((i) => timer(i % 7, scheduler).pipe(map(() => i)), 2),
    bufferTime: (scheduler) => bufferTime(10, scheduler),
    'bufferTime with a limit': (scheduler) => bufferTime(10, null, 2, scheduler),
    'delay, observeOn': (scheduler) => pipe(delay(2, scheduler), observeOn(scheduler, 2)),
    bufferedMergeMap: (scheduler) => bufferedMergeMap((i) => timer(i % 7, scheduler).pipe(map(() => i))),
    'a window': (scheduler) => demandWindow(2, delay(3, scheduler), { scheduler }),
    map: () => map((i) => i),
  };

  describe.each(Object.entries(operators))('around %s', (name, create) => {
    it.each([1, 2, 5])('lets %i inside, as many as may be, and loses none', (size) => {
      const scheduler = new VirtualTimeScheduler();
      const { counts, values } = counting(50);
      const { log } = record(
        pull(values).pipe(
          demandWindow(size, create(scheduler), {
            valuesIn: (result) => (Array.isArray(result) ? result.length : 1),
            scheduler,
          }),
          tap((result) => (counts.out += Array.isArray(result) ? result.length : 1)),
        ),
      );
      scheduler.flush();
      const results = log.flat();
      expect(results.pop()).toBe('complete');
      expect(results.sort((a, b) => Number(a) - Number(b))).toEqual(all);
      const most = name === 'map' ? 1 : name === 'a window' || name === 'bufferTime with a limit' ? 2 : Infinity;
      expect(counts.most).toBe(Math.min(size, most));
    });
  });

  it.each(['concatMap', 'mergeMap'] as const)('around %s of promises', async (which) => {
    const { counts, values } = counting(50);
    const work = async (i: number) => {
      await Promise.resolve();
      return i;
    };
    const results = await firstValueFrom(
      pull(values).pipe(
        demandWindow(3, which === 'concatMap' ? concatMap(work) : mergeMap(work)),
        tap(() => counts.out++),
        toArray(),
      ),
    );
    expect(results).toEqual(all);
    expect(counts.most).toBe(3);
  });

  it('around observeOn(asyncScheduler)', async () => {
    const { counts, values } = counting(20);
    const results = await firstValueFrom(
      pull(values).pipe(
        demandWindow(3, observeOn(asyncScheduler)),
        tap(() => counts.out++),
        toArray(),
      ),
    );
    expect(results.length).toBe(20);
    expect(counts.most).toBe(3);
  });

  it('counts several sources together', () => {
    const scheduler = new VirtualTimeScheduler();
    const { counts, values } = counting(50);
    const { log } = record(
      merge(pull(values), pull(values), pull(values)).pipe(
        demandWindow(4, delay(10, scheduler), { scheduler }),
        tap(() => counts.out++),
      ),
    );
    scheduler.flush();
    expect(log.length).toBe(51);
    expect(counts.most).toBe(4);
  });

  it('asks for nothing while the consumer below is full, and lets results wait', () => {
    const scheduler = new VirtualTimeScheduler();
    const gate = new ManualGate(true);
    const { counts, values } = counting(5);
    const { log } = record(
      pull(values).pipe(
        demandWindow(2, delay(10, scheduler), { scheduler }),
        gatedBy(gate),
        tap(() => (gate.ready = false)),
      ),
    );
    const steps: unknown[] = [];
    for (let i = 0; i < 6; i++) {
      scheduler.flush();
      steps.push([counts.pulled, ...log.splice(0)]);
      gate.ready = true;
    }
    expect(steps).toEqual([[2, 1], [2, 2], [4, 3], [4, 4], [5, 5, 'complete'], [5]]);
    expect(gate.waiters.size).toBe(0);
  });

  it('waits for the gate of what is inside', () => {
    const scheduler = new VirtualTimeScheduler();
    const { counts, values } = counting(20);
    const { log } = record(
      pull(values).pipe(
        demandWindow(
          10,
          bufferedMergeMap((i) => timer(10, scheduler).pipe(map(() => i)), { concurrent: 1, highWaterMark: 1 }),
          { scheduler },
        ),
        tap(() => counts.out++),
      ),
    );
    expect(counts.pulled).toBe(2);
    scheduler.flush();
    expect(log.length).toBe(21);
    expect(counts.most).toBe(2);
  });

  it('has an infinite window that heeds what is below', () => {
    const gate = new ManualGate();
    const { counts, values } = counting(3);
    const { log } = record(pull(values).pipe(demandWindow(Infinity, same()), gatedBy(gate)));
    expect(counts.pulled).toBe(0);
    gate.ready = true;
    expect(log).toEqual([1, 2, 3, 'complete']);
  });

  it('passes a million values', () => {
    let seen = 0;
    fromPull(range1000000(), { slice: Infinity })
      .pipe(demandWindow(2, same()))
      .subscribe(() => seen++);
    range(0, 1_000_000)
      .pipe(demandWindow(2, same()))
      .subscribe(() => seen++);
    expect(seen).toBe(2_000_000);
  });

  function* range1000000() {
    for (let i = 0; i < 1_000_000; i++) yield i;
  }
});

describe('demandWindow over a source that cannot wait', () => {
  it(
    'lets values wait, and in as soon as there is room',
    marbles((m) => {
      const source = m.hot('(abcdef)-g|');
      m.expect(source.pipe(demandWindow(2, delay(4, m.scheduler), { scheduler: m.scheduler }))).toBeObservable(
        '----(ab)(cd)(ef)(g|)',
      );
      m.expect(source).toHaveSubscriptions('^---------!');
    }),
  );

  it('keeps the order', () => {
    const { push, inside, release, log } = pushing(2);
    push('a', 'b', 'c', 'd');
    expect(inside).toEqual(['a', 'b']);
    release();
    expect([log, inside]).toEqual([['a'], ['b', 'c']]);
    push('e');
    release(2);
    expect([log, inside]).toEqual([
      ['a', 'b', 'c'],
      ['d', 'e'],
    ]);
  });

  it('asks a source that can wait for nothing before all that wait have gone in', () => {
    const source = new Subject<string>();
    const pulled: string[] = [];
    const { operator, inside, release, scheduler } = holding();
    const asked = pull(function* () {
      for (const value of ['x', 'y', 'z']) {
        pulled.push(value);
        yield value;
      }
    });
    record(merge(source, asked).pipe(demandWindow(2, operator, { bufferSize: 2, scheduler })));
    expect(inside).toEqual(['x', 'y']);
    for (const value of ['a', 'b']) source.next(value);
    release(2);
    expect(inside).toEqual(['a', 'b']);
    expect(pulled).toEqual(['x', 'y']);
    release(1);
    expect(inside).toEqual(['b', 'z']);
  });

  it('lets nothing in while the gate below is closed', () => {
    const { push, inside, gate } = pushing(2, {}, new ManualGate());
    push('a');
    expect(inside).toEqual([]);
    expect(gate.waiters.size).toBe(1);
    gate.ready = true;
    expect(inside).toEqual(['a']);
    expect(gate.waiters.size).toBe(0);
  });

  it('keeps no place below when all went in or out before its turn', () => {
    const { push, inside, release, log, gate } = pushing(9, {}, new ManualGate());
    push('a');
    openUnheard(gate);
    push('b');
    expect(inside).toEqual(['a', 'b']);
    expect(gate.waiters.size).toBe(0);
    gate.ready = false;
    release();
    openUnheard(gate);
    release();
    expect(log).toEqual(['a', 'b']);
    expect(gate.waiters.size).toBe(0);
  });

  it('waits below only while there is room', () => {
    const { push, release, inside, log, gate } = pushing(1);
    push('a', 'b');
    gate.ready = false;
    expect(gate.waiters.size).toBe(0);
    release();
    expect([log, inside]).toEqual([[], []]);
    expect(gate.waiters.size).toBe(1); // the result
    gate.pass();
    expect(log).toEqual(['a']);
    expect(inside).toEqual(['b']);
    expect(gate.waiters.size).toBe(0);
  });

  it.each([
    [
      'error',
      ['a'],
      [
        ['d', 'overflow'],
        ['b', 'error'],
        ['c', 'error'],
      ],
    ],
    ['drop-oldest', ['a', 'c', 'd'], [['b', 'overflow']]],
    ['drop-newest', ['a', 'b', 'c'], [['d', 'overflow']]],
    [
      'drop-buffer',
      ['a', 'd'],
      [
        ['b', 'overflow'],
        ['c', 'overflow'],
      ],
    ],
  ] as const)('bounds those that wait: %s', (overflow, passes, drops) => {
    const { push, release, log, dropped } = pushing(1, { bufferSize: 2, overflow, name: 'jobs' });
    push('a', 'b', 'c', 'd');
    expect([...dropped].sort()).toEqual([...drops].sort());
    if (overflow === 'error')
      expect(log).toEqual([['error', new BufferOverflowError("demandWindow 'jobs'", 'values', 2)]]);
    else {
      for (let i = 0; i < 3; i++) release();
      expect(log).toEqual(passes);
    }
  });

  it('makes what onDrop throws its error', () => {
    const { push, log } = pushing(1, {
      bufferSize: 0,
      overflow: 'drop-newest',
      onDrop: () => {
        throw 'oops';
      },
    });
    push('a', 'b');
    expect(log).toEqual([['error', 'oops']]);
  });

  it('completes the operator when the last has gone in', () => {
    const { push, source, out, release, log, inside } = pushing(1);
    push('a', 'b');
    source.complete();
    release();
    expect([log, inside]).toEqual([['a'], ['b']]);
    release();
    out.complete();
    expect(log).toEqual(['a', 'b', 'complete']);
  });

  it('shows the operator an error at once, and hands over what waits', () => {
    const { push, source, log, dropped, inside } = pushing(1);
    push('a', 'b');
    source.error('oops');
    expect(log).toEqual([['error', 'oops']]);
    expect(inside).toEqual(['a']);
    expect(dropped).toEqual([['b', 'error']]);
  });

  it('hands over what waits when the operator errors', () => {
    const { push, out, log, dropped } = pushing(1);
    push('a', 'b');
    out.error('oops');
    expect(log).toEqual([['error', 'oops']]);
    expect(dropped).toEqual([['b', 'error']]);
  });

  it('hands over what waits when it is unsubscribed, after the source was told', () => {
    const { push, source, release, dropped, subscription, gate } = pushing(1, {
      onDrop: (value, reason) => dropped.push([value, reason, source.observed]),
    });
    push('a', 'b', 'c');
    gate.ready = false;
    release();
    subscription.unsubscribe();
    expect(dropped).toEqual([
      ['b', 'unsubscribe', false],
      ['c', 'unsubscribe', false],
      ['result', 'a', 'unsubscribe'],
    ]);
    expect(gate.waiters.size).toBe(0);
  });

  it('leaves the gate below when it is unsubscribed while values wait there', () => {
    const { push, gate, subscription } = pushing(1, {}, new ManualGate());
    push('a');
    expect(gate.waiters.size).toBe(1);
    subscription.unsubscribe();
    expect(gate.waiters.size).toBe(0);
  });

  it('hands over what waits when the operator has had enough', () => {
    const scheduler = new VirtualTimeScheduler();
    const dropped: unknown[] = [];
    const { log } = record(
      of(1, 2, 3, 4).pipe(
        demandWindow(1, pipe(delay(5, scheduler), take(2)), { onDrop: (...args) => dropped.push(args), scheduler }),
      ),
    );
    scheduler.flush();
    expect(log).toEqual([1, 2, 'complete']);
    expect(dropped).toEqual([
      [3, 'unsubscribe'],
      [4, 'unsubscribe'],
    ]);
  });

  it('reports what onDrop and onDropResult throw after the end', async () => {
    const { push, release, subscription, gate } = pushing(1, {
      onDrop: () => {
        throw 'value';
      },
      onDropResult: () => {
        throw 'result';
      },
    });
    push('a', 'b');
    gate.ready = false;
    release();
    subscription.unsubscribe();
    expect(await reported(unhandled)).toBe('value');
    expect(await reported(unhandled)).toBe('result');
  });

  it('takes what is pushed into the source in next, behind what waits', () => {
    const source = new Subject<string>();
    const { operator, release, inside, scheduler } = holding();
    const seen: string[] = [];
    source.pipe(demandWindow(1, operator, { scheduler })).subscribe((value) => {
      seen.push(value);
      if (value === 'a') source.next('c');
    });
    source.next('a');
    source.next('b');
    release();
    expect(inside).toEqual(['b']);
    release();
    release();
    expect(seen).toEqual(['a', 'b', 'c']);
  });

  it('emits nothing more when it is unsubscribed in next while results wait', () => {
    const gate = new ManualGate(true);
    const source = new Subject<string>();
    const { operator, release } = holding();
    const seen: string[] = [];
    const dropped: unknown[] = [];
    const subscription = source
      .pipe(demandWindow(3, operator, { onDropResult: (...args) => dropped.push(args) }), gatedBy(gate))
      .subscribe((value) => {
        seen.push(value);
        subscription.unsubscribe();
      });
    for (const value of ['a', 'b']) source.next(value);
    gate.ready = false;
    release(2);
    gate.ready = true;
    expect([seen, dropped]).toEqual([['a'], [['b', 'unsubscribe']]]);
    expect(gate.waiters.size).toBe(0);
  });
});

describe('what leaves a demandWindow', () => {
  const batches = (options: DemandWindowOptions<number, number[]>) => {
    const scheduler = new VirtualTimeScheduler();
    const { counts, values } = counting(10);
    const { log } = record(
      pull(values).pipe(
        demandWindow(4, bufferTime(10, scheduler), { scheduler, ...options }),
        tap((batch) => (counts.out += batch.length)),
      ),
    );
    scheduler.flush();
    return { log, counts };
  };

  it('is as much as valuesIn says', () => {
    const { log, counts } = batches({ valuesIn: (batch) => batch.length });
    expect(log).toEqual([[1, 2, 3, 4], [5, 6, 7, 8], [9, 10], 'complete']);
    expect(counts.most).toBe(4);
  });

  it('is one value for each result by default', () => {
    expect(batches({}).log).toEqual([[1, 2, 3, 4], [5], [6], [7], [8], [9], [10], [], 'complete']);
  });

  it('may be none, where a value has several results', () => {
    const scheduler = new VirtualTimeScheduler();
    const { counts, values } = counting(10);
    const { log } = record(
      pull(values).pipe(
        demandWindow(
          2,
          mergeMap((i) => merge(timer(1, scheduler), timer(2, scheduler)).pipe(map((_, last) => ({ i, last })))),
          { valuesIn: ({ last }) => last, scheduler },
        ),
        tap(({ last }) => (counts.out += last)),
      ),
    );
    scheduler.flush();
    expect(log.length).toBe(21);
    expect(counts.most).toBe(2);
  });

  it('can be told by leave(), where the operator gives no result for a value', () => {
    const scheduler = new VirtualTimeScheduler();
    const { counts, values } = counting(20);
    const { log } = record(
      pull(values).pipe(
        demandWindow(
          3,
          (all, leave) =>
            all.pipe(
              delay(5, scheduler),
              filter((i) => {
                counts.out++;
                if (i % 2 === 0) return true;
                leave();
                return false;
              }),
            ),
          { scheduler },
        ),
      ),
    );
    scheduler.flush();
    expect(log).toEqual([2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 'complete']);
    expect(counts.most).toBe(3);
  });

  it('can be many at once', () => {
    const scheduler = new VirtualTimeScheduler();
    const { values } = counting(6);
    const { log } = record(
      pull(values).pipe(
        demandWindow(
          3,
          (all, leave) =>
            all.pipe(
              bufferCount(3),
              tap((batch) => {
                leave(batch.length - 1);
              }),
            ),
          { scheduler },
        ),
      ),
    );
    scheduler.flush();
    expect(log).toEqual([[1, 2, 3], [4, 5, 6], 'complete']);
  });

  it('can be told to be none', () => {
    const { log } = record(
      of(1, 2).pipe(
        demandWindow(1, (values, leave) =>
          values.pipe(
            tap(() => {
              leave(0);
            }),
          ),
        ),
      ),
    );
    expect(log).toEqual([1, 2, 'complete']);
  });

  it.each([-1, 1.5, NaN])('cannot be %o', (count) => {
    const error = new RangeError(`count must be a non-negative integer, got ${count}`);
    const given: unknown[] = [];
    record(
      of(1).pipe(
        demandWindow(1, (values, leave) => {
          try {
            leave(count);
          } catch (thrown) {
            given.push(thrown);
          }
          return values;
        }),
      ),
    );
    expect(given).toEqual([error]);
  });

  it('is not counted after the end', () => {
    let late!: () => void;
    const { log } = record(of(1).pipe(demandWindow(1, (values, leave) => ((late = leave), values))));
    late();
    expect(log).toEqual([1, 'complete']);
  });

  it('cannot be more than is inside', () => {
    const { push, inside, out, log, dropped } = pushing(3, { name: 'pairs' });
    push('a', 'b', 'c', 'd');
    inside.splice(0);
    for (const result of ['a1', 'a2', 'b1', 'b2']) out.next(result);
    const error = new DemandWindowError("demandWindow 'pairs'", 0, 1);
    expect(log).toEqual(['a1', 'a2', 'b1', ['error', error]]);
    expect(dropped).toEqual([
      ['d', 'error'],
      ['result', 'b2', 'error'],
    ]);
    expect(error.message).toBe(
      "demandWindow 'pairs': 1 cannot leave, 0 are inside. A result counts as one value that leaves: say with valuesIn how " +
        'many it stands for, or use bufferedMergeMap, whose values may have any number of results.',
    );
    expect(error).toMatchObject({ name: 'DemandWindowError', where: "demandWindow 'pairs'", inside: 0, leaving: 1 });
  });

  it('cannot be said to be more than is inside', () => {
    const { log } = record(
      NEVER.pipe(
        startWith(1),
        demandWindow(3, (values, leave) =>
          values.pipe(
            tap(() => {
              leave(2);
            }),
          ),
        ),
      ),
    );
    expect(log).toEqual([['error', new DemandWindowError('demandWindow', 1, 2)]]);
  });

  it('may be more before anything comes in and after all has', () => {
    expect(record(of(1, 2).pipe(demandWindow(1, pipe(startWith(0), endWith(3, 4))))).log).toEqual([
      0,
      1,
      2,
      3,
      4,
      'complete',
    ]);
  });

  it.each([-1, 1.5, NaN, '1'])('makes it an error when valuesIn gives %o', (count) => {
    const { push, release, log, dropped } = pushing(1, { valuesIn: () => count as number });
    push('a');
    release();
    const shown = typeof count === 'string' ? `'${count}'` : String(count);
    expect(log).toEqual([['error', new RangeError(`valuesIn must give a non-negative integer, got ${shown}`)]]);
    expect(dropped).toEqual([['result', 'a', 'error']]);
  });

  it('passes on what valuesIn throws', () => {
    const { push, release, log, dropped } = pushing(1, {
      valuesIn: () => {
        throw 'oops';
      },
    });
    push('a');
    release();
    expect(log).toEqual([['error', 'oops']]);
    expect(dropped).toEqual([['result', 'a', 'error']]);
  });

  it('loses no result when it is unsubscribed within valuesIn', () => {
    const { push, release, log, dropped, subscription } = pushing(1, {
      valuesIn: () => {
        subscription.unsubscribe();
        return 1;
      },
    });
    push('a');
    release();
    expect([log, dropped]).toEqual([[], [['result', 'a', 'unsubscribe']]]);
  });
});

describe('results of a demandWindow that wait', () => {
  it('are bounded', () => {
    const { out, log, dropped } = pushing(1, { bufferSize: 1, valuesIn: () => 0, name: 'jobs' }, new ManualGate());
    for (const result of ['a', 'b', 'c']) out.next(result);
    expect(log).toEqual([['error', new BufferOverflowError("demandWindow 'jobs'", 'results', 2)]]);
    expect(dropped).toEqual([
      ['result', 'a', 'error'],
      ['result', 'b', 'error'],
      ['result', 'c', 'error'],
    ]);
  });

  it('pass at once if nothing is in their way, also those that come inside of next', () => {
    const scheduler = new VirtualTimeScheduler();
    const { operator, out } = holding();
    const seen: string[] = [];
    new Subject<string>().pipe(demandWindow(3, operator, { valuesIn: () => 0, scheduler })).subscribe((result) => {
      if (result === 'a') out.next('b');
      seen.push(result);
    });
    out.next('a');
    expect(seen).toEqual(['b', 'a']);
  });

  it('keep their order, the end behind them', () => {
    const { out, push, source, release, log, gate } = pushing(3);
    push('a', 'b', 'c');
    gate.ready = false;
    release(2);
    source.complete();
    release();
    out.complete();
    expect(log).toEqual([]);
    gate.pass();
    expect(log).toEqual(['a', 'b', 'c', 'complete']);
    expect(gate.waiters.size).toBe(0);
  });

  it('leave one for each time that the gate opens, before those that come then', () => {
    const gate = new ManualGate(true);
    const source = new Subject<string>();
    const { operator, release, scheduler } = holding();
    const { log } = record(
      source.pipe(
        demandWindow(3, operator, { scheduler }),
        gatedBy(gate),
        tap(() => {
          gate.ready = false;
        }),
      ),
    );
    for (const value of ['a', 'b', 'c']) source.next(value);
    release(2);
    expect(log).toEqual(['a']);
    gate.ready = true;
    release();
    expect(log).toEqual(['a', 'b']);
    gate.ready = true;
    expect(log).toEqual(['a', 'b', 'c']);
    expect(gate.waiters.size).toBe(0);
  });

  it('are passed over by an error', () => {
    const { push, out, release, log, dropped, gate } = pushing(3);
    push('a', 'b');
    gate.ready = false;
    release(2);
    out.error('oops');
    expect(log).toEqual([['error', 'oops']]);
    expect(dropped).toEqual([
      ['result', 'a', 'error'],
      ['result', 'b', 'error'],
    ]);
    expect(gate.waiters.size).toBe(0);
  });
});

describe('an operator in a demandWindow', () => {
  it('may subscribe again after an error: what it let go of is not inside', () => {
    let attempts = 0;
    const scheduler = new VirtualTimeScheduler();
    const source = defer(() => {
      attempts++;
      return pull(() => [1, 2, 3, 4]);
    });
    const { log } = record(
      source.pipe(
        demandWindow(
          2,
          pipe(
            concatMap((i) =>
              timer(5, scheduler).pipe(
                map(() => {
                  if (attempts < 3 && i === 2) throw 'oops';
                  return i;
                }),
              ),
            ),
            retry(),
          ),
          { scheduler },
        ),
      ),
    );
    scheduler.flush();
    expect(log).toEqual([1, 1, 1, 2, 3, 4, 'complete']);
  });

  it('may get over an error, after which a value is dropped for another reason', () => {
    const source = new Subject<string>();
    const dropped: unknown[] = [];
    const subscription = source
      .pipe(
        demandWindow(
          1,
          (values) =>
            values.pipe(
              map((value) => fail(value)),
              filter(() => false),
              retry(),
            ),
          {
            onDrop: (...args) => dropped.push(args),
          },
        ),
      )
      .subscribe();
    const fail = (value: string) => {
      if (value === 'bad') throw 'oops';
      return value;
    };
    source.next('bad');
    source.next('a');
    source.next('b');
    subscription.unsubscribe();
    expect(dropped).toEqual([['b', 'unsubscribe']]);
  });

  it('may subscribe again while values of the first time are still inside', () => {
    const scheduler = new VirtualTimeScheduler();
    const { log } = record(
      fromPullOf(1, 2, 3).pipe(demandWindow(2, pipe(take(2), repeat(3), delay(5, scheduler)), { scheduler })),
    );
    scheduler.flush();
    expect(log).toEqual([1, 2, 1, 2, 1, 2, 'complete']);
  });

  it.each([
    ['can', fromPullOf(1, 2)],
    ['cannot', of(1, 2)],
  ])('may subscribe again to a source that %s wait while values are still inside, and lets in no more', (_, source) => {
    const scheduler = new VirtualTimeScheduler();
    const counts = { inside: 0, most: 0 };
    const { log } = record(
      source.pipe(
        demandWindow(
          2,
          pipe(
            repeat(3),
            tap(() => (counts.most = Math.max(counts.most, ++counts.inside))),
            delay(5, scheduler),
            tap(() => counts.inside--),
          ),
          { scheduler },
        ),
      ),
    );
    scheduler.flush();
    expect(log).toEqual([1, 2, 1, 2, 1, 2, 'complete']);
    expect(counts.most).toBe(2);
  });

  it('may subscribe again, and give values of the first time and of the second as one result', () => {
    const { log } = record(
      fromPullOf(1, 2).pipe(
        demandWindow(2, pipe(take(1), repeat(4), bufferCount(2)), { valuesIn: (batch) => batch.length }),
      ),
    );
    expect(log).toEqual([[1, 1], [1, 1], 'complete']);
  });

  it('may let go of its source, and what it held come out all the same', () => {
    const scheduler = new VirtualTimeScheduler();
    const source = concat(of(1, 2), NEVER);
    const { log } = record(
      source.pipe(
        demandWindow(2, (values) => concat(values.pipe(take(2)), values).pipe(delay(5, scheduler)), { scheduler }),
      ),
    );
    scheduler.flush();
    expect(log).toEqual([1, 2, 1, 2]);
  });

  it('may let go of one of two subscriptions', () => {
    const scheduler = new VirtualTimeScheduler();
    const counts = { inside: 0, most: 0 };
    const { log } = record(
      fromPullOf(1, 2, 3, 4).pipe(
        demandWindow(
          2,
          (values) =>
            merge(values, values.pipe(take(1))).pipe(
              tap(() => (counts.most = Math.max(counts.most, ++counts.inside))),
              delay(5, scheduler),
              tap(() => counts.inside--),
            ),
          { scheduler },
        ),
      ),
    );
    scheduler.flush();
    expect(log.length).toBe(6);
    expect(counts.most).toBe(2);
  });

  it('may subscribe twice at a time', () => {
    const scheduler = new VirtualTimeScheduler();
    const { counts, values } = counting(10);
    const { log } = record(
      pull(values).pipe(
        demandWindow(3, (all) => merge(all, all).pipe(delay(5, scheduler)), { scheduler }),
        tap(() => counts.out++),
      ),
    );
    scheduler.flush();
    expect(log.length).toBe(11);
    expect(counts.most).toBe(3);
  });

  it('is let in nothing while it emits, which bufferTime would lose', async () => {
    const results = await firstValueFrom(
      fromPull([1, 2, 3, 4, 5]).pipe(
        demandWindow(2, bufferTime(1), { valuesIn: (batch) => batch.length }),
        mergeMap((batch) => batch),
        toArray(),
      ),
    );
    expect(results).toEqual([1, 2, 3, 4, 5]);
  });

  it('is let in nothing while it emits, not even what the consumer pushes', () => {
    const scheduler = new VirtualTimeScheduler();
    const source = new Subject<number>();
    const seen: number[] = [];
    source
      .pipe(
        demandWindow(5, bufferTime(10, scheduler), { valuesIn: (batch) => batch.length, scheduler }),
        mergeMap((batch) => batch),
      )
      .subscribe((value) => {
        seen.push(value);
        if (value < 4) source.next(value + 1);
        else source.complete();
      });
    source.next(1);
    scheduler.flush();
    expect(seen).toEqual([1, 2, 3, 4]);
  });

  it('needs no scheduler where it emits when it is called', () => {
    const scheduler = { now: () => 0, schedule: vi.fn() };
    const source = new Subject<number>();
    const seen: number[] = [];
    source.pipe(demandWindow(1, same(), { scheduler })).subscribe((value) => {
      seen.push(value);
      if (value < 5) source.next(value + 1);
    });
    source.next(1);
    expect(seen).toEqual([1, 2, 3, 4, 5]);
    expect(scheduler.schedule).not.toHaveBeenCalled();
  });

  it('is let in what came while it emitted, though no value has left', () => {
    const scheduler = new VirtualTimeScheduler();
    const { operator, inside, out } = holding();
    const source = new Subject<string>();
    const pushed = ['b', 'c'];
    record(
      source.pipe(
        demandWindow(5, operator, { valuesIn: () => 0, scheduler }),
        tap(() => {
          source.next(pushed.shift() ?? 'd');
        }),
      ),
    );
    source.next('a');
    out.next('nothing');
    expect(inside).toEqual(['a']);
    scheduler.flush();
    expect(inside).toEqual(['a', 'b']);
  });

  it('is let in by one action of the scheduler, whatever has left, and by none after the end', () => {
    const scheduler = new VirtualTimeScheduler();
    const { operator, inside, out } = holding();
    const source = new Subject<string>();
    const { subscription } = record(source.pipe(demandWindow(2, operator, { scheduler })));
    for (const value of ['a', 'b', 'c', 'd']) source.next(value);
    out.next('a');
    out.next('b');
    expect(scheduler.actions.length).toBe(1);
    scheduler.flush();
    expect(inside).toEqual(['a', 'b', 'c', 'd']);
    out.next('c');
    expect(scheduler.actions.length).toBe(0); // nothing waits
    source.next('e');
    source.next('f');
    out.next('d');
    expect(scheduler.actions.length).toBe(1);
    const action = scheduler.actions[0];
    subscription.unsubscribe();
    expect(action?.closed).toBe(true);
  });

  it('is let in from a microtask', async () => {
    const { operator, inside, out } = holding();
    const source = new Subject<string>();
    const { subscription } = record(source.pipe(demandWindow(1, operator)));
    for (const value of ['a', 'b', 'c']) source.next(value);
    out.next('a');
    expect(inside).toEqual(['a']);
    await Promise.resolve();
    expect(inside).toEqual(['a', 'b']);
    out.next('b');
    subscription.unsubscribe();
    await Promise.resolve();
    expect(inside).toEqual(['a', 'b']);
  });

  it('may complete by itself, and never subscribe', () => {
    expect(record(of(1).pipe(demandWindow(1, () => of(2)))).log).toEqual([2, 'complete']);
  });

  it('may throw when it is called', () => {
    const throwing = (): Observable<number> => {
      throw 'oops';
    };
    expect(record(of(1).pipe(demandWindow(1, throwing))).log).toEqual([['error', 'oops']]);
  });

  it('is called for each subscription', () => {
    const source = new Subject<number>();
    const windowed = source.pipe(demandWindow(1, bufferCount(2), { bufferSize: 0, overflow: 'drop-newest' }));
    const [first, second] = [record(windowed), record(windowed)];
    source.next(1);
    source.complete();
    expect([first.log, second.log]).toEqual([
      [[1], 'complete'],
      [[1], 'complete'],
    ]);
  });

  it('is torn down, and with it the source', () => {
    const ends: string[] = [];
    const { subscription } = record(
      NEVER.pipe(
        finalize(() => ends.push('source')),
        demandWindow(
          1,
          pipe(
            delay(1),
            finalize(() => ends.push('operator')),
          ),
        ),
      ),
    );
    subscription.unsubscribe();
    expect([...ends].sort()).toEqual(['operator', 'source']);
  });

  it('may catch the overflow', () => {
    const dropped: unknown[] = [];
    const { log } = record(
      of(1, 2, 3).pipe(
        demandWindow(
          1,
          pipe(
            debounceTime(5),
            catchError((error: unknown) => of(error)),
          ),
          { bufferSize: 1, onDrop: (...args) => dropped.push(args) },
        ),
      ),
    );
    expect(log).toEqual([new BufferOverflowError('demandWindow', 'values', 1), 'complete']);
    expect(dropped).toEqual([
      [2, 'error'],
      [3, 'overflow'],
    ]);
  });

  it('may fail at once', () => {
    expect(record(throwError(() => 'oops').pipe(demandWindow(1, same<never>()))).log).toEqual([['error', 'oops']]);
  });

  it('gives the event loop its turns', async () => {
    let turns = 0;
    const counted = (async () => {
      while (turns < 3) {
        await turn();
        turns++;
      }
    })();
    await firstValueFrom(fromPull([1, 2, 3, 4, 5]).pipe(demandWindow(1, observeOn(asyncScheduler)), toArray()));
    await counted;
    expect(turns).toBe(3);
  });
});

function fromPullOf(...values: number[]) {
  return defer(() => fromPull(values));
}
