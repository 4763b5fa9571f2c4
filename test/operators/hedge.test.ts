import {
  concat,
  defer,
  EMPTY,
  ignoreElements,
  map,
  NEVER,
  Observable,
  of,
  Subject,
  take,
  throwError,
  timer,
  VirtualTimeScheduler,
} from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Completion } from '../../src/internal/Completion.js';
import { operate } from '../../src/internal/operate.js';
import type { Canceller, CleanupScope } from '../../src/link/protocol.js';
import { findCleanupScope } from '../../src/link/walk.js';
import { gatedBy } from '../../src/operators/gatedBy.js';
import { hedge, type HedgeInfo, type HedgeOptions } from '../../src/operators/hedge.js';
import { retryBackoff } from '../../src/operators/retryBackoff.js';
import { abortable } from '../../src/sources/abortable.js';
import { fromPull } from '../../src/sources/fromPull.js';
import { CountedSignal } from '../support/CountedSignal.js';
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
const after = <T>(ms: number, value: T) => timer(ms, clock).pipe(map(() => value));
const fails = (error: unknown = 'failed') => throwError(() => error);
const failsAfter = (ms: number, error: unknown = 'failed') => concat(wait(ms), fails(error));

/** Plays to the end of time. */
function play<T>(
  source: Observable<T>,
  options: HedgeOptions,
  below: <V>(values: Observable<V>) => Observable<V> = (v) => v,
) {
  const { log } = timeline(below(source.pipe(hedge({ scheduler, ...options }))), clock);
  clock.flush();
  return log;
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

/** Writes down when it is subscribed to, and when it is torn down. */
const noted = <T>(into: unknown[], name: string, source: Observable<T>) =>
  new Observable<T>((subscriber) => {
    into.push([clock.frame, `${name} begins`]);
    subscriber.add(() => into.push([clock.frame, `${name} ends`]));
    source.subscribe(subscriber);
  });

describe('hedge', () => {
  describe('is called', () => {
    it.each<[object, string]>([
      [{}, 'after must be a number of milliseconds from 0 to 2147483647 or Infinity, got undefined'],
      [{ after: -1 }, 'after must be a number of milliseconds from 0 to 2147483647 or Infinity, got -1'],
      [{ after: '5' }, "after must be a number of milliseconds from 0 to 2147483647 or Infinity, got '5'"],
      [{ after: 5, max: 0 }, 'max must be a positive integer, got 0'],
      [{ after: 5, max: 1.5 }, 'max must be a positive integer, got 1.5'],
      [{ after: 5, max: Infinity }, 'max must be a positive integer, got Infinity'],
      [{ after: 5, shouldHedge: true }, 'shouldHedge must be a function, got true'],
      [{ after: 5, onHedge: 1 }, 'onHedge must be a function, got 1'],
      [{ after: 5, name: 1 }, 'name must be a string, got 1'],
      [{ after: 5, scheduler: {} }, "scheduler must have the functions 'now' and 'schedule', got an object"],
      [
        { after: 5, cleanupTimeout: -1 },
        'cleanupTimeout must be a number of milliseconds from 0 to 2147483647 or Infinity, got -1',
      ],
    ])('with options that are right: %o', (options, message) => {
      expect(() => hedge(options as never)).toThrow(message);
    });

    it('with one object', () => {
      expect(() => hedge(50 as never)).toThrow(new TypeError('options must be an object, got 50'));
    });
  });

  describe('begins another attempt', () => {
    it(
      'when the first has given nothing for so long, and goes on with whichever is first',
      marbles((m) => {
        const slow = m.cold('------a--b|');
        const fast = m.cold('--c-d|');
        m.expect(inTurn(slow, fast).pipe(hedge({ after: 3 }))).toBeObservable('-----c-d|');
        m.expect(slow).toHaveSubscriptions('^----!');
        m.expect(fast).toHaveSubscriptions('---^----!');
      }),
    );

    it(
      'in vain, if the first one is first all the same',
      marbles((m) => {
        const slow = m.cold('----a--b|');
        const other = m.cold('--c-d|');
        m.expect(inTurn(slow, other).pipe(hedge({ after: 3 }))).toBeObservable('----a--b|');
        m.expect(other).toHaveSubscriptions('---^!');
      }),
    );

    it(
      'not at all where the first is in time, and slow only after that',
      marbles((m) => {
        const source = m.cold('--a------b|');
        m.expect(source.pipe(hedge({ after: 3 }))).toBeObservable('--a------b|');
        m.expect(source).toHaveSubscriptions('^---------!');
      }),
    );

    it('nor where it gives a value at once, and then nothing for long', () => {
      const log: unknown[] = [];
      play(
        defer(() => noted(log, 'one', concat(of('x'), wait(50)))),
        { after: 10 },
      );
      expect(log).toEqual([
        [0, 'one begins'],
        [50, 'one ends'],
      ]);
    });

    it('and another one, up to max, each so long after the one before', () => {
      const log: unknown[] = [];
      play(
        defer(() => noted(log, 'one', wait(100))),
        { after: 10, max: 4, onHedge: ({ attempt }) => log.push(attempt) },
      );
      const begun = log.filter((event) => Array.isArray(event) && event[1] === 'one begins');
      expect(begun.map((event) => (event as unknown[])[0])).toEqual([0, 10, 20, 30]);
      expect(log.filter((event) => typeof event === 'number')).toEqual([2, 3, 4]);
    });

    it('after as long as a function says, which sees how many have begun', () => {
      const log: unknown[] = [];
      const asked: number[] = [];
      play(
        defer(() => noted(log, 'one', after(60, 'x'))),
        { after: (attempts) => (asked.push(attempts), attempts * 10), max: 3 },
      );
      expect(asked).toEqual([1, 2]);
      expect(log.slice(0, 3)).toEqual([
        [0, 'one begins'],
        [10, 'one begins'],
        [30, 'one begins'],
      ]);
    });

    it('all at once with 0, but none where the first gives a value at once', () => {
      const log: unknown[] = [];
      play(
        defer(() => noted(log, 'one', after(5, 'x'))),
        { after: 0, max: 3 },
      );
      expect(log.slice(0, 3)).toEqual([
        [0, 'one begins'],
        [0, 'one begins'],
        [0, 'one begins'],
      ]);
      log.length = 0;
      expect(play(noted(log, 'one', of('x')), { after: 0, max: 3 })).toEqual([
        [5, 'x'],
        [5, 'complete'],
      ]);
      expect(log).toHaveLength(2);
    });

    it('with Infinity only when one has failed', () => {
      const log: unknown[] = [];
      const sources = inTurn(noted(log, 'first', failsAfter(50)), noted(log, 'second', after(70, 'x')));
      expect(play(sources, { after: Infinity, max: 5 })).toEqual([
        [120, 'x'],
        [120, 'complete'],
      ]);
      expect(log).toHaveLength(4);
    });

    it('at once when one has failed, and the time begins anew', () => {
      const seen: [number, HedgeInfo][] = [];
      const sources = inTurn<unknown>(failsAfter(4, 'a'), NEVER, failsAfter(3, 'b'), after(1, 'x'));
      const log = play(sources, { after: 10, max: 4, onHedge: (info) => seen.push([clock.frame, info]) });
      expect(seen).toEqual([
        [4, { attempt: 2, error: 'a' }],
        [14, { attempt: 3 }],
        [17, { attempt: 4, error: 'b' }],
      ]);
      expect(log).toEqual([
        [18, 'x'],
        [18, 'complete'],
      ]);
    });

    it('of each subscription for itself', () => {
      const operator = hedge<string>({ after: 10, scheduler });
      const both = [after(15, 'a'), after(15, 'b')].map((source) => timeline(source.pipe(operator), clock).log);
      clock.flush();
      expect(both.map((log) => log.map(([, event]) => event))).toEqual([
        ['a', 'complete'],
        ['b', 'complete'],
      ]);
    });

    it('not before a late timer has let what has come meanwhile have its turn: a busy event loop is no slow server', () => {
      const busy = new VirtualTimeScheduler();
      let late = 0;
      busy.now = () => busy.frame + late;
      let attempts = 0;
      const source = new Subject<string>();
      const { log } = record(defer(() => (attempts++, source)).pipe(hedge({ after: 10, scheduler: busy })));
      busy.schedule(() => {
        source.next('in time'); // after the timer, in the same frame
      }, 10);
      late = 5;
      busy.maxFrames = 100;
      busy.flush();
      expect(attempts).toBe(1);
      expect(log[0]).toBe('in time');
    });
  });

  describe('ends', () => {
    it('with the attempt that won; its value passes at once, then the losers are unsubscribed', () => {
      const events: unknown[] = [];
      const sources = inTurn(noted(events, 'first', NEVER), noted(events, 'second', concat(after(2, 'x'), wait(3))));
      sources.pipe(hedge({ after: 10, scheduler })).subscribe({
        next: (value) => events.push([clock.frame, value]),
        complete: () => events.push([clock.frame, 'complete']),
      });
      clock.flush();
      expect(events).toEqual([
        [0, 'first begins'],
        [10, 'second begins'],
        [12, 'x'],
        [12, 'first ends'],
        [15, 'second ends'],
        [15, 'complete'],
      ]);
    });

    it('with an attempt that completes without a value: that is a result, too', () => {
      const events: unknown[] = [];
      const sources = inTurn(noted(events, 'first', NEVER), wait(5));
      expect(play(sources, { after: 10 })).toEqual([[15, 'complete']]);
      expect(events.at(-1)).toEqual([15, 'first ends']);
    });

    it('with the error of the attempt that won, after its values', () => {
      const sources = inTurn(NEVER, concat(of('x'), failsAfter(5)));
      const shouldHedge = vi.fn(() => true);
      expect(play(sources, { after: 10, max: 3, shouldHedge })).toEqual([
        [10, 'x'],
        [15, ['failed']],
      ]);
      expect(shouldHedge).not.toHaveBeenCalled();
    });

    it('with the error of the last, as it is, when all have failed', () => {
      const errors = [new Error('a'), new Error('b'), new Error('c')];
      expect(play(inTurn(...errors.map((error) => fails(error))), { after: 10, max: 3 })).toEqual([[0, [errors[2]]]]);
      // The last in time, also if it began first.
      expect(play(inTurn(failsAfter(30, 'first'), failsAfter(5, 'second')), { after: 10 })).toEqual([[30, ['first']]]);
      expect(play(fails('only'), { after: 10, max: 1 })).toEqual([[30, ['only']]]);
    });

    it('with the first failure as the cause, where the source can be gone through only once', () => {
      const broken = new Error('broken');
      const iterator = new Set([1]).values();
      const source = fromPull(iterator).pipe(
        map(() => {
          throw broken;
        }),
      );
      const log = play(source, { after: 10 });
      expect(log).toHaveLength(1);
      expect((log[0]?.[1] as unknown[])[0]).toMatchObject({ name: 'SourceConsumedError', cause: broken });
    });

    it('with a value, whatever has failed before', () => {
      expect(play(inTurn<string>(after(30, 'x'), failsAfter(5)), { after: 10 })).toEqual([
        [30, 'x'],
        [30, 'complete'],
      ]);
    });

    it('at once with an error for which shouldHedge says so: the others are given up', () => {
      const events: unknown[] = [];
      const asked: unknown[] = [];
      const shouldHedge = (error: unknown, attempt: number) => {
        asked.push([error, attempt]);
        return error !== 'fatal';
      };
      const sources = inTurn(noted(events, 'first', NEVER), failsAfter(1, 'a'), failsAfter(1, 'fatal'), of('x'));
      expect(play(sources, { after: 10, max: 9, shouldHedge })).toEqual([[12, ['fatal']]]);
      expect(asked).toEqual([
        ['a', 2],
        ['fatal', 3],
      ]);
      expect(events.at(-1)).toEqual([12, 'first ends']);
    });

    it('so that retryBackoff around it sees what to do', () => {
      const seen: unknown[] = [];
      const source = inTurn<string>(fails('a'), fails('busy'), of('x')).pipe(hedge({ after: 10, scheduler }));
      const retried = source.pipe(
        retryBackoff({ jitter: 'none', scheduler, onRetry: ({ error }) => seen.push(error) }),
      );
      const { log } = timeline(retried, clock);
      clock.flush();
      expect(seen).toEqual(['busy']);
      expect(log[0]).toEqual([100, 'x']);
    });
  });

  describe('calls back', () => {
    it.each(['shouldHedge', 'after', 'onHedge'] as const)(
      '%s that throws is the error; the others are given up',
      (name) => {
        const thrown = new Error(name);
        const events: unknown[] = [];
        const callback = () => {
          throw thrown;
        };
        const log = play(inTurn(noted(events, 'first', failsAfter(5)), NEVER), { after: 10, [name]: callback });
        expect(log.map(([, event]) => event)).toEqual([[thrown]]);
        expect(events).toHaveLength(2);
      },
    );

    it('after and shouldHedge have to give what they should', () => {
      const after1 = play(NEVER, { after: () => NaN, name: 'orders' });
      expect(String((after1[0]?.[1] as unknown[])[0])).toBe(
        "RangeError: hedge 'orders': what after gives must be a number of milliseconds from 0 to 2147483647 or Infinity, got NaN",
      );
      const shouldHedge = () => undefined as unknown as boolean;
      const should = play(fails(), { after: 1, shouldHedge });
      expect(String((should[0]?.[1] as unknown[])[0])).toBe(
        'TypeError: hedge: what shouldHedge gives must be a boolean, got undefined',
      );
    });

    it.each([
      ['shouldHedge', 5],
      ['onHedge', 2],
      ['after', 2],
    ] as const)('%s may unsubscribe: no attempt follows, and no timer is left', (name, at) => {
      const events: unknown[] = [];
      const pending: number[] = [];
      const callback = () => {
        subscription.unsubscribe();
        return true;
      };
      const after = (attempts: number) => {
        if (name === 'after' && attempts === 2) callback();
        return name === 'shouldHedge' ? Infinity : 2;
      };
      const { log, subscription } = timeline(
        defer(() => noted(events, 'one', failsAfter(5))).pipe(
          hedge({ max: 5, scheduler, ...(name !== 'after' && { [name]: callback }), after }),
        ),
        clock,
      );
      timer(at, clock).subscribe(() => pending.push(scheduler.pending));
      clock.flush();
      expect([log, pending]).toEqual([[], [0]]);
      const begun = events.filter((event) => (event as unknown[])[1] === 'one begins');
      expect([begun.length, events.length]).toEqual(name === 'after' ? [2, 4] : [1, 2]);
    });
  });

  describe('waits for clean-up', () => {
    it('of the losers with its completion, and not with the values', () => {
      const first = cleansUp<string>(NEVER, () => wait(20));
      expect(play(inTurn(first, of('x')), { after: 10 })).toEqual([
        [10, 'x'],
        [30, 'complete'],
      ]);
    });

    it('with its error, too: that of the last, that of the winner, and a fatal one', () => {
      const slow = () => cleansUp<string>(NEVER, () => wait(20));
      const failing = (error: string) => cleansUp(failsAfter(5, error), () => wait(30));
      expect(play(inTurn(failing('a'), failing('b')), { after: Infinity })).toEqual([[40, ['b']]]);
      const begin = clock.frame;
      expect(play(inTurn(slow(), concat(of('x'), fails('end'))), { after: 10 })).toEqual([
        [begin + 10, 'x'],
        [begin + 30, ['end']],
      ]);
      const later = clock.frame;
      expect(play(inTurn(slow(), fails('fatal')), { after: 10, shouldHedge: () => false })).toEqual([
        [later + 30, ['fatal']],
      ]);
    });

    it('of an attempt that has ended at once, too', () => {
      expect(
        play(
          cleansUp(of('x'), () => wait(20)),
          { after: 10 },
        ),
      ).toEqual([
        [0, 'x'],
        [20, 'complete'],
      ]);
    });

    it('not longer than cleanupTimeout', () => {
      const hangs = cleansUp<string>(NEVER, () => NEVER);
      expect(play(inTurn(hangs, of('x')), { after: 10, cleanupTimeout: 50 }).at(-1)).toEqual([60, 'complete']);
      expect(play(inTurn(hangs, of('x')), { after: 10 }).at(-1)).toEqual([60 + 10 + 5000, 'complete']);
    });

    it('but an attempt that has failed does not keep the next from beginning', () => {
      const sources = inTurn<string>(
        cleansUp(fails(), () => wait(50)),
        after(5, 'x'),
      );
      expect(play(sources, { after: 10 })).toEqual([
        [5, 'x'],
        [50, 'complete'],
      ]);
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
      const sources = inTurn<string>(
        cleansUp(NEVER, () => failsAfter(5, 'cleanup')),
        cleansUp(of('x'), () => wait(20)),
      );
      expect(play(sources, { after: 10 }, below)).toEqual([
        [10, 'x'],
        [30, 'complete'],
      ]);
      expect(told).toEqual([
        [15, 'cleanup'],
        [30, 'settled'],
      ]);
    });

    it('and reports what fails where nobody is below', async () => {
      play(
        inTurn(
          cleansUp<string>(NEVER, () => fails('cleanup')),
          of('x'),
        ),
        { after: 10 },
      );
      expect(await reported(unhandled)).toBe('cleanup');
    });

    it('and reports a teardown that throws: the result passes all the same', async () => {
      const thrown = new Error('teardown');
      const first = new Observable<string>(() => () => {
        throw thrown;
      });
      expect(play(inTurn(first, of('x')), { after: 10 }).map(([, event]) => event)).toEqual(['x', 'complete']);
      expect(await reported(unhandled)).toMatchObject({ errors: [thrown] });
    });
  });

  describe('unsubscribed', () => {
    it('unsubscribes from all attempts and cancels its timer', () => {
      const events: unknown[] = [];
      const { subscription } = timeline(
        defer(() => noted(events, 'one', NEVER)).pipe(hedge({ after: 10, max: 9, scheduler })),
        clock,
      );
      clock.maxFrames = 25;
      clock.flush();
      expect([events.length, scheduler.pending]).toEqual([3, 1]);
      subscription.unsubscribe();
      expect([events.length, scheduler.pending]).toEqual([6, 0]);
    });

    it('while a late timer lets others have their turn, leaves none', () => {
      clock.now = () => clock.frame + (clock.frame >= 10 ? 5 : 0);
      const { subscription } = timeline(NEVER.pipe(hedge({ after: 10, scheduler })), clock);
      const pending: number[] = [];
      timer(10, clock).subscribe(() => {
        pending.push(scheduler.pending);
        subscription.unsubscribe();
        pending.push(scheduler.pending);
      });
      clock.flush();
      expect(pending).toEqual([1, 0]);
    });

    it('while it waits for clean-up, leaves no timer', () => {
      const { log, subscription } = timeline(
        inTurn(
          cleansUp<string>(NEVER, () => NEVER),
          of('x'),
        ).pipe(hedge({ after: 10, scheduler })),
        clock,
      );
      clock.maxFrames = 20;
      clock.flush();
      expect(scheduler.pending).toBe(1);
      subscription.unsubscribe();
      expect(scheduler.pending).toBe(0);
      expect(log).toEqual([[10, 'x']]);
    });

    it('by the first value, which is enough', () => {
      const events: unknown[] = [];
      const sources = inTurn(noted(events, 'first', NEVER), noted(events, 'second', of(1, 2, 3)));
      const log = play(sources, { after: 10 }, (values) => values.pipe(take(1)));
      expect(log.map(([, event]) => event)).toEqual([1, 'complete']);
      expect(events.map((event) => (event as unknown[])[1]).sort()).toEqual([
        'first begins',
        'first ends',
        'second begins',
        'second ends',
      ]);
    });

    it('before it is subscribed, does not subscribe to the source', () => {
      const source = vi.fn(() => NEVER);
      const subscriber = operate<never, never>({});
      subscriber.unsubscribe();
      defer(source)
        .pipe(hedge({ after: 1, scheduler }))
        .subscribe(subscriber);
      expect(source).not.toHaveBeenCalled();
    });
  });

  describe('lets nothing of a loser pass', () => {
    it('also not what it gives while it is torn down, or one beside it', () => {
      const subjects = [new Subject<string>(), new Subject<string>(), new Subject<string>()];
      let attempts = 0;
      const source = defer(() => {
        const i = attempts++;
        return new Observable<string>((subscriber) => {
          subscriber.add(() => {
            for (const subject of subjects) subject.next(`teardown of ${String(i)}`);
            for (const subject of subjects.slice(1)) subject.error('failed in between');
            subjects[0]?.complete();
          });
          subscriber.add(subjects[i]?.subscribe(subscriber));
        });
      });
      const { log } = timeline(source.pipe(hedge({ after: 1, max: 3, scheduler })), clock);
      clock.flush();
      subjects[0]?.next('x');
      expect(log.map(([, event]) => event)).toEqual(['x', 'teardown of 1', 'teardown of 2', 'complete']);
    });

    it('also where the winner ends inside of next: its completion waits for their clean-up', () => {
      const source = new Subject<string>();
      const events: unknown[] = [];
      const sources = inTurn(
        cleansUp<string>(NEVER, () => wait(20)),
        source,
      );
      sources.pipe(hedge({ after: 10, scheduler })).subscribe({
        next: () => {
          source.complete();
        },
        complete: () => events.push(clock.frame),
      });
      clock.flush();
      source.next('x');
      expect(events).toEqual([]);
      clock.flush();
      expect(events).toEqual([30]);
    });

    it('also not of one beside a fatal one, which ends it', () => {
      const [first, second, third] = [new Subject<string>(), new Subject<string>(), new Subject<string>()];
      const tearingDown = new Observable<string>((subscriber) => {
        subscriber.add(() => {
          second.next('too late');
          second.complete();
        });
        first.subscribe(subscriber);
      });
      const { log } = timeline(
        inTurn<string>(tearingDown, second, third).pipe(
          hedge({ after: 1, max: 3, scheduler, shouldHedge: () => false }),
        ),
        clock,
      );
      clock.flush();
      third.error('fatal');
      expect(log.map(([, event]) => event)).toEqual([['fatal']]);
    });

    it('also not what ends it inside of the next of the winner', () => {
      for (const end of ['error', 'complete'] as const) {
        const [loser, winner] = [new Subject<string>(), new Subject<string>()];
        const log: unknown[] = [];
        inTurn(loser, winner)
          .pipe(hedge({ after: 1, scheduler }))
          .subscribe({
            next: (value) => {
              log.push(value);
              loser.next('too late');
              loser[end]('too late');
            },
            error: (error: unknown) => log.push([error]),
            complete: () => log.push('complete'),
          });
        clock.flush();
        winner.next('a');
        winner.next('b');
        winner.complete();
        expect(log).toEqual(['a', 'b', 'complete']);
      }
    });

    it('and nothing after an end that its teardown brings about', () => {
      const shouldHedge = vi.fn(() => true);
      const source = new Subject<string>();
      const { log, subscription } = timeline(
        new Observable<string>((subscriber) => {
          subscriber.add(() => {
            subscription.unsubscribe();
          });
          source.subscribe(subscriber);
        }).pipe(hedge({ after: 10, scheduler, shouldHedge })),
        clock,
      );
      source.error('failed');
      expect(log).toEqual([]);
      expect(shouldHedge).not.toHaveBeenCalled();
    });

    it('and takes what the consumer pushes into the winner inside next', () => {
      const subjects = [new Subject<number>(), new Subject<number>()];
      let attempts = 0;
      const log: number[] = [];
      defer(() => subjects[attempts++] ?? EMPTY)
        .pipe(hedge({ after: 1, scheduler }))
        .subscribe((n) => {
          log.push(n);
          for (const subject of subjects) if (n < 5) subject.next(n + 1);
        });
      clock.flush();
      subjects[1]?.next(0);
      expect(log).toEqual([0, 1, 2, 3, 4, 5]);
      expect(subjects[0]?.observed).toBe(false);
    });
  });

  describe('with a gate below', () => {
    it('does not take its being closed for slowness: no other begins, and the time begins anew when it opens', () => {
      const gate = new ManualGate();
      let attempts = 0;
      const { subscription } = timeline(
        defer(() => (attempts++, NEVER)).pipe(hedge({ after: 10, scheduler }), gatedBy(gate)),
        clock,
      );
      clock.flush();
      expect([attempts, gate.waiters.size]).toEqual([1, 1]);
      clock.schedule(() => {
        gate.ready = true;
      }, 5);
      clock.maxFrames = 24;
      clock.flush();
      expect(attempts).toBe(1);
      clock.maxFrames = 25;
      clock.flush();
      expect([attempts, clock.frame]).toEqual([2, 25]);
      subscription.unsubscribe();
    });

    it('leaves its place there when a value comes, or it is unsubscribed, or one fails', () => {
      for (const end of ['next', 'unsubscribe', 'error'] as const) {
        const gate = new ManualGate();
        const source = new Subject<string>();
        const { subscription } = timeline(
          source.pipe(hedge({ after: 10, scheduler, shouldHedge: () => false }), gatedBy(gate)),
          clock,
        );
        clock.flush();
        expect(gate.waiters.size).toBe(1);
        if (end === 'unsubscribe') subscription.unsubscribe();
        else source[end]('x');
        expect(gate.waiters.size).toBe(0);
      }
    });

    it('lets each attempt see it: two that wait there, and one that wins', () => {
      const gate = new ManualGate(true);
      const source = new Observable<string>((subscriber) => {
        const pulled = fromPull(['a', 'b', 'c'], { slice: Infinity });
        subscriber.add(timer(15, clock).subscribe(() => pulled.subscribe(subscriber)));
      });
      const { log } = timeline(source.pipe(hedge({ after: 10, scheduler }), gatedBy(gate)), clock);
      clock.maxFrames = 12;
      clock.flush();
      gate.ready = false;
      clock.maxFrames = Infinity;
      clock.flush();
      expect([log, gate.waiters.size]).toEqual([[], 2]);
      gate.ready = true;
      expect(log.map(([, event]) => event)).toEqual(['a', 'b', 'c', 'complete']);
      expect(gate.waiters.size).toBe(0);
    });
  });

  describe('is asked to stop by a consumer below', () => {
    const askable = () => {
      const leave = vi.fn();
      const asks: ((reason: unknown) => void)[] = [];
      const canceller: Canceller = {
        onCancel: (cancel) => {
          asks.push(cancel);
          return leave;
        },
      };
      const below = <T>(source: Observable<T>) =>
        new Observable<T>((destination) => {
          source.subscribe(operate<T, T>({ destination, canceller }));
        });
      const ask = () => {
        for (const each of asks) each('stop');
      };
      return { below, ask, leave };
    };

    it('begins none any more: the timer is cancelled, it leaves, and what runs may still give a result', () => {
      const { below, ask, leave } = askable();
      let attempts = 0;
      const { log } = timeline(
        defer(() => (attempts++, after(50, 'x'))).pipe(hedge({ after: 10, scheduler }), below),
        clock,
      );
      expect(scheduler.pending).toBe(1);
      ask();
      expect([scheduler.pending, leave.mock.calls.length]).toEqual([0, 1]);
      clock.flush();
      expect([attempts, log]).toEqual([
        1,
        [
          [50, 'x'],
          [50, 'complete'],
        ],
      ]);
      expect(leave).toHaveBeenCalledTimes(1);
    });

    it('begins the first all the same if that was before, and no other', () => {
      const asked: Canceller = {
        onCancel: (cancel) => {
          cancel('stop');
          return () => undefined;
        },
      };
      let attempts = 0;
      const source = defer(() => (attempts++, after(50, 'x'))).pipe(hedge({ after: 10, scheduler }));
      const { log } = timeline(
        new Observable<string>((destination) => {
          source.subscribe(operate<string, string>({ destination, canceller: asked }));
        }),
        clock,
      );
      clock.flush();
      expect([attempts, log]).toEqual([
        1,
        [
          [50, 'x'],
          [50, 'complete'],
        ],
      ]);
    });

    it('begins none for one that fails either', () => {
      const { below, ask } = askable();
      const onHedge = vi.fn();
      let attempts = 0;
      const { log } = timeline(
        defer(() => (attempts++, failsAfter(50))).pipe(hedge({ after: 100, scheduler, onHedge }), below),
        clock,
      );
      ask();
      clock.flush();
      expect([attempts, log]).toEqual([1, [[50, ['failed']]]]);
      expect(onHedge).not.toHaveBeenCalled();
    });

    it('begins none that was due: the one before it has failed in the same moment', () => {
      const { below, ask } = askable();
      let attempts = 0;
      const source = new Observable<never>((subscriber) => {
        attempts++;
        subscriber.error('failed');
        ask();
      });
      const { log } = timeline(source.pipe(hedge({ after: 100, max: 5, scheduler }), below), clock);
      clock.flush();
      expect([attempts, log]).toEqual([1, [[0, ['failed']]]]);
    });

    it('begins none if that happens in onHedge, and ends if none is left', () => {
      const { below, ask } = askable();
      for (const first of [failsAfter(5), after(50, 'x')]) {
        const begin = clock.frame;
        const { log } = timeline(
          inTurn(first, of('no')).pipe(hedge({ after: 10, scheduler, onHedge: ask }), below),
          clock,
        );
        clock.flush();
        expect(log.map(([at, event]) => [at - begin, event])).toEqual(
          log.length === 1
            ? [[5, ['failed']]]
            : [
                [50, 'x'],
                [50, 'complete'],
              ],
        );
      }
    });

    it('while it waits for clean-up, waits on', () => {
      const { below, ask } = askable();
      const { log } = timeline(
        inTurn(
          cleansUp<string>(NEVER, () => wait(20)),
          of('x'),
        ).pipe(hedge({ after: 10, scheduler }), below),
        clock,
      );
      clock.maxFrames = 15;
      clock.flush();
      ask();
      clock.maxFrames = Infinity;
      clock.flush();
      expect(log.at(-1)).toEqual([30, 'complete']);
    });
  });

  describe('is not in its own way', () => {
    it('a hundred thousand attempts that fail at once: no stack grows', () => {
      let attempts = 0;
      const source = defer(() => (++attempts < 100_000 ? fails() : of('at last')));
      expect(record(source.pipe(hedge({ after: 10, max: 100_000 }))).log).toEqual(['at last', 'complete']);
    });

    it('a million values of the winner', () => {
      let seen = 0;
      const source = new Observable<number>((subscriber) => {
        for (let i = 0; i < 1_000_000; i++) subscriber.next(i);
        subscriber.complete();
      });
      source.pipe(hedge({ after: 10 })).subscribe(() => seen++);
      expect(seen).toBe(1_000_000);
    });

    it('aborts the signal of the loser, and its rejection is no news', async () => {
      vi.useFakeTimers();
      try {
        const signals: AbortSignal[] = [];
        const request = (signal: AbortSignal) => {
          const call = signals.push(signal);
          return new Promise<string>((resolve, reject) => {
            setTimeout(
              () => {
                resolve(`answer ${String(call)}`);
              },
              call === 1 ? 1000 : 10,
            );
            signal.addEventListener('abort', () => {
              setTimeout(() => {
                reject(signal.reason as Error);
              }, 100);
            });
          });
        };
        const { log } = record(abortable(request).pipe(hedge({ after: 50 })));
        await vi.advanceTimersByTimeAsync(60);
        expect(log).toEqual(['answer 2']);
        expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
        await vi.advanceTimersByTimeAsync(99);
        expect(log).toHaveLength(1);
        await vi.advanceTimersByTimeAsync(1);
        expect(log).toEqual(['answer 2', 'complete']);
        await vi.runAllTimersAsync();
      } finally {
        vi.useRealTimers();
      }
    });

    it('leaves no listener on a signal that outlives it', () => {
      const shared = new CountedSignal();
      const source = new Observable<string>((subscriber) => {
        const abort = () => {
          subscriber.error('aborted');
        };
        shared.signal.addEventListener('abort', abort);
        subscriber.add(() => {
          shared.signal.removeEventListener('abort', abort);
        });
      });
      const sources = () => inTurn(source, of('x'));
      for (let i = 0; i < 1000; i++) {
        timeline(sources().pipe(hedge({ after: 1, scheduler })), clock);
        clock.flush();
      }
      expect([shared.added, shared.listeners]).toEqual([1000, 0]);
    });
  });
});
