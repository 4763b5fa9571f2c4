import {
  catchError,
  concat,
  concatMap,
  defer,
  EMPTY,
  ignoreElements,
  map,
  mergeMap,
  NEVER,
  Observable,
  of,
  Subject,
  take,
  tap,
  throwError,
  timer,
  VirtualTimeScheduler,
} from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SourceConsumedError } from '../../src/errors/SourceConsumedError.js';
import { TimeoutWithCleanupError } from '../../src/errors/TimeoutWithCleanupError.js';
import { Completion } from '../../src/internal/Completion.js';
import { operate } from '../../src/internal/operate.js';
import type { CleanupScope } from '../../src/link/protocol.js';
import { findCleanupScope, findGate } from '../../src/link/walk.js';
import { gatedBy } from '../../src/operators/gatedBy.js';
import { retryBackoff, type RetryInfo, type RetryBackoffOptions } from '../../src/operators/retryBackoff.js';
import { timeoutWithCleanup } from '../../src/operators/timeoutWithCleanup.js';
import { fromRetryAfter } from '../../src/resources/fromRetryAfter.js';
import { abortable } from '../../src/sources/abortable.js';
import { fromPull } from '../../src/sources/fromPull.js';
import { CountingScheduler } from '../support/CountingScheduler.js';
import { ManualGate } from '../support/ManualGate.js';
import { marbles } from '../support/marbles.js';
import { record } from '../support/record.js';
import { timeline } from '../support/timeline.js';
import { collectUnhandled, reported } from '../support/unhandled.js';

const unhandled = collectUnhandled();

let clock: VirtualTimeScheduler;
let scheduler: CountingScheduler;
beforeEach(() => {
  clock = new VirtualTimeScheduler();
  scheduler = new CountingScheduler(clock);
});
afterEach(() => {
  expect(scheduler.pending).toBe(0);
});

/** A source that is another one each time; the last one stays. */
const inTurn = <T>(...sources: Observable<T>[]): Observable<T> =>
  defer(() => (sources.length > 1 ? sources.shift() : sources[0]) ?? EMPTY);
const wait = (ms: number) => timer(ms, clock).pipe(ignoreElements());
const fails = (error: unknown = 'failed') => throwError(() => error);
const failsAfter = (ms: number, error: unknown = 'failed') => concat(wait(ms), fails(error));

/** Plays to the end of time. */
function play<T>(source: Observable<T>, options: RetryBackoffOptions = {}) {
  const { log } = timeline(source.pipe(retryBackoff({ jitter: 'none', scheduler, ...options })), clock);
  clock.flush();
  return log;
}

/** The waits, as onRetry sees them. */
function waitsOf(source: Observable<unknown>, options: RetryBackoffOptions = {}): number[] {
  const waits: number[] = [];
  play(source, { onRetry: ({ delay }) => waits.push(delay), ...options });
  return waits;
}

/** Has something to clean up each time that it ends or is unsubscribed: over when what `cleanup` gives has ended. */
const cleansUp = <T>(source: Observable<T>, cleanup: () => Observable<unknown>) =>
  new Observable<T>((subscriber) => {
    const scope = findCleanupScope(subscriber);
    subscriber.add(() => {
      const completion = new Completion();
      scope?.track(completion);
      cleanup().subscribe({ error: completion.reject, complete: completion.resolve });
    });
    source.subscribe(subscriber);
  });

/** Writes down when it is subscribed to. */
const noted = <T>(into: number[], source: Observable<T>) =>
  defer(() => {
    into.push(clock.frame);
    return source;
  });

describe('retryBackoff', () => {
  describe('is called', () => {
    it.each<[object, string]>([
      [{ count: -1 }, 'count must be a non-negative integer or Infinity, got -1'],
      [{ count: 1.5 }, 'count must be a non-negative integer or Infinity, got 1.5'],
      [{ initialDelay: -1 }, 'initialDelay must be a number of milliseconds from 0 to 2147483647, got -1'],
      [{ initialDelay: Infinity }, 'initialDelay must be a number of milliseconds from 0 to 2147483647, got Infinity'],
      [{ maxDelay: NaN }, 'maxDelay must be a number of milliseconds from 0 to 2147483647, got NaN'],
      [{ maxDelay: 2 ** 31 }, 'maxDelay must be a number of milliseconds from 0 to 2147483647, got 2147483648'],
      [{ initialDelay: 50, maxDelay: 40 }, 'maxDelay must be at least initialDelay, 50, got 40'],
      [{ maxDelay: 99 }, 'maxDelay must be at least initialDelay, 100, got 99'],
      [{ factor: 0.5 }, 'factor must be a number from 1, got 0.5'],
      [{ factor: Infinity }, 'factor must be a number from 1, got Infinity'],
      [{ jitter: 'half' }, "jitter must be one of 'full', 'equal', 'decorrelated', 'none', got 'half'"],
      [{ jitter: true }, "jitter must be one of 'full', 'equal', 'decorrelated', 'none', got true"],
      [{ maxElapsed: -1 }, 'maxElapsed must be a number of milliseconds from 0 to 2147483647 or Infinity, got -1'],
      [{ resetAfter: '5' }, "resetAfter must be a number of milliseconds from 0 to 2147483647 or Infinity, got '5'"],
      [{ shouldRetry: true }, 'shouldRetry must be a function, got true'],
      [{ delayFor: 5 }, 'delayFor must be a function, got 5'],
      [{ onRetry: {} }, 'onRetry must be a function, got an object'],
      [{ random: 0.5 }, 'random must be a function, got 0.5'],
      [{ name: 5 }, 'name must be a string, got 5'],
      [
        { cleanupTimeout: -1 },
        'cleanupTimeout must be a number of milliseconds from 0 to 2147483647 or Infinity, got -1',
      ],
      [{ scheduler: {} }, "scheduler must have the functions 'now' and 'schedule', got an object"],
    ])('with options that are right: %o', (options, message) => {
      expect(() => retryBackoff(options as never)).toThrow(message);
    });

    it('with one object', () => {
      expect(() => retryBackoff(3 as never)).toThrow(new TypeError('options must be an object, got 3'));
    });

    it('without anything: ten retries, from 100 ms to 30 s, spread over all of it', () => {
      const seen: RetryInfo[] = [];
      const source = retryBackoff({ onRetry: (retry) => seen.push(retry), scheduler, random: () => 1 });
      const { log } = timeline(fails('down').pipe(source), clock);
      clock.flush();
      expect(seen.map(({ delay }) => delay)).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000]);
      expect(seen.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      expect(log).toEqual([[81_100, ['down']]]);
      expect(waitsOf(fails(), { jitter: 'full', random: () => 0.25 }).slice(0, 3)).toEqual([25, 50, 100]);
    });

    it('with a longer first wait than the longest by default', () => {
      expect(waitsOf(fails(), { initialDelay: 40_000, count: 2 })).toEqual([40_000, 40_000]);
    });
  });

  describe('waits', () => {
    it(
      'longer and longer, to the frame',
      marbles((m) => {
        const source = m.cold('--#');
        const result = source.pipe(retryBackoff({ initialDelay: 3, maxDelay: 10, jitter: 'none', count: 4 }));
        m.expect(result).toBeObservable('39ms #');
        m.expect(source).toHaveSubscriptions(['^-!', '5ms ^-!', '13ms ^-!', '25ms ^-!', '37ms ^-!']);
      }),
    );

    it(
      'as long as chance says',
      marbles((m) => {
        const shares = [0.5, 0.25, 1, 0];
        const random = () => shares.shift() ?? 0;
        const source = m.cold('-#');
        const result = source.pipe(retryBackoff({ initialDelay: 4, random, count: 4 }));
        m.expect(result).toBeObservable('25ms #');
        m.expect(source).toHaveSubscriptions(['^!', '3ms ^!', '6ms ^!', '23ms ^!', '24ms ^!']);
      }),
    );

    it('with equal and with decorrelated jitter as the formulas say', () => {
      const random = () => 0.5;
      expect(waitsOf(fails(), { jitter: 'equal', random, count: 4 })).toEqual([75, 150, 300, 600]);
      expect(waitsOf(fails(), { jitter: 'decorrelated', random, count: 4 })).toEqual([200, 350, 575, 912.5]);
      expect(waitsOf(fails(), { jitter: 'decorrelated', factor: 2, random, count: 2 })).toEqual([150, 200]);
    });

    it('no longer than maxDelay after 1100 attempts: nothing overflows', () => {
      const waits = waitsOf(fails(), { count: 1100, maxDelay: 1000 });
      expect(waits).toHaveLength(1100);
      expect(waits.slice(4)).toEqual(waits.slice(4).map(() => 1000));
    });

    it('not at all with 0: the next attempt is at once, as with retry', () => {
      const subscribed: number[] = [];
      const log = play(noted(subscribed, fails()), { initialDelay: 0, maxDelay: 0, count: 3 });
      expect(subscribed).toEqual([0, 0, 0, 0]);
      expect(log).toEqual([[0, ['failed']]]);
    });

    it('passes values of all attempts on, and completes with the one that does', () => {
      const source = inTurn(concat(of('a'), failsAfter(1)), concat(of('b', 'c'), fails()), of('d'));
      expect(play(source, { initialDelay: 5 })).toEqual([
        [0, 'a'],
        [6, 'b'],
        [6, 'c'],
        [16, 'd'],
        [16, 'complete'],
      ]);
    });

    it('is one of each subscription: two at once know nothing of each other', () => {
      const operator = retryBackoff<string>({ initialDelay: 10, jitter: 'none', count: 2, scheduler });
      const first = timeline(fails('x').pipe(operator), clock);
      clock.maxFrames = 5;
      clock.flush();
      const second = timeline(fails('y').pipe(operator), clock);
      clock.maxFrames = Infinity;
      clock.flush();
      expect(first.log).toEqual([[30, ['x']]]);
      expect(second.log).toEqual([[30, ['y']]]); // virtual time stood at 0 when it was subscribed
    });
  });

  describe('gives up', () => {
    it('after count retries, with the last error as it is', () => {
      const errors = [new Error('first'), new Error('second'), new Error('third')];
      const source = inTurn(...errors.map((error) => fails(error)));
      expect(play(source, { count: 2 })).toEqual([[300, [errors[2]]]]);
    });

    it('at once with count 0', () => {
      const shouldRetry = vi.fn(() => true);
      expect(play(fails(), { count: 0, shouldRetry })).toEqual([[0, ['failed']]]);
      expect(shouldRetry).not.toHaveBeenCalled();
    });

    it('so that catchError behind it goes on', () => {
      const log = timeline(
        fails('down').pipe(
          retryBackoff({ count: 1, jitter: 'none', scheduler }),
          catchError((error: unknown) => of(`instead of ${String(error)}`)),
        ),
        clock,
      ).log;
      clock.flush();
      expect(log).toEqual([
        [100, 'instead of down'],
        [100, 'complete'],
      ]);
    });

    it('when shouldRetry says so, which sees the error and which retry it would be', () => {
      const asked: unknown[] = [];
      const shouldRetry = (error: unknown, attempt: number) => {
        asked.push([error, attempt]);
        return error !== 'fatal';
      };
      const log = play(inTurn(fails('a'), fails('b'), fails('fatal')), { shouldRetry });
      expect(log).toEqual([[300, ['fatal']]]);
      expect(asked).toEqual([
        ['a', 1],
        ['b', 2],
        ['fatal', 3],
      ]);
    });

    it('when the wait would end after maxElapsed: none is begun in vain', () => {
      const times: number[] = [];
      expect(play(noted(times, fails()), { maxElapsed: 700 })).toEqual([[700, ['failed']]]);
      expect(times).toEqual([0, 100, 300, 700]); // that to 700 ends in time
      expect(play(fails(), { maxElapsed: 699 })).toEqual([[1000, ['failed']]]);
    });

    it('counts maxElapsed from the first failure, and what attempts take counts', () => {
      const log = play(failsAfter(50), { initialDelay: 10, factor: 1, maxElapsed: 129 });
      expect(log).toEqual([[50 + 60 + 60, ['failed']]]); // that is 120 after the first: a wait would end after 130
    });

    it('when nobody can wait that long', () => {
      for (const delay of [Infinity, 2 ** 31])
        expect(play(fails(), { delayFor: () => delay })[0]?.[1]).toEqual(['failed']);
      expect(scheduler.pending).toBe(0);
    });
  });

  describe('heeds what the server wishes', () => {
    it('instead of its own wait, where there is a wish', () => {
      const delayFor = (error: unknown) => (error === 'busy' ? 5000 : undefined);
      const source = inTurn(fails('a'), fails('busy'), fails('c'), of('done'));
      const retries: unknown[] = [];
      play(source, { delayFor, onRetry: ({ error, attempt, delay }) => retries.push([error, attempt, delay]) });
      expect(retries).toEqual([
        ['a', 1, 100],
        ['busy', 2, 5000],
        ['c', 3, 400],
      ]);
    });

    it('also if that is longer than maxDelay, but not than maxElapsed allows', () => {
      expect(waitsOf(fails(), { delayFor: () => 900, maxDelay: 500, count: 2 })).toEqual([900, 900]);
      expect(waitsOf(fails(), { delayFor: () => 900, maxElapsed: 899 })).toEqual([]);
    });

    it('as fromRetryAfter reads it', () => {
      const busy = { headers: { 'retry-after': '2' } };
      const delayFor = (error: unknown) => fromRetryAfter(error as typeof busy);
      expect(play(inTurn(fails(busy), of('done')), { delayFor })[0]).toEqual([2000, 'done']);
      expect(waitsOf(fails({ headers: {} }), { delayFor, count: 1 })).toEqual([100]);
    });

    it.each([-1, NaN, '5', null, new Date()])('and says so if it is none: %o', (wish) => {
      const log = play(fails(), { delayFor: () => wish as number, name: 'orders' });
      expect(String((log[0]?.[1] as unknown[])[0])).toMatch(
        /^RangeError: retryBackoff 'orders': what delayFor gives must be a number of milliseconds or undefined, got /,
      );
    });
  });

  describe('begins anew', () => {
    // Fails, comes back, and fails again after so long.
    const flapping = (fine: number) => concat(of('up'), failsAfter(fine));

    it('only when the source has been fine for resetAfter: one value is not enough, a flapping server would be hammered', () => {
      expect(waitsOf(flapping(99), { resetAfter: 100, count: 4 })).toEqual([100, 200, 400, 800]);
      expect(
        waitsOf(inTurn(flapping(5), flapping(5), flapping(100), flapping(100), fails(), of('done')), {
          resetAfter: 100,
        }),
      ).toEqual([100, 200, 100, 100, 200]);
    });

    it('counting from the first value of the attempt, not from its start: one that hangs and fails has not been fine', () => {
      expect(waitsOf(failsAfter(1000), { resetAfter: 100, count: 3 })).toEqual([100, 200, 400]);
      const slow = concat(wait(1000), of('up'), failsAfter(99));
      expect(waitsOf(slow, { resetAfter: 100, count: 3 })).toEqual([100, 200, 400]);
    });

    it('with count, waits, decorrelated ones too, and maxElapsed', () => {
      const source = () => inTurn(fails(), fails(), flapping(100), fails(), fails(), of('done'));
      const options = { resetAfter: 100, maxElapsed: 700 };
      expect(play(source(), { ...options, count: 3 }).at(-1)?.[1]).toBe('complete');
      expect(play(source(), { ...options, count: 2 }).at(-1)?.[1]).toEqual(['failed']);
      const random = () => 0.5;
      expect(waitsOf(source(), { resetAfter: 100, jitter: 'decorrelated', random })).toEqual([200, 350, 200, 350, 575]);
    });

    it('after a minute by default', () => {
      expect(waitsOf(inTurn(fails(), flapping(59_999), flapping(60_000), of('done')))).toEqual([100, 200, 100]);
    });

    it('never with Infinity, and with each value with 0', () => {
      expect(waitsOf(flapping(1e9), { resetAfter: Infinity, count: 2 })).toEqual([100, 200]);
      expect(waitsOf(inTurn(flapping(0), flapping(0), fails(), of('done')), { resetAfter: 0 })).toEqual([
        100, 100, 200,
      ]);
    });

    it('by a clock that may be set back: maxElapsed comes all the same', () => {
      clock.now = () => (clock.frame < 200 ? clock.frame : clock.frame - 1000);
      // At 200 no time has passed since 100, as far as anybody knows.
      expect(waitsOf(fails(), { factor: 1, maxElapsed: 250 })).toEqual([100, 100, 100]);
    });
  });

  describe('calls back', () => {
    it('when the wait begins, once for each retry', () => {
      const seen: unknown[] = [];
      play(inTurn(fails('a'), fails('b'), of('done')), { onRetry: (retry) => seen.push([clock.frame, retry]) });
      expect(seen).toEqual([
        [0, { error: 'a', attempt: 1, delay: 100 }],
        [100, { error: 'b', attempt: 2, delay: 200 }],
      ]);
    });

    it.each(['shouldRetry', 'delayFor', 'onRetry', 'random'] as const)('%s that throws is the error', (name) => {
      const thrown = new Error(name);
      const callback = () => {
        throw thrown;
      };
      expect(play(fails(), { jitter: 'full', [name]: callback })).toEqual([[0, [thrown]]]);
      expect(play(failsAfter(5), { jitter: 'full', [name]: callback })).toEqual([[5, [thrown]]]);
    });

    it('shouldRetry has to decide now: a promise is no answer', () => {
      const shouldRetry = () => Promise.resolve(false) as unknown as boolean;
      const log = play(fails(), { shouldRetry });
      expect(String((log[0]?.[1] as unknown[])[0])).toBe(
        'TypeError: retryBackoff: what shouldRetry gives must be a boolean, got an object',
      );
    });

    it.each([-0.1, 1.1, NaN, 42])('random has to give a share: %d is none, and would hammer', (share) => {
      const log = play(fails(), { jitter: 'full', random: () => share });
      expect(String((log[0]?.[1] as unknown[])[0])).toBe(
        `RangeError: what random gives must be a number from 0 to 1, got ${String(share)}`,
      );
    });

    it.each(['shouldRetry', 'delayFor', 'onRetry'] as const)('%s may unsubscribe', (name) => {
      const times: number[] = [];
      const callback = vi.fn(() => {
        subscription.unsubscribe();
        return name === 'shouldRetry' ? true : 5;
      });
      const onRetry = vi.fn();
      const pending: number[] = [];
      timer(2, clock).subscribe(() => pending.push(scheduler.pending));
      const { log, subscription } = timeline(
        noted(times, failsAfter(1)).pipe(retryBackoff({ scheduler, onRetry, [name]: callback })),
        clock,
      );
      clock.flush();
      expect([log, times, pending]).toEqual([[], [0], [0]]);
      expect(callback).toHaveBeenCalledTimes(1);
      expect(onRetry).not.toHaveBeenCalled();
      expect(scheduler.pending).toBe(0);
    });
  });

  describe('waits for clean-up', () => {
    it('of the failed attempt before the next is subscribed, while the back-off time goes by', () => {
      const times: number[] = [];
      const source = (cleanup: number) =>
        noted(
          times,
          cleansUp(fails(), () => wait(cleanup)),
        );
      play(inTurn(source(50), source(250), source(450), source(0)), { count: 3 });
      expect(times.splice(0)).toEqual([0, 100, 350, 800]); // the longer of both
      play(inTurn(source(7), source(0), of('done')), { initialDelay: 0, maxDelay: 0 });
      expect(times).toEqual([800, 807]);
    });

    it(
      'to the frame',
      marbles((m) => {
        const cleanup = m.cold('-----|');
        const first = cleansUp(m.cold('--a--#'), () => cleanup);
        const result = inTurn(first, m.cold('-b|')).pipe(retryBackoff({ initialDelay: 2, jitter: 'none' }));
        m.expect(result).toBeObservable('--a--------b|');
        m.expect(cleanup).toHaveSubscriptions('-----^----!');
      }),
    );

    it('also where the source fails at once, and gives its teardown afterwards', () => {
      const times: number[] = [];
      const source = new Observable<never>((subscriber) => {
        const scope = findCleanupScope(subscriber);
        times.push(clock.frame);
        subscriber.error('failed');
        return () => {
          const completion = new Completion();
          scope?.track(completion);
          wait(30).subscribe({ complete: completion.resolve });
        };
      });
      play(source, { initialDelay: 0, maxDelay: 0, count: 2 });
      expect(times).toEqual([0, 30, 60]);
    });

    it('not longer than cleanupTimeout, each time, and not again for what hangs since', () => {
      const times: number[] = [];
      const hangs = noted(
        times,
        cleansUp(fails(), () => NEVER),
      );
      const cleans = noted(
        times,
        cleansUp(fails(), () => EMPTY),
      );
      play(inTurn(hangs, cleans, hangs, cleans), { initialDelay: 1, factor: 1, cleanupTimeout: 20, count: 3 });
      expect(times).toEqual([0, 20, 21, 41]);
      times.length = 0;
      play(inTurn(hangs, of('done')));
      expect(clock.frame).toBe(41 + 5000);
      timeline(
        inTurn(hangs, of('done')).pipe(retryBackoff({ scheduler, cleanupTimeout: Infinity })),
        clock,
      ).subscription.unsubscribe();
    });

    it('and tells the scope below of all, which answers for what fails', () => {
      const told: unknown[] = [];
      const scope: CleanupScope = {
        track: (cleanup) => {
          cleanup.then(
            () => told.push([clock.frame, 'settled']),
            (error: unknown) => told.push([clock.frame, error]),
          );
        },
      };
      const below = <T>(source: Observable<T>) =>
        new Observable<T>((destination) => {
          source.subscribe(operate<T, T>({ destination, cleanupScope: scope }));
        });
      const source = inTurn(
        cleansUp(fails(), () => failsAfter(5, 'cleanup')),
        cleansUp(fails('last'), () => wait(50)),
      );
      const { log } = timeline(
        source.pipe(retryBackoff({ initialDelay: 20, jitter: 'none', count: 1, scheduler }), below),
        clock,
      );
      clock.flush();
      expect(log).toEqual([[20, ['last']]]); // the last error does not wait
      expect(told).toEqual([
        [5, 'cleanup'],
        [70, 'settled'],
      ]);
    });

    it('and reports what fails where nobody is below', async () => {
      play(
        inTurn(
          cleansUp(fails(), () => fails('cleanup')),
          of('done'),
        ),
      );
      expect(await reported(unhandled)).toBe('cleanup');
    });

    it('and reports a teardown that throws, and tries again all the same', async () => {
      const thrown = new Error('teardown');
      const throwing = (when: 'before' | 'after') =>
        new Observable<never>((subscriber) => {
          const teardown = () => {
            throw thrown;
          };
          if (when === 'before') subscriber.add(teardown);
          subscriber.error('failed');
          return when === 'after' ? teardown : undefined;
        });
      for (const when of ['before', 'after'] as const) {
        const onRetry = vi.fn();
        play(throwing(when), { count: 1, onRetry });
        expect(onRetry).toHaveBeenCalledTimes(1);
        await reported(unhandled);
        const error = (await reported(unhandled)) as Error | { errors: unknown[] };
        expect('errors' in error ? error.errors[0] : error).toBe(thrown);
      }
    });
  });

  describe('unsubscribed', () => {
    it('while it waits, cancels the wait: no timer is left and no attempt follows', () => {
      const times: number[] = [];
      const { subscription } = timeline(noted(times, fails()).pipe(retryBackoff({ scheduler })), clock);
      expect(scheduler.pending).toBe(1);
      subscription.unsubscribe();
      expect(scheduler.pending).toBe(0);
      clock.flush();
      expect(times).toEqual([0]);
    });

    it('while it waits for clean-up, leaves no timer either', () => {
      const times: number[] = [];
      const source = noted(
        times,
        cleansUp(fails(), () => wait(500)),
      );
      const { subscription } = timeline(source.pipe(retryBackoff({ scheduler, random: () => 1 })), clock);
      clock.maxFrames = 200;
      clock.flush();
      expect(scheduler.pending).toBe(1); // that of cleanupTimeout
      subscription.unsubscribe();
      expect(scheduler.pending).toBe(0);
      clock.maxFrames = Infinity;
      clock.flush();
      expect(times).toEqual([0]);
    });

    it('inside of the teardown of a failed attempt, does not try again', () => {
      const times: number[] = [];
      const source = noted(
        times,
        new Observable<never>((subscriber) => {
          subscriber.add(() => {
            subscription.unsubscribe();
          });
          subscriber.add(failsAfter(1).subscribe(subscriber));
        }),
      );
      const onRetry = vi.fn();
      const { log, subscription } = timeline(source.pipe(retryBackoff({ scheduler, onRetry })), clock);
      clock.flush();
      expect([log, times]).toEqual([[], [0]]);
      expect(onRetry).not.toHaveBeenCalled();
    });

    it('by a value of a later attempt that is enough', () => {
      const log = timeline(
        inTurn(fails(), concat(of(1, 2, 3), NEVER)).pipe(retryBackoff({ scheduler }), take(2)),
        clock,
      ).log;
      clock.flush();
      expect(log.map(([, event]) => event)).toEqual([1, 2, 'complete']);
    });

    it('before it is subscribed, does not subscribe to the source', () => {
      const source = vi.fn(() => NEVER);
      const subscriber = operate<never, never>({});
      subscriber.unsubscribe();
      defer(source).pipe(retryBackoff({ scheduler })).subscribe(subscriber);
      expect(source).not.toHaveBeenCalled();
    });
  });

  describe('is asked to stop by a consumer below', () => {
    const limited = <T>(source: Observable<T>, options: RetryBackoffOptions = {}) =>
      timeline(
        source.pipe(
          retryBackoff({ jitter: 'none', scheduler, ...options }),
          timeoutWithCleanup({ total: 50, cleanupTimeout: 1000, scheduler: clock }),
        ),
        clock,
      ).log;
    const errorOf = (log: readonly (readonly [number, unknown])[]) => (log[0]?.[1] as [TimeoutWithCleanupError])[0];

    it('while it waits: ends with the last error, and no attempt follows', () => {
      const times: number[] = [];
      const log = limited(noted(times, fails('down')));
      clock.flush();
      expect(log).toHaveLength(1);
      expect(log[0]?.[0]).toBe(50);
      expect(errorOf(log)).toBeInstanceOf(TimeoutWithCleanupError);
      expect(errorOf(log).cause).toBe('down');
      expect(times).toEqual([0]);
    });

    it('while an attempt goes on that then fails: no other is begun', () => {
      let attempts = 0;
      const work = (signal: AbortSignal) => {
        attempts++;
        return new Observable<never>((subscriber) => {
          signal.addEventListener('abort', () => {
            subscriber.add(
              wait(10).subscribe({
                complete: () => {
                  subscriber.error(signal.reason);
                },
              }),
            );
          });
        });
      };
      const log = limited(abortable(work), { initialDelay: 0, maxDelay: 0 });
      clock.flush();
      expect(attempts).toBe(1);
      expect(log[0]?.[0]).toBe(60);
      expect(errorOf(log)).toMatchObject({ name: 'TimeoutWithCleanupError', cleanup: 'done' });
      expect(errorOf(log).cause).toBeUndefined();
    });

    it('and a result that still comes wins', () => {
      const work = (signal: AbortSignal) =>
        new Observable<string>((subscriber) => {
          signal.addEventListener('abort', () => {
            subscriber.next('what there is');
            subscriber.complete();
          });
        });
      const log = limited(inTurn(fails(), abortable(work)), { initialDelay: 10 });
      clock.flush();
      expect(log).toEqual([
        [50, 'what there is'],
        [50, 'complete'],
      ]);
    });

    it('does not make it wait for a source that cannot be asked', () => {
      const log = limited(NEVER);
      clock.flush();
      expect(log[0]?.[0]).toBe(50);
    });

    it('inside of a callback: no attempt follows', () => {
      const stop = new Subject<void>();
      const times: number[] = [];
      let ask: (reason: unknown) => void = () => undefined;
      const leave = vi.fn();
      const canceller = {
        onCancel: (cancel: (reason: unknown) => void) => {
          ask = cancel;
          return leave;
        },
      };
      const below = <T>(source: Observable<T>) =>
        new Observable<T>((destination) => {
          source.subscribe(operate<T, T>({ destination, canceller }));
        });
      const onRetry = () => {
        ask('stop');
      };
      const { log } = timeline(noted(times, fails()).pipe(retryBackoff({ scheduler, onRetry }), below), clock);
      clock.flush();
      expect(log).toEqual([[0, ['failed']]]);
      expect(times).toEqual([0]);
      expect(leave).toHaveBeenCalledTimes(1);
      stop.complete();
    });

    it('leaves at once where it was asked before, or nobody is there any more', () => {
      for (const isClosed of [false, true]) {
        const leave = vi.fn();
        const canceller = {
          onCancel: (cancel: (reason: unknown) => void) => {
            if (!isClosed) cancel('stop');
            return leave;
          },
        };
        const subscriber = operate<never, never>({ canceller });
        if (isClosed) subscriber.unsubscribe();
        NEVER.pipe(retryBackoff({ scheduler })).subscribe(subscriber);
        expect(leave).toHaveBeenCalledTimes(1);
        subscriber.unsubscribe();
        expect(leave).toHaveBeenCalledTimes(1);
      }
    });

    it('leaves in every case, once', () => {
      for (const end of ['complete', 'error', 'unsubscribe', 'asked'] as const) {
        const leave = vi.fn();
        const canceller = {
          onCancel: (cancel: (reason: unknown) => void) => {
            if (end === 'asked') cancel('stop');
            return leave;
          },
        };
        const source = { complete: EMPTY, error: fails(), unsubscribe: NEVER, asked: fails() }[end];
        const result = new Observable<never>((destination) => {
          source
            .pipe(retryBackoff({ count: end === 'asked' ? 5 : 0, scheduler }))
            .subscribe(operate({ destination, canceller }));
        });
        const { log, subscription } = timeline(result, clock);
        subscription.unsubscribe();
        expect(leave).toHaveBeenCalledTimes(1);
        if (end === 'asked') expect(log).toEqual([[0, ['failed']]]);
      }
    });
  });

  describe('of a source that can be gone through only once', () => {
    it('does not complete in silence, but errors, with the first failure as the cause', () => {
      const iterator = [1, 2, 3].values();
      const broken = new Error('broken');
      const source = fromPull(iterator, { slice: Infinity }).pipe(
        map((n) => {
          if (n === 2) throw broken;
          return n;
        }),
      );
      const log = play(source, { count: 5 });
      expect(log[0]).toEqual([0, 1]);
      const [error] = log[1]?.[1] as [SourceConsumedError];
      expect(log).toHaveLength(2);
      expect(error).toBeInstanceOf(SourceConsumedError);
      expect(error.message).toMatch(/can be gone through only once/);
      expect(error.cause).toBe(broken);
    });

    it('tells the failure before it, also where values have come', () => {
      const broken = new Error('broken');
      const source = inTurn(
        concat(of(1), fails(broken)),
        defer(() => fails(new SourceConsumedError('fromPull'))),
      );
      const log = play(source);
      const [error] = log[1]?.[1] as [SourceConsumedError];
      expect(log[1]?.[0]).toBe(100);
      expect(error.cause).toBe(broken);
      expect(Object.keys(error)).not.toContain('cause');
    });

    it('does not try a second time what was consumed when it came', () => {
      const error = new SourceConsumedError('fromReadable');
      const times: number[] = [];
      expect(play(noted(times, fails(error)))).toEqual([[0, [error]]]);
      expect(times).toEqual([0]);
      expect('cause' in error).toBe(false);
    });

    it('keeps a cause that it has, and errors that are no objects', () => {
      const error = Object.assign(new SourceConsumedError('fromPull'), { cause: 'own' });
      expect(play(inTurn(fails('first'), fails(error)))).toEqual([[100, [error]]]);
      expect(error.cause).toBe('own');
      expect(play(fails(null), { count: 1 })).toEqual([[200, [null]]]);
      expect(
        play(
          throwError(() => undefined),
          { count: 1 },
        ),
      ).toEqual([[300, [undefined]]]);
    });
  });

  describe('with a gate below', () => {
    it('lets the source see it, each time', () => {
      const gate = new ManualGate();
      const seen: unknown[] = [];
      const source = new Observable<never>((subscriber) => {
        seen.push(findGate(subscriber));
        subscriber.error('failed');
      });
      timeline(source.pipe(retryBackoff({ count: 2, scheduler }), gatedBy(gate)), clock);
      clock.flush();
      expect(seen).toEqual([gate, gate, gate]);
    });

    it('tries again also while it is closed, and the values wait', () => {
      const gate = new ManualGate();
      const opened: number[] = [];
      const source = inTurn(
        fails() as Observable<string>,
        fromPull(
          () => {
            opened.push(clock.frame);
            return ['a', 'b'];
          },
          { slice: Infinity },
        ),
      );
      const { log } = timeline(source.pipe(retryBackoff({ jitter: 'none', scheduler }), gatedBy(gate)), clock);
      clock.flush();
      expect([opened, log]).toEqual([[100], []]);
      gate.ready = true;
      expect(log.map(([, event]) => event)).toEqual(['a', 'b', 'complete']);
      expect(gate.waiters.size).toBe(0);
    });
  });

  describe('is not in its own way', () => {
    it('a million retries of a source that fails at once: no stack grows', () => {
      let attempts = 0;
      const source = new Observable<string>((subscriber) => {
        if (++attempts > 1_000_000) subscriber.next('at last');
        subscriber.error('failed');
      });
      const { log } = record(source.pipe(retryBackoff({ initialDelay: 0, maxDelay: 0, count: 1_000_000 })));
      expect(attempts).toBe(1_000_001);
      expect(log).toEqual(['at last', ['error', 'failed']]);
    });

    it('a hundred thousand retries of a source whose clean-up is over at once: no stack grows either', () => {
      let attempts = 0;
      const source = cleansUp(
        defer(() => (++attempts > 100_000 ? EMPTY : fails())),
        () => EMPTY,
      );
      expect(record(source.pipe(retryBackoff({ initialDelay: 0, maxDelay: 0, count: Infinity }))).log).toEqual([
        'complete',
      ]);
    });

    it('an error that the consumer pushes into the source inside next', () => {
      const sources = [new Subject<number>(), new Subject<number>(), new Subject<number>()];
      const log: unknown[] = [];
      inTurn(...sources)
        .pipe(retryBackoff({ initialDelay: 0, maxDelay: 0, scheduler }))
        .subscribe((n) => {
          log.push(n);
          if (n < 2) sources[n]?.error('failed');
          sources[n + 1]?.next(n + 1);
        });
      sources[0]?.next(0);
      expect(log).toEqual([0, 1, 2]);
    });

    it('a subject that has failed: each attempt fails at once', () => {
      const subject = new Subject<never>();
      const { log } = record(subject.pipe(retryBackoff({ initialDelay: 0, maxDelay: 0, count: 1000 })));
      subject.error('closed');
      expect(log).toEqual([['error', 'closed']]);
    });

    it('inner sources that retry, each for itself', () => {
      const attempts = new Map<number, number>();
      const request = (n: number) =>
        defer(() => {
          const attempt = (attempts.get(n) ?? 0) + 1;
          attempts.set(n, attempt);
          return attempt > n ? of(n) : fails(n);
        }).pipe(retryBackoff({ jitter: 'none', initialDelay: 10, scheduler }));
      const merged = timeline(of(2, 0, 1).pipe(mergeMap(request)), clock);
      const inOrder = timeline(of(0, 3).pipe(concatMap(request)), clock);
      clock.flush();
      expect(merged.log).toEqual([
        [0, 0],
        [10, 1],
        [30, 2],
        [30, 'complete'],
      ]);
      expect(inOrder.log.at(-1)?.[1]).toBe('complete');
    });

    it('promises, with timers of the platform', async () => {
      vi.useFakeTimers();
      try {
        let calls = 0;
        const request = async () => {
          await Promise.resolve();
          if (++calls < 3) throw new Error('down');
          return calls;
        };
        const { log } = record(defer(request).pipe(retryBackoff({ jitter: 'none' })));
        await vi.advanceTimersByTimeAsync(299);
        expect([calls, log]).toEqual([2, []]);
        await vi.advanceTimersByTimeAsync(1);
        expect(log).toEqual([3, 'complete']);
        expect(vi.getTimerCount()).toBe(0);
      } finally {
        vi.useRealTimers();
      }
    });

    it('asynchronous clean-up of real promises: the next attempt waits for it', async () => {
      vi.useFakeTimers();
      try {
        const events: string[] = [];
        async function* rows() {
          events.push('open');
          try {
            yield events.length;
            await new Promise(() => undefined);
          } finally {
            await new Promise((resolve) => setTimeout(resolve, 500));
            events.push('closed');
          }
        }
        let attempts = 0;
        const source = defer(() => fromPull(rows)).pipe(
          tap(() => {
            if (++attempts === 1) throw new Error('broken');
          }),
          take(1),
        );
        const { log } = record(source.pipe(retryBackoff({ jitter: 'none' })));
        await vi.advanceTimersByTimeAsync(499);
        expect(events).toEqual(['open']);
        await vi.advanceTimersByTimeAsync(1);
        expect(events).toEqual(['open', 'closed', 'open']);
        await vi.advanceTimersByTimeAsync(500);
        expect(log).toEqual([3, 'complete']);
        expect(vi.getTimerCount()).toBe(0);
      } finally {
        vi.useRealTimers();
      }
    });

    it('a source that throws when it is subscribed to, instead of telling its error', () => {
      const subscribe = () => {
        throw new Error('thrown');
      };
      const source = Object.assign(new Observable<never>(), { subscribe });
      const onRetry = vi.fn();
      play(source, { count: 1, onRetry });
      expect(onRetry).toHaveBeenCalledTimes(1);
      const [[, event] = []] = play(source, { count: 0 });
      expect(String((event as unknown[])[0])).toBe('Error: thrown');
    });
  });
});
