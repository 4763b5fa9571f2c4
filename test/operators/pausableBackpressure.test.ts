import {
  BehaviorSubject,
  concat,
  EMPTY,
  map,
  merge,
  NEVER,
  Observable,
  of,
  queueScheduler,
  range,
  Subject,
  Subscription,
  take,
  takeUntil,
  tap,
  throwError,
  VirtualTimeScheduler,
  type ObservableInput,
  type SchedulerAction,
  type SchedulerLike,
} from 'rxjs';
import { describe, expect, expectTypeOf, it, vi } from 'vitest';
import { BufferOverflowError, findGate, fromPull, gatedBy, toAsyncIterable } from '../../src/index.js';
import {
  pausableBackpressure,
  type DrainPace,
  type PausableBackpressureOptions,
  type PauseMode,
} from '../../src/operators/pausableBackpressure.js';
import { operate } from '../../src/internal/operate.js';
import { AnsweredIterator } from '../support/AnsweredIterator.js';
import { ManualGate } from '../support/ManualGate.js';
import { marbles } from '../support/marbles.js';
import { record } from '../support/record.js';
import { settle } from '../support/settle.js';
import { collectUnhandled, reported } from '../support/unhandled.js';

const modes: readonly PauseMode[] = ['buffer', 'latest', 'drop', 'resubscribe'];
const paces: readonly Exclude<DrainPace, 'sync'>[] = [{ perTick: 2 }, { interval: 10 }];

const unhandled = collectUnhandled();

/** A source and a pause that a test moves by hand, and what comes of it. */
function pausable<T = number>(options: PausableBackpressureOptions<T> = {}, paused$ = new Subject<boolean>()) {
  const source = new Subject<T>();
  const dropped: [T, string][] = [];
  const { log, subscription } = record(
    source.pipe(
      pausableBackpressure(paused$, {
        ...options,
        onDrop: (value, reason) => {
          dropped.push([value, reason]);
          options.onDrop?.(value, reason);
        },
      }),
    ),
  );
  const give = (...values: T[]) => {
    for (const value of values) source.next(value);
  };
  const pause = () => {
    paused$.next(true);
  };
  const resume = () => {
    paused$.next(false);
  };
  return { source, paused$, log, subscription, dropped, give, pause, resume };
}

describe('what RxJS 4 got wrong', () => {
  // https://github.com/Reactive-Extensions/RxJS/issues/249
  it('the first value is not lost when it is initially paused', () => {
    for (const start of ['option', 'observable'] as const) {
      const { log, give, resume } =
        start === 'option' ? pausable({ initiallyPaused: true }) : pausable({}, new BehaviorSubject(true));
      give(1, 2, 3);
      expect(log).toEqual([]);
      resume();
      expect(log).toEqual([1, 2, 3]);
    }
  });

  // issues 277 and 745
  it('a pause during the drain repeats no value', () => {
    const paused$ = new BehaviorSubject(true);
    const source = new Subject<number>();
    const { log } = record(
      source.pipe(
        pausableBackpressure(paused$),
        tap(() => {
          paused$.next(true);
        }),
      ),
    );
    for (const value of [1, 2, 3]) source.next(value);
    for (const expected of [[1], [1, 2], [1, 2, 3], [1, 2, 3]]) {
      paused$.next(false);
      expect(log).toEqual(expected);
    }
  });

  it('to pause and resume after a value repeats no value', () => {
    const { log, give, pause, resume } = pausable();
    give(1);
    pause();
    resume();
    expect(log).toEqual([1]);
  });

  // issues 260 and 1128
  it('a second subscriber runs too', () => {
    for (const initially of [undefined, true]) {
      const paused$ = initially === undefined ? new Subject<boolean>() : new BehaviorSubject(initially);
      const source = new Subject<number>();
      const result = source.pipe(pausableBackpressure(paused$));
      const first = record(result);
      paused$.next(false);
      const second = record(result);
      source.next(1);
      expect([first.log, second.log]).toEqual([[1], [1]]);
      paused$.next(true);
      source.next(2);
      paused$.next(false);
      expect([first.log, second.log]).toEqual([
        [1, 2],
        [1, 2],
      ]);
    }
  });

  // issue 1099
  it('a subscriber that comes during a pause is paused', () => {
    const paused$ = new BehaviorSubject(false);
    const source = new Subject<number>();
    paused$.next(true);
    const { log } = record(source.pipe(pausableBackpressure(paused$)));
    source.next(1);
    expect(log).toEqual([]);
  });

  // issue 349
  it('what waits does not leave during a pause because the source has completed', () => {
    const { source, log, give, pause, resume } = pausable();
    pause();
    give(1, 2);
    source.complete();
    expect(log).toEqual([]);
    resume();
    expect(log).toEqual([1, 2, 'complete']);
  });

  // issue 625: `controlled` lost what was asked for inside of `next` or after it, in turns
  it('no request is lost, and nothing hangs, whether the consumer goes on at once or later', async () => {
    const paused$ = new BehaviorSubject(false);
    const source = new Subject<number>();
    const seen: number[] = [];
    source.pipe(pausableBackpressure(paused$)).subscribe((value) => {
      seen.push(value);
      paused$.next(true);
      if (value % 2 === 0) paused$.next(false);
      else
        queueMicrotask(() => {
          paused$.next(false);
        });
    });
    const sent: number[] = [];
    for (let i = 0; i < 20; i += 2) {
      source.next(i);
      source.next(i + 1);
      sent.push(i, i + 1);
      if (i % 3 === 0) await settle();
    }
    await settle(100);
    expect(seen).toEqual(sent);
  });

  // issue 501
  it('it completes when the source has completed before everything was asked for', () => {
    const { source, log, give, pause, resume } = pausable({
      drain: { perTick: 1 },
      scheduler: new VirtualTimeScheduler(),
    });
    pause();
    give(1);
    source.complete();
    resume();
    expect(log).toEqual([1, 'complete']);
  });
});

describe('the arguments of pausableBackpressure', () => {
  const call = (options: unknown) => () => pausableBackpressure(NEVER, options as PausableBackpressureOptions<unknown>);

  it.each([
    [{ mode: 'lossy' }, RangeError, "mode must be one of 'buffer', 'latest', 'drop', 'resubscribe', got 'lossy'"],
    [{ initiallyPaused: 1 }, TypeError, 'initiallyPaused must be a boolean, got 1'],
    [{ bufferSize: -1 }, RangeError, 'bufferSize must be a non-negative integer or Infinity, got -1'],
    [{ highWaterMark: 2, bufferSize: 1 }, RangeError, 'highWaterMark must be at most bufferSize (1), got 2'],
    [
      { overflow: 'no' },
      RangeError,
      "overflow must be one of 'error', 'drop-oldest', 'drop-newest', 'drop-buffer', got 'no'",
    ],
    [{ mode: 'latest', bufferSize: 1 }, TypeError, "mode 'latest' keeps one value and takes no bufferSize"],
    [{ mode: 'latest', highWaterMark: 1 }, TypeError, "mode 'latest' keeps one value and takes no highWaterMark"],
    [{ mode: 'latest', overflow: 'error' }, TypeError, "mode 'latest' keeps one value and takes no overflow"],
    [{ drain: 'slow' }, TypeError, "drain must be 'sync', { perTick } or { interval }, got 'slow'"],
    [{ drain: null }, TypeError, "drain must be 'sync', { perTick } or { interval }, got null"],
    [{ drain: {} }, TypeError, "drain must be 'sync', { perTick } or { interval }, got an object"],
    [
      { drain: { perTick: 1, interval: 1 } },
      TypeError,
      "drain must be 'sync', { perTick } or { interval }, got an object",
    ],
    [{ drain: { perTick: 0 } }, RangeError, 'drain.perTick must be a positive integer or Infinity, got 0'],
    [{ drain: { interval: 0 } }, RangeError, 'drain.interval must be a positive number of milliseconds, got 0'],
    [
      { drain: { interval: Infinity } },
      RangeError,
      'drain.interval must be a positive number of milliseconds, got Infinity',
    ],
    [{ drain: { interval: '5' } }, RangeError, "drain.interval must be a positive number of milliseconds, got '5'"],
    [{ scheduler: {} }, TypeError, "scheduler must have the functions 'now' and 'schedule', got an object"],
    [{ onDrop: 1 }, TypeError, 'onDrop must be a function, got 1'],
    [{ name: 1 }, TypeError, 'name must be a string, got 1'],
    ['buffer', TypeError, "options must be an object, got 'buffer'"],
  ])('%o is refused at the call', (options, Kind, message) => {
    expect(call(options)).toThrow(new Kind(message));
  });

  it('what is no observable is refused at the call', () => {
    expect(() => pausableBackpressure(true as unknown as ObservableInput<boolean>)).toThrow(TypeError);
  });

  it('are inferred', () => {
    const result = of('a').pipe(
      pausableBackpressure(of(true), {
        onDrop: (value, reason) => {
          expectTypeOf(value).toEqualTypeOf<string>();
          expectTypeOf(reason).toEqualTypeOf<'overflow' | 'paused' | 'error' | 'unsubscribe'>();
        },
      }),
    );
    expectTypeOf(result).toEqualTypeOf<Observable<string>>();
  });
});

describe('the pause', () => {
  it('is subscribed to before the source, and says what it says at once before anything leaves', () => {
    const events: string[] = [];
    const spy = <T>(name: string, source: Observable<T>) =>
      new Observable<T>((subscriber) => {
        events.push(name);
        return source.subscribe(subscriber);
      });
    const paused$ = spy('paused$', concat(of(true, false, true), NEVER));
    const { log } = record(spy('source', of(1)).pipe(pausableBackpressure(paused$)));
    expect(events).toEqual(['paused$', 'source']);
    expect(log).toEqual([]);
  });

  it.each(modes)('that says the same again changes nothing (%s)', (mode) => {
    const drop = mode === 'drop' || mode === 'resubscribe';
    const { log, give, pause, resume } = pausable({ mode });
    resume();
    give(1);
    pause();
    pause();
    give(2);
    resume();
    resume();
    give(3);
    expect(log).toEqual(drop ? [1, 3] : [1, 2, 3]);
  });

  it('may be anything that from() takes', async () => {
    const { log } = record(of(1).pipe(pausableBackpressure(Promise.resolve(false), { initiallyPaused: true })));
    expect(log).toEqual([]);
    await settle();
    expect(log).toEqual([1, 'complete']);
  });

  it('that completes during a pause ends it, because nobody else could', () => {
    const { log, give, pause, paused$, source } = pausable();
    pause();
    give(1, 2);
    paused$.complete();
    expect(log).toEqual([1, 2]);
    give(3);
    source.complete();
    expect(log).toEqual([1, 2, 3, 'complete']);
    expect(record(of(1).pipe(pausableBackpressure(EMPTY, { initiallyPaused: true }))).log).toEqual([1, 'complete']);
    expect(record(of(1).pipe(pausableBackpressure(of(true)))).log).toEqual([1, 'complete']);
    expect(record(of(1).pipe(pausableBackpressure(concat(of(true), NEVER)))).log).toEqual([]);
  });

  it('that completes at other times changes nothing', () => {
    const { log, give, paused$ } = pausable();
    give(1);
    paused$.complete();
    give(2);
    expect(log).toEqual([1, 2]);
  });

  it('that fails is an error of the operator', () => {
    const error = new Error('paused$');
    const { log, give, pause, paused$, source, dropped } = pausable();
    pause();
    give(1);
    paused$.error(error);
    expect(log).toEqual([['error', error]]);
    expect(dropped).toEqual([[1, 'error']]);
    expect(source.observed).toBe(false);
  });

  it('that fails at once lets the source alone', () => {
    const error = new Error('paused$');
    const source = vi.fn();
    expect(record(new Observable(source).pipe(pausableBackpressure(throwError(() => error)))).log).toEqual([
      ['error', error],
    ]);
    expect(source).not.toHaveBeenCalled();
  });

  it('that is no boolean is an error of the operator', () => {
    const { log, give, pause, paused$, dropped } = pausable();
    pause();
    give(1);
    paused$.next(undefined as unknown as boolean);
    expect(log).toEqual([['error', new TypeError('what paused$ emits must be a boolean, got undefined')]]);
    expect(dropped).toEqual([[1, 'error']]);
  });

  it('is unsubscribed from at each end', () => {
    for (const end of ['complete', 'error', 'unsubscribe'] as const) {
      const { paused$, source, subscription } = pausable();
      expect(paused$.observed).toBe(true);
      if (end === 'unsubscribe') subscription.unsubscribe();
      else source[end](new Error());
      expect(paused$.observed, end).toBe(false);
    }
  });

  it('is not delayed by a consumer that is busy', () => {
    const gate = new ManualGate();
    let found: unknown = 'nothing yet';
    const paused$ = fromPull([true]).pipe(tap(() => (found = 'paused')));
    const look = new Observable<boolean>((subscriber) => {
      found = findGate(subscriber);
    });
    record(of(1).pipe(pausableBackpressure(look), gatedBy(gate)));
    expect(found).toBe(undefined);
    record(of(1).pipe(pausableBackpressure(concat(paused$, NEVER)), gatedBy(gate)));
    expect(found).toBe('paused');
  });

  it('lets the scope of clean-up below be found', async () => {
    const paused$ = new AnsweredIterator<boolean>();
    const source = new AnsweredIterator<number>();
    const iterator = toAsyncIterable(fromPull(source).pipe(pausableBackpressure(fromPull(paused$))))[
      Symbol.asyncIterator
    ]() as Required<AsyncIterator<number>>;
    void iterator.next();
    await iterator.return();
    expect([paused$.calls, source.calls]).toEqual([
      ['next', 'return'],
      ['next', 'return'],
    ]);
  });
});

describe('what comes during a pause', () => {
  it("waits in mode 'buffer', up to bufferSize", () => {
    const { log, give, pause, source, dropped } = pausable({ bufferSize: 2, name: 'ticks' });
    pause();
    give(1, 2);
    expect(log).toEqual([]);
    give(3);
    expect(log).toEqual([['error', new BufferOverflowError("pausableBackpressure 'ticks'", 'values', 2)]]);
    expect(dropped).toEqual([
      [1, 'error'],
      [2, 'error'],
      [3, 'overflow'],
    ]);
    expect(source.observed).toBe(false);
  });

  it.each([
    ['drop-oldest', [2, 3], [1]],
    ['drop-newest', [1, 2], [3]],
    ['drop-buffer', [3], [1, 2]],
  ] as const)("overflows in mode 'buffer' by policy: %s", (overflow, kept, lost) => {
    const { log, give, pause, resume, dropped } = pausable({ bufferSize: 2, overflow });
    pause();
    give(1, 2, 3);
    resume();
    expect(log).toEqual(kept);
    expect(dropped).toEqual(lost.map((value) => [value, 'overflow']));
  });

  it('cannot wait with bufferSize 0, but passes as long as there is no pause', () => {
    const { log, give, pause } = pausable({ bufferSize: 0 });
    give(1, 2);
    pause();
    give(3);
    expect(log).toEqual([1, 2, ['error', expect.any(BufferOverflowError)]]);
  });

  it("waits in mode 'latest' if it is the newest", () => {
    const { log, give, pause, resume, dropped, source } = pausable({ mode: 'latest' });
    give(1, 2);
    pause();
    give(3, 4, 5);
    resume();
    give(6);
    pause();
    give(7, 8);
    source.complete();
    expect(log).toEqual([1, 2, 5, 6]);
    resume();
    expect(log).toEqual([1, 2, 5, 6, 8, 'complete']);
    expect(dropped).toEqual([
      [3, 'overflow'],
      [4, 'overflow'],
      [7, 'overflow'],
    ]);
  });

  it("is dropped in mode 'drop'", () => {
    const { log, give, pause, resume, dropped, source } = pausable({ mode: 'drop' });
    give(1);
    pause();
    give(2, 3);
    resume();
    give(4);
    pause();
    source.complete();
    expect(log).toEqual([1, 4, 'complete']);
    expect(dropped).toEqual([
      [2, 'paused'],
      [3, 'paused'],
    ]);
  });

  it('is not asked for: a source that can wait is stopped, in each mode', () => {
    for (const mode of modes) {
      let pulled = 0;
      const numbers = function* () {
        for (;;) yield ++pulled;
      };
      const paused$ = new BehaviorSubject(true);
      const dropped: number[] = [];
      const { log, subscription } = record(
        fromPull(numbers).pipe(
          pausableBackpressure(paused$, { mode, onDrop: (value) => dropped.push(value) }),
          tap((value) => {
            if (value % 3 === 0) paused$.next(true);
          }),
        ),
      );
      expect([pulled, log]).toEqual([0, []]);
      paused$.next(false);
      expect([pulled, log], mode).toEqual([3, [1, 2, 3]]);
      paused$.next(false);
      expect(log, mode).toEqual([1, 2, 3, 4, 5, 6]);
      subscription.unsubscribe();
      expect(dropped).toEqual([]);
    }
  });

  it('is asked for up to highWaterMark, and not beyond', () => {
    let pulled = 0;
    const numbers = function* () {
      while (pulled < 100) yield ++pulled;
    };
    const gate = new ManualGate(true);
    const paused$ = new BehaviorSubject(true);
    const { log } = record(
      fromPull(numbers, { slice: Infinity }).pipe(
        pausableBackpressure(paused$, { highWaterMark: 5, bufferSize: 5 }),
        gatedBy(gate),
        tap(() => {
          gate.ready = false;
        }),
      ),
    );
    expect([pulled, log]).toEqual([5, []]);
    paused$.next(false);
    expect([pulled, log]).toEqual([6, [1]]);
    gate.ready = true;
    expect([pulled, log]).toEqual([7, [1, 2]]);
  });

  it.each(['latest', 'drop', 'resubscribe'] as const)('is not asked for to be dropped (%s)', (mode) => {
    let pulled = 0;
    const numbers = function* () {
      for (;;) yield ++pulled;
    };
    const paused$ = new BehaviorSubject(true);
    const options = mode === 'latest' ? { mode } : { mode, highWaterMark: 5 };
    const { subscription } = record(fromPull(numbers).pipe(pausableBackpressure(paused$, options)));
    expect(pulled).toBe(0);
    subscription.unsubscribe();
  });

  it('was under way when the pause began: it waits in the source', async () => {
    const iterator = new AnsweredIterator<number>();
    const paused$ = new Subject<boolean>();
    const dropped = vi.fn();
    const { log } = record(fromPull(iterator).pipe(pausableBackpressure(paused$, { bufferSize: 0, onDrop: dropped })));
    paused$.next(true);
    iterator.give(1);
    await settle();
    expect(log).toEqual([]);
    paused$.next(false);
    expect(log).toEqual([1]);
    expect(dropped).not.toHaveBeenCalled();
  });
});

describe("mode 'resubscribe'", () => {
  /** Counts what is subscribed to it. */
  function counted<T>(source: Observable<T>) {
    const counts = { opened: 0, open: 0 };
    const source$ = new Observable<T>((subscriber) => {
      counts.opened++;
      counts.open++;
      subscriber.add(() => counts.open--);
      return source.subscribe(subscriber);
    });
    return { counts, source$ };
  }

  it('subscribes anew after each pause', () => {
    const source = new Subject<number>();
    const { counts, source$ } = counted(source);
    const paused$ = new BehaviorSubject(true);
    const onDrop = vi.fn();
    const { log, subscription } = record(source$.pipe(pausableBackpressure(paused$, { mode: 'resubscribe', onDrop })));
    expect(counts).toEqual({ opened: 0, open: 0 });
    for (const round of [1, 2, 3]) {
      paused$.next(false);
      expect(counts).toEqual({ opened: round, open: 1 });
      source.next(round);
      paused$.next(true);
      expect(counts.open).toBe(0);
      source.next(0);
    }
    expect(log).toEqual([1, 2, 3]);
    subscription.unsubscribe();
    expect(onDrop).not.toHaveBeenCalled();
    expect(counts).toEqual({ opened: 3, open: 0 });
  });

  it('stops a synchronous source at once', () => {
    let produced = 0;
    const firehose = new Observable<number>((subscriber) => {
      while (!subscriber.closed && produced < 100) subscriber.next(++produced);
    });
    const paused$ = new Subject<boolean>();
    const { log } = record(
      firehose.pipe(
        pausableBackpressure(paused$, { mode: 'resubscribe' }),
        tap((value) => {
          if (value === 3) paused$.next(true);
        }),
      ),
    );
    expect([produced, log]).toEqual([3, [1, 2, 3]]);
  });

  it('goes on from a loop, however often a synchronous source is paused and resumed', () => {
    let produced = 0;
    const one = new Observable<number>((subscriber) => {
      subscriber.next(++produced);
    });
    const paused$ = new Subject<boolean>();
    let seen = 0;
    one.pipe(pausableBackpressure(paused$, { mode: 'resubscribe' }), take(20_000)).subscribe(() => {
      seen++;
      paused$.next(true);
      paused$.next(false);
    });
    expect(seen).toBe(20_000);
  });

  it('subscribes no more to a source that has completed', () => {
    const { counts, source$ } = counted(of(1, 2, 3));
    const paused$ = new Subject<boolean>();
    const gate = new ManualGate();
    const { log } = record(source$.pipe(pausableBackpressure(paused$, { mode: 'resubscribe' }), gatedBy(gate)));
    paused$.next(true);
    gate.ready = true;
    expect(log).toEqual([]);
    paused$.next(false);
    expect(log).toEqual([1, 2, 3, 'complete']);
    expect(counts).toEqual({ opened: 1, open: 0 });
  });

  it('nor one whose values still wait for the consumer after the pause', () => {
    const { counts, source$ } = counted(of(1, 2, 3));
    const paused$ = new Subject<boolean>();
    const gate = new ManualGate();
    const { log } = record(source$.pipe(pausableBackpressure(paused$, { mode: 'resubscribe' }), gatedBy(gate)));
    paused$.next(true);
    paused$.next(false);
    expect([log, counts]).toEqual([[], { opened: 1, open: 0 }]);
    gate.ready = true;
    expect(log).toEqual([1, 2, 3, 'complete']);
  });

  it('keeps what had to wait for the consumer before the pause', () => {
    const gate = new ManualGate();
    const source = new Subject<number>();
    const paused$ = new Subject<boolean>();
    const { log } = record(source.pipe(pausableBackpressure(paused$, { mode: 'resubscribe' }), gatedBy(gate)));
    source.next(1);
    expect(source.observed).toBe(true);
    paused$.next(true);
    expect(source.observed).toBe(false);
    gate.ready = true;
    expect(log).toEqual([]);
    paused$.next(false);
    expect(log).toEqual([1]);
  });

  it('lets what waits go before what the source says at once', () => {
    const gate = new ManualGate();
    const source = new BehaviorSubject(1);
    const paused$ = new Subject<boolean>();
    const { log } = record(source.pipe(pausableBackpressure(paused$, { mode: 'resubscribe' }), gatedBy(gate)));
    paused$.next(true);
    source.next(2);
    gate.ready = true;
    paused$.next(false);
    expect(log).toEqual([1, 2]);
  });

  it('has the clean-up of each subscription waited for', () => {
    const opened: AnsweredIterator<number>[] = [];
    const paused$ = new Subject<boolean>();
    const tracked: unknown[] = [];
    const source = fromPull(() => {
      const iterator = new AnsweredIterator<number>();
      opened.push(iterator);
      return iterator;
    });
    const subscriber = operate<number, never>({ cleanupScope: { track: (cleanup) => tracked.push(cleanup) } });
    source.pipe(pausableBackpressure(paused$, { mode: 'resubscribe' })).subscribe(subscriber);
    paused$.next(true);
    paused$.next(false);
    subscriber.unsubscribe();
    expect(opened.map(({ calls }) => calls)).toEqual([
      ['next', 'return'],
      ['next', 'return'],
    ]);
    expect(tracked).toHaveLength(2);
  });

  it('tells of a teardown that fails', () => {
    const error = new Error('teardown');
    const source = new Observable<number>(() => () => {
      throw error;
    });
    const paused$ = new Subject<boolean>();
    const { log } = record(source.pipe(pausableBackpressure(paused$, { mode: 'resubscribe' })));
    paused$.next(true);
    expect(log).toEqual([['error', expect.objectContaining({ errors: [error] })]]);
  });
});

describe('the consumer below', () => {
  it.each(modes)('that is full is waited for, with what cannot wait, in each mode (%s)', (mode) => {
    const gate = new ManualGate();
    const source = new Subject<number>();
    const { log } = record(source.pipe(pausableBackpressure(NEVER, { mode }), gatedBy(gate)));
    for (const value of [1, 2, 3]) source.next(value);
    source.complete();
    expect(log).toEqual([]);
    expect(gate.waiters.size).toBe(1);
    gate.ready = true;
    expect(log).toEqual(mode === 'latest' ? [3, 'complete'] : [1, 2, 3, 'complete']);
    expect(gate.waiters.size).toBe(0);
  });

  it('takes one value, and no more, when it says so', () => {
    const gate = new ManualGate();
    const { log } = record(
      merge(range(1, 4), NEVER).pipe(
        pausableBackpressure(NEVER),
        gatedBy(gate),
        tap(() => {
          gate.ready = false;
        }),
      ),
    );
    for (const expected of [[1], [1, 2], [1, 2, 3], [1, 2, 3, 4], [1, 2, 3, 4]]) {
      gate.ready = true;
      expect(log).toEqual(expected);
    }
    expect(gate.waiters.size).toBe(0);
  });

  it('is not waited for during a pause, and again after it', () => {
    const gate = new ManualGate();
    const paused$ = new Subject<boolean>();
    const { log, subscription } = record(merge(of(1), NEVER).pipe(pausableBackpressure(paused$), gatedBy(gate)));
    expect(gate.waiters.size).toBe(1);
    paused$.next(true);
    expect(gate.waiters.size).toBe(0);
    gate.ready = true;
    expect(log).toEqual([]);
    gate.ready = false;
    paused$.next(false);
    expect(gate.waiters.size).toBe(1);
    subscription.unsubscribe();
    expect(gate.waiters.size).toBe(0);
  });

  it('and the pause hold up the source, whichever ends first', () => {
    for (const first of ['gate', 'pause'] as const) {
      const gate = new ManualGate();
      const paused$ = new BehaviorSubject(true);
      const { log } = record(fromPull([1, 2]).pipe(pausableBackpressure(paused$), gatedBy(gate)));
      if (first === 'gate') gate.ready = true;
      else paused$.next(false);
      expect(log).toEqual([]);
      if (first === 'gate') paused$.next(false);
      else gate.ready = true;
      expect(log, first).toEqual([1, 2, 'complete']);
      expect(gate.waiters.size).toBe(0);
    }
  });

  it('that is full leaves the pull source alone', () => {
    let pulled = 0;
    const numbers = function* () {
      for (;;) yield ++pulled;
    };
    const gate = new ManualGate();
    const { subscription } = record(fromPull(numbers).pipe(pausableBackpressure(NEVER), gatedBy(gate)));
    expect(pulled).toBe(0);
    expect(gate.waiters.size).toBe(1);
    subscription.unsubscribe();
    expect(gate.waiters.size).toBe(0);
  });

  it('whose gate throws is an error', () => {
    const error = new Error('gate');
    const broken = {
      ready: false,
      onReady: () => {
        throw error;
      },
    };
    const dropped: unknown[] = [];
    const { log } = record(
      merge(of(1), NEVER).pipe(
        pausableBackpressure(NEVER, { onDrop: (...drop) => dropped.push(drop) }),
        gatedBy(broken),
      ),
    );
    expect(log).toEqual([['error', error]]);
    expect(dropped).toEqual([[1, 'error']]);
  });
});

/** A scheduler whose ticks a test gives. */
class Ticks implements SchedulerLike {
  readonly waiting = new Set<() => void>();

  now(): number {
    return 0;
  }

  schedule<S>(work: (this: SchedulerAction<S>, state?: S) => void): Subscription {
    const run = () => {
      work.call(undefined as unknown as SchedulerAction<S>);
    };
    this.waiting.add(run);
    return new Subscription(() => this.waiting.delete(run));
  }

  tick(): void {
    for (const run of [...this.waiting]) if (this.waiting.delete(run)) run();
  }
}

describe('what waits leaves after a pause', () => {
  const pauses = { t: true, f: false };

  it(
    'all at once',
    marbles((m) => {
      const source = m.hot(' -ab-----c-d-|');
      const paused$ = m.hot('t---f--------', pauses);
      const expected = '     ----(ab)c-d-|';
      m.expect(source.pipe(pausableBackpressure(paused$))).toBeObservable(expected);
    }),
  );

  it(
    'one per interval, the first at once; what comes meanwhile lines up, what comes later passes',
    marbles((m) => {
      const source = m.hot(' -abc--------d-----e-f|');
      const paused$ = m.hot('t----f----------------', pauses);
      const expected = '     -----a--b--c--d---e-f|';
      const result = source.pipe(pausableBackpressure(paused$, { drain: { interval: 3 }, scheduler: m.scheduler }));
      m.expect(result).toBeObservable(expected);
    }),
  );

  it(
    'never faster than at its pace, however often it is paused',
    marbles((m) => {
      const source = m.hot(' -abc|');
      const paused$ = m.hot('t---ftftf-----', pauses);
      const expected = '     ----a---b--(c|)';
      const result = source.pipe(pausableBackpressure(paused$, { drain: { interval: 3 }, scheduler: m.scheduler }));
      m.expect(result).toBeObservable(expected);
    }),
  );

  it(
    'in an interval that a pause has outlasted, at once',
    marbles((m) => {
      const source = m.hot(' -abc|');
      const paused$ = m.hot('t---ft------f----', pauses);
      const expected = '     ----a-------b--(c|)';
      const result = source.pipe(pausableBackpressure(paused$, { drain: { interval: 3 }, scheduler: m.scheduler }));
      m.expect(result).toBeObservable(expected);
    }),
  );

  it('so many per tick', () => {
    const ticks = new Ticks();
    const { log, give, pause, resume, source } = pausable({ drain: { perTick: 2 }, scheduler: ticks });
    pause();
    give(1, 2, 3, 4, 5);
    resume();
    expect(log).toEqual([1, 2]);
    give(6);
    ticks.tick();
    expect(log).toEqual([1, 2, 3, 4]);
    source.complete();
    ticks.tick();
    expect(log).toEqual([1, 2, 3, 4, 5, 6, 'complete']);
    expect(ticks.waiting.size).toBe(0);
  });

  it.each(paces)('%o, without a scheduler of your own', async (drain) => {
    const { log, give, pause, resume, source } = pausable({ drain });
    pause();
    give(1, 2, 3, 4, 5);
    source.complete();
    resume();
    expect(log).toEqual('perTick' in drain ? [1, 2] : [1]);
    await vi.waitFor(() => {
      expect(log).toEqual([1, 2, 3, 4, 5, 'complete']);
    });
  });

  it('with a scheduler that runs its work at once', () => {
    const { log, give, pause, resume } = pausable({ drain: { perTick: 1 }, scheduler: queueScheduler });
    pause();
    give(1, 2, 3);
    resume();
    give(4);
    expect(log).toEqual([1, 2, 3, 4]);
  });

  it('at its pace also if the newest is all that waits', () => {
    const ticks = new Ticks();
    const { log, give, pause, resume } = pausable({ mode: 'latest', drain: { perTick: 1 }, scheduler: ticks });
    pause();
    give(1);
    resume();
    give(2, 3);
    expect(log).toEqual([1]);
    ticks.tick();
    expect(log).toEqual([1, 3]);
    ticks.tick();
    give(4, 5);
    expect(log).toEqual([1, 3, 4, 5]);
  });

  it('without pace if it has waited for the consumer only', () => {
    const ticks = new Ticks();
    const gate = new ManualGate();
    const { log } = record(
      of(1, 2, 3).pipe(pausableBackpressure(NEVER, { drain: { perTick: 1 }, scheduler: ticks }), gatedBy(gate)),
    );
    gate.ready = true;
    expect(log).toEqual([1, 2, 3, 'complete']);
    expect(ticks.waiting.size).toBe(0);
  });

  it('at its pace and at that of the consumer', () => {
    const ticks = new Ticks();
    const gate = new ManualGate();
    const paused$ = new BehaviorSubject(true);
    const { log } = record(
      merge(of(1, 2, 3), NEVER).pipe(
        pausableBackpressure(paused$, { drain: { perTick: 2 }, scheduler: ticks }),
        gatedBy(gate),
      ),
    );
    paused$.next(false);
    gate.pass();
    ticks.tick();
    expect(log).toEqual([1, 2]);
    gate.ready = true;
    expect(log).toEqual([1, 2, 3]);
  });

  it('before a source that can wait is asked again, so that the line comes to its end', () => {
    const ticks = new Ticks();
    const paused$ = new BehaviorSubject(true);
    let pulled = 0;
    const numbers = function* () {
      while (pulled < 100) yield ++pulled;
    };
    const options = { highWaterMark: 3, drain: { perTick: 2 }, scheduler: ticks } as const;
    const { log } = record(fromPull(numbers, { slice: Infinity }).pipe(pausableBackpressure(paused$, options)));
    expect(pulled).toBe(3);
    paused$.next(false);
    ticks.tick();
    expect(pulled).toBe(100);
    expect(log).toHaveLength(101);
    expect(ticks.waiting.size).toBe(0);
  });

  it('and asks for more during the next pause, when the last one has not yet left', () => {
    const ticks = new Ticks();
    const paused$ = new BehaviorSubject(true);
    let pulled = 0;
    const numbers = function* () {
      for (;;) yield ++pulled;
    };
    const options = { highWaterMark: 3, drain: { perTick: 2 }, scheduler: ticks } as const;
    const { log, subscription } = record(fromPull(numbers).pipe(pausableBackpressure(paused$, options)));
    paused$.next(false);
    paused$.next(true);
    expect([pulled, log]).toEqual([5, [1, 2]]);
    subscription.unsubscribe();
  });

  it('and no tick is left behind, however it ends', () => {
    for (const end of ['complete', 'error', 'unsubscribe'] as const) {
      const ticks = new Ticks();
      const { give, pause, resume, source, subscription } = pausable({ drain: { perTick: 1 }, scheduler: ticks });
      pause();
      give(1);
      resume();
      expect(ticks.waiting.size).toBe(1);
      if (end === 'unsubscribe') subscription.unsubscribe();
      else source[end](new Error());
      expect(ticks.waiting.size, end).toBe(0);
    }
  });

  it('unless the scheduler throws: that is an error', () => {
    const error = new Error('scheduler');
    const scheduler = {
      now: () => 0,
      schedule: () => {
        throw error;
      },
    };
    const { log, give, pause, resume, dropped } = pausable({ drain: { perTick: 1 }, scheduler });
    pause();
    give(1, 2);
    resume();
    expect(log).toEqual([['error', error]]);
    expect(dropped).toEqual([
      [1, 'error'],
      [2, 'error'],
    ]);
  });
});

describe('re-entrancy', () => {
  it('a pause inside of next stops at once what leaves', () => {
    const { source, paused$, give, pause, resume } = pausable();
    const seen: number[] = [];
    source.pipe(pausableBackpressure(paused$)).subscribe((value) => {
      seen.push(value);
      if (value % 2 === 0) paused$.next(true);
    });
    pause();
    give(1, 2, 3, 4, 5);
    resume();
    expect(seen).toEqual([1, 2]);
    resume();
    expect(seen).toEqual([1, 2, 3, 4]);
    resume();
    expect(seen).toEqual([1, 2, 3, 4, 5]);
  });

  it('to pause and resume inside of next changes nothing', () => {
    const paused$ = new BehaviorSubject(true);
    const source = new Subject<number>();
    const { log } = record(
      source.pipe(
        pausableBackpressure(paused$),
        tap(() => {
          paused$.next(true);
          paused$.next(false);
        }),
      ),
    );
    for (const value of [1, 2, 3]) source.next(value);
    paused$.next(false);
    source.next(4);
    expect(log).toEqual([1, 2, 3, 4]);
  });

  it('a resume inside of next grows no stack', () => {
    const paused$ = new BehaviorSubject(true);
    let seen = 0;
    range(0, 100_000)
      .pipe(pausableBackpressure(paused$, { bufferSize: Infinity }))
      .subscribe(() => {
        seen++;
        paused$.next(true);
        paused$.next(false);
      });
    paused$.next(false);
    expect(seen).toBe(100_000);
  });

  it('a pause and a resume inside of next grow no stack above a source that is pulled', () => {
    const paused$ = new BehaviorSubject(true);
    let seen = 0;
    fromPull(Array.from({ length: 100_000 }), { slice: Infinity })
      .pipe(pausableBackpressure(paused$))
      .subscribe(() => {
        seen++;
        paused$.next(true);
        paused$.next(false);
      });
    paused$.next(false);
    expect(seen).toBe(100_000);
  });

  it('what the consumer sends while values leave lines up behind them', () => {
    const { source, paused$, give, pause, resume } = pausable();
    const seen: number[] = [];
    source.pipe(pausableBackpressure(paused$)).subscribe((value) => {
      seen.push(value);
      if (value < 10) source.next(value + 10);
    });
    pause();
    give(1, 2);
    resume();
    expect(seen).toEqual([1, 2, 11, 12]);
  });

  it('what the consumer sends inside of next is not lost by a policy as long as there is no pause', () => {
    for (const mode of modes) {
      const options = mode === 'latest' ? { mode } : ({ mode, bufferSize: 0 } as const);
      const source = new Subject<number>();
      const seen: number[] = [];
      source.pipe(pausableBackpressure(NEVER, options)).subscribe((value) => {
        seen.push(value);
        if (value < 3) source.next(value + 1);
      });
      source.next(1);
      expect(seen).toEqual([1, 2, 3]);
    }
  });

  it('completes if the source does inside of next', () => {
    const { source, paused$, give, pause, resume } = pausable();
    const { log } = record(
      source.pipe(
        pausableBackpressure(paused$),
        tap((value) => {
          if (value === 1) source.complete();
        }),
      ),
    );
    pause();
    give(1, 2);
    resume();
    expect(log).toEqual([1, 2, 'complete']);
  });

  it('nothing leaves any more once it is unsubscribed inside of next', () => {
    const { source, paused$, give, pause, resume } = pausable();
    const dropped: unknown[] = [];
    const { log } = record(
      source.pipe(pausableBackpressure(paused$, { onDrop: (...drop) => dropped.push(drop) }), take(2)),
    );
    pause();
    give(1, 2, 3, 4);
    resume();
    expect(log).toEqual([1, 2, 'complete']);
    expect(dropped).toEqual([
      [3, 'unsubscribe'],
      [4, 'unsubscribe'],
    ]);
  });

  it('a source that goes on inside of onDrop is not heard after the end', () => {
    const source = new Subject<number>();
    const dropped: number[] = [];
    const { subscription } = record(
      source.pipe(
        pausableBackpressure(concat(of(true), NEVER), {
          onDrop: (value) => {
            dropped.push(value);
            source.next(value + 1);
          },
        }),
      ),
    );
    source.next(1);
    subscription.unsubscribe();
    expect(dropped).toEqual([1]);
  });

  it('a pause by what the source brings holds up that already', () => {
    const source = new Subject<number>();
    const { log } = record(source.pipe(pausableBackpressure(source.pipe(map((value) => value === 2)))));
    source.next(1);
    source.next(2);
    expect(log).toEqual([1]);
    source.next(3);
    expect(log).toEqual([1, 2, 3]);
  });
});

describe('the end', () => {
  it('of the source waits for what waits, during a pause for its end', () => {
    const { source, log, give, pause, resume } = pausable();
    pause();
    give(1);
    source.complete();
    expect(log).toEqual([]);
    resume();
    expect(log).toEqual([1, 'complete']);
  });

  it('of the source passes at once if nothing waits, also during a pause', () => {
    const { source, log, pause } = pausable();
    pause();
    source.complete();
    expect(log).toEqual(['complete']);
  });

  it('by an error of the source jumps the line', () => {
    const error = new Error('source');
    const { source, log, give, pause, dropped } = pausable();
    pause();
    give(1, 2);
    source.error(error);
    expect(log).toEqual([['error', error]]);
    expect(dropped).toEqual([
      [1, 'error'],
      [2, 'error'],
    ]);
  });

  it('by unsubscription drops what waits, after the source was told', () => {
    const events: string[] = [];
    const source = new Observable<number>((subscriber) => {
      subscriber.next(1);
      return () => events.push('source');
    });
    const { subscription } = record(
      source.pipe(
        pausableBackpressure(concat(of(true), NEVER), {
          onDrop: (value, reason) => events.push(`${String(value)} ${reason}`),
        }),
      ),
    );
    subscription.unsubscribe();
    expect(events).toEqual(['source', '1 unsubscribe']);
  });

  it('by an error in the teardown of the source drops what waits all the same', () => {
    const dropped: unknown[] = [];
    const { subscription } = record(
      new Observable<number>((subscriber) => {
        subscriber.next(1);
        return () => {
          throw new Error('teardown');
        };
      }).pipe(pausableBackpressure(concat(of(true), NEVER), { onDrop: (...drop) => dropped.push(drop) })),
    );
    expect(() => {
      subscription.unsubscribe();
    }).toThrow('teardown');
    expect(dropped).toEqual([[1, 'unsubscribe']]);
  });

  it('comes at once if onDrop throws, with that', () => {
    const error = new Error('onDrop');
    for (const mode of ['latest', 'drop'] as const) {
      const thrower = vi.fn<() => void>().mockImplementationOnce(() => {
        throw error;
      });
      const { log, give, pause, source, dropped } = pausable({ mode, onDrop: thrower });
      pause();
      give(1, 2);
      expect(log).toEqual([['error', error]]);
      expect(source.observed).toBe(false);
      expect(dropped).toEqual(
        mode === 'drop'
          ? [[1, 'paused']]
          : [
              [1, 'overflow'],
              [2, 'error'],
            ],
      );
    }
  });

  it('each dropped value is told, also if onDrop throws each time', async () => {
    const { give, pause, subscription, dropped } = pausable({
      onDrop: (value) => {
        throw new Error(`onDrop ${String(value)}`);
      },
    });
    pause();
    give(1, 2);
    subscription.unsubscribe();
    expect(dropped).toHaveLength(2);
    expect(await reported(unhandled)).toEqual(new Error('onDrop 1'));
    expect(await reported(unhandled)).toEqual(new Error('onDrop 2'));
  });

  it('by takeUntil, in between', () => {
    const stop = new Subject<void>();
    const { source, paused$, give, pause } = pausable();
    const { log } = record(source.pipe(pausableBackpressure(paused$), takeUntil(stop)));
    pause();
    give(1);
    stop.next();
    expect(log).toEqual(['complete']);
  });
});

it('a million values wait and leave', () => {
  const paused$ = new BehaviorSubject(true);
  let sum = 0;
  let completed = false;
  range(0, 1_000_000)
    .pipe(pausableBackpressure(paused$, { bufferSize: Infinity }))
    .subscribe({ next: () => sum++, complete: () => (completed = true) });
  expect(sum).toBe(0);
  paused$.next(false);
  expect([sum, completed]).toEqual([1_000_000, true]);
});

it('a million values pass a pause that is none', () => {
  let sum = 0;
  range(0, 1_000_000)
    .pipe(pausableBackpressure(NEVER))
    .subscribe(() => sum++);
  expect(sum).toBe(1_000_000);
});
