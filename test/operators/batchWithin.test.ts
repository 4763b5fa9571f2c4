import {
  concat,
  merge,
  NEVER,
  Observable,
  of,
  queueScheduler,
  range,
  Subject,
  take,
  tap,
  throwError,
  timer,
  VirtualTimeScheduler,
  type SchedulerLike,
} from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { bufferedMergeMap, BufferOverflowError, fromPull, gatedBy } from '../../src/index.js';
import { batchWithin, type BatchWithinOptions } from '../../src/operators/batchWithin.js';
import { ManualGate } from '../support/ManualGate.js';
import { marbles } from '../support/marbles.js';
import { record } from '../support/record.js';
import { collectUnhandled, reported } from '../support/unhandled.js';

const unhandled = collectUnhandled();

/** Pushes by hand, and notes what is emitted and dropped. */
function pushing<T = string>(options: BatchWithinOptions<T>, gate = new ManualGate(true)) {
  const source = new Subject<T>();
  const dropped: unknown[] = [];
  const onDrop = (value: T, reason: string) => dropped.push([value, reason]);
  const { log, subscription } = record(source.pipe(batchWithin({ onDrop, ...options }), gatedBy(gate)));
  const push = (...values: T[]) => {
    for (const value of values) source.next(value);
  };
  return { source, push, log, dropped, gate, subscription };
}

/** Opens it before those that wait have their turn. */
function openUnheard(gate: ManualGate) {
  const waiters = [...gate.waiters];
  gate.waiters.clear();
  gate.ready = true;
  for (const waiter of waiters) gate.waiters.add(waiter);
}

describe('the arguments of batchWithin', () => {
  it.each<[BatchWithinOptions<string>, Error]>([
    [{ size: 0 }, new RangeError('size must be a positive integer or Infinity, got 0')],
    [{ size: 1.5 }, new RangeError('size must be a positive integer or Infinity, got 1.5')],
    [{}, new RangeError('size or time must be finite, got Infinity for both')],
    [{ size: 5, bufferSize: 0 }, new RangeError('bufferSize must be a positive integer or Infinity, got 0')],
    [{ size: 5, bufferSize: 4 }, new RangeError('bufferSize must be at least size (5), got 4')],
    [
      { size: 5, overflow: 'drop' as never },
      new RangeError("overflow must be one of 'error', 'drop-oldest', 'drop-newest', 'drop-buffer', got 'drop'"),
    ],
    [{ size: 5, weigh: 1 as never }, new TypeError('weigh must be a function, got 1')],
    [{ size: 5, onDrop: 1 as never }, new TypeError('onDrop must be a function, got 1')],
    [{ size: 5, name: 1 as never }, new TypeError('name must be a string, got 1')],
    [
      { size: 5, scheduler: 1 as never },
      new TypeError("scheduler must have the functions 'now' and 'schedule', got 1"),
    ],
    [5 as never, new TypeError('options must be an object, got 5')],
  ])('%o are refused', (options, error) => {
    expect(() => batchWithin(options)).toThrow(error);
  });

  it.each([-1, NaN, '5'])('refuses %o as time', (time) => {
    expect(() => batchWithin({ size: 5, time: time as number })).toThrow(/^time must be a .*, got /);
  });

  it('may be at their limits', () => {
    expect(() => batchWithin({ size: 5, bufferSize: 5 })).not.toThrow();
    expect(() => batchWithin({ size: 5000 })).not.toThrow();
    expect(() => batchWithin({ size: 5, bufferSize: 1, weigh: () => 5 })).not.toThrow();
    expect(() => batchWithin({ time: 0 })).not.toThrow();
  });
});

describe('batchWithin', () => {
  it(
    'emits by size or time, whichever comes first, exactly',
    marbles((m) => {
      const source = m.hot('-a-b-c-d----e--------f-|');
      const result = '      -----x-----------y-----(z|)';
      const values = { x: ['a', 'b', 'c'], y: ['d', 'e'], z: ['f'] };
      m.expect(source.pipe(batchWithin({ size: 3, time: 10, scheduler: m.scheduler }))).toBeObservable(result, values);
      m.expect(source).toHaveSubscriptions('^----------------------!');
    }),
  );

  it(
    'counts the time from the first value of each batch anew',
    marbles((m) => {
      const source = m.hot(' ab-c------d|');
      const result = '      -x---y-----(z|)';
      m.expect(source.pipe(batchWithin({ size: 2, time: 2, scheduler: m.scheduler }))).toBeObservable(result, {
        x: ['a', 'b'],
        y: ['c'],
        z: ['d'],
      });
    }),
  );

  it(
    'with a time of 0 groups what comes at once',
    marbles((m) => {
      const source = m.hot(' (abc)-(de)---|');
      m.expect(source.pipe(batchWithin({ time: 0, scheduler: m.scheduler }))).toBeObservable('x-----y------|', {
        x: ['a', 'b', 'c'],
        y: ['d', 'e'],
      });
    }),
  );

  it('takes a scheduler that does not wait', () => {
    const { log } = record(of(1, 2).pipe(batchWithin({ size: 5, time: 0, scheduler: queueScheduler })));
    expect(log).toEqual([[1], [2], 'complete']);
  });

  it('has a timer only while values are held', () => {
    const scheduler = new VirtualTimeScheduler();
    let running = 0;
    const counting: SchedulerLike = {
      now: () => scheduler.now(),
      schedule: (work: never, delay) => {
        running++;
        const action = scheduler.schedule(work, delay);
        action.add(() => running--);
        return action;
      },
    };
    const { push, source } = pushing({ size: 2, time: 10, scheduler: counting });
    expect(running).toBe(0);
    push('a');
    expect(running).toBe(1);
    push('b');
    expect(running).toBe(0);
    push('c');
    expect(running).toBe(1);
    scheduler.flush();
    expect(running).toBe(0);
    push('d');
    source.complete();
    expect(running).toBe(0);
  });

  it.each(['error', 'unsubscribe'] as const)('cancels its timer on %s', (end) => {
    const scheduler = new VirtualTimeScheduler();
    const { push, source, subscription } = pushing({ time: 10, scheduler });
    push('a');
    const [timer] = scheduler.actions;
    expect(timer?.closed).toBe(false);
    if (end === 'error') source.error('oops');
    else subscription.unsubscribe();
    expect(timer?.closed).toBe(true);
  });

  it('needs no time', () => {
    const scheduler = { now: () => 0, schedule: vi.fn() };
    const { log } = record(range(0, 5).pipe(batchWithin({ size: 2, scheduler })));
    expect(log).toEqual([[0, 1], [2, 3], [4], 'complete']);
    expect(scheduler.schedule).not.toHaveBeenCalled();
  });

  it('schedules nothing for a batch that is full at once', () => {
    const scheduler = { now: () => 0, schedule: vi.fn() };
    record(range(0, 5).pipe(batchWithin({ size: 1, time: 1, scheduler })));
    expect(scheduler.schedule).not.toHaveBeenCalled();
  });

  describe('by weight', () => {
    const batchesOf = (size: number, weights: number[]) =>
      record(of(...weights).pipe(batchWithin({ size, weigh: (weight) => weight }))).log;

    it('fills up to size, and leaves out what would be too much', () => {
      expect(batchesOf(5, [2, 3, 4, 2, 3])).toEqual([[2, 3], [4], [2, 3], 'complete']);
    });

    it('gives what is too heavy a batch of its own', () => {
      expect(batchesOf(5, [1, 9, 1, 5, 1])).toEqual([[1], [9], [1], [5], [1], 'complete']);
    });

    it('takes what weighs nothing along', () => {
      expect(batchesOf(2, [0, 0, 1, 0, 1, 0])).toEqual([[0, 0, 1, 0, 1], [0], 'complete']);
    });

    it('lets no batch have more values than may be held', () => {
      const { log } = record(range(0, 2500).pipe(batchWithin({ size: 5, weigh: () => 0 })));
      expect(log.map((batch) => (batch as unknown[]).length)).toEqual([1000, 1000, 500, 8]);
    });

    it.each([-1, NaN, '1'])('errors when told that something weighs %o', (weight) => {
      const { log, dropped, push } = pushing({ size: 5, weigh: (value) => (value === 'b' ? (weight as number) : 1) });
      push('a', 'b', 'c');
      const shown = typeof weight === 'string' ? `'${weight}'` : String(weight);
      expect(log).toEqual([['error', new RangeError(`weigh must give a non-negative number, got ${shown}`)]]);
      expect(dropped).toEqual([
        ['a', 'error'],
        ['b', 'error'],
      ]);
    });

    it('passes on what weigh throws', () => {
      const { log, dropped, push } = pushing({
        size: 5,
        weigh: () => {
          throw 'oops';
        },
      });
      push('a');
      expect(log).toEqual([['error', 'oops']]);
      expect(dropped).toEqual([['a', 'error']]);
    });

    it('loses nothing when it is unsubscribed within weigh', () => {
      const { dropped, push, subscription } = pushing({
        size: 5,
        weigh: (value) => {
          if (value === 'b') subscription.unsubscribe();
          return 1;
        },
      });
      push('a', 'b');
      expect(dropped).toEqual([
        ['a', 'unsubscribe'],
        ['b', 'unsubscribe'],
      ]);
    });
  });

  describe('above a consumer that is full', () => {
    it('lets one full batch wait, and asks a source that can wait for no more', () => {
      const gate = new ManualGate();
      let pulled = 0;
      const values = function* () {
        while (pulled < 9) yield ++pulled;
      };
      const { log } = record(
        fromPull(values).pipe(
          batchWithin({ size: 2, time: 10 }),
          gatedBy(gate),
          tap(() => (gate.ready = false)),
        ),
      );
      const steps: unknown[] = [];
      for (let i = 0; i < 6; i++) {
        steps.push([pulled, ...log.splice(0)]);
        gate.ready = true;
      }
      expect(steps).toEqual([[2], [4, [1, 2]], [6, [3, 4]], [8, [5, 6]], [9, [7, 8]], [9, [9], 'complete']]);
      expect(gate.waiters.size).toBe(0);
    });

    it('lets a batch grow whose time is up', () => {
      const scheduler = new VirtualTimeScheduler();
      const { push, log, gate } = pushing({ size: 3, time: 5, scheduler }, new ManualGate());
      push('a');
      scheduler.flush();
      expect(gate.waiters.size).toBe(1);
      push('b');
      gate.ready = true;
      expect(log).toEqual([['a', 'b']]);
      push('c');
      scheduler.flush();
      expect(log).toEqual([['a', 'b'], ['c']]);
    });

    it('counts anew after a batch whose time was up has filled', () => {
      const scheduler = new VirtualTimeScheduler();
      const { push, log, gate } = pushing({ size: 2, time: 5, scheduler }, new ManualGate());
      push('a');
      scheduler.flush();
      push('b', 'c');
      gate.ready = true;
      expect(log).toEqual([['a', 'b']]);
      scheduler.flush();
      expect(log).toEqual([['a', 'b'], ['c']]);
    });

    it('goes on collecting while the open batch is neither full nor due', () => {
      const gate = new ManualGate();
      const values = new Subject<number>();
      const pulled: number[] = [];
      record(
        merge(values, fromPull([1, 2, 3]).pipe(tap((value) => pulled.push(value)))).pipe(
          batchWithin({ size: 5 }),
          gatedBy(gate),
        ),
      );
      expect(pulled).toEqual([1, 2, 3]);
      expect(gate.waiters.size).toBe(0);
    });

    it('completes after what waits', () => {
      const { push, source, log, gate } = pushing({ size: 2, time: 5 }, new ManualGate());
      push('a', 'b', 'c');
      source.complete();
      expect(log).toEqual([]);
      gate.pass();
      expect(log).toEqual([['a', 'b'], ['c'], 'complete']);
      expect(gate.waiters.size).toBe(0);
    });

    it('completes at once when nothing is held, though the gate is closed', () => {
      const { source, log } = pushing({ size: 2 }, new ManualGate());
      source.complete();
      expect(log).toEqual(['complete']);
    });

    it.each([
      [
        'error',
        ['a', 'b', 'c'],
        [
          ['d', 'overflow'],
          ['a', 'error'],
          ['b', 'error'],
          ['c', 'error'],
        ],
      ],
      ['drop-oldest', [['b'], ['c', 'd']], [['a', 'overflow']]],
      ['drop-newest', [['a', 'b'], ['c']], [['d', 'overflow']]],
      [
        'drop-buffer',
        [['d']],
        [
          ['a', 'overflow'],
          ['b', 'overflow'],
          ['c', 'overflow'],
        ],
      ],
    ] as const)('bounds what a source brings that cannot wait: %s', (overflow, passes, drops) => {
      const { push, source, log, dropped, gate } = pushing(
        { size: 2, bufferSize: 3, overflow, name: 'rows' },
        new ManualGate(),
      );
      push('a', 'b', 'c', 'd');
      expect([...dropped].sort()).toEqual([...drops].sort());
      if (overflow === 'error')
        expect(log).toEqual([['error', new BufferOverflowError("batchWithin 'rows'", 'values', 3)]]);
      else {
        source.complete();
        gate.ready = true;
        expect(log).toEqual([...passes, 'complete']);
      }
    });

    it('takes what such a source brings once it is asked, however much that is', () => {
      const gate = new ManualGate();
      const { log } = record(
        concat(fromPull([1, 2, 3, 4]), range(5, 100)).pipe(batchWithin({ size: 2, bufferSize: 2 }), gatedBy(gate)),
      );
      gate.ready = true;
      expect(log).toHaveLength(53);
      expect(log.flat()).toEqual([...Array.from({ length: 104 }, (_, i) => i + 1), 'complete']);
    });

    it('asks again when the buffer was dropped', () => {
      const gate = new ManualGate();
      const values = new Subject<number>();
      const pulled: number[] = [];
      record(
        merge(values, fromPull([1, 2, 3]).pipe(tap((value) => pulled.push(value)))).pipe(
          batchWithin({ size: 2, bufferSize: 2, overflow: 'drop-buffer' }),
          gatedBy(gate),
        ),
      );
      expect(pulled).toEqual([1, 2]);
      values.next(0);
      expect(pulled).toEqual([1, 2, 3]);
    });

    it('makes what onDrop throws its error', () => {
      const { push, log } = pushing(
        {
          size: 1,
          bufferSize: 1,
          overflow: 'drop-newest',
          onDrop: (_, reason) => {
            if (reason === 'overflow') throw 'oops';
          },
        },
        new ManualGate(),
      );
      push('a', 'b');
      expect(log).toEqual([['error', 'oops']]);
    });

    it('keeps no place below when it has emitted before its turn', () => {
      const { push, log, gate } = pushing({ size: 2 }, new ManualGate());
      push('a', 'b');
      openUnheard(gate);
      push('c', 'd', 'e');
      expect(log).toEqual([
        ['a', 'b'],
        ['c', 'd'],
      ]);
      expect(gate.waiters.size).toBe(0);
    });

    it('emits a full batch before its turn when it sees the gate open, though the next has begun', () => {
      const { push, log, gate } = pushing({ size: 3 }, new ManualGate());
      push('a', 'b', 'c', 'd');
      openUnheard(gate);
      push('e');
      expect(log).toEqual([['a', 'b', 'c']]);
      expect(gate.waiters.size).toBe(0);
    });

    it('has no timer any more when the source has completed, though the last batch waits', () => {
      const scheduler = new VirtualTimeScheduler();
      const { push, source, log, gate } = pushing({ size: 2, time: 10, scheduler }, new ManualGate());
      push('a');
      const [timer] = scheduler.actions;
      expect(timer?.closed).toBe(false);
      source.complete();
      expect(timer?.closed).toBe(true);
      expect(scheduler.actions.filter(({ closed }) => !closed)).toEqual([]);
      gate.ready = true;
      expect(log).toEqual([['a'], 'complete']);
    });

    it('keeps no place below once it has ended', () => {
      const { push, source, log, gate } = pushing({ size: 2 }, new ManualGate());
      push('a', 'b');
      expect(gate.waiters.size).toBe(1);
      source.error('end');
      expect(log).toEqual([['error', 'end']]);
      expect(gate.waiters.size).toBe(0);
    });
  });

  it('errors at once, and hands over what it holds', () => {
    const { push, source, log, dropped } = pushing({ size: 2, time: 5 }, new ManualGate());
    push('a', 'b', 'c');
    source.error('oops');
    expect(log).toEqual([['error', 'oops']]);
    expect(dropped).toEqual([
      ['a', 'error'],
      ['b', 'error'],
      ['c', 'error'],
    ]);
  });

  it('hands over what it holds when it is unsubscribed, after the source was told', () => {
    const { push, source, dropped, subscription, gate } = pushing(
      { size: 2, time: 5, onDrop: (value, reason) => dropped.push([value, reason, source.observed]) },
      new ManualGate(),
    );
    push('a', 'b', 'c');
    subscription.unsubscribe();
    expect(dropped).toEqual([
      ['a', 'unsubscribe', false],
      ['b', 'unsubscribe', false],
      ['c', 'unsubscribe', false],
    ]);
    expect(gate.waiters.size).toBe(0);
  });

  it('reports what onDrop throws after the end, and goes on', async () => {
    const seen: string[] = [];
    const { push, subscription } = pushing({
      size: 5,
      onDrop: (value) => {
        seen.push(value);
        if (value === 'a') throw 'oops';
      },
    });
    push('a', 'b');
    subscription.unsubscribe();
    expect(seen).toEqual(['a', 'b']);
    expect(await reported(unhandled)).toBe('oops');
  });

  it('emits nothing more when it is unsubscribed in next', () => {
    const gate = new ManualGate();
    const source = new Subject<string>();
    const seen: string[][] = [];
    const dropped: string[] = [];
    const subscription = source
      .pipe(batchWithin({ size: 1, onDrop: (value) => dropped.push(value) }), gatedBy(gate))
      .subscribe((batch) => {
        seen.push(batch);
        subscription.unsubscribe();
      });
    source.next('a');
    source.next('b');
    gate.ready = true;
    expect(seen).toEqual([['a']]);
    expect(dropped).toEqual(['b']);
    expect(gate.waiters.size).toBe(0);
  });

  it('takes what comes while a batch is emitted, and its end', () => {
    const source = new Subject<number>();
    const log: unknown[] = [];
    source.pipe(batchWithin({ size: 2 })).subscribe({
      next: (batch) => {
        log.push(batch);
        if (batch[0] === 0) {
          for (let i = 2; i < 7; i++) source.next(i);
          source.complete();
        }
        log.push('done');
      },
      complete: () => log.push('complete'),
    });
    source.next(0);
    source.next(1);
    expect(log).toEqual([[0, 1], 'done', [2, 3], 'done', [4, 5], 'done', [6], 'done', 'complete']);
  });

  it('does not grow the stack with a consumer that pushes into the source', () => {
    const source = new Subject<number>();
    let last = 0;
    source.pipe(batchWithin({ size: 1 })).subscribe(([value = 0]) => {
      last = value;
      if (value < 100_000) source.next(value + 1);
    });
    source.next(1);
    expect(last).toBe(100_000);
  });

  it('batches a million values, also over a source that can wait', () => {
    let sum = 0;
    const add = (batch: number[]) => (sum += batch.length);
    range(0, 1_000_000)
      .pipe(batchWithin({ size: 7, time: 1000 }))
      .subscribe(add);
    expect(sum).toBe(1_000_000);
    fromPull(
      (function* () {
        for (let i = 0; i < 1_000_000; i++) yield i;
      })(),
      { slice: Infinity },
    )
      .pipe(batchWithin({ size: 7, time: 1000 }))
      .subscribe(add);
    expect(sum).toBe(2_000_000);
  });

  it('keeps batches for two subscribers apart', () => {
    const source = new Subject<number>();
    const batches = source.pipe(batchWithin({ size: 2 }));
    const first = record(batches);
    source.next(1);
    const second = record(batches);
    source.next(2);
    source.next(3);
    expect([first.log, second.log]).toEqual([[[1, 2]], [[2, 3]]]);
  });

  it('makes an error of its scheduler its own', () => {
    const scheduler = {
      now: () => 0,
      schedule: () => {
        throw 'no time';
      },
    };
    const { push, log, dropped } = pushing({ time: 5, scheduler });
    push('a');
    expect(log).toEqual([['error', 'no time']]);
    expect(dropped).toEqual([['a', 'error']]);
  });

  it('is paced by slow work below', () => {
    const scheduler = new VirtualTimeScheduler();
    const running = { now: 0, most: 0, pulled: 0, ahead: 0, done: 0 };
    fromPull(
      (function* () {
        while (running.pulled < 100) yield ++running.pulled;
      })(),
      { slice: Infinity }, // a turn of the event loop would end the flush
    )
      .pipe(
        batchWithin({ size: 10, time: 5, scheduler }),
        bufferedMergeMap(
          (batch) => {
            running.most = Math.max(running.most, ++running.now);
            running.ahead = Math.max(running.ahead, running.pulled - running.done);
            return timer(20, scheduler).pipe(
              tap(() => {
                running.now--;
                running.done += batch.length;
              }),
            );
          },
          { concurrent: 1, highWaterMark: 0 },
        ),
      )
      .subscribe();
    scheduler.flush();
    expect(running).toMatchObject({ most: 1, done: 100, pulled: 100 });
    expect(running.ahead).toBeLessThanOrEqual(20);
  });

  it('starts its timer anew with every subscription, also after retry', () => {
    const scheduler = new VirtualTimeScheduler();
    const { log } = record(
      concat(
        of('a'),
        throwError(() => 'oops'),
      ).pipe(batchWithin({ size: 2, time: 5, scheduler })),
    );
    expect(log).toEqual([['error', 'oops']]);
    const again = record(concat(of('a'), NEVER).pipe(batchWithin({ size: 2, time: 5, scheduler }), take(1)));
    scheduler.flush();
    expect(again.log).toEqual([['a'], 'complete']);
  });

  it('lets a value that comes late start a batch though the one before is due', () => {
    const seen: unknown[] = [];
    new Observable<number>((subscriber) => {
      subscriber.next(1);
      subscriber.next(2);
      subscriber.complete();
      subscriber.next(3);
    })
      .pipe(batchWithin({ size: 2, time: 1 }))
      .subscribe((batch) => seen.push(batch));
    expect(seen).toEqual([[1, 2]]);
  });
});
