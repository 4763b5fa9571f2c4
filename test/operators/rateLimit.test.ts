import { concat, finalize, NEVER, Observable, of, range, Subject, take, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { BufferOverflowError, fromPull, gatedBy } from '../../src/index.js';
import { PermitCostError } from '../../src/errors/PermitCostError.js';
import { RateLimitError } from '../../src/errors/RateLimitError.js';
import type { PermitAnswer } from '../../src/internal/limiter/LimitSettings.js';
import { operate } from '../../src/internal/operate.js';
import { rateLimit, type RateLimitLineOptions, type RateLimitOptions } from '../../src/operators/rateLimit.js';
import { createRateLimiter } from '../../src/resources/createRateLimiter.js';
import { ManualGate } from '../support/ManualGate.js';
import { marbles } from '../support/marbles.js';
import { record } from '../support/record.js';
import { collectUnhandled, reported } from '../support/unhandled.js';

const unhandled = collectUnhandled();

const throwsAtTheEnd = finalize<string>(() => {
  throw new Error('teardown');
});

/** Pushes by hand in virtual time, and notes what is emitted, when, and what is dropped. */
function pushing(options: Partial<RateLimitOptions<string>> = {}, gate?: ManualGate) {
  const scheduler = new VirtualTimeScheduler();
  const source = new Subject<string>();
  const dropped: unknown[] = [];
  const log: unknown[] = [];
  const onDrop = (value: string, reason: string) => dropped.push([value, reason]);
  const limited = source.pipe(rateLimit({ limit: 2, interval: 10, scheduler, onDrop, ...options }));
  const subscription = (gate ? limited.pipe(gatedBy(gate)) : limited).subscribe({
    next: (value) => log.push(`${value}@${String(scheduler.frame)}`),
    error: (error: unknown) => log.push(error),
    complete: () => log.push(`complete@${String(scheduler.frame)}`),
  });
  const push = (...values: string[]) => {
    for (const value of values) source.next(value);
  };
  const at = (frame: number, act: () => void) => scheduler.schedule(act, frame);
  return { scheduler, source, push, at, log, dropped, subscription };
}

const timersOf = (scheduler: VirtualTimeScheduler) => scheduler.actions.filter(({ closed }) => !closed).length;

describe('the arguments of rateLimit', () => {
  const limit = { limit: 2, interval: 10 };
  it.each<[Partial<RateLimitOptions<string>>, Error]>([
    [{ limit: 0, interval: 10 }, new RangeError('limit must be a positive integer, got 0')],
    [{ interval: 10 }, new RangeError('limit must be a positive integer, got undefined')],
    [{ limit: 2, interval: 0 }, new RangeError('interval must be a positive number of milliseconds, got 0')],
    [
      { limit: 2, interval: Infinity },
      new RangeError('interval must be a positive number of milliseconds, got Infinity'),
    ],
    [{ limit: 2 }, new RangeError('interval must be a positive number of milliseconds, got undefined')],
    [
      { ...limit, algorithm: 'gcra' as never },
      new RangeError("algorithm must be one of 'sliding-window', 'token-bucket', 'spaced', 'fixed-window', got 'gcra'"),
    ],
    [
      { ...limit, burst: 3 },
      new TypeError("burst is an option of the algorithm 'token-bucket', not of 'sliding-window'"),
    ],
    [{ ...limit, algorithm: 'token-bucket', burst: 0 }, new RangeError('burst must be a positive integer, got 0')],
    [{ ...limit, mode: 'wait' as never }, new RangeError("mode must be one of 'shape', 'enforce', 'drop', got 'wait'")],
    [{ ...limit, cost: -1 }, new RangeError('cost must be a non-negative integer, got -1')],
    [{ ...limit, cost: 0.5 }, new RangeError('cost must be a non-negative integer, got 0.5')],
    [{ ...limit, cost: 3 }, new RangeError('cost must be at most 2, the permits that there can be, got 3')],
    [{ ...limit, bufferSize: 0 }, new RangeError('bufferSize must be a positive integer or Infinity, got 0')],
    [
      { ...limit, bufferSize: 5, highWaterMark: 6 },
      new RangeError('highWaterMark must be at most bufferSize (5), got 6'),
    ],
    [
      { ...limit, overflow: 'drop' as never },
      new RangeError("overflow must be one of 'error', 'drop-oldest', 'drop-newest', 'drop-buffer', got 'drop'"),
    ],
    [{ ...limit, key: 1 as never }, new TypeError('key must be a function, got 1')],
    [{ ...limit, onDrop: 1 as never }, new TypeError('onDrop must be a function, got 1')],
    [{ ...limit, name: 1 as never }, new TypeError('name must be a string, got 1')],
    [
      { ...limit, scheduler: 1 as never },
      new TypeError("scheduler must have the functions 'now' and 'schedule', got 1"),
    ],
    [5 as never, new TypeError('options must be an object, got 5')],
  ])('%o are refused', (options, error) => {
    expect(() => rateLimit(options as RateLimitOptions<string>)).toThrow(error);
  });

  it('are refused beside a limiter too', () => {
    const limiter = createRateLimiter({ limit: 2, interval: 10 });
    expect(() => rateLimit(limiter, { cost: 3 })).toThrow(RangeError);
    expect(() => rateLimit(limiter, 5 as never)).toThrow(TypeError);
  });

  it('may be at their limits', () => {
    expect(() => rateLimit({ limit: 1, interval: 0.5, bufferSize: 1, cost: 1 })).not.toThrow();
    expect(() => rateLimit({ limit: 1, interval: 1e12, cost: 0 })).not.toThrow();
    expect(() => rateLimit({ limit: 1, interval: 1, algorithm: 'token-bucket', burst: 5, cost: 5 })).not.toThrow();
  });
});

describe('rateLimit', () => {
  it(
    "'sliding-window': a permit taken at t is free again at t + interval exactly",
    marbles((m) => {
      const source = m.hot('-abcd------------e|');
      const result = '      -ab--------cd--------(e|)';
      m.expect(source.pipe(rateLimit({ limit: 2, interval: 10, scheduler: m.scheduler }))).toBeObservable(result);
    }),
  );

  it(
    "'spaced': one after the other, evenly, and none is saved up",
    marbles((m) => {
      const source = m.hot('(abc)----------------(de)|');
      const result = '      a----b----c----------d----(e|)';
      m.expect(
        source.pipe(rateLimit({ limit: 2, interval: 10, algorithm: 'spaced', scheduler: m.scheduler })),
      ).toBeObservable(result);
    }),
  );

  it(
    "'token-bucket': what was saved up at once, then evenly",
    marbles((m) => {
      const source = m.hot('(abcde)------------------------(fg)|');
      const result = '      (abc)d----e--------------------(fg)|';
      m.expect(
        source.pipe(rateLimit({ limit: 2, interval: 10, burst: 3, algorithm: 'token-bucket', scheduler: m.scheduler })),
      ).toBeObservable(result);
    }),
  );

  it(
    "'fixed-window': from the first permit on, as many as the limit",
    marbles((m) => {
      const source = m.hot('--a------bcd|');
      const result = '      --a------b--(cd|)';
      m.expect(
        source.pipe(rateLimit({ limit: 2, interval: 10, algorithm: 'fixed-window', scheduler: m.scheduler })),
      ).toBeObservable(result);
    }),
  );

  it(
    'an error jumps what waits, and unsubscription stops it',
    marbles((m) => {
      const limit = rateLimit<string>({ limit: 1, interval: 5, scheduler: m.scheduler });
      const failing = m.hot('ab-#');
      m.expect(failing.pipe(limit)).toBeObservable('        a--#');
      const source = m.hot('  abc----');
      m.expect(source.pipe(limit), '------!').toBeObservable('a----b-');
      m.expect(source).toHaveSubscriptions('                   ^-----!');
    }),
  );

  it('passes at once what has a permit, without a timer', () => {
    const scheduler = { now: () => 0, schedule: vi.fn() };
    const { log } = record(of(1, 2).pipe(rateLimit({ limit: 2, interval: 10, scheduler })));
    expect(log).toEqual([1, 2, 'complete']);
    expect(scheduler.schedule).not.toHaveBeenCalled();
  });

  it('has one timer, however many wait, and none when it is unsubscribed', () => {
    const { push, scheduler, subscription, dropped } = pushing();
    push('a', 'b', 'c', 'd', 'e');
    expect(timersOf(scheduler)).toBe(1);
    subscription.unsubscribe();
    expect(timersOf(scheduler)).toBe(0);
    expect(dropped).toEqual(['c', 'd', 'e'].map((value) => [value, 'unsubscribe']));
  });

  it('has no timer left when it fails', () => {
    const { push, scheduler, source, log, dropped } = pushing();
    push('a', 'b', 'c');
    source.error('oops');
    expect(timersOf(scheduler)).toBe(0);
    expect(log).toEqual(['a@0', 'b@0', 'oops']);
    expect(dropped).toEqual([['c', 'error']]);
  });

  it('completes at once where nothing waits, and after what waits else', () => {
    const { push, scheduler, source, log } = pushing();
    push('a', 'b', 'c', 'd', 'e');
    source.complete();
    scheduler.flush();
    expect(log).toEqual(['a@0', 'b@0', 'c@10', 'd@10', 'e@20', 'complete@20']);
  });

  it('gives each subscription a limit of its own', () => {
    const scheduler = new VirtualTimeScheduler();
    const limited = of('a').pipe(rateLimit({ limit: 1, interval: 10, scheduler }));
    expect([record(limited).log, record(limited).log]).toEqual([
      ['a', 'complete'],
      ['a', 'complete'],
    ]);
  });

  it('lets a million values through, and a million wait', () => {
    const scheduler = new VirtualTimeScheduler(undefined, Infinity);
    let seen = 0;
    range(0, 1_000_000)
      .pipe(rateLimit({ limit: 1_000_000, interval: 10, scheduler }))
      .subscribe(() => seen++);
    expect(seen).toBe(1_000_000);
    range(0, 1_000_000)
      .pipe(rateLimit({ limit: 500_000, interval: 10, bufferSize: Infinity, scheduler }))
      .subscribe(() => seen++);
    expect(seen).toBe(1_500_000);
    scheduler.flush();
    expect(seen).toBe(2_000_000);
    expect(scheduler.frame).toBe(10);
  });

  it('reads the time anew for each value: what a slow consumer takes is not saved up', () => {
    let now = 0;
    let ring = () => {};
    const scheduler = {
      now: () => now,
      schedule: (work: unknown) => {
        ring = work as () => void;
        return NEVER.subscribe();
      },
    } as never;
    const times: number[] = [];
    const source = new Subject<string>();
    source.pipe(rateLimit({ limit: 2, interval: 10, scheduler })).subscribe(() => {
      times.push(now);
      now += 4;
    });
    for (const value of ['a', 'b', 'c', 'd', 'e', 'f']) source.next(value);
    for (let i = 0; i < 50; i++) {
      now += 1;
      ring();
    }
    expect(times).toHaveLength(6);
    for (const from of times) expect(times.filter((at) => at >= from && at < from + 10).length).toBeLessThanOrEqual(2);
  });

  describe('by cost', () => {
    it('counts as many permits as a value costs, and lets nobody overtake a large one (trap: starved large costs)', () => {
      const { push, at, scheduler, log } = pushing({ limit: 4, cost: (value) => value.charCodeAt(0) - 96 });
      push('c'); // 3 of 4
      push('d', 'a', 'a'); // d waits for all 4; each a could go
      at(4, () => {
        push('a');
      });
      scheduler.flush();
      expect(log).toEqual(['c@0', 'd@10', 'a@20', 'a@20', 'a@20']);
    });

    it('lets pass what costs nothing, but not before those that wait', () => {
      const { push, scheduler, log } = pushing({ limit: 1, cost: (value) => (value === '0' ? 0 : 1) });
      push('0', 'a', '0', 'b', '0');
      scheduler.flush();
      expect(log).toEqual(['0@0', 'a@0', '0@0', 'b@10', '0@10']);
    });

    it('fails at once when a value costs more than there can ever be, and not by waiting for ever', () => {
      const { push, log, dropped } = pushing({ cost: (value) => value.length, name: 'api' });
      push('a', 'bb', 'ccc');
      expect(log).toEqual(['a@0', new PermitCostError("rateLimit 'api'", 3, 2)]);
      expect(dropped).toEqual([
        ['bb', 'error'],
        ['ccc', 'error'],
      ]);
    });

    it.each([-1, 0.5, NaN, '1'])('fails when told that a value costs %o', (cost) => {
      const { push, log, dropped } = pushing({ cost: () => cost as number });
      push('a');
      const shown = typeof cost === 'string' ? `'${cost}'` : String(cost);
      expect(log).toEqual([new RangeError(`cost must be a non-negative integer, got ${shown}`)]);
      expect(dropped).toEqual([['a', 'error']]);
    });

    it.each(['cost', 'key'] as const)('passes on what %s throws', (name) => {
      const { push, log, dropped } = pushing({
        [name]: () => {
          throw 'oops';
        },
      });
      push('a');
      expect(log).toEqual(['oops']);
      expect(dropped).toEqual([['a', 'error']]);
    });

    it('loses nothing when it is unsubscribed within cost', () => {
      const { push, dropped, subscription } = pushing({
        limit: 1,
        cost: (value) => {
          if (value === 'c') subscription.unsubscribe();
          return 1;
        },
      });
      push('a', 'b', 'c');
      expect(dropped).toEqual([
        ['b', 'unsubscribe'],
        ['c', 'unsubscribe'],
      ]);
    });
  });

  describe('by key', () => {
    const key = (value: string) => value[0];

    it('gives each key a limit and an order of its own: one that waits does not hold up the others', () => {
      const { push, scheduler, log } = pushing({ limit: 1, key });
      push('a1', 'a2', 'b1', 'a3', 'b2');
      scheduler.flush();
      expect(log).toEqual(['a1@0', 'b1@0', 'a2@10', 'b2@10', 'a3@20']);
    });

    it('does not forget a key while a value of it is emitted, though its permits cost nothing', () => {
      const gate = new ManualGate();
      const { push, log } = pushing({ cost: 0, key }, gate);
      push('a1', 'a2', 'a3');
      gate.ready = true;
      expect(log).toEqual(['a1@0', 'a2@0', 'a3@0']);
    });

    it('has one timer for all keys', () => {
      const { push, scheduler, subscription } = pushing({ limit: 1, key });
      for (const name of 'abcdefgh') push(`${name}1`, `${name}2`);
      expect(timersOf(scheduler)).toBe(1);
      subscription.unsubscribe();
      expect(timersOf(scheduler)).toBe(0);
    });

    it('bounds all that waits together, and drops the oldest of all', () => {
      const { push, scheduler, log, dropped } = pushing({ limit: 1, key, bufferSize: 2, overflow: 'drop-oldest' });
      push('a1', 'a2', 'b1', 'b2', 'b3');
      expect(dropped).toEqual([['a2', 'overflow']]);
      scheduler.flush();
      expect(log).toEqual(['a1@0', 'b1@0', 'b2@10', 'b3@20']);
    });

    it('asks for a hundred values, so that those of other keys can come', () => {
      const scheduler = new VirtualTimeScheduler();
      let pulled = 0;
      const values = function* () {
        for (; pulled < 1000; pulled++) yield `a${String(pulled)}`;
      };
      const subscription = fromPull(values(), { slice: Infinity })
        .pipe(rateLimit({ limit: 1, interval: 10, key, scheduler }))
        .subscribe();
      expect(pulled).toBe(100);
      subscription.unsubscribe();
    });
  });

  describe('the line', () => {
    it.each([
      ['drop-oldest', ['a@0', 'd@10', 'e@20'], ['b', 'c']],
      ['drop-newest', ['a@0', 'b@10', 'c@20'], ['d', 'e']],
      ['drop-buffer', ['a@0', 'd@10', 'e@20'], ['b', 'c']],
    ] as const)('is bounded: %s', (overflow, emitted, gone) => {
      const { push, scheduler, log, dropped } = pushing({ limit: 1, bufferSize: 2, overflow });
      push('a', 'b', 'c', 'd', 'e');
      scheduler.flush();
      expect(log).toEqual(emitted);
      expect(dropped).toEqual(gone.map((value) => [value, 'overflow']));
    });

    it('is bounded: error, and says who was full', () => {
      const { push, log, dropped } = pushing({ limit: 1, bufferSize: 2, name: 'api' });
      push('a', 'b', 'c', 'd');
      expect(log).toEqual(['a@0', new BufferOverflowError("rateLimit 'api'", 'values', 2)]);
      expect(dropped).toEqual([
        ['b', 'error'],
        ['c', 'error'],
        ['d', 'overflow'],
      ]);
    });

    it('forgets a large cost that gave way: the next goes when its own permits are free', () => {
      const { push, at, scheduler, log } = pushing({
        limit: 4,
        cost: Number,
        bufferSize: 1,
        overflow: 'drop-oldest',
      });
      push('1');
      at(5, () => {
        push('1', '4');
      });
      at(6, () => {
        push('2');
      });
      scheduler.flush();
      expect(log).toEqual(['1@0', '1@5', '2@6']);
    });

    it('passes on what onDrop throws', () => {
      const { push, log } = pushing({
        limit: 1,
        bufferSize: 1,
        overflow: 'drop-newest',
        onDrop: (_, reason) => {
          if (reason === 'overflow') throw 'oops';
        },
      });
      push('a', 'b', 'c');
      expect(log).toEqual(['a@0', 'oops']);
    });

    it('reports what onDrop throws after the end', async () => {
      const { push, subscription } = pushing({
        limit: 1,
        onDrop: () => {
          throw 'oops';
        },
      });
      push('a', 'b');
      subscription.unsubscribe();
      expect(await reported(unhandled)).toBe('oops');
    });
  });

  describe("mode 'enforce'", () => {
    it('fails with the time after which it is worth to try again', () => {
      const { push, at, scheduler, log, dropped } = pushing({ mode: 'enforce', name: 'api' });
      push('a');
      at(3, () => {
        push('b', 'c');
      });
      scheduler.flush();
      expect(log).toEqual(['a@0', 'b@3', new RateLimitError("rateLimit 'api'", 7)]);
      expect(log[2]).toMatchObject({ where: "rateLimit 'api'", retryAfter: 7 });
      expect(dropped).toEqual([['c', 'error']]);
      expect(timersOf(scheduler)).toBe(0);
    });

    it('is refused at once while others wait for the same limit', () => {
      const scheduler = new VirtualTimeScheduler();
      const limiter = createRateLimiter({ limit: 3, interval: 10, scheduler });
      limiter.tryAcquire({ cost: 2 });
      void limiter.acquire({ cost: 3 });
      const { log } = record(of('a').pipe(rateLimit(limiter, { mode: 'enforce' })));
      expect(log).toEqual([['error', new RateLimitError('rateLimit', 10)]]);
      expect(limiter.statistics()).toMatchObject({ waiting: 1, refused: 1, taken: 2 });
    });
  });

  it("mode 'drop' drops what has no permit, and has no timer", () => {
    const { push, at, scheduler, log, dropped } = pushing({ mode: 'drop' });
    push('a', 'b', 'c', 'd');
    expect(timersOf(scheduler)).toBe(0);
    at(10, () => {
      push('e');
    });
    scheduler.flush();
    expect(log).toEqual(['a@0', 'b@0', 'e@10']);
    expect(dropped).toEqual([
      ['c', 'rate-limit'],
      ['d', 'rate-limit'],
    ]);
  });

  it("mode 'drop' passes on what onDrop throws", () => {
    const { push, log } = pushing({
      limit: 1,
      mode: 'drop',
      onDrop: () => {
        throw 'oops';
      },
    });
    push('a', 'b');
    expect(log).toEqual(['a@0', 'oops']);
  });

  describe('above a consumer that is full', () => {
    it.each(['shape', 'enforce', 'drop'] as const)('takes no permit for it, mode %s', (mode) => {
      const gate = new ManualGate();
      const { push, at, scheduler, log } = pushing({ limit: 1, mode }, gate);
      push('a', 'b');
      at(100, () => {
        gate.pass();
      });
      at(105, () => {
        gate.ready = true;
      });
      scheduler.flush();
      if (mode === 'shape') expect(log).toEqual(['a@100', 'b@110']);
      else if (mode === 'drop') expect(log).toEqual(['a@100']);
      else expect(log).toEqual(['a@100', new RateLimitError('rateLimit', 10)]);
    });

    it.each(['enforce', 'drop'] as const)('refuses nothing, also where others wait for permits, mode %s', (mode) => {
      const scheduler = new VirtualTimeScheduler();
      const limiter = createRateLimiter({ limit: 1, interval: 10, scheduler });
      const gate = new ManualGate();
      const source = new Subject<string>();
      const { log } = record(source.pipe(rateLimit(limiter, { mode }), gatedBy(gate)));
      limiter.tryAcquire();
      record(of('waits').pipe(rateLimit(limiter)));
      source.next('a');
      expect([log, limiter.statistics().refused]).toEqual([[], 0]);
      scheduler.flush();
      scheduler.schedule(() => {
        gate.ready = true;
      }, 10);
      scheduler.flush();
      expect(log).toEqual(['a']);
    });

    it('lets others have the permits that it cannot use', () => {
      const scheduler = new VirtualTimeScheduler();
      const limiter = createRateLimiter({ limit: 1, interval: 10, scheduler });
      const gate = new ManualGate(true);
      const log: string[] = [];
      const [full, free] = ['full', 'free'].map((name) => {
        const source = new Subject<string>();
        const limited = source.pipe(rateLimit(limiter));
        const seen = (value: string) => log.push(`${name} ${value}@${String(scheduler.frame)}`);
        (name === 'full' ? limited.pipe(gatedBy(gate)) : limited).subscribe(seen);
        return source;
      });
      full?.next('a');
      full?.next('b');
      full?.next('c');
      gate.ready = false;
      free?.next('d');
      free?.next('e');
      scheduler.schedule(() => {
        gate.ready = true;
      }, 25);
      scheduler.flush();
      expect(log).toEqual(['full a@0', 'free d@10', 'free e@20', 'full b@30', 'full c@40']);
      expect(gate.waiters.size).toBe(0);
    });

    it('reads one value ahead, and no more, and none while the consumer is full', () => {
      const scheduler = new VirtualTimeScheduler();
      const gate = new ManualGate();
      let pulled = 0;
      const values = function* () {
        while (pulled < 9) yield ++pulled;
      };
      const { log, subscription } = record(
        fromPull(values(), { slice: Infinity }).pipe(rateLimit({ limit: 2, interval: 10, scheduler }), gatedBy(gate)),
      );
      expect(pulled).toBe(0);
      gate.ready = true;
      expect([log, pulled]).toEqual([[1, 2], 3]);
      scheduler.maxFrames = 10;
      scheduler.flush();
      expect([log, pulled]).toEqual([[1, 2, 3, 4], 5]);
      subscription.unsubscribe();
      expect(gate.waiters.size).toBe(0);
    });

    it('leaves the gate below when what waited there gave way, and is not held by it', () => {
      const gate = new ManualGate();
      const { push, dropped, subscription } = pushing({ bufferSize: 1, overflow: 'drop-oldest', key: String }, gate);
      for (let i = 0; i < 5; i++) push(String(i));
      expect(dropped).toHaveLength(4);
      expect(gate.waiters.size).toBe(1);
      subscription.unsubscribe();
      expect(gate.waiters.size).toBe(0);
    });
  });

  describe('is safe when it is called from within', () => {
    it('next inside of next keeps the order', () => {
      const scheduler = new VirtualTimeScheduler();
      const source = new Subject<number>();
      const seen: number[] = [];
      source.pipe(rateLimit({ limit: 2, interval: 10, scheduler })).subscribe((value) => {
        seen.push(value);
        if (value < 20) source.next(value + 10);
      });
      for (const value of [1, 2, 3]) source.next(value);
      scheduler.flush();
      expect(seen).toEqual([1, 11, 21, 2, 3, 12, 13, 22, 23].filter((value) => seen.includes(value)));
      expect(seen).toHaveLength(9);
    });

    it('unsubscribed inside of next, when a permit has come', () => {
      const scheduler = new VirtualTimeScheduler();
      const source = new Subject<string>();
      const seen: string[] = [];
      const dropped: unknown[] = [];
      const onDrop = (value: string, reason: string) => dropped.push([value, reason]);
      const subscription = source.pipe(rateLimit({ limit: 1, interval: 10, scheduler, onDrop })).subscribe((value) => {
        seen.push(value);
        if (value !== 'b') return;
        subscription.unsubscribe();
        source.next('d');
      });
      for (const value of ['a', 'b', 'c']) source.next(value);
      scheduler.flush();
      expect(seen).toEqual(['a', 'b']);
      expect(dropped).toEqual([['c', 'unsubscribe']]);
      expect(scheduler.frame).toBe(10);
    });

    it('take(2) stops it where the second came with a timer', () => {
      const scheduler = new VirtualTimeScheduler();
      const dropped: unknown[] = [];
      const { log } = record(
        concat(of(1, 2, 3), NEVER).pipe(
          rateLimit({ limit: 1, interval: 10, scheduler, onDrop: (...args) => dropped.push(args) }),
          take(2),
        ),
      );
      scheduler.flush();
      expect(log).toEqual([1, 2, 'complete']);
      expect(dropped).toEqual([[3, 'unsubscribe']]);
      expect(timersOf(scheduler)).toBe(0);
    });

    it('a consumer that throws', () => {
      const scheduler = new VirtualTimeScheduler();
      const source = new Subject<number>();
      const log: unknown[] = [];
      const throwing = new Observable<number>((destination) => {
        destination.next = () => {
          throw 'oops';
        };
        source.pipe(rateLimit({ limit: 1, interval: 10, scheduler, cost: (value) => value })).subscribe(destination);
      });
      throwing.subscribe({ error: (error: unknown) => log.push(error) });
      source.next(0);
      source.next(1);
      expect(log).toEqual(['oops']);
      expect(source.observed).toBe(false);
    });

    it('a consumer that throws when a permit has come, and others wait', () => {
      const scheduler = new VirtualTimeScheduler();
      const limiter = createRateLimiter({ limit: 1, interval: 10, scheduler });
      const source = new Subject<number>();
      const log: unknown[] = [];
      const throwing = new Observable<number>((destination) => {
        destination.next = () => {
          throw 'oops';
        };
        source.pipe(rateLimit(limiter)).subscribe(destination);
      });
      limiter.tryAcquire();
      throwing.subscribe({ error: (error: unknown) => log.push(error) });
      source.next(1);
      of('other')
        .pipe(rateLimit(limiter))
        .subscribe((value) => log.push(value));
      scheduler.flush();
      expect(log).toEqual(['oops', 'other']);
    });

    it('a teardown that throws when the last value has passed does not hold up the others that wait', async () => {
      const scheduler = new VirtualTimeScheduler();
      const limiter = createRateLimiter({ limit: 1, interval: 10, scheduler });
      limiter.tryAcquire();
      const [first, other] = [of('first').pipe(rateLimit(limiter), throwsAtTheEnd), of('other')];
      const logs = [first, other.pipe(rateLimit(limiter))].map((limited) => record(limited).log);
      scheduler.flush();
      expect(logs).toEqual([
        ['first', 'complete'],
        ['other', 'complete'],
      ]);
      expect(limiter.statistics().waiting).toBe(0);
      expect(await reported(unhandled)).toMatchObject({ name: 'UnsubscriptionError' });
    });

    it('a teardown that throws when its value was refused lets the others be told', async () => {
      let answer = (_: PermitAnswer): void => {};
      const take = () => ({ then: (resolve: typeof answer) => (answer = resolve) }) as never;
      const scheduler = new VirtualTimeScheduler();
      const limiter = createRateLimiter({ limit: 1, interval: 10, store: { take }, failure: 'closed', scheduler });
      const [first, other] = [new Subject<string>(), new Subject<string>()];
      const enforced = [first.pipe(rateLimit(limiter, { mode: 'enforce' }), throwsAtTheEnd)];
      enforced.push(other.pipe(rateLimit(limiter, { mode: 'enforce' })));
      const logs = enforced.map((limited) => record(limited).log);
      first.next('first');
      other.next('other');
      answer({ granted: false, retryAfter: 10 });
      expect(logs).toEqual([[['error', expect.any(RateLimitError)]], [['error', expect.any(RateLimitError)]]]);
      expect(await reported(unhandled)).toMatchObject({ name: 'UnsubscriptionError' });
    });
  });

  it('counts the losses of its end for whoever asks', () => {
    const counted = { waiting: 0, running: 0 };
    const lossCounter = {
      lost: (what: 'waiting' | 'running', count: number) => {
        counted[what] += count;
      },
    };
    const counting = (source: Observable<number>) =>
      new Observable<number>((destination) => {
        source.subscribe(operate<number, number>({ destination, lossCounter }));
      });
    const scheduler = new VirtualTimeScheduler();
    concat(of(1, 2, 3), NEVER)
      .pipe(rateLimit({ limit: 1, interval: 10, scheduler }), counting)
      .subscribe()
      .unsubscribe();
    expect(counted).toEqual({ waiting: 2, running: 0 });
  });
});

describe('rateLimit above a limiter that is shared', () => {
  function sharing(count: number, limit: number, options: (i: number) => RateLimitLineOptions<string> = () => ({})) {
    const scheduler = new VirtualTimeScheduler();
    const limiter = createRateLimiter({ limit, interval: 10, scheduler });
    const log: string[] = [];
    const lines = Array.from({ length: count }, (_, i) => {
      const source = new Subject<string>();
      const subscription = source
        .pipe(rateLimit(limiter, options(i)))
        .subscribe((value) => log.push(`${value}@${String(scheduler.frame)}`));
      return { source, subscription };
    });
    return { scheduler, limiter, log, lines };
  }

  it('takes turns: a pipeline with a thousand that wait does not starve one with one', () => {
    const { scheduler, log, lines } = sharing(2, 1);
    for (let i = 0; i < 1000; i++) lines[0]?.source.next(`a${String(i)}`);
    lines[1]?.source.next('b');
    scheduler.maxFrames = 30;
    scheduler.flush();
    expect(log).toEqual(['a0@0', 'a1@10', 'b@20', 'a2@30']);
  });

  it('an unsubscribed pipeline leaves its turn to the next, at once', () => {
    const { scheduler, log, lines, limiter } = sharing(2, 4, (i) => ({ cost: i === 0 ? 4 : 1 }));
    limiter.tryAcquire({ cost: 2 });
    lines[0]?.source.next('a');
    lines[1]?.source.next('b');
    expect(log).toEqual([]);
    lines[0]?.subscription.unsubscribe();
    expect(log).toEqual(['b@0']);
    expect(limiter.statistics()).toMatchObject({ taken: 3, waiting: 0 });
    expect(timersOf(scheduler)).toBe(0);
  });

  it('lets nobody pass during a pause, pipelines and calls', () => {
    const { scheduler, log, lines, limiter } = sharing(1, 5);
    limiter.pause(25);
    limiter.pause(5);
    lines[0]?.source.next('a');
    expect(limiter.tryAcquire()).toBe(false);
    scheduler.flush();
    expect(log).toEqual(['a@25']);
  });

  it('shares the limit by key', () => {
    const { scheduler, log, lines, limiter } = sharing(2, 1, () => ({ key: (value) => value[0] }));
    lines[0]?.source.next('a1');
    lines[1]?.source.next('a2');
    lines[1]?.source.next('b1');
    limiter.pause(35, 'a');
    scheduler.flush();
    expect(log).toEqual(['a1@0', 'b1@0', 'a2@35']);
  });
});

describe('rateLimit over a source that cannot wait', () => {
  it.each([{}, { key: (value: number) => value % 2 }])(
    'asks only when nothing of its own is about to leave, so that a burst then finds the way free: %o',
    (options) => {
      const gate = new ManualGate();
      const { log } = record(
        concat(fromPull([0, 1, 2, 3, 4, 5]), range(6, 100)).pipe(
          rateLimit({ limit: 1000, interval: 1, bufferSize: 3, highWaterMark: 3, ...options }),
          gatedBy(gate),
        ),
      );
      gate.ready = true;
      expect(log.slice().sort()).toEqual([...Array.from({ length: 106 }, (_, i) => i), 'complete'].sort());
    },
  );
});
