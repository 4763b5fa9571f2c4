import {
  EMPTY,
  lastValueFrom,
  map,
  NEVER,
  Observable,
  of,
  Subject,
  take,
  throwError,
  VirtualTimeScheduler,
} from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { bufferedMergeMap, fromPull, gatedBy } from '../../src/index.js';
import { circuitBreaker } from '../../src/operators/circuitBreaker.js';
import type { CircuitBreakerOptions } from '../../src/options/breaker.js';
import { createCircuitBreaker } from '../../src/resources/createCircuitBreaker.js';
import { CountingScheduler } from '../support/CountingScheduler.js';
import { ManualGate } from '../support/ManualGate.js';
import { record } from '../support/record.js';
import { collectUnhandled, reported } from '../support/unhandled.js';

const broken = new Error('broken');
const fails = throwError(() => broken);

function breakerAt(options: CircuitBreakerOptions = {}) {
  const clock = new VirtualTimeScheduler();
  const scheduler = new CountingScheduler(clock);
  const breaker = createCircuitBreaker({ threshold: { consecutive: 1 }, openFor: 10, scheduler, ...options });
  const at = (frame: number) => {
    clock.schedule(() => undefined, frame - clock.frame);
    clock.maxFrames = frame;
    clock.flush();
  };
  const fail = () => record(fails.pipe(circuitBreaker(breaker)));
  const watch = () => record(breaker.state$.pipe(map(({ status, since }) => `${String(since)} ${status}`)));
  return { breaker, scheduler, clock, at, fail, watch };
}

describe('createCircuitBreaker', () => {
  const unhandled = collectUnhandled();

  it('is closed at first, and opens by default after five failures in a row, for ten seconds', () => {
    const { breaker, at, fail } = breakerAt({ threshold: undefined as never, openFor: undefined as never });
    expect(breaker.state).toEqual({ status: 'closed', since: 0 });
    for (let i = 0; i < 4; i++) fail();
    record(EMPTY.pipe(circuitBreaker(breaker)));
    for (let i = 0; i < 4; i++) fail();
    expect(breaker.state.status).toBe('closed');
    fail();
    expect(breaker.state).toEqual({ status: 'open', since: 0, until: 10_000, openings: 1, byHand: false });
    at(9_999);
    expect(breaker.state.status).toBe('open');
    at(10_000);
    expect(breaker.state).toEqual({ status: 'half-open', since: 10_000, openings: 1 });
  });

  describe('state$', () => {
    it('gives the present state first, to each who comes', () => {
      const { breaker, watch, fail } = breakerAt();
      expect(watch().log).toEqual(['0 closed']);
      fail();
      expect(watch().log).toEqual(['0 open']);
      breaker.close();
      expect(watch().log).toEqual(['0 closed']);
    });

    it('gives to one who comes late what has become due meanwhile, as of when it was due', () => {
      const { watch, fail, at } = breakerAt();
      fail();
      at(15);
      expect(watch().log).toEqual(['10 half-open']);
    });

    it('tells on time while somebody is subscribed, with one timer for all, and none when nobody is or nothing is due', () => {
      const { scheduler, watch, fail, at } = breakerAt();
      fail();
      expect(scheduler.pending).toBe(0);
      const [one, other] = [watch(), watch()];
      expect(scheduler.pending).toBe(1);
      one.subscription.unsubscribe();
      expect(scheduler.pending).toBe(1);
      at(10);
      expect(other.log).toEqual(['0 open', '10 half-open']);
      expect(one.log).toEqual(['0 open']);
      expect(scheduler.pending).toBe(0);
      fail();
      expect(scheduler.pending).toBe(1);
      other.subscription.unsubscribe();
      expect(scheduler.pending).toBe(0);
    });

    it('has no timer any more when it was closed or opened by hand', () => {
      const { breaker, scheduler, watch, fail } = breakerAt();
      const { log } = watch();
      fail();
      breaker.close();
      expect(scheduler.pending).toBe(0);
      fail();
      expect(scheduler.pending).toBe(1);
      breaker.open();
      expect(scheduler.pending).toBe(0);
      expect(log).toEqual(['0 closed', '0 open', '0 closed', '0 open', '0 open']);
    });

    it('has no timer any more when no trial runs that could become too slow', () => {
      const { breaker, scheduler, watch, fail, at } = breakerAt({ slowAfter: 4 });
      watch();
      fail();
      at(11);
      const trial = record(NEVER.pipe(circuitBreaker(breaker)));
      expect(scheduler.pending).toBe(1);
      trial.subscription.unsubscribe();
      expect(scheduler.pending).toBe(0);
    });

    it('tells on time of a trial that is too slow', () => {
      const { breaker, scheduler, watch, fail, at } = breakerAt({ slowAfter: 4 });
      const { log, subscription } = watch();
      fail();
      at(11);
      expect(scheduler.pending).toBe(0);
      const trial = record(NEVER.pipe(circuitBreaker(breaker)));
      expect(scheduler.pending).toBe(1);
      at(30);
      expect(log).toEqual(['0 closed', '0 open', '10 half-open', '15 open', '25 half-open']);
      trial.subscription.unsubscribe();
      record(NEVER.pipe(circuitBreaker(breaker))).subscription.unsubscribe();
      subscription.unsubscribe();
      expect(scheduler.pending).toBe(0);
    });

    it('is told in order to all, also if one of them moves it on when he is told', () => {
      const { breaker, watch, fail } = breakerAt();
      const first: string[] = [];
      breaker.state$.subscribe(({ status }) => {
        first.push(status);
        if (status === 'open' && first.length === 2) breaker.close();
      });
      const second = watch();
      let late: unknown[] | undefined;
      breaker.state$.subscribe(({ status }) => {
        if (status === 'open') late = watch().log;
      });
      fail();
      expect(first).toEqual(['closed', 'open', 'closed']);
      expect(second.log).toEqual(['0 closed', '0 open', '0 closed']);
      expect(late).toEqual(['0 open', '0 closed']);
    });

    it('may isolate it when it is half-open, before a call has passed', () => {
      const { breaker, fail, at } = breakerAt();
      breaker.state$.subscribe(({ status }) => {
        if (status === 'half-open') breaker.open();
      });
      fail();
      at(10);
      expect(record(of(1).pipe(circuitBreaker(breaker))).log).toMatchObject([['error', { retryAfter: Infinity }]]);

      const lazy = breakerAt();
      lazy.fail();
      const late = lazy.breaker.state$.pipe(take(2)).subscribe(({ status }) => {
        if (status === 'half-open') lazy.breaker.open();
      });
      lazy.clock.frame = 10; // the timer has not come yet, and a call is first
      expect(record(of(1).pipe(circuitBreaker(lazy.breaker))).log).toMatchObject([['error', { retryAfter: Infinity }]]);
      late.unsubscribe();
    });

    it('reports what openFor throws in its timer, and goes on', async () => {
      const thrown = new Error('openFor');
      let breaks = false;
      const { breaker, scheduler, watch, fail, at } = breakerAt({
        slowAfter: 4,
        probes: 2,
        openFor: () => {
          if (breaks) throw thrown;
          return 10;
        },
      });
      const { log } = watch();
      fail();
      at(10);
      breaks = true;
      record(NEVER.pipe(circuitBreaker(breaker)));
      at(12);
      record(NEVER.pipe(circuitBreaker(breaker)));
      at(14);
      expect(await reported(unhandled)).toBe(thrown);
      expect(scheduler.pending).toBe(1);
      breaks = false;
      at(20);
      expect(log).toEqual(['0 closed', '0 open', '10 half-open', '16 open']);
    });

    it('does not end, and is not stopped by a subscriber that throws', async () => {
      const { breaker, watch, fail } = breakerAt();
      breaker.state$.subscribe(() => {
        throw broken;
      });
      const { log } = watch();
      fail();
      expect(log).toEqual(['0 closed', '0 open']);
      expect(await reported(unhandled)).toBe(broken);
      await vi.waitFor(() => {
        expect(unhandled).toHaveLength(1);
      });
      unhandled.length = 0;
    });
  });

  describe('by hand', () => {
    it('open() refuses until close(), whatever the time, and lets calls that run go on', () => {
      const { breaker, at } = breakerAt();
      const source = new Subject<number>();
      const running = record(source.pipe(circuitBreaker(breaker)));
      breaker.open();
      breaker.open();
      at(1_000_000);
      expect(breaker.state).toEqual({ status: 'open', since: 0, until: Infinity, openings: 1, byHand: true });
      expect(record(of(1).pipe(circuitBreaker(breaker))).log).toMatchObject([['error', { name: 'CircuitOpenError' }]]);
      source.next(1);
      source.error(broken);
      expect(running.log).toEqual([1, ['error', broken]]);
      expect(breaker.statistics().openings).toBe(1);
      breaker.close();
      expect(breaker.state).toEqual({ status: 'closed', since: 1_000_000 });
      expect(record(of(1).pipe(circuitBreaker(breaker))).log).toEqual([1, 'complete']);
    });

    it('close() forgets what has failed, also when it is closed', () => {
      const { breaker, fail, watch } = breakerAt({ threshold: { consecutive: 2 } });
      const { log } = watch();
      fail();
      breaker.close();
      fail();
      expect(breaker.state.status).toBe('closed');
      expect(log).toEqual(['0 closed']);
      fail();
      expect(breaker.state).toMatchObject({ status: 'open', openings: 1 });
      breaker.close();
      fail();
      expect(breaker.state.status).toBe('closed');
    });

    it('open() while it is open holds it open', () => {
      const { breaker, fail, at } = breakerAt();
      fail();
      breaker.open();
      at(20);
      expect(breaker.state).toMatchObject({ status: 'open', byHand: true });
    });
  });

  describe('run', () => {
    beforeEach(() => {
      vi.useFakeTimers();
    });
    afterEach(() => {
      expect(vi.getTimerCount()).toBe(0);
      vi.useRealTimers();
    });

    it('calls work for each subscription, and does not when it refuses', async () => {
      const { breaker } = breakerAt();
      const work = vi.fn(() => Promise.resolve('answer'));
      const call = breaker.run(work);
      expect(work).not.toHaveBeenCalled();
      expect(await lastValueFrom(call)).toBe('answer');
      expect(await lastValueFrom(call)).toBe('answer');
      breaker.open();
      await expect(lastValueFrom(call)).rejects.toMatchObject({ name: 'CircuitOpenError' });
      expect(work).toHaveBeenCalledTimes(2);
      expect(breaker.statistics()).toEqual({
        running: 0,
        succeeded: 2,
        failed: 0,
        ignored: 0,
        refused: 1,
        openings: 1,
      });
    });

    it('counts what it throws or rejects with', async () => {
      const { breaker } = breakerAt({ threshold: { consecutive: 2 } });
      await expect(lastValueFrom(breaker.run(() => Promise.reject(broken)))).rejects.toBe(broken);
      expect(
        record(
          breaker.run((): never => {
            throw broken;
          }),
        ).log,
      ).toEqual([['error', broken]]);
      expect(breaker.state.status).toBe('open');
    });

    it('aborts the signal when it is unsubscribed, and that counts as neither', () => {
      const { breaker } = breakerAt();
      let signal: AbortSignal | undefined;
      const { subscription } = record(
        breaker.run((context) => {
          ({ signal } = context);
          return NEVER;
        }),
      );
      subscription.unsubscribe();
      expect(signal?.aborted).toBe(true);
      expect(breaker.statistics()).toMatchObject({ running: 0, ignored: 1 });
    });

    it('pulls what can wait at the pace of the consumer', () => {
      const { breaker } = breakerAt();
      const gate = new ManualGate();
      const pulled: number[] = [];
      const { log } = record(
        breaker
          .run(function* () {
            for (let i = 0; i < 3; i++) {
              pulled.push(i);
              yield i;
            }
          })
          .pipe(gatedBy(gate)),
      );
      expect(pulled).toEqual([]);
      gate.ready = true;
      expect(log).toEqual([0, 1, 2, 'complete']);
    });

    it('is checked', () => {
      expect(() => breakerAt().breaker.run(5 as never)).toThrow(new TypeError('work must be a function, got 5'));
    });
  });

  it('counts each call once, in a pipeline too', () => {
    const { breaker } = breakerAt({ threshold: { ratio: 0.5, calls: 4 } });
    const { log } = record(
      fromPull([1, 2, 3, 4, 5, 6]).pipe(
        bufferedMergeMap((i) => (i % 2 ? of(i) : throwError(() => i)).pipe(circuitBreaker(breaker)), { concurrent: 1 }),
      ),
    );
    expect(log).toEqual([1, ['error', 2]]);
    expect(breaker.statistics()).toMatchObject({ succeeded: 1, failed: 1, refused: 0 });
  });

  it('a clock that is set back makes nothing due later than that it was', () => {
    const clock = { now: 1000 };
    const scheduler = { now: () => clock.now, schedule: () => new VirtualTimeScheduler().schedule(() => undefined) };
    const breaker = createCircuitBreaker({ threshold: { consecutive: 1 }, openFor: 10, scheduler });
    record(fails.pipe(circuitBreaker(breaker)));
    clock.now = 400;
    expect(breaker.state.status).toBe('open');
    clock.now = 410;
    expect(breaker.state.status).toBe('half-open');
  });

  it('tells what becomes due while it looks, where the clock goes on meanwhile', () => {
    for (let openFor = 0; openFor < 20; openFor++) {
      let time = 0;
      const { breaker, watch, fail } = breakerAt({
        openFor,
        scheduler: { now: () => time++, schedule: () => new VirtualTimeScheduler().schedule(() => undefined) },
      });
      const { log } = watch();
      fail();
      for (let i = 0; i < 10; i++) {
        const trial = record(NEVER.pipe(circuitBreaker(breaker)));
        const [refused] = trial.log as [string, { retryAfter: number }][];
        if (refused) expect(refused[1].retryAfter).toBeGreaterThanOrEqual(0);
        else {
          expect(log).toEqual(['0 closed', expect.stringMatching('open'), expect.stringMatching('half-open')]);
          break;
        }
      }
      expect(log).toHaveLength(3);
    }
  });

  it('knows a breaker of another copy of the package', () => {
    const { breaker } = breakerAt();
    const [key] = Object.getOwnPropertySymbols(breaker);
    expect(Symbol.keyFor(key as symbol)).toBe('rxjs-flow-control.breaker');
    expect(Object.keys(breaker)).toEqual(['state', 'state$', 'run', 'open', 'close', 'statistics']);
  });

  it('lets a source that never waits be stopped', () => {
    const { breaker } = breakerAt();
    let produced = 0;
    const firehose = new Observable<number>((subscriber) => {
      while (!subscriber.closed && produced < 100) subscriber.next(produced++);
    });
    record(breaker.run(() => firehose).pipe(take(1)));
    expect(produced).toBe(1);
    expect(breaker.statistics().succeeded).toBe(1);
  });

  it('takes a ratio of 1: all have to fail', () => {
    expect(createCircuitBreaker({ threshold: { ratio: 1, calls: 4 }, openFor: 10 }).state.status).toBe('closed');
  });

  it.each([
    [{ threshold: {} }, TypeError, /threshold must have either consecutive, or ratio and one of window and calls/],
    [{ threshold: null }, TypeError, /threshold must/],
    [{ threshold: { consecutive: 1, ratio: 0.5, calls: 4 } }, TypeError, /threshold must/],
    [{ threshold: { consecutive: 1, minimum: 4 } }, TypeError, /threshold must/],
    [{ threshold: { ratio: 0.5 } }, TypeError, /threshold must/],
    [{ threshold: { ratio: 0.5, window: 10, calls: 10 } }, TypeError, /threshold must/],
    [{ threshold: { consecutive: 0 } }, RangeError, /consecutive must be a positive integer, got 0/],
    [{ threshold: { ratio: 0, calls: 4 } }, RangeError, /ratio must be more than 0 and at most 1, got 0/],
    [{ threshold: { ratio: 1.1, calls: 4 } }, RangeError, /ratio must/],
    [{ threshold: { ratio: 0.5, calls: Infinity } }, RangeError, /calls must be a positive integer, got Infinity/],
    [{ threshold: { ratio: 0.5, calls: 0, minimum: 1 } }, RangeError, /calls must be a positive integer, got 0/],
    [{ threshold: { ratio: 0.5, calls: 4, minimum: 5 } }, RangeError, /minimum must be at most calls \(4\), got 5/],
    [{ threshold: { ratio: 0.5, window: 0 } }, RangeError, /window must be a positive number of milliseconds, got 0/],
    [{ threshold: { ratio: 0.5, window: 10, minimum: 0 } }, RangeError, /minimum must be a positive integer, got 0/],
    [{ openFor: -1 }, RangeError, /openFor must be a number of milliseconds from 0/],
    [{ probes: 0 }, RangeError, /probes must be a positive integer, got 0/],
    [{ successes: 0 }, RangeError, /successes must be a positive integer, got 0/],
    [{ slowAfter: 0 }, RangeError, /slowAfter must be more than 0, got 0/],
    [{ slowAfter: NaN }, RangeError, /slowAfter must be a number of milliseconds/],
    [{ isFailure: 1 }, TypeError, /isFailure must be a function, got 1/],
    [{ isIgnored: 1 }, TypeError, /isIgnored must be a function, got 1/],
    [{ scheduler: {} }, TypeError, /scheduler must have the functions/],
    [{ name: 1 }, TypeError, /name must be a string, got 1/],
  ])('refuses %j at the call', (options, Kind, message) => {
    expect(() => createCircuitBreaker(options as never)).toThrow(Kind);
    expect(() => createCircuitBreaker(options as never)).toThrow(message);
    expect(() => circuitBreaker(options as never)).toThrow(message);
  });
});
