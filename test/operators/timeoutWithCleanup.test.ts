import {
  asyncScheduler,
  concat,
  concatMap,
  defer,
  delay,
  EMPTY,
  fromEvent,
  identity,
  ignoreElements,
  interval,
  map,
  merge,
  mergeMap,
  NEVER,
  Observable,
  of,
  range,
  retry,
  startWith,
  Subject,
  Subscription,
  switchMap,
  take,
  tap,
  throwError,
  timeout,
  timer,
  VirtualTimeScheduler,
  type ObservableInput,
  type SchedulerLike,
} from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TimeoutWithCleanupError, type TimeoutWithCleanupInfo } from '../../src/errors/TimeoutWithCleanupError.js';
import { bufferedMergeMap, fromPull, gatedBy } from '../../src/index.js';
import { Completion } from '../../src/internal/Completion.js';
import { operate } from '../../src/internal/operate.js';
import { Cleanups } from '../../src/link/Cleanups.js';
import type { CleanupScope } from '../../src/link/protocol.js';
import { findCleanupScope } from '../../src/link/walk.js';
import { timeoutWithCleanup, type TimeoutWithCleanupOptions } from '../../src/operators/timeoutWithCleanup.js';
import { abortable } from '../../src/sources/abortable.js';
import { usingAsync } from '../../src/sources/usingAsync.js';
import { ManualGate } from '../support/ManualGate.js';
import { marbles } from '../support/marbles.js';
import { record } from '../support/record.js';
import { deferred, settle } from '../support/settle.js';
import { stoppable } from '../support/stoppable.js';
import { timeline } from '../support/timeline.js';
import { collectUnhandled, reported } from '../support/unhandled.js';

const unhandled = collectUnhandled();

let scheduler: VirtualTimeScheduler;
beforeEach(() => {
  scheduler = new VirtualTimeScheduler();
});

/** After so many frames. */
const after = <T>(frames: number, value: T) => timer(frames, scheduler).pipe(map(() => value));
const failAfter = (frames: number, error: unknown) =>
  timer(frames, scheduler).pipe(
    map((): never => {
      throw error;
    }),
  );
const ends = (frames: number) => timer(frames, scheduler).pipe(ignoreElements());

/** A source that has something to clean up when it is torn down: over when what `cleanup` gives has ended. */
const cleansUp = <T>(values$: Observable<T>, cleanup: () => Observable<unknown>) =>
  new Observable<T>((subscriber) => {
    const scope = findCleanupScope(subscriber);
    subscriber.add(() => {
      const completion = new Completion();
      scope?.track(completion);
      cleanup().subscribe({ error: completion.reject, complete: completion.resolve });
    });
    values$.subscribe(subscriber);
  });

/** Puts a scope below that writes down what is handed to it, and when that settles. */
const scoped = (into: unknown[]) => {
  const scope: CleanupScope = {
    track: (cleanup) => {
      into.push([scheduler.frame, 'tracked']);
      cleanup.then(
        () => into.push([scheduler.frame, 'settled']),
        (error: unknown) => into.push([scheduler.frame, 'failed', error]),
      );
    },
  };
  return <T>(source: Observable<T>) =>
    new Observable<T>((destination) => {
      source.subscribe(operate<T, T>({ destination, cleanupScope: scope }));
    });
};

type Result = ConstructorParameters<typeof TimeoutWithCleanupError>[2];

const timedOut = (
  info: TimeoutWithCleanupInfo,
  result: Result = { cleanup: 'done' },
  cause?: unknown,
  where = 'timeoutWithCleanup',
) => [new TimeoutWithCleanupError(where, info, result, cause)];

const each = (ms: number, seen = 0, lastValue?: unknown): TimeoutWithCleanupInfo => ({
  limit: 'each',
  ms,
  seen,
  ...(seen > 0 && { lastValue }),
});

/** Plays to the end of time. */
function play<T, R = never>(
  source: Observable<T>,
  options: TimeoutWithCleanupOptions<T, R>,
  below: <V>(values: Observable<V>) => Observable<V> = identity,
) {
  const played = timeline(below(source.pipe(timeoutWithCleanup<T, R>({ scheduler, ...options }))), scheduler);
  scheduler.flush();
  return played.log;
}

describe('timeoutWithCleanup', () => {
  describe('is called', () => {
    it('with at least one limit', () => {
      expect(() => timeoutWithCleanup({})).toThrow(new TypeError('timeoutWithCleanup needs first, each or total'));
      expect(() => timeoutWithCleanup(5 as never)).toThrow(new TypeError('options must be an object, got 5'));
    });

    it.each(['first', 'each', 'total'])('with a %s that is a duration', (name) => {
      for (const value of [-1, NaN, Infinity, 2 ** 31, '5', null, new Date()]) {
        expect(() => timeoutWithCleanup({ each: 1, [name]: value })).toThrow(
          new RegExp(`^${name} must be a number of milliseconds from 0 to 2147483647, got `),
        );
      }
      expect(() => timeoutWithCleanup({ [name]: 0 })).not.toThrow();
    });

    it.each([
      [{ strategy: 'kind' }, "strategy must be one of 'cooperative', 'aggressive', got 'kind'"],
      [{ cleanup: 5 }, 'cleanup must be a function, got 5'],
      [{ with: of(1) }, 'with must be a function, got an object'],
      [
        { cleanupTimeout: -1 },
        'cleanupTimeout must be a number of milliseconds from 0 to 2147483647 or Infinity, got -1',
      ],
      [{ scheduler: {} }, "scheduler must have the functions 'now' and 'schedule', got an object"],
      [{ name: 5 }, 'name must be a string, got 5'],
    ])('with options that are right: %o', (options, message) => {
      expect(() => timeoutWithCleanup({ each: 1, ...options } as never)).toThrow(message);
    });
  });

  describe('limits', () => {
    it(
      'the first value',
      marbles((m) => {
        const info: TimeoutWithCleanupInfo = { limit: 'first', ms: 3, seen: 0 };
        const error = timedOut(info)[0];
        m.expect(m.cold('--a---------|').pipe(timeoutWithCleanup({ first: 3 }))).toBeObservable('--a---------|');
        m.expect(m.cold('-----a---|').pipe(timeoutWithCleanup({ first: 3 }))).toBeObservable('---#', undefined, error);
      }),
    );

    it(
      'each value, the first one too',
      marbles((m) => {
        m.expect(m.cold('--a--b--c|').pipe(timeoutWithCleanup({ each: 3 }))).toBeObservable('--a--b--c|');
        const first = m.cold('----a|');
        const third = m.cold('--a--b----c|');
        m.expect(first.pipe(timeoutWithCleanup({ each: 3 }))).toBeObservable('---#', undefined, timedOut(each(3))[0]);
        const error = timedOut(each(3, 2, 'b'))[0];
        m.expect(third.pipe(timeoutWithCleanup({ each: 3 }))).toBeObservable('--a--b--#', undefined, error);
        m.expect(third).toHaveSubscriptions('^-------!');
      }),
    );

    it(
      'the first value more, or less, than each other one',
      marbles((m) => {
        const long = m.cold('------a--b----c|');
        const short = m.cold('-a---b---c|');
        const error = timedOut(each(3, 2, 'b'))[0];
        m.expect(long.pipe(timeoutWithCleanup({ first: 9, each: 3 }))).toBeObservable(
          '------a--b--#',
          undefined,
          error,
        );
        m.expect(short.pipe(timeoutWithCleanup({ first: 2, each: 5 }))).toBeObservable('-a---b---c|');
      }),
    );

    it(
      'the whole',
      marbles((m) => {
        const info: TimeoutWithCleanupInfo = { limit: 'total', ms: 5, seen: 2, lastValue: 'b' };
        const error = timedOut(info)[0];
        m.expect(m.cold('-a-b-c-d|').pipe(timeoutWithCleanup({ total: 9 }))).toBeObservable('-a-b-c-d|');
        m.expect(m.cold('-a-b--c-d|').pipe(timeoutWithCleanup({ total: 5 }))).toBeObservable(
          '-a-b-#',
          undefined,
          error,
        );
      }),
    );

    it('as RxJS: the one that comes first', () => {
      expect(play(NEVER, { first: 9, total: 4 })).toEqual([[4, timedOut({ limit: 'total', ms: 4, seen: 0 })]]);
      expect(play(NEVER, { first: 3, each: 2, total: 4 })).toEqual([[7, timedOut({ limit: 'first', ms: 3, seen: 0 })]]);
    });

    it('says that it was the whole where silence and the whole are over at once', () => {
      expect(play(NEVER, { each: 4, total: 4 })).toEqual([[4, timedOut({ limit: 'total', ms: 4, seen: 0 })]]);
    });

    it('undefined as a value, too', () => {
      const log = play(merge(of(undefined), NEVER), { each: 4 });
      const error = (log[1]?.[1] as [TimeoutWithCleanupError])[0];
      expect(error.info).toStrictEqual({ limit: 'each', ms: 4, seen: 1, lastValue: undefined });
    });

    it('has a message that says what was exceeded', () => {
      const message = (info: TimeoutWithCleanupInfo, cleanup: Result['cleanup']) =>
        new TimeoutWithCleanupError("timeoutWithCleanup 'orders'", info, { cleanup }).message;
      expect(message({ limit: 'first', ms: 5, seen: 0 }, 'done')).toBe(
        "timeoutWithCleanup 'orders': no value has come within 5 ms. It has been cancelled and has cleaned up.",
      );
      expect(message({ limit: 'each', ms: 5, seen: 3, lastValue: 1 }, 'failed')).toBe(
        "timeoutWithCleanup 'orders': no value has come within 5 ms after 3. It has been cancelled, and its clean-up has failed: see cleanupError.",
      );
      expect(message({ limit: 'total', ms: 5, seen: 3, lastValue: 1 }, 'timed-out')).toBe(
        "timeoutWithCleanup 'orders': it has not completed within 5 ms (3 values have come). " +
          'It has been cancelled, and had not cleaned up when cleanupTimeout was over: let the work stop when its signal is aborted, or give it more time.',
      );
      const log = play(NEVER, { each: 1, name: 'orders' });
      expect(log[0]?.[1]).toMatchObject([{ where: "timeoutWithCleanup 'orders'", name: 'TimeoutWithCleanupError' }]);
    });
  });

  describe('in the same moment', () => {
    it('lets a value win that was scheduled before', () => {
      expect(play(after(5, 'a'), { first: 5 })).toEqual([
        [5, 'a'],
        [5, 'complete'],
      ]);
    });

    it('lets each value of a regular source win, since no timer is moved for a value', () => {
      const log = play(interval(5, scheduler).pipe(take(4)), { each: 5 });
      expect(log.map(([frame]) => frame)).toEqual([5, 10, 15, 20, 20]);
    });

    it('wins over a value that was scheduled later, as timeout does', () => {
      const source = after(3, 'a').pipe(switchMap((value) => after(2, value)));
      expect(play(source, { first: 5 })).toEqual([[5, timedOut({ limit: 'first', ms: 5, seen: 0 })]]);
      const native = timeline(source.pipe(timeout({ first: 5, scheduler })), scheduler);
      scheduler.flush();
      expect(native.log).toMatchObject([[10, [{ name: 'TimeoutError' }]]]);
    });

    it('lets a completion win over the total', () => {
      expect(play(ends(5), { total: 5 })).toEqual([[5, 'complete']]);
    });

    it('lets a synchronous source win over no time at all', () => {
      expect(play(of('a', 'b'), { total: 0, each: 0, first: 0 })).toEqual([
        [0, 'a'],
        [0, 'b'],
        [0, 'complete'],
      ]);
      expect(play(NEVER, { total: 0 })).toEqual([[0, timedOut({ limit: 'total', ms: 0, seen: 0 })]]);
    });
  });

  describe('timers', () => {
    /** Counts what is scheduled and not yet over. */
    const counting = () => {
      const counts = { made: 0, pending: 0 };
      const counted: SchedulerLike = {
        now: () => scheduler.now(),
        schedule: (work, wait, state) => {
          counts.made++;
          counts.pending++;
          const action = scheduler.schedule(work as never, wait, state as never);
          action.add(() => counts.pending--);
          return action;
        },
      };
      return { counts, counted };
    };

    it('are not made by a source that is synchronous', () => {
      const { counts, counted } = counting();
      play(of(1, 2, 3), { first: 5, each: 5, total: 5, scheduler: counted });
      play(EMPTY, { first: 5, each: 5, total: 5, scheduler: counted });
      play(
        throwError(() => 'oops'),
        { first: 5, each: 5, total: 5, scheduler: counted },
      );
      expect(counts).toEqual({ made: 0, pending: 0 });
    });

    it('are one at a time, and not moved by values: they go on for what is left', () => {
      const { counts, counted } = counting();
      const source = new Subject<number>();
      const { log } = record(source.pipe(timeoutWithCleanup({ each: 100, total: 1000, scheduler: counted })));
      for (let i = 0; i < 50_000; i++) source.next(i);
      expect(counts).toEqual({ made: 1, pending: 1 });
      scheduler.maxFrames = 350;
      merge(after(90, 'x'), after(180, 'y'), after(270, 'z')).subscribe(source as Subject<unknown>);
      scheduler.flush();
      expect(counts.made).toBeLessThan(6);
      expect(log.slice(-4)).toEqual(['x', 'y', 'z', 'complete']);
      expect(counts.pending).toBe(0);
    });

    it('are made anew where an earlier limit comes', () => {
      const source = after(2, 'a').pipe(concatMap((value) => concat(of(value), NEVER)));
      expect(play(source, { first: 1000, each: 3 })).toEqual([
        [2, 'a'],
        [5, timedOut(each(3, 1, 'a'))],
      ]);
      expect(scheduler.actions).toEqual([]);
    });

    it('are gone when no limit is left', () => {
      const { counts, counted } = counting();
      const source = new Subject<number>();
      const { log } = record(source.pipe(timeoutWithCleanup({ first: 5, scheduler: counted })));
      expect(counts.pending).toBe(1);
      source.next(1);
      expect(counts.pending).toBe(0);
      scheduler.flush();
      expect(log).toEqual([1]);
    });

    it.each(['complete', 'error', 'unsubscribe'] as const)(
      'are gone at once on %s, before anybody hears of it',
      (end) => {
        const { counts, counted } = counting();
        const source = new Subject<number>();
        const seen: number[] = [];
        const note = () => seen.push(counts.pending);
        const subscription = source
          .pipe(timeoutWithCleanup({ each: 5, total: 5, scheduler: counted }))
          .subscribe({ error: note, complete: note });
        if (end === 'unsubscribe') {
          subscription.unsubscribe();
          note();
        } else source[end]('oops');
        expect(seen).toEqual([0]);
      },
    );

    it('do not fire after success, though the consumer lets time pass at the end', () => {
      const events: unknown[] = [];
      const source = new Subject<number>();
      source.pipe(timeoutWithCleanup({ total: 5, scheduler, cleanup: () => events.push('cleanup') })).subscribe({
        error: (error: unknown) => events.push(error),
        complete: () => {
          events.push('complete');
          scheduler.flush();
        },
      });
      source.complete();
      expect(events).toEqual(['complete']);
    });

    it('that come early go on', () => {
      let now = 0;
      const works: (() => void)[] = [];
      const early = {
        now: () => now,
        schedule: (work: () => void) => {
          works.push(work);
          return new Subscription();
        },
      } as unknown as SchedulerLike;
      const { log, subscription } = record(NEVER.pipe(timeoutWithCleanup({ each: 10, scheduler: early })));
      now = 9.5;
      works.shift()?.();
      expect(log).toEqual([]);
      now = 10;
      works.shift()?.();
      expect(log).toEqual([['error', timedOut(each(10))[0]]]);
      subscription.unsubscribe();
    });

    it('that come late let what has come meanwhile have its turn: a busy event loop is no silence', () => {
      let now = 0;
      const works: (() => void)[] = [];
      const late = {
        now: () => now,
        schedule: (work: () => void) => {
          works.push(work);
          return new Subscription();
        },
      } as unknown as SchedulerLike;
      const source = new Subject<number>();
      const { log } = record(source.pipe(timeoutWithCleanup({ each: 10, scheduler: late })));
      now = 25; // busy
      works.shift()?.();
      source.next(1);
      works.shift()?.();
      expect(log).toEqual([1]);
      now = 50;
      works.shift()?.();
      expect(log).toEqual([1]);
      works.shift()?.();
      expect(log).toEqual([1, ['error', timedOut(each(10, 1, 1))[0]]]);
    });

    it('make an error of their scheduler the error', () => {
      const broken: SchedulerLike = {
        now: () => 0,
        schedule: () => {
          throw 'no time';
        },
      };
      expect(record(NEVER.pipe(timeoutWithCleanup({ each: 5, scheduler: broken }))).log).toEqual([
        ['error', 'no time'],
      ]);
    });
  });

  describe.each(['aggressive', 'cooperative'] as const)('with nobody who can be asked (%s)', (strategy) => {
    const options = { strategy };

    it('unsubscribes at once and waits for the clean-up of the source', () => {
      const source = cleansUp(NEVER, () => ends(7));
      expect(play(source, { each: 5, ...options })).toEqual([[12, timedOut(each(5))]]);
    });

    it('calls cleanup once, with what has happened, after the source was unsubscribed', () => {
      const calls: unknown[] = [];
      const source = new Subject<string>();
      const cleanup = (info: TimeoutWithCleanupInfo<string>) => {
        calls.push([scheduler.frame, info, source.observed]);
      };
      timer(2, scheduler).subscribe(() => {
        source.next('a');
      });
      expect(play(source, { each: 5, cleanup, ...options })).toEqual([
        [2, 'a'],
        [7, timedOut(each(5, 1, 'a'))],
      ]);
      expect(calls).toEqual([[7, each(5, 1, 'a'), false]]);
    });

    it('waits for cleanup and the clean-up of the source side by side', () => {
      const source = () => cleansUp(NEVER, () => ends(7));
      expect(play(source(), { each: 5, cleanup: () => ends(9), ...options })).toEqual([[14, timedOut(each(5))]]);
      expect(play(source(), { each: 5, cleanup: () => ends(3), ...options })).toEqual([[26, timedOut(each(5))]]);
    });

    it('waits for a promise, to the microtask', async () => {
      vi.useFakeTimers();
      const closed = deferred();
      const { log } = record(NEVER.pipe(timeoutWithCleanup({ each: 5, cleanup: () => closed.promise, ...options })));
      await vi.advanceTimersByTimeAsync(100);
      expect(log).toEqual([]);
      closed.resolve();
      await settle(3);
      expect(log).toEqual([['error', timedOut(each(5))[0]]]);
      expect(vi.getTimerCount()).toBe(0);
      vi.useRealTimers();
    });

    it('waits cleanupTimeout at the most, from when time was up', () => {
      const source = cleansUp(NEVER, () => NEVER);
      const expected = timedOut(each(5), { cleanup: 'timed-out' });
      expect(play(source, { each: 5, cleanupTimeout: 20, ...options })).toEqual([[25, expected]]);
      expect(play(source, { each: 5, cleanupTimeout: 0, ...options })).toEqual([[30, expected]]);
      expect(play(NEVER, { each: 5, cleanup: () => NEVER, cleanupTimeout: 20, ...options })).toEqual([[55, expected]]);
      expect(scheduler.actions).toEqual([]);
    });

    it('waits 5 seconds by default, and for ever if told so', () => {
      const source = cleansUp(NEVER, () => NEVER);
      expect(play(source, { each: 5, ...options })).toMatchObject([[5005, [{ cleanup: 'timed-out' }]]]);
      expect(play(source, { each: 5, cleanupTimeout: Infinity, ...options })).toEqual([]);
    });

    it.each<[string, (error: unknown) => unknown]>([
      [
        'throws',
        (error) => {
          throw error;
        },
      ],
      [
        'rejects',
        (error) => {
          const c = new Completion();
          c.reject(error);
          return c;
        },
      ],
      ['errors', (error) => throwError(() => error)],
      ['errors later', (error) => failAfter(3, error)],
    ])('tells in the error that cleanup %s', (_, fail) => {
      const error = new Error('stuck');
      const log = play(NEVER, { each: 5, cleanup: () => fail(error), ...options });
      expect(log.map(([, event]) => event)).toEqual([timedOut(each(5), { cleanup: 'failed', cleanupError: error })]);
    });

    it('tells in the error that the clean-up of the source has failed, and all that have', () => {
      const source = cleansUp(NEVER, () => failAfter(2, 'source'));
      expect(play(source, { each: 5, ...options })).toEqual([
        [7, timedOut(each(5), { cleanup: 'failed', cleanupError: 'source' })],
      ]);
      const both = play(source, { each: 5, cleanup: () => failAfter(3, 'cleanup'), ...options });
      expect(both).toMatchObject([[15, [{ cleanup: 'failed', cleanupError: { errors: ['source', 'cleanup'] } }]]]);
    });

    it('tells that one has failed and another has not ended', () => {
      const source = cleansUp(NEVER, () => NEVER);
      expect(
        play(source, {
          each: 5,
          cleanup: () => {
            throw 'oops';
          },
          cleanupTimeout: 9,
          ...options,
        }),
      ).toEqual([[14, timedOut(each(5), { cleanup: 'timed-out', cleanupError: 'oops' })]]);
    });

    it('takes what a teardown throws for a clean-up that has failed, and calls cleanup all the same', () => {
      const cleanup = vi.fn();
      const source = new Observable<never>(() => () => {
        throw new Error('teardown');
      });
      const log = play(source, { each: 5, cleanup, ...options });
      expect(log).toMatchObject([[5, [{ cleanup: 'failed', cleanupError: { errors: [new Error('teardown')] } }]]]);
      expect(cleanup).toHaveBeenCalledTimes(1);
    });

    it('reports what fails after it has stopped to wait', async () => {
      const late = new Completion();
      play(NEVER, { each: 5, cleanup: () => late, cleanupTimeout: 3, ...options });
      late.reject('late');
      expect(await reported(unhandled)).toBe('late');
    });

    it('hands everything to the scope below too, which waits longer', () => {
      const handed: unknown[] = [];
      const source = cleansUp(NEVER, () => failAfter(30, 'late'));
      const log = play(source, { each: 5, cleanup: () => ends(4), cleanupTimeout: 10, ...options }, scoped(handed));
      expect(log).toEqual([[15, timedOut(each(5), { cleanup: 'timed-out' })]]);
      expect(handed.filter((entry) => (entry as unknown[])[1] === 'tracked').length).toBe(3);
      expect(handed.slice(-2)).toEqual([
        [9, 'settled'],
        [35, 'failed', 'late'],
      ]);
    });

    it('passes nothing on that a source emits while and after it is unsubscribed', () => {
      const source = new Observable<string>((subscriber) => () => {
        subscriber.next('late');
        subscriber.complete();
      });
      expect(play(source, { each: 5, cleanup: () => ends(2), ...options })).toEqual([[7, timedOut(each(5))]]);
    });

    describe('goes on with what `with` gives', () => {
      it('when the clean-up has ended', () => {
        const source = cleansUp(NEVER, () => ends(7));
        const seen: unknown[] = [];
        const other = (info: TimeoutWithCleanupInfo) => {
          seen.push(info);
          return after(1, 'x');
        };
        expect(play(source, { each: 5, with: other, ...options })).toEqual([
          [13, 'x'],
          [13, 'complete'],
        ]);
        expect(seen).toEqual([each(5)]);
      });

      it('without a limit of time', () => {
        expect(play(NEVER, { each: 5, total: 9, with: () => after(100, 'x'), ...options })).toEqual([
          [105, 'x'],
          [105, 'complete'],
        ]);
      });

      it('when time is up for the clean-up, too', () => {
        const source = cleansUp(NEVER, () => NEVER);
        expect(play(source, { each: 5, cleanupTimeout: 9, with: () => of('x'), ...options })).toEqual([
          [14, 'x'],
          [14, 'complete'],
        ]);
      });

      it('and reports a clean-up that has failed', async () => {
        expect(play(NEVER, { each: 5, cleanup: () => failAfter(1, 'oops'), with: () => of('x'), ...options })).toEqual([
          [6, 'x'],
          [6, 'complete'],
        ]);
        expect(await reported(unhandled)).toBe('oops');
      });

      it('and hands a clean-up that has failed to the scope below, where there is one', () => {
        const handed: unknown[] = [];
        const failing = { cleanup: () => failAfter(1, 'oops'), with: () => of('x') };
        play(NEVER, { each: 5, ...failing, ...options }, scoped(handed));
        expect(handed).toContainEqual([6, 'failed', 'oops']);
      });

      it('and makes what it throws, and its error, the error', () => {
        const thrown = () => {
          throw 'thrown';
        };
        expect(play(NEVER, { each: 5, with: thrown, ...options })).toEqual([[5, ['thrown']]]);
        expect(play(NEVER, { each: 5, with: () => throwError(() => 'errored'), ...options })).toEqual([
          [10, ['errored']],
        ]);
        expect(play(NEVER, { each: 5, with: () => 5 as never, ...options })).toMatchObject([
          [
            15,
            [
              new TypeError(
                "You provided '5' where a stream was expected. You can provide an Observable, Promise, ReadableStream, Array, AsyncIterable, or Iterable.",
              ),
            ],
          ],
        ]);
      });

      it('and unsubscribes from it', () => {
        const other = new Subject<string>();
        const { subscription } = timeline(
          NEVER.pipe(timeoutWithCleanup({ each: 5, with: () => other, scheduler })),
          scheduler,
        );
        scheduler.flush();
        expect(other.observed).toBe(true);
        subscription.unsubscribe();
        expect(other.observed).toBe(false);
      });

      it('at the pace of the consumer, an array too', () => {
        const gate = new ManualGate(true);
        const seen: number[] = [];
        NEVER.pipe(
          timeoutWithCleanup({ each: 5, with: () => [1, 2, 3], scheduler, ...options }),
          gatedBy(gate),
        ).subscribe((value) => {
          seen.push(value);
          gate.ready = false;
        });
        scheduler.flush();
        expect(seen).toEqual([1]);
        gate.ready = true;
        expect(seen).toEqual([1, 2]);
      });
    });

    describe('unsubscribed while it waits', () => {
      it('emits nothing, calls cleanup no second time, and leaves no timer', () => {
        const cleanup = vi.fn(() => ends(20));
        const { log, subscription } = timeline(
          NEVER.pipe(timeoutWithCleanup({ each: 5, cleanup, scheduler, cleanupTimeout: 1000, ...options })),
          scheduler,
        );
        timer(9, scheduler).subscribe(() => {
          subscription.unsubscribe();
        });
        scheduler.flush();
        expect(log).toEqual([]);
        expect(cleanup).toHaveBeenCalledTimes(1);
        expect(scheduler.frame).toBe(25);
      });

      it('hands what fails later, and what has failed, to the scope below', () => {
        const handed: unknown[] = [];
        const source = cleansUp(NEVER, () => failAfter(1, 'early'));
        const { log, subscription } = timeline(
          scoped(handed)(
            source.pipe(timeoutWithCleanup({ each: 5, cleanup: () => failAfter(20, 'late'), scheduler, ...options })),
          ),
          scheduler,
        );
        timer(9, scheduler).subscribe(() => {
          subscription.unsubscribe();
        });
        scheduler.flush();
        expect(log).toEqual([]);
        expect(handed).toContainEqual([9, 'failed', 'early']);
        expect(handed).toContainEqual([25, 'failed', 'late']);
        expect(handed.filter((entry) => (entry as unknown[])[1] === 'tracked').length).toBe(
          handed.filter((entry) => (entry as unknown[])[1] !== 'tracked').length,
        );
      });

      it('reports that where nobody is below', async () => {
        const { subscription } = timeline(
          NEVER.pipe(timeoutWithCleanup({ each: 5, cleanup: () => failAfter(1, 'early'), scheduler, ...options })),
          scheduler,
        );
        scheduler.maxFrames = 5;
        scheduler.flush();
        subscription.unsubscribe();
        scheduler.maxFrames = Infinity;
        scheduler.flush();
        expect(await reported(unhandled)).toBe('early');
      });

      it('by `with` itself, subscribes to nothing, and reports what that throws then', async () => {
        const subscribed = vi.fn();
        const error = new Error('too late');
        for (const given of [
          () => defer(subscribed),
          () => {
            throw error;
          },
        ]) {
          const { log, subscription } = timeline(
            NEVER.pipe(
              timeoutWithCleanup({
                each: 5,
                with: (): ObservableInput<unknown> => {
                  subscription.unsubscribe();
                  return given();
                },
                scheduler,
                ...options,
              }),
            ),
            scheduler,
          );
          scheduler.flush();
          expect(log).toEqual([]);
        }
        expect(subscribed).not.toHaveBeenCalled();
        expect(await reported(unhandled)).toBe(error);
      });

      it('also by cleanup itself', () => {
        const handed: unknown[] = [];
        let subscription = Subscription.EMPTY;
        const source = cleansUp(NEVER, () => ends(3));
        const cleanup = () => {
          subscription.unsubscribe();
          return failAfter(4, 'late');
        };
        const played = timeline(
          scoped(handed)(
            source.pipe(timeoutWithCleanup({ each: 5, cleanup, with: () => of('x'), scheduler, ...options })),
          ),
          scheduler,
        );
        ({ subscription } = played);
        scheduler.flush();
        expect(played.log).toEqual([]);
        expect(handed).toContainEqual([9, 'failed', 'late']);
      });
    });
  });

  describe('cooperative', () => {
    it('asks work that can stop by itself, with a TimeoutError as of AbortSignal.timeout, and stays subscribed', () => {
      const reasons: unknown[] = [];
      const work = stoppable(concat(after(2, 'a'), NEVER), (reason) => {
        reasons.push([scheduler.frame, reason]);
        return concat(after(3, 'b'), after(3, 'c'));
      });
      const cleanup = vi.fn();
      expect(play(work, { total: 5, cleanup, name: 'w' })).toEqual([
        [2, 'a'],
        [8, 'b'],
        [11, 'c'],
        [11, 'complete'],
      ]);
      expect(reasons).toEqual([[5, new DOMException("timeoutWithCleanup 'w': time is up", 'TimeoutError')]]);
      expect(reasons).toMatchObject([[5, { name: 'TimeoutError' }]]);
      expect(cleanup).not.toHaveBeenCalled();
      expect(scheduler.actions).toEqual([]);
      expect(scheduler.frame).toBe(11);
    });

    it('does not ask when aggressive', () => {
      const whenAsked = vi.fn(() => of('b'));
      expect(play(stoppable(NEVER, whenAsked), { total: 5, strategy: 'aggressive' })).toEqual([
        [5, timedOut({ limit: 'total', ms: 5, seen: 0 })],
      ]);
      expect(whenAsked).not.toHaveBeenCalled();
    });

    it('has no limit of time while the work stops, but cleanupTimeout', () => {
      const work = stoppable(NEVER, () => concat(after(30, 'b'), after(30, 'c')));
      expect(play(work, { first: 5, each: 5, total: 9 })).toEqual([
        [35, 'b'],
        [65, 'c'],
        [65, 'complete'],
      ]);
    });

    it('errors when the work fails with its cancellation, without a cause, and calls cleanup', () => {
      const cleanup = vi.fn(() => ends(2));
      const work = stoppable(NEVER, (reason) => failAfter(3, reason));
      expect(play(work, { each: 5, cleanup })).toEqual([[10, timedOut(each(5))]]);
      expect(cleanup).toHaveBeenCalledTimes(1);
      for (const error of [new DOMException('', 'AbortError'), Object.assign(new Error(), { code: 'ABORT_ERR' })]) {
        const [[, [thrown]]] = play(
          stoppable(NEVER, () => failAfter(3, error)),
          { each: 5 },
        ) as [[number, [Error]]];
        expect(thrown).toBeInstanceOf(TimeoutWithCleanupError);
        expect('cause' in thrown).toBe(false);
      }
    });

    it('errors when the work fails with anything else, with that as the cause', () => {
      const cause = new Error('disk full');
      const work = stoppable(NEVER, () => failAfter(3, cause));
      const log = play(work, { each: 5 });
      expect(log).toEqual([[8, timedOut(each(5), { cleanup: 'done' }, cause)]]);
      expect(log).toMatchObject([[8, [{ cause, cleanup: 'done' }]]]);
    });

    it('waits for the clean-up of work that has failed', () => {
      const work = cleansUp(
        stoppable(NEVER, (reason) => failAfter(3, reason)),
        () => failAfter(4, 'stuck'),
      );
      expect(play(work, { each: 5 })).toEqual([[12, timedOut(each(5), { cleanup: 'failed', cleanupError: 'stuck' })]]);
    });

    it('reports the failure of the work where it goes on with something else', async () => {
      const work = stoppable(NEVER, () => failAfter(3, 'disk full'));
      expect(play(work, { each: 5, with: () => of('x') })).toEqual([
        [8, 'x'],
        [8, 'complete'],
      ]);
      expect(await reported(unhandled)).toBe('disk full');
      const cancelled = stoppable(NEVER, (reason) => failAfter(3, reason));
      play(cancelled, { each: 5, with: () => of('x') });
    });

    it('reports the failure of the work when it is unsubscribed while it waits for the clean-up', async () => {
      const work = stoppable(NEVER, () => failAfter(1, 'disk full'));
      const { subscription } = timeline(
        work.pipe(timeoutWithCleanup({ each: 5, cleanup: () => NEVER, scheduler })),
        scheduler,
      );
      timer(8, scheduler).subscribe(() => {
        subscription.unsubscribe();
      });
      scheduler.flush();
      expect(await reported(unhandled)).toBe('disk full');
    });

    it('gives up the work at once when all who were asked have left and the source goes on', () => {
      const work = stoppable(NEVER, () => after(3, 'b'));
      const source = new Subject<string>();
      const cleanup = vi.fn(() => ends(2));
      const log = play(merge(work, source), { each: 5, cleanup });
      expect(log).toEqual([
        [8, 'b'],
        [10, timedOut(each(5))],
      ]);
      expect(source.observed).toBe(false);
    });

    it('waits for all who were asked', () => {
      const works = [3, 9, 6].map((frames) => stoppable(NEVER, () => after(frames, frames)));
      expect(play(merge(...works), { each: 5 })).toEqual([
        [8, 3],
        [11, 6],
        [14, 9],
        [14, 'complete'],
      ]);
    });

    it('gives up the work when cleanupTimeout is over, and calls cleanup, which nobody waits for any more', async () => {
      const late = new Completion();
      const cleanup = vi.fn(() => late);
      const work = cleansUp(
        stoppable(NEVER, () => interval(4, scheduler)),
        () => EMPTY,
      );
      expect(play(work, { each: 5, cleanupTimeout: 10, cleanup })).toEqual([
        [9, 0],
        [13, 1],
        [15, timedOut(each(5), { cleanup: 'timed-out' })],
      ]);
      expect(cleanup).toHaveBeenCalledTimes(1);
      late.reject('late');
      expect(await reported(unhandled)).toBe('late');
    });

    it('never takes longer than cleanupTimeout, work and clean-up together', () => {
      const work = cleansUp(
        stoppable(NEVER, (reason) => failAfter(6, reason)),
        () => ends(6),
      );
      expect(play(work, { each: 5, cleanupTimeout: 10, cleanup: () => ends(6) })).toEqual([
        [15, timedOut(each(5), { cleanup: 'timed-out' })],
      ]);
    });

    it('has no patience with a cleanupTimeout of 0', () => {
      const work = stoppable(NEVER, () => after(1, 'late'));
      expect(play(work, { each: 5, cleanupTimeout: 0 })).toEqual([[5, timedOut(each(5), { cleanup: 'timed-out' })]]);
    });

    it('has no end of patience with a cleanupTimeout of Infinity', () => {
      const work = stoppable(NEVER, () => after(1e9, 'b'));
      expect(play(work, { each: 5, cleanupTimeout: Infinity })).toMatchObject([
        [1e9 + 5, 'b'],
        [1e9 + 5, 'complete'],
      ]);
    });

    it('lets a synchronous answer win', () => {
      expect(
        play(
          stoppable(NEVER, () => of('b')),
          { each: 5 },
        ),
      ).toEqual([
        [5, 'b'],
        [5, 'complete'],
      ]);
    });

    it('takes a synchronous failure', () => {
      const work = stoppable(NEVER, (reason) => throwError(() => reason));
      expect(play(work, { each: 5 })).toEqual([[5, timedOut(each(5))]]);
    });

    it.each<[string, (inner: Observable<string>) => Observable<string>]>([
      ['mergeMap', (inner) => of(1).pipe(mergeMap(() => inner))],
      ['concatMap', (inner) => of(1).pipe(concatMap(() => inner))],
      ['switchMap', (inner) => of(1).pipe(switchMap(() => inner))],
      ['bufferedMergeMap', (inner) => of(1).pipe(bufferedMergeMap(() => inner))],
      ['defer', (inner) => defer(() => inner)],
      ['usingAsync', (inner) => usingAsync({ acquire: () => 1, use: () => inner, release: () => undefined })],
      ['another one, aggressive', (inner) => inner.pipe(timeoutWithCleanup({ each: 1000, strategy: 'aggressive' }))],
      ['another one, cooperative', (inner) => inner.pipe(timeoutWithCleanup({ each: 1000 }))],
    ])('lets the result of work inside of %s win, which leaves before the end is passed on', (_, inside) => {
      expect(play(inside(stoppable(NEVER, () => after(3, 'b'))), { each: 5 })).toEqual([
        [8, 'b'],
        [8, 'complete'],
      ]);
      expect(play(inside(stoppable(NEVER, () => of('b'))), { each: 5 })).toEqual([
        [13, 'b'],
        [13, 'complete'],
      ]);
      expect(play(inside(stoppable(NEVER, () => EMPTY)), { each: 5 })).toEqual([[18, 'complete']]);
    });

    it('does not wait for work that is started after the request, but tells it at once', () => {
      const reasons: unknown[] = [];
      const first = stoppable(NEVER, () => after(3, 'b'));
      const second = stoppable(after(1, 'never'), (reason) => {
        reasons.push(reason);
        return after(3, 'c');
      });
      expect(play(concat(first, second), { each: 5 })).toEqual([
        [8, 'b'],
        [8, timedOut(each(5, 0))],
      ]);
      expect(reasons).toEqual([new DOMException('timeoutWithCleanup: time is up', 'TimeoutError')]);
    });

    it('lets what is started after the request go on as long as somebody does who was asked', () => {
      const lasting = stoppable(NEVER, () => after(9, 'z'));
      const first = stoppable(NEVER, () => after(2, 'b'));
      const second = stoppable(after(1, 'never'), () => after(2, 'c'));
      expect(play(merge(lasting, concat(first, second)), { each: 5 })).toEqual([
        [7, 'b'],
        [9, 'c'],
        [14, 'z'],
        [14, 'complete'],
      ]);
    });

    it.each<[string, number]>([
      ['at once', 0],
      ['later', 3],
    ])('is not kept by retry, with work that fails %s', (_, frames) => {
      let starts = 0;
      const work = defer(() => {
        starts++;
        return stoppable(NEVER, (reason) => (frames === 0 ? throwError(() => reason) : failAfter(frames, reason)));
      });
      expect(play(work.pipe(retry()), { each: 5 })).toEqual([[5 + frames, timedOut(each(5))]]);
      expect(starts).toBeLessThan(4); // RxJS starts one that is closed already
      starts = 0;
      const real = defer(
        () => (
          starts++,
          abortable((signal) =>
            fromEvent(signal, 'abort').pipe(
              tap(() => {
                signal.throwIfAborted();
              }),
            ),
          )
        ),
      );
      expect(play(real.pipe(retry()), { each: 5 })).toMatchObject([[10 + frames, [{ cleanup: 'done' }]]]);
    });

    it('is not kept by retry beside work that goes on', () => {
      let starts = 0;
      const failing = defer(() => (starts++, stoppable(NEVER, (reason) => throwError(() => reason))));
      const lasting = stoppable(NEVER, () => NEVER);
      expect(play(merge(failing.pipe(retry()), lasting), { each: 5 })).toEqual([[5, timedOut(each(5))]]);
      expect(starts).toBeLessThan(200);
    });

    it('asks the others though one of them throws', async () => {
      const asked: string[] = [];
      const stuck = stoppable(NEVER, () => {
        throw 'stuck';
      });
      const other = stoppable(NEVER, () => (asked.push('other'), after(1, 'b')));
      const log = play(merge(stuck, other), { each: 5, cleanupTimeout: 9 });
      expect(log).toEqual([
        [6, 'b'],
        [14, timedOut(each(5), { cleanup: 'timed-out' })],
      ]);
      expect(await reported(unhandled)).toBe('stuck');
    });

    it('tells what has failed while the work was stopping', () => {
      const dropped = new Subject<string>();
      const inner = merge(
        dropped.pipe(switchMap(() => cleansUp(NEVER, () => failAfter(1, 'stuck')))),
        stoppable(NEVER, (reason) =>
          merge(
            timer(1, scheduler).pipe(
              tap(() => {
                dropped.next('again');
              }),
              ignoreElements(),
            ),
            failAfter(6, reason),
          ),
        ),
      );
      timer(1, scheduler).subscribe(() => {
        dropped.next('first');
      });
      expect(play(inner, { each: 5 })).toMatchObject([
        [12, [{ cleanup: 'failed', cleanupError: { errors: ['stuck', 'stuck'] } }]],
      ]);
    });

    it('hands that to the scope below where the result wins', () => {
      const handed: unknown[] = [];
      const inner = merge(
        of(1, 2).pipe(concatMap(() => cleansUp(after(5.5, 0).pipe(ignoreElements()), () => failAfter(1, 'stuck')))),
        stoppable(NEVER, () => after(8, 'b')),
      );
      expect(play(inner, { each: 5 }, scoped(handed))).toEqual([
        [13, 'b'],
        [13, 'complete'],
      ]);
      expect(handed.filter((entry) => (entry as unknown[])[1] === 'failed').length).toBe(2);
    });

    it('unsubscribed while the work stops: unsubscribes from it, does not call cleanup, and hands over what goes on', () => {
      const handed: unknown[] = [];
      const cleanup = vi.fn();
      const work = cleansUp(
        stoppable(NEVER, () => after(100, 'b')),
        () => ends(3),
      );
      const { log, subscription } = timeline(
        scoped(handed)(work.pipe(timeoutWithCleanup({ each: 5, cleanup, scheduler }))),
        scheduler,
      );
      timer(9, scheduler).subscribe(() => {
        subscription.unsubscribe();
      });
      scheduler.flush();
      expect(log).toEqual([]);
      expect(cleanup).not.toHaveBeenCalled();
      expect(handed).toContainEqual([12, 'settled']);
      expect(scheduler.frame).toBe(12);
    });

    it('unsubscribed by cleanup, when time was up for the work as well: hands over what had failed', () => {
      const handed: unknown[] = [];
      let subscription = Subscription.EMPTY;
      const inner = merge(
        of(1, 2).pipe(concatMap(() => cleansUp(ends(3), () => failAfter(4, 'stuck')))),
        stoppable(NEVER, () => NEVER),
      );
      const cleanup = () => {
        subscription.unsubscribe();
      };
      const played = timeline(
        scoped(handed)(inner.pipe(timeoutWithCleanup({ total: 5, cleanupTimeout: 20, cleanup, scheduler }))),
        scheduler,
      );
      ({ subscription } = played);
      scheduler.flush();
      expect(played.log).toEqual([]);
      const failures = handed.filter((entry) => (entry as unknown[])[1] === 'failed');
      expect(failures).toMatchObject([[25, 'failed', { errors: ['stuck', 'stuck'] }]]);
    });

    it('unsubscribed by cleanup then: hands over no failure where nothing has failed', () => {
      const handed: unknown[] = [];
      let subscription = Subscription.EMPTY;
      const cleanup = () => {
        subscription.unsubscribe();
      };
      const work = stoppable(NEVER, () => NEVER);
      const played = timeline(
        scoped(handed)(work.pipe(timeoutWithCleanup({ total: 5, cleanupTimeout: 20, cleanup, scheduler }))),
        scheduler,
      );
      ({ subscription } = played);
      scheduler.flush();
      expect(played.log).toEqual([]);
      expect(handed.filter((entry) => (entry as unknown[])[1] === 'failed')).toEqual([]);
    });

    it('unsubscribed inside of next, while the work stops', () => {
      const work = stoppable(NEVER, () => concat(after(3, 'b'), after(3, 'c')));
      const seen: string[] = [];
      work.pipe(timeoutWithCleanup({ each: 5, scheduler }), take(1)).subscribe((value) => seen.push(value));
      scheduler.flush();
      expect([seen, scheduler.frame]).toEqual([['b'], 8]);
    });

    it('unsubscribed by the work that it asks', () => {
      const cleanup = vi.fn();
      const subscription = new Subscription();
      const first = stoppable(NEVER, () => (subscription.unsubscribe(), NEVER));
      const second = vi.fn(() => NEVER);
      subscription.add(
        merge(first, stoppable(NEVER, second))
          .pipe(timeoutWithCleanup({ each: 5, cleanup, scheduler }))
          .subscribe(),
      );
      scheduler.flush();
      expect(cleanup).not.toHaveBeenCalled();
      expect(second).not.toHaveBeenCalled();
      expect(scheduler.frame).toBe(5);
    });
  });

  describe('takes backpressure for what it is', () => {
    /** A gate that is open, or not, at the start, and changes in each of `moves`. */
    const movingGate = (open: boolean, ...moves: number[]) => {
      const gate = new ManualGate(open);
      for (const move of moves) timer(move, scheduler).subscribe(() => (gate.ready = !gate.ready));
      return gate;
    };
    const gated = <T, R = never>(source: Observable<T>, options: TimeoutWithCleanupOptions<T, R>, gate: ManualGate) => {
      const log = play(source, options, (values) => values.pipe(gatedBy(gate)));
      expect(gate.waiters.size).toBe(0);
      return log;
    };

    it('begins to count when the consumer can take the first value', () => {
      const first: TimeoutWithCleanupInfo = { limit: 'first', ms: 5, seen: 0 };
      expect(gated(NEVER, { first: 5 }, movingGate(false, 20))).toEqual([[25, timedOut(first)]]);
      expect(gated(fromPull(['a']), { first: 5 }, movingGate(false, 20))).toEqual([
        [45, 'a'],
        [45, 'complete'],
      ]);
    });

    it('begins anew when the consumer can take the next value', () => {
      const gate = movingGate(true, 10);
      const source = new Subject<string>();
      timer(2, scheduler).subscribe(() => {
        source.next('a');
      });
      const closing = source.pipe(tap(() => (gate.ready = false)));
      expect(gated(closing, { each: 5 }, gate)).toEqual([
        [2, 'a'],
        [15, timedOut(each(5, 1, 'a'))],
      ]);
    });

    it('does not expire while the gate is closed, whoever has closed it, and begins anew then', () => {
      expect(gated(NEVER, { each: 5 }, movingGate(true, 3, 8))).toEqual([[13, timedOut(each(5))]]);
      expect(gated(NEVER, { each: 5 }, movingGate(true, 3, 4))).toEqual([[18, timedOut(each(5))]]);
      expect(gated(NEVER, { each: 5 }, movingGate(true, 3, 30, 33, 50))).toEqual([[73, timedOut(each(5))]]);
    });

    it('counts on when it was closed again before its turn', () => {
      const gate = new ManualGate();
      timer(7, scheduler).subscribe(() => {
        gate.pass();
      });
      expect(play(NEVER, { each: 5, total: 40 }, (values) => values.pipe(gatedBy(gate)))).toEqual([
        [40, timedOut({ limit: 'total', ms: 40, seen: 0 })],
      ]);
      expect(gate.waiters.size).toBe(0);
    });

    it('counts the total all the same', () => {
      expect(gated(NEVER, { each: 5, total: 9 }, movingGate(false))).toEqual([
        [9, timedOut({ limit: 'total', ms: 9, seen: 0 })],
      ]);
    });

    it('keeps no place at the gate that a value has made needless', () => {
      const gate = new ManualGate();
      const source = new Subject<number>();
      const { subscription } = record(source.pipe(timeoutWithCleanup({ first: 5, scheduler }), gatedBy(gate)));
      expect(gate.waiters.size).toBe(1);
      source.next(1);
      expect(gate.waiters.size).toBe(0);
      subscription.unsubscribe();
      const again = record(source.pipe(timeoutWithCleanup({ each: 5, scheduler }), gatedBy(gate)));
      for (let i = 0; i < 100; i++) source.next(i);
      expect(gate.waiters.size).toBe(1);
      again.subscription.unsubscribe();
      expect(gate.waiters.size).toBe(0);
    });

    it('keeps no place at a gate that has opened unheard before a value', () => {
      const waiters = new Set<() => void>();
      const gate = {
        ready: false,
        onReady: (callback: () => void) => {
          waiters.add(callback);
          return () => waiters.delete(callback);
        },
      };
      const source = new Subject<number>();
      const { subscription } = record(source.pipe(timeoutWithCleanup({ each: 5, scheduler }), gatedBy(gate)));
      expect(waiters.size).toBe(1);
      gate.ready = true;
      source.next(1);
      expect(waiters.size).toBe(0);
      subscription.unsubscribe();
    });

    it('where RxJS fires: above slow work', () => {
      const paced = <T>(operator: (source: Observable<number>) => Observable<T>) => {
        const { log } = timeline(
          fromPull([1, 2, 3], { slice: Infinity }).pipe(
            operator,
            bufferedMergeMap((value) => after(50, value), { concurrent: 1, highWaterMark: 0 }),
          ),
          scheduler,
        );
        scheduler.flush();
        return log.map(([, event]) => event);
      };
      expect(paced(timeoutWithCleanup({ each: 10, scheduler }))).toEqual([1, 2, 3, 'complete']);
      expect(paced(timeout({ each: 10, scheduler }))).toMatchObject([[{ name: 'TimeoutError' }]]);
    });

    it('is no barrier to the gate', () => {
      const gate = new ManualGate();
      const { log } = record(fromPull([1, 2]).pipe(timeoutWithCleanup({ total: 5, scheduler }), gatedBy(gate)));
      expect(log).toEqual([]);
      gate.ready = true;
      expect(log).toEqual([1, 2, 'complete']);
    });
  });

  describe('inside of another one', () => {
    const twice = <T>(
      source: Observable<T>,
      inner: TimeoutWithCleanupOptions<T>,
      outer: TimeoutWithCleanupOptions<T>,
    ) => play(source.pipe(timeoutWithCleanup<T>({ scheduler, name: 'inner', ...inner })), { name: 'outer', ...outer });
    const [inner, outer] = ["timeoutWithCleanup 'inner'", "timeoutWithCleanup 'outer'"];

    it('is asked by it, and passes that on', () => {
      const reasons: unknown[] = [];
      const work = stoppable(NEVER, (reason) => {
        reasons.push(reason);
        return after(3, 'b');
      });
      const cleanup = vi.fn();
      expect(twice(work, { each: 100, cleanup }, { each: 5 })).toEqual([
        [8, 'b'],
        [8, 'complete'],
      ]);
      expect(reasons).toEqual([new DOMException(`${outer}: time is up`, 'TimeoutError')]);
      expect(cleanup).not.toHaveBeenCalled();
    });

    it('does not expire any more once it was asked', () => {
      const work = stoppable(NEVER, () => after(30, 'b'));
      expect(twice(work, { each: 10 }, { each: 5 })).toEqual([
        [35, 'b'],
        [35, 'complete'],
      ]);
    });

    it('lets the outer one alone expire where both would at once', () => {
      const work = stoppable(NEVER, (reason) => failAfter(2, reason));
      const log = twice(work, { each: 5 }, { total: 4 });
      expect(log).toEqual([[6, timedOut({ limit: 'total', ms: 4, seen: 0 }, { cleanup: 'done' }, undefined, outer)]]);
    });

    it('is given up at once where nobody can be asked', () => {
      expect(twice(NEVER, { each: 100 }, { each: 5 })).toEqual([
        [5, timedOut(each(5), { cleanup: 'done' }, undefined, outer)],
      ]);
    });

    it('is given up at once when all who were asked have left', () => {
      const work = merge(
        stoppable(NEVER, () => after(2, 'b')),
        NEVER,
      );
      expect(twice(work, { each: 100 }, { each: 5 })).toEqual([
        [7, 'b'],
        [7, timedOut(each(5), { cleanup: 'done' }, undefined, outer)],
      ]);
    });

    it('hands its clean-ups on', () => {
      const work = cleansUp(NEVER, () => ends(7));
      expect(twice(work, { each: 100 }, { each: 5 })).toEqual([
        [12, timedOut(each(5), { cleanup: 'done' }, undefined, outer)],
      ]);
    });

    it('expires first, and its error is the error', () => {
      const work = stoppable(NEVER, (reason) => failAfter(2, reason));
      expect(twice(work, { each: 5 }, { each: 100 })).toEqual([
        [7, timedOut(each(5), { cleanup: 'done' }, undefined, inner)],
      ]);
    });

    it('is waited for while it cancels, and its error is the cause', () => {
      const work = stoppable(NEVER, (reason) => failAfter(20, reason));
      const first = timedOut(each(5), { cleanup: 'done' }, undefined, inner)[0];
      const log = twice(work, { each: 5 }, { each: 10 });
      expect(log).toEqual([[25, timedOut(each(10), { cleanup: 'done' }, first, outer)]]);
      expect(log).toMatchObject([[25, [{ cause: first }]]]);
    });

    it('is waited for no longer than the outer one waits', () => {
      const work = stoppable(NEVER, () => NEVER);
      expect(twice(work, { each: 5 }, { each: 10, cleanupTimeout: 10 })).toEqual([
        [20, timedOut(each(10), { cleanup: 'timed-out' }, undefined, outer)],
      ]);
    });

    it('lets a result win over both', () => {
      const work = stoppable(NEVER, () => after(20, 'b'));
      expect(twice(work, { each: 5 }, { each: 10 })).toEqual([
        [25, 'b'],
        [25, 'complete'],
      ]);
    });

    it('starts nothing anew for `with` while the outer one waits', () => {
      const work = stoppable(NEVER, (reason) => failAfter(20, reason));
      const reasons: unknown[] = [];
      const other = () => stoppable(after(1, 'never'), (reason) => (reasons.push(reason), NEVER));
      expect(
        play(work.pipe(timeoutWithCleanup({ each: 5, with: other, scheduler })), { each: 10, name: 'outer' }),
      ).toEqual([[25, timedOut(each(10), { cleanup: 'done' }, undefined, outer)]]);
      expect(reasons).toMatchObject([{ name: 'TimeoutError' }]);
    });

    it('does what is asked through `with`', () => {
      const other = () => stoppable(NEVER, () => after(2, 'x'));
      expect(play(NEVER.pipe(timeoutWithCleanup({ each: 5, with: other, scheduler })), { total: 10 })).toEqual([
        [12, 'x'],
        [12, 'complete'],
      ]);
    });

    it('started after the request: tells its work at once', () => {
      const first = stoppable(NEVER, () => EMPTY);
      const lasting = stoppable(NEVER, () => after(9, 'z'));
      const second = stoppable(after(1, 'never'), () => after(2, 'c')).pipe(timeoutWithCleanup({ each: 1, scheduler }));
      expect(play(merge(lasting, concat(first, second)), { each: 5 })).toEqual([
        [7, 'c'],
        [14, 'z'],
        [14, 'complete'],
      ]);
    });

    it('is not kept by retry inside of it', () => {
      let starts = 0;
      const failing = defer(() => (starts++, stoppable(NEVER, (reason) => throwError(() => reason))));
      expect(twice(failing.pipe(retry()), { each: 100 }, { each: 5 })).toEqual([
        [5, timedOut(each(5), { cleanup: 'done' }, undefined, outer)],
      ]);
      expect(starts).toBeLessThan(4);
    });

    /** Who asks as soon as somebody registers, or never. */
    const askedBy = (canceller: { asks: boolean }) => {
      const counts = { joined: 0, left: 0 };
      const onCancel = (cancel: (reason: unknown) => void) => {
        counts.joined++;
        if (canceller.asks) cancel('stop');
        return () => counts.left++;
      };
      const limit = <T>(source: Observable<T>, options: TimeoutWithCleanupOptions<T, T>) => {
        const destination = operate<T, never>({ canceller: { onCancel }, error: () => undefined });
        source.pipe(timeoutWithCleanup({ scheduler, ...options })).subscribe(destination);
        return destination;
      };
      return { counts, limit };
    };

    it('leaves it once, however it ends', () => {
      const { counts, limit } = askedBy({ asks: false });
      const source = new Subject<number>();
      const ways: (() => void)[] = [
        () => {
          limit(of(1), { each: 5 });
        },
        () => {
          limit(
            throwError(() => 'oops'),
            { each: 5 },
          );
        },
        () => {
          limit(source, { each: 5 }).unsubscribe();
        },
        () => {
          limit(NEVER, { each: 5, cleanup: () => ends(2) });
          scheduler.flush();
        },
        () => {
          const destination = limit(NEVER, { each: 5, with: () => NEVER });
          scheduler.flush();
          expect(counts.left).toBe(counts.joined); // before it is unsubscribed
          destination.unsubscribe();
        },
      ];
      for (const way of ways) {
        way();
        expect(counts.left).toBe(counts.joined);
      }
      expect(counts.joined).toBe(ways.length);
    });

    it('leaves it once where that asks at once', () => {
      const { counts, limit } = askedBy({ asks: true });
      const destination = limit(new Subject(), { each: 5 });
      expect(counts).toEqual({ joined: 1, left: 1 });
      scheduler.flush();
      destination.unsubscribe();
      expect(counts).toEqual({ joined: 1, left: 1 });
    });

    it('lets work leave it that is started after the request', () => {
      const { counts, limit } = askedBy({ asks: true });
      const destination = limit(
        stoppable(NEVER, () => NEVER),
        { each: 5 },
      );
      expect(counts).toEqual({ joined: 2, left: 1 });
      destination.unsubscribe();
      expect(counts).toEqual({ joined: 2, left: 2 });
    });

    it('aggressive, expires while the outer one waits', () => {
      const work = stoppable(NEVER, () => NEVER);
      const first = timedOut(each(8), { cleanup: 'done' }, undefined, inner)[0];
      expect(twice(work, { each: 8, strategy: 'aggressive' }, { each: 5 })).toEqual([
        [8, timedOut(each(5), { cleanup: 'done' }, first, outer)],
      ]);
    });
  });

  describe('with real work', () => {
    beforeEach(() => {
      vi.useFakeTimers();
    });
    afterEach(() => {
      expect(vi.getTimerCount()).toBe(0);
      vi.useRealTimers();
    });

    const sleep = (ms: number, signal?: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        const stop = () => {
          clearTimeout(id);
          reject(signal?.reason as Error);
        };
        const id = setTimeout(() => {
          signal?.removeEventListener('abort', stop);
          resolve();
        }, ms);
        signal?.addEventListener('abort', stop, { once: true });
      });
    /** The log after so many ms. */
    const within = async (ms: number, source: Observable<unknown>) => {
      const { log, subscription } = record(source);
      await vi.advanceTimersByTimeAsync(ms);
      return { log, subscription };
    };
    const done = [['error', timedOut({ limit: 'total', ms: 100, seen: 0 })[0]]];
    const total = { total: 100 };

    // Each is named after what CPython tests (Lib/test/test_asyncio): it.each of that file, or why it is another thing here.
    describe('does what asyncio.wait_for does (test_waitfor.py)', () => {
      it('test_asyncio_wait_for_cancelled: whoever cancels it can wait for work that does not listen', async () => {
        const below = new Cleanups(undefined);
        const work = abortable(() => sleep(200)).pipe(timeoutWithCleanup({ total: 400 }));
        const destination = operate<unknown, never>({ cleanupScope: below });
        work.subscribe(destination);
        await vi.advanceTimersByTimeAsync(1);
        destination.unsubscribe();
        let settled = false;
        below.whenSettled({ cleanupTimeout: Infinity, scheduler: asyncScheduler }, () => (settled = true));
        await vi.advanceTimersByTimeAsync(198);
        expect(settled).toBe(false);
        await vi.advanceTimersByTimeAsync(1);
        expect(settled).toBe(true);
      });

      it('test_asyncio_wait_for_timeout: waits for work that does not listen; its result wins', async () => {
        const { log } = await within(
          200,
          abortable(() => sleep(200).then(() => 'slow')).pipe(timeoutWithCleanup(total)),
        );
        expect(log).toEqual(['slow', 'complete']);
      });

      it('test_wait_for_timeout_less_then_0_or_0_future_done', async () => {
        expect((await within(0, of('done').pipe(timeoutWithCleanup({ total: 0 })))).log).toEqual(['done', 'complete']);
      });

      it('test_wait_for_timeout_less_then_0_or_0_coroutine_do_not_started: it is started here, as RxJS does', async () => {
        let started = false;
        const work = abortable(() => ((started = true), 'x'));
        expect((await within(0, work.pipe(timeoutWithCleanup({ total: 0 })))).log).toEqual(['x', 'complete']);
        expect(started).toBe(true);
        expect(() => timeoutWithCleanup({ total: -1 })).toThrow(RangeError);
      });

      it('test_wait_for_timeout_less_then_0_or_0', async () => {
        let running = false;
        const work = async (signal: AbortSignal) => {
          running = true;
          await sleep(10_000, signal).finally(() => (running = false));
          return 'done';
        };
        const { log } = await within(1, abortable(work).pipe(timeoutWithCleanup({ total: 0 })));
        expect(log).toEqual([['error', timedOut({ limit: 'total', ms: 0, seen: 0 })[0]]]);
        expect(running).toBe(false);
      });

      it('test_wait_for: the error comes when the work has ended', async () => {
        let running = true;
        const work = (signal: AbortSignal) => sleep(10_000, signal).finally(() => (running = false));
        const { log } = await within(100, abortable(work).pipe(timeoutWithCleanup(total)));
        expect(log).toEqual(done);
        expect(running).toBe(false);
      });

      it('test_wait_for_blocking: without a limit it is refused here', () => {
        expect(() => timeoutWithCleanup({})).toThrow(TypeError);
      });

      it('test_wait_for_race_condition', async () => {
        const { log } = await within(100, abortable(() => sleep(50).then(() => 'ok')).pipe(timeoutWithCleanup(total)));
        expect(log).toEqual(['ok', 'complete']);
      });

      it.each(['test_wait_for_cancellation_race_condition', 'test_wait_for_cancel_suppressed (gh-84849)'])(
        '%s: a result of work that was asked to stop wins',
        async () => {
          const work = (signal: AbortSignal) =>
            sleep(10_000, signal).then(
              () => 0,
              () => 42,
            );
          const { log } = await within(100, abortable(work).pipe(timeoutWithCleanup(total)));
          expect(log).toEqual([42, 'complete']);
        },
      );

      it('test_wait_for_waits_for_task_cancellation (bpo-32751)', async () => {
        let ended = false;
        const work = (signal: AbortSignal) =>
          sleep(10_000, signal).catch(async (error: unknown) => {
            await sleep(50);
            ended = true;
            throw error;
          });
        const { log } = await within(149, abortable(work).pipe(timeoutWithCleanup(total)));
        expect(log).toEqual([]);
        await vi.advanceTimersByTimeAsync(1);
        expect(log).toEqual(done);
        expect(ended).toBe(true);
      });

      it('test_wait_for_waits_for_task_cancellation_w_timeout_0', async () => {
        const work = (signal: AbortSignal) =>
          sleep(10_000, signal).catch(async (error: unknown) => {
            await sleep(50);
            throw error;
          });
        const { log } = await within(49, abortable(work).pipe(timeoutWithCleanup({ total: 0 })));
        expect(log).toEqual([]);
        await vi.advanceTimersByTimeAsync(2);
        expect(log).toMatchObject([['error', { info: { ms: 0 }, cleanup: 'done' }]]);
      });

      it('test_wait_for_reraises_exception_during_cancellation: it is the cause here', async () => {
        const foo = new Error('foo');
        const work = (signal: AbortSignal) =>
          sleep(200, signal).finally(() => {
            throw foo;
          });
        const { log } = await within(100, abortable(work).pipe(timeoutWithCleanup(total)));
        expect(log).toMatchObject([['error', { name: 'TimeoutWithCleanupError', cause: foo }]]);
      });

      it('test_wait_for_self_cancellation: cancelled while the work holds up its cancellation, it is gone at once', async () => {
        const handed: unknown[] = [];
        const work = (signal: AbortSignal) =>
          sleep(300, signal)
            .catch(() => sleep(300))
            .then(() => 42);
        const scope: CleanupScope = { track: (cleanup) => void cleanup.then(() => handed.push('settled')) };
        const destination = operate<number, never>({ cleanupScope: scope, next: (value) => handed.push(value) });
        abortable(work).pipe(timeoutWithCleanup(total)).subscribe(destination);
        await vi.advanceTimersByTimeAsync(150);
        destination.unsubscribe();
        await vi.advanceTimersByTimeAsync(249);
        const early = handed.length;
        await vi.advanceTimersByTimeAsync(1);
        expect(handed.length).toBeGreaterThan(early);
        expect(handed).not.toContain(42);
      });

      it('test_cancel_wait_for, test_cancel_blocking_wait_for (bpo-23219): unsubscribed, it aborts the work', async () => {
        let aborted = false;
        const work = (signal: AbortSignal) => {
          signal.addEventListener('abort', () => (aborted = true));
          return NEVER;
        };
        const { subscription } = await within(1, abortable(work).pipe(timeoutWithCleanup({ total: 60_000 })));
        subscription.unsubscribe();
        expect(aborted).toBe(true);
      });

      it('test_wait_for_issue86296 (bpo-37658, bpo-42130): unsubscribed in the moment of the result, nothing is emitted', async () => {
        const result = deferred<number>();
        const { log, subscription } = await within(1, abortable(() => result.promise).pipe(timeoutWithCleanup(total)));
        result.resolve(1);
        subscription.unsubscribe();
        await vi.advanceTimersByTimeAsync(200);
        expect(log).toEqual([]);
      });
    });

    describe('does what asyncio.timeout does (test_timeouts.py)', () => {
      const twiceAsked = (events: string[]) => (signal: AbortSignal) =>
        sleep(10_000, signal).catch((error: unknown) => {
          events.push('cancelled');
          throw error;
        });

      it('test_nested_timeouts: one of the two raises where both are over at once, and the work is asked once', async () => {
        const events: string[] = [];
        const nested = abortable(twiceAsked(events)).pipe(timeoutWithCleanup(total), timeoutWithCleanup(total));
        const { log } = await within(100, nested);
        expect(log).toMatchObject([['error', { name: 'TimeoutWithCleanupError', cleanup: 'done' }]]);
        expect(events).toEqual(['cancelled']);
      });

      it('test_nested_timeouts_concurrent, test_nested_timeouts_loop_busy: both are over after a busy moment', async () => {
        const events: string[] = [];
        const nested = abortable(twiceAsked(events)).pipe(
          timeoutWithCleanup({ total: 20, name: 'inner' }),
          timeoutWithCleanup({ total: 10, name: 'outer' }),
        );
        const { log } = record(nested);
        vi.setSystemTime(Date.now() + 1000); // busy
        await vi.advanceTimersByTimeAsync(50);
        expect(log).toMatchObject([['error', { where: "timeoutWithCleanup 'outer'" }]]);
        expect(events).toEqual(['cancelled']);
      });

      it('test_foreign_exception_passed', async () => {
        const { log } = await within(
          1,
          abortable(() => Promise.reject(new Error('foreign'))).pipe(timeoutWithCleanup(total)),
        );
        expect(log).toEqual([['error', new Error('foreign')]]);
      });

      it('test_foreign_exception_on_timeout: it is the cause here', async () => {
        const work = async (signal: AbortSignal) => {
          try {
            await sleep(1000, signal);
          } finally {
            void BigInt(1 / 3);
          }
        };
        const { log } = await within(100, abortable(work).pipe(timeoutWithCleanup(total)));
        expect(log).toMatchObject([['error', { cause: { name: 'RangeError' } }]]);
      });

      it('test_foreign_cancel_doesnt_timeout_if_not_expired', async () => {
        const foreign = new AbortController();
        const work = abortable(() => sleep(1000, foreign.signal)).pipe(timeoutWithCleanup({ total: 500 }));
        const { log } = record(work);
        foreign.abort();
        await settle();
        expect(log).toMatchObject([['error', { name: 'AbortError' }]]);
      });

      it('test_outer_task_is_not_cancelled', async () => {
        const signals: AbortSignal[] = [];
        const work = of(1).pipe(
          bufferedMergeMap((_, __, { signal }) => {
            signals.push(signal);
            return abortable((own) => sleep(1000, own)).pipe(
              timeoutWithCleanup({ ...total, with: () => of('instead') }),
            );
          }),
        );
        const { log } = await within(100, work);
        expect(log).toEqual(['instead', 'complete']);
        expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
      });

      it('test_nested_timeout_in_finally: a clean-up may have a limit of its own', async () => {
        const closing = vi.fn();
        const cleanup = () =>
          abortable((signal) => sleep(10_000, signal)).pipe(
            timeoutWithCleanup({ total: 10, with: () => defer(() => (closing(), EMPTY)) }),
          );
        const { log } = await within(
          110,
          abortable((signal) => sleep(1000, signal)).pipe(timeoutWithCleanup({ ...total, cleanup })),
        );
        expect(log).toEqual(done);
        expect(closing).toHaveBeenCalledTimes(1);
      });

      it('test_timeout_exception_cause: a mere cancellation is no news here', async () => {
        const { log } = await within(100, abortable((signal) => sleep(1000, signal)).pipe(timeoutWithCleanup(total)));
        expect('cause' in ((log[0] as [string, Error])[1] as object)).toBe(false);
      });
    });

    it('waits for usingAsync to release what it has', async () => {
      const events: unknown[] = [];
      const work = usingAsync({
        acquire: () => 'connection',
        use: (_, { signal }) => sleep(1000, signal),
        release: async (_, { kind }) => {
          await sleep(50);
          events.push(kind);
        },
      });
      const { log } = await within(149, work.pipe(timeoutWithCleanup(total)));
      expect([log, events]).toEqual([[], []]);
      await vi.advanceTimersByTimeAsync(1);
      expect(log).toEqual(done);
      expect(events).toEqual(['cancel']);
    });

    it('waits for usingAsync to release what it only then acquires', async () => {
      const events: unknown[] = [];
      const work = usingAsync({
        acquire: () => sleep(150),
        use: () => NEVER,
        release: () => sleep(50).then(() => events.push('released')),
      });
      const { log } = await within(199, work.pipe(timeoutWithCleanup(total)));
      expect([log, events]).toEqual([[], []]);
      await vi.advanceTimersByTimeAsync(1);
      expect([log, events]).toEqual([done, ['released']]);
    });

    it('gives up work inside of bufferedMergeMap, and waits for it', async () => {
      const ended: number[] = [];
      const work = of(1, 2, 3).pipe(
        bufferedMergeMap(
          async (value, _, { signal }) => {
            await sleep(1000, signal).catch(() => sleep(20 * value));
            ended.push(value);
          },
          { concurrent: 2 },
        ),
      );
      const { log } = await within(139, work.pipe(timeoutWithCleanup(total)));
      expect([log, ended]).toEqual([[], [1]]);
      await vi.advanceTimersByTimeAsync(1);
      expect([log, ended]).toEqual([done, [1, 2]]);
    });

    it('works with the default scheduler, and with fetch-like work that rejects with the reason', async () => {
      const { log } = await within(100, abortable((signal) => sleep(1000, signal)).pipe(timeoutWithCleanup(total)));
      expect(log).toEqual(done);
    });
  });

  describe('is safe', () => {
    it('for a consumer that pushes into the source, while it counts', () => {
      const source = new Subject<number>();
      const seen: number[] = [];
      const { log } = timeline(source.pipe(timeoutWithCleanup({ each: 5, scheduler })), scheduler);
      source.subscribe((value) => {
        seen.push(value);
        if (value < 3) source.next(value + 1);
      });
      source.next(1);
      scheduler.flush();
      expect(log.at(-1)).toMatchObject([5, [{ info: { seen: 3 } }]]);
    });

    it('for a consumer that unsubscribes when it is told the error', () => {
      const subscription = new Subscription();
      const errors: unknown[] = [];
      subscription.add(
        NEVER.pipe(timeoutWithCleanup({ each: 5, scheduler })).subscribe({
          error: (error: unknown) => {
            errors.push(error);
            subscription.unsubscribe();
          },
        }),
      );
      scheduler.flush();
      expect(errors).toEqual(timedOut(each(5)));
    });

    it('for a consumer that has had enough before it begins', () => {
      const started = vi.fn();
      of(0, 1)
        .pipe(
          take(1),
          concatMap(() =>
            defer(() => (started(), NEVER)).pipe(timeoutWithCleanup({ each: 5, scheduler }), startWith(0)),
          ),
          take(1),
        )
        .subscribe();
      expect(started).not.toHaveBeenCalled();
      expect(scheduler.actions).toEqual([]);
    });

    it('for a consumer that is closed before: it registers nowhere', () => {
      const gate = new ManualGate();
      let registered = 0;
      const canceller = { onCancel: () => (registered++, () => registered--) };
      const destination = operate<never, never>({ canceller, gate });
      destination.unsubscribe();
      NEVER.pipe(timeoutWithCleanup({ each: 5, scheduler })).subscribe(destination);
      new Observable<never>((subscriber) => {
        subscriber.unsubscribe();
        NEVER.pipe(timeoutWithCleanup({ each: 5, scheduler })).subscribe(subscriber);
      }).subscribe(operate<never, never>({ canceller, gate }));
      expect([registered, gate.waiters.size, scheduler.actions.length]).toEqual([0, 0, 0]);
    });

    it('under retry: each try has its own limits', () => {
      const log = timeline(
        NEVER.pipe(timeoutWithCleanup({ each: 5, cleanup: () => ends(2), scheduler }), retry(2)),
        scheduler,
      ).log;
      scheduler.flush();
      expect(log).toEqual([[21, timedOut(each(5))]]);
    });

    it('for a million values, each in time', () => {
      let seen = 0;
      range(0, 1_000_000)
        .pipe(timeoutWithCleanup({ first: 5, each: 5, total: 50, scheduler }))
        .subscribe(() => seen++);
      expect(seen).toBe(1_000_000);
      expect(scheduler.actions).toEqual([]);
    });

    it('for two subscribers, who have limits of their own', () => {
      const source = new Subject<string>();
      const limited = source.pipe(timeoutWithCleanup({ each: 5, scheduler }));
      const first = timeline(limited, scheduler);
      timer(3, scheduler).subscribe(() => {
        const second = timeline(limited, scheduler);
        timer(1, scheduler).subscribe(() => {
          source.next('a');
          first.subscription.unsubscribe();
        });
        scheduler.schedule(() => {
          expect(second.log).toEqual([
            [4, 'a'],
            [9, timedOut(each(5, 1, 'a'))],
          ]);
        }, 10);
      });
      scheduler.flush();
      expect(first.log).toEqual([[4, 'a']]);
      expect.assertions(2);
    });

    it('for inputs that RxJS takes', () => {
      const inputs: ObservableInput<string>[] = [['x'], Promise.resolve('x')];
      for (const input of inputs) expect(() => timeoutWithCleanup({ each: 1, with: () => input })).not.toThrow();
      expect(play(NEVER, { each: 5, with: () => 'xy' })).toEqual([
        [5, 'x'],
        [5, 'y'],
        [5, 'complete'],
      ]);
    });

    it('for the result that comes through something that holds it: that is given up with the rest', () => {
      const work = stoppable(NEVER, () => after(2, 'b'));
      expect(play(work.pipe(delay(3, scheduler)), { each: 5 })).toEqual([[7, timedOut(each(5))]]);
    });
  });
});
