import { Observable, of, Subject, VirtualTimeScheduler } from 'rxjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { PermitCostError } from '../../src/errors/PermitCostError.js';
import { RateLimitError } from '../../src/errors/RateLimitError.js';
import type { PermitAnswer, PermitRequest } from '../../src/internal/limiter/LimitSettings.js';
import { gatedBy } from '../../src/operators/gatedBy.js';
import { rateLimit } from '../../src/operators/rateLimit.js';
import { createRateLimiter, type RateLimiterOptions } from '../../src/resources/createRateLimiter.js';
import { CountedSignal } from '../support/CountedSignal.js';
import { ManualGate } from '../support/ManualGate.js';
import { record } from '../support/record.js';
import { settle } from '../support/settle.js';
import { collectUnhandled, reported } from '../support/unhandled.js';

const unhandled = collectUnhandled();

/** A limiter in virtual time, and calls that note when they got their permits. */
function limiting(options: Partial<RateLimiterOptions> = {}) {
  const scheduler = new VirtualTimeScheduler();
  const limiter = createRateLimiter({ limit: 1, interval: 10, scheduler, ...options });
  const log: unknown[] = [];
  const acquire = (name: string, permits?: Parameters<typeof limiter.acquire>[0]) => {
    limiter.acquire(permits).then(
      () => log.push(`${name}@${String(scheduler.frame)}`),
      (error: unknown) => log.push([name, error]),
    );
  };
  /** Goes on to a frame, and lets promises settle in each in which something happens. */
  const until = async (frame: number) => {
    await settle();
    for (let at = scheduler.frame; at <= frame; at++) {
      scheduler.maxFrames = at;
      scheduler.schedule(() => {}, at - scheduler.frame); // so that time passes where nothing is due
      scheduler.flush();
      await settle();
    }
  };
  return { scheduler, limiter, log, acquire, until };
}

const timersOf = (scheduler: VirtualTimeScheduler) => scheduler.actions.filter(({ closed }) => !closed).length;

describe('the arguments of createRateLimiter', () => {
  const limit = { limit: 2, interval: 10 };
  const store = { take: () => Promise.resolve({ granted: true, retryAfter: 0 }) };

  it.each<[Partial<RateLimiterOptions>, Error]>([
    [{ limit: 1.5, interval: 10 }, new RangeError('limit must be a positive integer, got 1.5')],
    [{ limit: 2, interval: -1 }, new RangeError('interval must be a positive number of milliseconds, got -1')],
    [
      { limit: 2, interval: '1' as never },
      new RangeError("interval must be a positive number of milliseconds, got '1'"),
    ],
    [{ ...limit, failure: 'open' }, new TypeError('failure is an option for a store, and there is none')],
    [{ ...limit, retryDelay: 5 }, new TypeError('retryDelay is an option for a store, and there is none')],
    [
      { ...limit, onStoreFailure: () => {} },
      new TypeError('onStoreFailure is an option for a store, and there is none'),
    ],
    [{ ...limit, store }, new RangeError("failure must be one of 'open', 'closed', got undefined")],
    [{ ...limit, store: {} as never, failure: 'open' }, new TypeError('store.take must be a function, got undefined')],
    [
      { ...limit, store: null as never, failure: 'open' },
      new TypeError('store.take must be a function, got undefined'),
    ],
    [
      { ...limit, store, failure: 'open', retryDelay: -1 },
      new RangeError('retryDelay must be a number from 0, got -1'),
    ],
    [
      { ...limit, store, failure: 'open', onStoreFailure: 1 as never },
      new TypeError('onStoreFailure must be a function, got 1'),
    ],
    [5 as never, new TypeError('options must be an object, got 5')],
  ])('%o are refused', (options, error) => {
    expect(() => createRateLimiter(options as RateLimiterOptions)).toThrow(error);
  });

  it('of what it can do are refused too', () => {
    const limiter = createRateLimiter(limit);
    expect(() => limiter.tryAcquire({ cost: -1 })).toThrow(RangeError);
    expect(() => limiter.acquire({ cost: 0.5 })).toThrow(
      new RangeError('cost must be a non-negative integer, got 0.5'),
    );
    expect(() => limiter.acquire({ signal: 1 as never })).toThrow(TypeError);
    for (const name of ['acquire', 'tryAcquire'] as const)
      expect(() => limiter[name](2 as never)).toThrow(new TypeError('options must be an object, got 2'));
    expect(limiter.statistics().taken).toBe(0);
    for (const ms of [-1, NaN, Infinity])
      expect(() => {
        limiter.pause(ms);
      }).toThrow(RangeError);
  });
});

describe('createRateLimiter', () => {
  it('gives a permit that is free at once, and the same promise each time', async () => {
    const { limiter, scheduler } = limiting({ limit: 2 });
    expect(limiter.acquire()).toBe(limiter.acquire());
    expect(timersOf(scheduler)).toBe(0);
    await limiter.acquire({ cost: 0 });
  });

  it('first come, first served, with one timer', async () => {
    const { acquire, until, log, scheduler, limiter } = limiting({ limit: 2 });
    for (const name of ['a', 'b', 'c', 'd', 'e']) acquire(name);
    expect(timersOf(scheduler)).toBe(1);
    expect(limiter.statistics()).toEqual({ taken: 2, refused: 0, unused: 0, waiting: 3, keys: 0 });
    await until(30);
    expect(log).toEqual(['a@0', 'b@0', 'c@10', 'd@10', 'e@20']);
    expect(timersOf(scheduler)).toBe(0);
    expect(limiter.statistics()).toEqual({ taken: 5, refused: 0, unused: 0, waiting: 0, keys: 0 });
  });

  it('tryAcquire takes nothing from those who wait, and counts who was refused', async () => {
    const { limiter, acquire, log, until } = limiting({ limit: 3 });
    expect(limiter.tryAcquire({ cost: 2 })).toBe(true);
    acquire('a', { cost: 2 });
    expect(limiter.tryAcquire()).toBe(false);
    expect(limiter.statistics().refused).toBe(1);
    await until(20);
    expect(log).toEqual(['a@10']);
  });

  it('does not starve a large cost behind which small ones wait (trap: overtaking)', async () => {
    const { acquire, until, log } = limiting({ limit: 5, interval: 100 });
    acquire('four', { cost: 4 });
    acquire('five', { cost: 5 });
    await until(50);
    acquire('one');
    await until(250);
    // p-throttle 65: the one ran at 50, and with the five at 100 there were six in one interval.
    expect(log).toEqual(['four@0', 'five@100', 'one@200']);
  });

  it('fails at once when more is asked for than there can ever be', async () => {
    const limiter = createRateLimiter({ limit: 9, interval: 1, algorithm: 'token-bucket', burst: 3, name: 'api' });
    const error = new PermitCostError("createRateLimiter 'api'", 4, 3);
    await expect(limiter.acquire({ cost: 4 })).rejects.toThrow(error);
    expect(() => limiter.tryAcquire({ cost: 4 })).toThrow(error);
  });

  it('takes turns between all calls of acquire and each pipeline', async () => {
    const { limiter, acquire, log, until, scheduler } = limiting();
    limiter.tryAcquire();
    for (const name of ['a', 'b', 'c']) acquire(name);
    of('x', 'y')
      .pipe(rateLimit(limiter))
      .subscribe((value) => log.push(`${value}@${String(scheduler.frame)}`));
    await until(60);
    expect(log).toEqual(['a@10', 'x@20', 'b@30', 'y@40', 'c@50']);
  });

  describe('cancelled', () => {
    it('before: takes nothing and rejects with the reason', async () => {
      const { limiter } = limiting();
      await expect(limiter.acquire({ signal: AbortSignal.abort('why') })).rejects.toBe('why');
      expect(limiter.statistics().taken).toBe(0);
    });

    it('while it waits: takes no permit and does not hang (trap: p-queue 126, 219, 241)', async () => {
      const { limiter, acquire, until, log, scheduler } = limiting();
      const signal = new CountedSignal();
      acquire('a');
      acquire('b', { signal: signal.signal });
      acquire('c', { signal: signal.signal });
      acquire('d');
      await until(5);
      signal.abort('why');
      await until(50);
      expect(log).toHaveLength(4);
      expect(log).toEqual(expect.arrayContaining(['a@0', ['b', 'why'], ['c', 'why'], 'd@10']));
      expect(limiter.statistics()).toMatchObject({ taken: 2, waiting: 0 });
      expect([signal.listeners, signal.added]).toEqual([0, 1]);
      expect(timersOf(scheduler)).toBe(0);
    });

    it('as the last that waits: leaves no timer', async () => {
      const { acquire, until, scheduler } = limiting();
      const controller = new AbortController();
      acquire('a');
      acquire('b', { signal: controller.signal });
      expect(timersOf(scheduler)).toBe(1);
      controller.abort();
      expect(timersOf(scheduler)).toBe(0);
      await until(1);
    });

    it('as the first: wakes the next, who wants less, at once', async () => {
      const { acquire, until, log } = limiting({ limit: 3 });
      const controller = new AbortController();
      acquire('a', { cost: 2 });
      acquire('b', { cost: 2, signal: controller.signal });
      acquire('c', { cost: 1 });
      await until(4);
      controller.abort('why');
      await until(5);
      expect(log).toEqual(['a@0', 'c@4', ['b', 'why']]);
    });

    it('in the same moment as its permit comes, but before it was told: takes none', async () => {
      const { acquire, until, log, limiter } = limiting({ limit: 2 });
      const controller = new AbortController();
      // Hears of the abort before the limiter does, and withdraws who is before: so the turn comes to one who is aborted.
      const before = new AbortController();
      controller.signal.addEventListener('abort', () => {
        before.abort('before');
      });
      acquire('a');
      acquire('first', { signal: before.signal, cost: 2 });
      acquire('b', { signal: controller.signal });
      acquire('c');
      await until(1);
      controller.abort('why');
      await until(20);
      expect(log).toEqual(expect.arrayContaining(['a@0', ['first', 'before'], ['b', 'why'], 'c@1']));
      expect(limiter.statistics().taken).toBe(2);
    });

    it('leaves no listener, after however many uses', async () => {
      const signal = new CountedSignal();
      const limiter = createRateLimiter({ limit: 1, interval: 1e9 });
      await limiter.acquire({ signal: signal.signal });
      const calls = Array.from({ length: 100_000 }, () => limiter.acquire({ signal: signal.signal }));
      expect(signal.listeners).toBe(1);
      signal.abort('why');
      expect(await Promise.allSettled(calls)).toHaveLength(100_000);
      expect(signal.listeners).toBe(0);
      expect(limiter.statistics()).toMatchObject({ taken: 1, waiting: 0 });
    });

    it('leaves no listener when it has had its permit', async () => {
      const { acquire, until, log } = limiting();
      const signal = new CountedSignal();
      for (const name of ['a', 'b', 'c']) acquire(name, { signal: signal.signal });
      await until(30);
      expect(log).toHaveLength(3);
      expect(signal.listeners).toBe(0);
    });
  });

  describe('pause', () => {
    it('lets nobody pass before its end, shortens nothing, and goes on with the next', async () => {
      const { limiter, acquire, until, log } = limiting({ limit: 5 });
      limiter.pause(20);
      limiter.pause(3);
      acquire('a');
      acquire('b');
      await until(19);
      expect(log).toEqual([]);
      await until(20);
      expect(log).toEqual(['a@20', 'b@20']);
    });

    it('holds up those that wait already', async () => {
      const { limiter, acquire, until, log } = limiting();
      acquire('a');
      acquire('b');
      await until(5);
      limiter.pause(20);
      await until(40);
      expect(log).toEqual(['a@0', 'b@25']);
    });

    it('of a key is for that key', async () => {
      const { limiter, acquire, until, log } = limiting({ limit: 5 });
      limiter.pause(20, 'a');
      for (const key of ['a', 'b', undefined]) acquire(String(key), { key });
      await until(30);
      expect(log).toEqual(['b@0', 'undefined@0', 'a@20']);
    });

    it('of a key is remembered as long as it lasts, however many other keys come', () => {
      const { limiter } = limiting();
      limiter.pause(20, 'a');
      for (let i = 0; i < 100; i++) limiter.tryAcquire({ key: i });
      expect(limiter.tryAcquire({ key: 'a' })).toBe(false);
    });

    it('of all holds up keys that are new', () => {
      const { limiter } = limiting();
      limiter.pause(20);
      expect(limiter.tryAcquire({ key: 'a' })).toBe(false);
    });
  });

  describe('keys', () => {
    it('count those who wait for each of them', async () => {
      const { limiter, acquire, until } = limiting();
      for (const key of ['a', 'a', 'b', 'b', 'b', undefined, undefined]) acquire(String(key), { key });
      expect(limiter.statistics()).toMatchObject({ taken: 3, waiting: 4 });
      await until(40);
      expect(limiter.statistics()).toMatchObject({ taken: 7, waiting: 0 });
    });

    it('are forgotten when their permits are free again, without a timer', () => {
      let now = 0;
      const schedule = vi.fn();
      const limiter = createRateLimiter({ limit: 2, interval: 100, scheduler: { now: () => now, schedule } });
      for (let key = 0; key < 10_000; key++) {
        now++;
        expect(limiter.tryAcquire({ key })).toBe(true);
        expect(limiter.statistics().keys).toBeLessThan(400);
      }
      expect(schedule).not.toHaveBeenCalled();
    });

    it.each(['sliding-window', 'token-bucket', 'spaced', 'fixed-window'] as const)(
      'are not forgotten before: %s',
      (algorithm) => {
        const { limiter, scheduler } = limiting({ algorithm });
        for (let round = 0; round < 3; round++) {
          for (let key = 0; key < 50; key++) expect(limiter.tryAcquire({ key })).toBe(true);
          for (let key = 0; key < 50; key++) expect(limiter.tryAcquire({ key })).toBe(false);
          scheduler.schedule(() => {}, 10);
          scheduler.flush();
        }
      },
    );

    it('are not forgotten while somebody waits', async () => {
      const { limiter, acquire, until, log } = limiting();
      acquire('first', { key: 'a' });
      acquire('second', { key: 'a' });
      for (let key = 0; key < 100; key++) limiter.tryAcquire({ key });
      acquire('third', { key: 'a' });
      await until(30);
      expect(log).toEqual(['first@0', 'second@10', 'third@20']);
    });

    it('may be anything, NaN and objects too', () => {
      const { limiter } = limiting();
      const object = {};
      for (const key of [NaN, object, null, '', 0]) {
        expect(limiter.tryAcquire({ key })).toBe(true);
        expect(limiter.tryAcquire({ key })).toBe(false);
      }
    });
  });

  describe('the clock', () => {
    afterEach(() => {
      vi.useRealTimers();
    });

    it('that is set back makes nobody wait for what it was set back by (trap: Date is no steady clock)', async () => {
      vi.useFakeTimers({ now: 1e12 });
      const limiter = createRateLimiter({ limit: 1, interval: 100 });
      expect(limiter.tryAcquire()).toBe(true);
      let acquired = false;
      void limiter.acquire().then(() => (acquired = true));
      vi.setSystemTime(1e12 - 3_600_000);
      await vi.advanceTimersByTimeAsync(100);
      await vi.advanceTimersByTimeAsync(100);
      expect(acquired).toBe(true);
      expect(vi.getTimerCount()).toBe(0);
    });

    it.each(['sliding-window', 'token-bucket', 'spaced', 'fixed-window'] as const)(
      'that is set back lets no more through, and does not stop: %s',
      (algorithm) => {
        let now = 1e12;
        const scheduler = { now: () => now, schedule: vi.fn() };
        const limiter = createRateLimiter({ limit: 2, interval: 10, algorithm, scheduler });
        while (limiter.tryAcquire());
        now -= 1e9;
        expect(limiter.tryAcquire()).toBe(false);
        now += 10;
        expect(limiter.tryAcquire()).toBe(true);
      },
    );

    it('may have fractions: at the boundary of an interval nobody spins (trap: floating point)', async () => {
      const scheduler = new VirtualTimeScheduler();
      const rings = vi.fn();
      const counting = {
        now: () => scheduler.frame / 10 + 1_763_900_000_000.1,
        schedule: (work: () => void, delay = 0) => {
          rings();
          return scheduler.schedule(work, delay * 10);
        },
      };
      for (const algorithm of ['sliding-window', 'token-bucket', 'spaced', 'fixed-window'] as const) {
        const limiter = createRateLimiter({ limit: 3, interval: 0.7, algorithm, scheduler: counting as never });
        const calls = Array.from({ length: 30 }, () => limiter.acquire());
        scheduler.flush();
        await Promise.all(calls);
      }
      expect(rings.mock.calls.length).toBeLessThan(4 * 31);
    });

    it('waits longer than a timer can (trap: beyond 2^31 - 1 ms a timer fires at once)', async () => {
      vi.useFakeTimers();
      const month = 30 * 24 * 3_600_000;
      expect(month).toBeGreaterThan(2 ** 31 - 1);
      const limiter = createRateLimiter({ limit: 1, interval: month });
      limiter.tryAcquire();
      let acquired = false;
      void limiter.acquire().then(() => (acquired = true));
      await vi.advanceTimersByTimeAsync(month - 1);
      expect([acquired, vi.getTimerCount()]).toEqual([false, 1]);
      await vi.advanceTimersByTimeAsync(1);
      expect([acquired, vi.getTimerCount()]).toEqual([true, 0]);
    });

    it('is heeded again when a timer rings too early', async () => {
      let now = 0;
      let ring = () => {};
      const delays: number[] = [];
      const schedule = (work: () => void, delay: number) => {
        ring = work;
        delays.push(delay);
        return { unsubscribe: () => {} };
      };
      const limiter = createRateLimiter({ limit: 1, interval: 10, scheduler: { now: () => now, schedule } as never });
      limiter.tryAcquire();
      let acquired = false;
      void limiter.acquire().then(() => (acquired = true));
      for (now of [9, 9.5, 10]) ring();
      await settle();
      expect(acquired).toBe(true);
      expect(delays).toEqual([10, 1, 0.5]);
    });
  });
});

describe('createRateLimiter with a store', () => {
  interface Asked extends PermitRequest {
    readonly answer: (answer: unknown) => void;
    readonly fail: (error: unknown) => void;
  }

  /** A store that a test answers for by hand, at once or later. */
  function storing(options: Partial<RateLimiterOptions> = {}) {
    const asked: Asked[] = [];
    const failures: unknown[] = [];
    const take = (request: PermitRequest): PromiseLike<PermitAnswer> => {
      let answer!: (answer: never) => void;
      let fail!: (error: unknown) => void;
      asked.push({
        ...request,
        answer: (value) => {
          answer(value as never);
        },
        fail: (error) => {
          fail(error);
        },
      });
      // Calls back at once, so that it is exact in virtual time.
      const promise = {
        then: (onAnswer: (answer: never) => void, onFailure: (error: unknown) => void) => {
          answer = onAnswer;
          fail = onFailure;
        },
      };
      return promise as never;
    };
    const onStoreFailure = (error: unknown) => failures.push(error);
    const base = limiting({ limit: 3, store: { take }, failure: 'closed', onStoreFailure, ...options });
    const grant = () => {
      asked.at(-1)?.answer({ granted: true, retryAfter: 0 });
    };
    const refuse = (retryAfter: unknown) => {
      asked.at(-1)?.answer({ granted: false, retryAfter });
    };
    return { ...base, asked, failures, grant, refuse };
  }

  it('asks for one at a time, in order, with all that is known', async () => {
    const { acquire, asked, grant, log, until } = storing();
    acquire('a', { key: 'k' });
    acquire('b', { key: 'k', cost: 2 });
    expect(asked).toMatchObject([{ key: 'k', cost: 1, limit: 3, interval: 10, algorithm: 'sliding-window', burst: 3 }]);
    grant();
    expect(asked).toMatchObject([{ cost: 1 }, { cost: 2 }]);
    grant();
    expect(asked).toHaveLength(2);
    await until(1);
    expect(log).toEqual(['a@0', 'b@0']);
  });

  it('asks for each key by itself', () => {
    const { acquire, asked } = storing();
    for (const key of ['a', 'b', undefined, 'a']) acquire('x', { key });
    expect(asked.map(({ key }) => key)).toEqual(['a', 'b', undefined]);
  });

  it('waits as long as the store says, and asks again', async () => {
    const { acquire, asked, grant, refuse, log, until, scheduler } = storing();
    acquire('a');
    refuse(7);
    acquire('b');
    await until(6);
    expect([asked.length, timersOf(scheduler)]).toEqual([1, 1]);
    await until(7);
    expect(asked).toHaveLength(2);
    grant();
    grant();
    await until(8);
    expect(log).toEqual(['a@7', 'b@7']);
    expect(timersOf(scheduler)).toBe(0);
  });

  it('does not ask without end where it is refused with 0 ms', async () => {
    let count = 0;
    const take = () => {
      count++;
      return Promise.resolve({ granted: false, retryAfter: 0 });
    };
    const { acquire, until } = limiting({ store: { take }, failure: 'open' });
    acquire('a');
    await until(5);
    expect(count).toBe(6);
  });

  it("keeps the order in a pipeline, and takes a native promise's answer", async () => {
    const take = () => Promise.resolve({ granted: true, retryAfter: 0 });
    const { limiter } = limiting({ limit: 9, store: { take }, failure: 'open' });
    const { log } = record(of(1, 2, 3, 4).pipe(rateLimit(limiter)));
    expect(log).toEqual([]);
    await settle(40);
    expect(log).toEqual([1, 2, 3, 4, 'complete']);
  });

  it('a permit for somebody who has left meanwhile goes to the next, and is not lost', async () => {
    const { acquire, asked, grant, log, until, limiter } = storing();
    const controller = new AbortController();
    acquire('a', { signal: controller.signal, cost: 2 });
    acquire('b');
    controller.abort('why');
    expect(asked).toHaveLength(1);
    grant();
    await until(1);
    expect(log).toEqual([['a', 'why'], 'b@0']);
    expect(asked).toHaveLength(1);
    expect(limiter.statistics()).toMatchObject({ taken: 2, unused: 1 });
  });

  it('a permit that nobody has claimed is for the next who comes within the interval', async () => {
    const { acquire, asked, grant, log, until, limiter } = storing();
    const controller = new AbortController();
    acquire('a', { signal: controller.signal });
    controller.abort('why');
    grant();
    await until(9);
    acquire('b');
    await until(10);
    expect(log).toEqual([['a', 'why'], 'b@9']);
    expect(asked).toHaveLength(1);
    expect(limiter.statistics()).toMatchObject({ taken: 1, unused: 0 });
  });

  it('a permit that is too old, or too little, is told of as unused', async () => {
    const { acquire, asked, grant, until, limiter } = storing();
    const controller = new AbortController();
    acquire('a', { signal: controller.signal });
    controller.abort('why');
    grant();
    await until(3);
    acquire('b', { cost: 2 });
    expect(asked).toHaveLength(2);
    expect(limiter.statistics()).toMatchObject({ taken: 1, unused: 1 });
    grant();
    const late = new AbortController();
    acquire('c', { signal: late.signal });
    late.abort('why');
    grant();
    await until(13);
    acquire('d');
    expect(asked).toHaveLength(4);
    expect(limiter.statistics()).toMatchObject({ taken: 4, unused: 2 });
  });

  it('an unsubscribed pipeline leaves nothing behind', () => {
    const { limiter, grant, scheduler, asked, refuse } = storing();
    const source = new Subject<string>();
    const { log, subscription } = record(source.pipe(rateLimit(limiter)));
    source.next('a');
    refuse(5);
    subscription.unsubscribe();
    expect(timersOf(scheduler)).toBe(0);
    scheduler.flush();
    grant();
    expect([log, asked.length]).toEqual([[], 1]);
  });

  it('keeps a permit that came while the consumer was full', () => {
    const { limiter, asked, grant } = storing();
    const gate = new ManualGate(true);
    const { log } = record(of('a', 'b').pipe(rateLimit(limiter), gatedBy(gate)));
    gate.ready = false;
    grant();
    expect(log).toEqual([]);
    gate.pass();
    expect(log).toEqual(['a']);
    expect(asked).toHaveLength(2);
    grant();
    expect(log).toEqual(['a']);
    gate.ready = true;
    expect(asked).toHaveLength(2);
    expect(log).toEqual(['a', 'b', 'complete']);
    expect(limiter.statistics()).toMatchObject({ taken: 2, unused: 0 });
  });

  it("failure: 'open' lets pass and tells of it", async () => {
    const { acquire, asked, failures, log, until } = storing({ failure: 'open' });
    acquire('a');
    asked[0]?.fail('down');
    await until(1);
    expect([log, failures]).toEqual([['a@0'], ['down']]);
  });

  it("failure: 'closed' lets nobody pass, and asks again later", async () => {
    const { acquire, asked, failures, grant, log, until } = storing({ retryDelay: 5 });
    acquire('a');
    asked[0]?.fail('down');
    await until(4);
    expect([log, failures, asked.length]).toEqual([[], ['down'], 1]);
    await until(5);
    grant();
    await until(6);
    expect(log).toEqual(['a@5']);
  });

  it('asks again a second after a failure, where nothing else is said', async () => {
    const { acquire, asked, scheduler } = storing({ interval: 1 });
    acquire('a');
    asked[0]?.fail('down');
    scheduler.maxFrames = 999;
    scheduler.flush();
    expect(asked).toHaveLength(1);
    scheduler.maxFrames = 1000;
    scheduler.flush();
    expect(asked).toHaveLength(2);
  });

  it.each([undefined, {}, { granted: 1, retryAfter: 1 }, 'yes'])('an answer %o is a failure', (answer) => {
    const { acquire, asked, failures } = storing();
    acquire('a');
    asked[0]?.answer(answer);
    expect(failures[0]).toBeInstanceOf(TypeError);
    expect(String(failures[0])).toMatch(
      /store\.take must give { granted, retryAfter }, got (undefined|an object|'yes')/,
    );
  });

  it.each([undefined, NaN, Infinity, '1'])('a refusal for %o ms is a failure', (retryAfter) => {
    const { acquire, refuse, failures } = storing();
    acquire('a');
    refuse(retryAfter);
    expect(String(failures[0])).toMatch(/retryAfter: /);
  });

  it('a store that throws, or answers twice, is a failure once', async () => {
    const { acquire, failures, until } = storing({
      store: {
        take: () => {
          throw 'oops';
        },
      },
    });
    acquire('a');
    expect(failures).toEqual(['oops']);
    await until(1);
    const twice = storing();
    twice.acquire('a');
    twice.grant();
    twice.grant();
    twice.asked[0]?.fail('late');
    expect(twice.limiter.statistics().taken).toBe(1);
    expect(twice.failures).toEqual([]);
  });

  it('reports what onStoreFailure throws', async () => {
    const { acquire, asked } = storing({
      onStoreFailure: () => {
        throw 'oops';
      },
    });
    acquire('a');
    asked[0]?.fail('down');
    expect(await reported(unhandled)).toBe('oops');
  });

  it('tryAcquire throws, since a store cannot answer at once', () => {
    const { limiter } = storing({ name: 'api' });
    expect(() => limiter.tryAcquire()).toThrow(
      new TypeError("createRateLimiter 'api': tryAcquire cannot ask a store. Use acquire, with a signal."),
    );
  });

  it('during a pause it is not asked', async () => {
    const { limiter, acquire, asked, until } = storing();
    limiter.pause(5);
    acquire('a');
    await until(4);
    expect(asked).toHaveLength(0);
    await until(5);
    expect(asked).toHaveLength(1);
  });

  it.each(['enforce', 'drop'] as const)("mode '%s' waits for the answer, and no longer", (mode) => {
    const { limiter, grant, refuse, scheduler, asked } = storing();
    const source = new Subject<string>();
    const dropped: unknown[] = [];
    const { log } = record(source.pipe(rateLimit(limiter, { mode, onDrop: (...args) => dropped.push(args) })));
    source.next('a');
    grant();
    source.next('b');
    source.next('c');
    refuse(7);
    expect(timersOf(scheduler)).toBe(0);
    if (mode === 'enforce') {
      expect(log).toEqual(['a', ['error', new RateLimitError('rateLimit', 7)]]);
      expect(dropped).toEqual([
        ['b', 'error'],
        ['c', 'error'],
      ]);
    } else {
      expect(log).toEqual(['a']);
      expect(dropped).toEqual([
        ['b', 'rate-limit'],
        ['c', 'rate-limit'],
      ]);
      scheduler.schedule(() => {
        source.next('d');
      }, 7);
      scheduler.flush();
      expect(asked).toHaveLength(3);
      grant();
      expect(log).toEqual(['a', 'd']);
    }
  });

  it("mode 'enforce' tells what the store has failed with", () => {
    const { limiter, asked } = storing({ retryDelay: 50 });
    const { log } = record(of('a').pipe(rateLimit(limiter, { mode: 'enforce' })));
    asked[0]?.fail('down');
    expect(log).toMatchObject([['error', { name: 'RateLimitError', retryAfter: 50, cause: 'down' }]]);
  });

  it("mode 'enforce' tells of no failure that the store has got over", () => {
    const { limiter, asked, scheduler, refuse } = storing({ retryDelay: 5 });
    record(of('a').pipe(rateLimit(limiter, { mode: 'enforce' })));
    asked[0]?.fail('down');
    scheduler.schedule(() => {}, 5);
    scheduler.flush();
    const { log } = record(of('b').pipe(rateLimit(limiter, { mode: 'enforce' })));
    refuse(7);
    expect(log).toMatchObject([['error', { retryAfter: 7 }]]);
    expect((log[0] as [string, Error])[1].cause).toBeUndefined();
  });

  it('who does not wait has his turn behind those who do, and is refused with them', () => {
    const { limiter, acquire, refuse, asked } = storing();
    acquire('a');
    const { log } = record(
      new Observable<string>((s) => {
        s.next('b');
      }).pipe(rateLimit(limiter, { mode: 'enforce' })),
    );
    expect([log, asked.length]).toEqual([[], 1]);
    refuse(7);
    expect(log).toEqual([['error', new RateLimitError('rateLimit', 7)]]);
  });

  it('keys are forgotten when nothing is on its way', async () => {
    const { limiter, until, asked } = storing();
    for (let key = 0; key < 50; key++) {
      const controller = new AbortController();
      limiter.acquire({ key, signal: controller.signal }).catch(() => {});
      controller.abort();
    }
    expect(limiter.statistics().keys).toBe(50);
    for (const { answer } of asked) answer({ granted: true, retryAfter: 0 });
    await until(10);
    for (let i = 0; i < 60; i++) limiter.pause(1, 'a');
    expect(limiter.statistics()).toMatchObject({ keys: 1, unused: 50 });
  });
});
