import {
  asapScheduler,
  concat,
  config,
  from,
  interval,
  map,
  merge,
  mergeMap,
  observeOn,
  of,
  queueScheduler,
  scheduled,
  subscribeOn,
  Subscription,
  take,
  throwError,
  VirtualTimeScheduler,
  type SchedulerAction,
  type SchedulerLike,
} from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { pacedScheduler, type PacedSchedulerOptions } from '../../src/schedulers/pacedScheduler.js';
import { marbles } from '../support/marbles.js';
import { inFakeTime } from './stages.js';

/** In virtual time, on which everything runs in `flush`. */
function start(options: Omit<PacedSchedulerOptions, 'scheduler'>) {
  const virtual = new VirtualTimeScheduler();
  const scheduler = pacedScheduler({ ...options, scheduler: virtual });
  const log: string[] = [];
  /** Work that says when it runs. */
  const run = (name: string) => () => {
    log.push(`${name}@${String(virtual.now())}`);
  };
  const schedule = (names: string, delay?: number) => Array.from(names, (name) => scheduler.schedule(run(name), delay));
  const at = (frame: number, work: () => void) => {
    virtual.schedule(work, frame);
  };
  const flush = () => {
    virtual.flush();
    return log.join(' ');
  };
  return { virtual, scheduler, log, run, schedule, at, flush };
}

describe('its arguments', () => {
  it.each([
    [{ limit: 0 }, new RangeError('limit must be a positive integer, got 0')],
    [{ limit: 1.5 }, new RangeError('limit must be a positive integer, got 1.5')],
    [{ limit: Infinity }, new RangeError('limit must be a positive integer, got Infinity')],
    [{ limit: undefined }, new RangeError('limit must be a positive integer, got undefined')],
    [{ interval: 0 }, new RangeError('interval must be a positive number of milliseconds, got 0')],
    [{ interval: NaN }, new RangeError('interval must be a positive number of milliseconds, got NaN')],
    [{ interval: Infinity }, new RangeError('interval must be a positive number of milliseconds, got Infinity')],
    [{ interval: undefined }, new RangeError('interval must be a positive number of milliseconds, got undefined')],
    [
      { algorithm: 'even' },
      new RangeError("algorithm must be one of 'sliding-window', 'token-bucket', 'spaced', 'fixed-window', got 'even'"),
    ],
    [{ algorithm: 'token-bucket', burst: 0 }, new RangeError('burst must be a positive integer, got 0')],
    [{ burst: 2 }, new TypeError("burst is an option of the algorithm 'token-bucket', not of 'sliding-window'")],
    [{ scheduler: {} }, new TypeError("scheduler must have the functions 'now' and 'schedule', got an object")],
  ])('%j is refused at the call', (options, error) => {
    expect(() => pacedScheduler({ limit: 1, interval: 1, ...options } as PacedSchedulerOptions)).toThrow(error);
  });

  it('a bare number as options is refused', () => {
    expect(() => pacedScheduler(8 as never)).toThrow(new TypeError('options must be an object, got 8'));
  });

  it('work that is no function is refused where it is scheduled', () => {
    expect(() => pacedScheduler({ limit: 1, interval: 1 }).schedule('work' as never)).toThrow(
      new TypeError("work must be a function, got 'work'"),
    );
  });
});

describe('the pace', () => {
  it.each<[Omit<PacedSchedulerOptions, 'limit' | 'interval'>, string]>([
    [{}, 'a@0 b@0 c@10 d@10 e@20'],
    [{ algorithm: 'sliding-window' }, 'a@0 b@0 c@10 d@10 e@20'],
    [{ algorithm: 'fixed-window' }, 'a@0 b@0 c@10 d@10 e@20'],
    [{ algorithm: 'spaced' }, 'a@0 b@5 c@10 d@15 e@20'],
    [{ algorithm: 'token-bucket' }, 'a@0 b@0 c@5 d@10 e@15'],
    [{ algorithm: 'token-bucket', burst: 3 }, 'a@0 b@0 c@0 d@5 e@10'],
  ])('of two in 10 ms, with %j', (options, expected) => {
    const { schedule, flush } = start({ limit: 2, interval: 10, ...options });
    schedule('abcde');
    expect(flush()).toBe(expected);
  });

  it('has no window whose end and beginning let twice as many start', () => {
    const { schedule, at, flush } = start({ limit: 2, interval: 10 });
    schedule('a');
    at(9, () => schedule('b'));
    at(10, () => schedule('cd'));
    expect(flush()).toBe('a@0 b@9 c@10 d@19');
  });

  it('is that of all whom one scheduler is given to', () => {
    const { virtual, scheduler, flush, log } = start({ limit: 2, interval: 10 });
    const request = (id: string) => of(id).pipe(subscribeOn(scheduler));
    merge(from('abc').pipe(mergeMap(request)), from('XY').pipe(mergeMap(request))).subscribe((id) => {
      log.push(`${id}@${String(virtual.now())}`);
    });
    expect(flush()).toBe('a@0 b@0 c@10 X@10 Y@20');
  });

  it('is of one scheduler: another one has its own line and its own limit', () => {
    const { virtual, run, schedule, flush } = start({ limit: 1, interval: 10 });
    const other = pacedScheduler({ limit: 1, interval: 10, scheduler: virtual });
    schedule('ab');
    other.schedule(run('X'));
    expect(flush()).toBe('a@0 X@0 b@10');
  });

  it('is kept when the work lasts: a start counts from when it was', () => {
    let now = 0;
    const virtual = new VirtualTimeScheduler();
    const clock: SchedulerLike = { now: () => virtual.now() + now, schedule: virtual.schedule.bind(virtual) };
    const scheduler = pacedScheduler({ limit: 2, interval: 10, scheduler: clock });
    const log: number[] = [];
    for (let i = 0; i < 4; i++) {
      scheduler.schedule(() => {
        log.push(clock.now());
        now += 4;
      });
    }
    virtual.flush();
    expect(log).toEqual([0, 4, 10, 14]);
  });

  it('is kept where a timer rings too early', () => {
    const virtual = new VirtualTimeScheduler();
    const early = {
      now: () => virtual.now(),
      schedule: (work: () => void, delay = 0) => virtual.schedule(work, delay > 1 ? delay - 1 : delay),
    } as SchedulerLike;
    const scheduler = pacedScheduler({ limit: 1, interval: 10, scheduler: early });
    const log: number[] = [];
    for (let i = 0; i < 3; i++) scheduler.schedule(() => log.push(virtual.now()));
    virtual.flush();
    expect(log).toEqual([0, 10, 20]);
  });

  it('may be of parts of a millisecond: time goes on in whole ones', () => {
    const { schedule, flush } = start({ limit: 3, interval: 10, algorithm: 'token-bucket', burst: 1 });
    schedule('abcd');
    expect(flush()).toBe('a@0 b@4 c@7 d@10');
  });

  it.each([
    [1, 'a@0 b@1 c@2 d@3 e@4'],
    [2, 'a@0 b@1 c@1 d@2 e@2'],
  ])(
    'if spaced has no two in the same ms, unless there are more than one in each: limit %i in 1 ms',
    (limit, expected) => {
      const { schedule, flush } = start({ limit, interval: 1, algorithm: 'spaced' });
      schedule('abcde');
      expect(flush()).toBe(expected);
    },
  );

  it('may be slower than timers can be set to', () => {
    const day = 24 * 60 * 60 * 1000;
    const { schedule, flush } = start({ limit: 1, interval: 30 * day });
    schedule('abc');
    schedule('d', 45 * day);
    expect(flush()).toBe(`a@0 b@${String(30 * day)} c@${String(60 * day)} d@${String(90 * day)}`);
  });

  it('does not stop when the clock is put back', async () => {
    const { scheduler, pass, close } = inFakeTime(() => pacedScheduler({ limit: 1, interval: 10 }));
    onTestFinished(() => close?.());
    const log: string[] = [];
    for (const name of 'abc') scheduler.schedule(() => log.push(name));
    await pass(1);
    expect(log).toEqual(['a']);
    vi.setSystemTime(Date.now() - 3_600_000);
    await pass(9); // which count for nothing
    expect(log).toEqual(['a']);
    await pass(11);
    expect(log).toEqual(['a', 'b']);
    await pass(8);
    expect(log).toEqual(['a', 'b']);
    await pass(1);
    expect(log).toEqual(['a', 'b', 'c']);
  });
});

describe('the line', () => {
  it('is joined by a delayed action when its delay is over: first the delay, then its turn', () => {
    const { schedule, at, flush } = start({ limit: 1, interval: 10 });
    schedule('d', 15);
    schedule('ab');
    at(14, () => schedule('c'));
    at(16, () => schedule('e'));
    expect(flush()).toBe('a@0 b@10 c@20 d@30 e@40');
  });

  it('is joined at once with a delay that is not positive, and never with one of Infinity', () => {
    const { virtual, schedule, flush } = start({ limit: 5, interval: 10 });
    schedule('a', -5);
    schedule('b', NaN);
    schedule('c', Infinity);
    expect(flush()).toBe('a@0 b@0');
    expect(virtual.actions).toEqual([]);
  });

  it('gives no permit to somebody whose delay is not over', () => {
    const { schedule, flush } = start({ limit: 1, interval: 10 });
    schedule('b', 5);
    schedule('c', 100);
    schedule('a');
    expect(flush()).toBe('a@0 b@10 c@100');
  });

  it('is joined at its end by an action that schedules itself again, and each start counts', () => {
    const { virtual, scheduler, schedule, log, flush } = start({ limit: 2, interval: 10 });
    scheduler.schedule(
      function (this: SchedulerAction<number>, left = 0) {
        log.push(`a${String(left)}@${String(virtual.now())}`);
        if (left > 0) this.schedule(left - 1);
      },
      0,
      2,
    );
    schedule('bc');
    expect(flush()).toBe('a2@0 b@0 c@10 a1@10 a0@20');
  });

  it('may be joined by what is scheduled meanwhile, which starts if it may', () => {
    const { scheduler, schedule, flush, log } = start({ limit: 3, interval: 10 });
    scheduler.schedule(() => {
      log.push('outer starts');
      schedule('abc');
      log.push('outer ends');
    });
    expect(flush()).toBe('outer starts outer ends a@0 b@0 c@10');
  });

  it('has a beat for those that keep their delay: what they wait for their turn is no part of it', () => {
    const { virtual, scheduler, log, flush } = start({ limit: 1, interval: 4 });
    const beat = (name: string) => interval(10, scheduler).pipe(take(3), map(() => name)); // prettier-ignore
    merge(beat('a'), beat('b')).subscribe((name) => {
      log.push(`${name}@${String(virtual.now())}`);
    });
    expect(flush()).toBe('a@10 b@14 a@20 b@24 a@30 b@34');
  });

  it('does not make up for beats that it has missed', () => {
    const { virtual, scheduler, log, flush } = start({ limit: 1, interval: 25 });
    interval(10, scheduler)
      .pipe(take(3))
      .subscribe((i) => {
        log.push(`${String(i)}@${String(virtual.now())}`);
      });
    expect(flush()).toBe('0@10 1@35 2@60');
  });
});

describe('unsubscribed', () => {
  it('while it waits, an action has used nothing: the next one has its turn', () => {
    const { virtual, schedule, at, flush } = start({ limit: 1, interval: 10 });
    const [, b] = schedule('abc');
    at(5, () => b?.unsubscribe());
    expect(flush()).toBe('a@0 c@10');
    expect(virtual.actions).toEqual([]);
  });

  it('before its time, the first gives its turn to the next, whoever that is', () => {
    const { schedule, at, flush } = start({ limit: 1, interval: 10 });
    const [a] = schedule('a');
    schedule('b', 3);
    a?.unsubscribe();
    at(1, () => schedule('c')[0]?.unsubscribe());
    expect(flush()).toBe('b@3');
  });

  it('by one that starts with it, an action does not start, and one behind it does', () => {
    const { scheduler, schedule, log, flush } = start({ limit: 2, interval: 10 });
    const others = new Subscription();
    scheduler.schedule(() => {
      log.push('first');
      others.unsubscribe();
    });
    schedule('ab').forEach((action) => {
      others.add(action);
    });
    schedule('c');
    expect(flush()).toBe('first c@0');
  });

  it('the last that waits takes the timer along', () => {
    const { virtual, schedule, at, flush } = start({ limit: 1, interval: 10 });
    const timers = () => virtual.actions.length;
    const [, b, c] = schedule('abc');
    const counts: number[] = [];
    at(5, () => {
      counts.push(timers());
      b?.unsubscribe();
      counts.push(timers());
      c?.unsubscribe();
      counts.push(timers());
    });
    expect(flush()).toBe('a@0');
    expect(counts).toEqual([1, 1, 0]);
    expect(virtual.now()).toBe(5);
  });

  it('and scheduled in turn, they leave no timer behind', () => {
    const { virtual, schedule } = start({ limit: 1, interval: 10 });
    for (const delay of [0, 10, 0]) for (const action of schedule('abc', delay)) action.unsubscribe();
    expect(virtual.actions).toEqual([]);
  });

  it('observeOn starts nothing more', () => {
    const { virtual, scheduler, at, log, flush } = start({ limit: 1, interval: 10 });
    const subscription = from('abc')
      .pipe(observeOn(scheduler))
      .subscribe((value) => log.push(value));
    at(15, () => {
      subscription.unsubscribe();
    });
    expect(flush()).toBe('a b');
    expect(virtual.now()).toBe(15);
  });

  it('scheduled anew while it waits, an action has one turn, at its new place', () => {
    const { schedule, at, flush } = start({ limit: 1, interval: 10 });
    const [, b] = schedule('abc') as SchedulerAction<unknown>[];
    at(5, () => b?.schedule());
    expect(flush()).toBe('a@0 c@10 b@20');
  });
});

describe('an error in work', () => {
  const unhandled: unknown[] = [];

  beforeEach(() => {
    vi.useFakeTimers();
    unhandled.length = 0;
    config.onUnhandledError = (error: unknown) => unhandled.push(error);
  });
  afterEach(() => {
    config.onUnhandledError = null;
    vi.useRealTimers();
  });

  it('is reported, and the others start when they may', () => {
    const { scheduler, schedule, flush } = start({ limit: 2, interval: 10 });
    const failing = scheduler.schedule(function (this: SchedulerAction<unknown>) {
      this.schedule();
      throw new Error('work');
    });
    schedule('abc');
    expect(flush()).toBe('a@0 b@10 c@10'); // it has started, so it counts
    expect(failing.closed).toBe(true);
    expect(unhandled).toEqual([]);
    vi.runAllTimers();
    expect(unhandled).toEqual([new Error('work')]);
  });
});

describe('in time', () => {
  it('has the clock of its scheduler', () => {
    const { virtual, scheduler, at, flush } = start({ limit: 1, interval: 10 });
    at(7, () => {
      expect(scheduler.now()).toBe(virtual.now());
    });
    flush();
    expect(scheduler.now()).toBe(7);
    expect.assertions(2);
  });

  it(
    'keeps the values of observeOn in order, and its end',
    marbles((m) => {
      const scheduler = pacedScheduler({ limit: 2, interval: 5 }); // the asyncScheduler is virtual here
      m.expect(m.hot('  abc--d---|').pipe(observeOn(scheduler))).toBeObservable('ab---cd---|');
    }),
  );

  it(
    'spreads the values of observeOn evenly, and its error',
    marbles((m) => {
      const scheduler = pacedScheduler({ limit: 2, interval: 6, algorithm: 'spaced' });
      const source = concat(
        of('a', 'b'),
        throwError(() => 'error'),
      );
      m.expect(source.pipe(observeOn(scheduler))).toBeObservable('a--b--#');
    }),
  );

  it(
    'starts subscriptions',
    marbles((m) => {
      const scheduler = pacedScheduler({ limit: 1, interval: 4 });
      const inner = m.cold('                 -x|');
      const subscriptions = [
        '                                    ^-!',
        '                                    ----^-!',
        '                                    --------^-!',
      ];
      const result = of(1, 2, 3).pipe(mergeMap(() => inner.pipe(subscribeOn(scheduler))));
      m.expect(result).toBeObservable('      -x---x---x|');
      m.expect(inner).toHaveSubscriptions(subscriptions);
    }),
  );

  it('starts within schedule() where its scheduler does, and leaves no timer', async () => {
    const stage = inFakeTime(() => pacedScheduler({ limit: 2, interval: 10, scheduler: queueScheduler }));
    const { scheduler, pass, left, close } = stage;
    onTestFinished(() => close?.());
    const log: string[] = [];
    let last = Subscription.EMPTY;
    scheduler.schedule(() => {
      log.push('a starts');
      for (const name of 'bc') scheduler.schedule(() => log.push(name));
      last = scheduler.schedule(() => log.push('d'));
      log.push('a ends');
    });
    expect([log, left()]).toEqual([['a starts', 'a ends', 'b'], 1]);
    last.unsubscribe();
    await pass(9);
    expect([log.length, left()]).toEqual([3, 1]);
    await pass(1);
    expect([log.at(-1), left()]).toEqual(['c', 0]);
    scheduler.schedule(() => {
      last = scheduler.schedule(() => log.push('e'));
    });
    expect(left()).toBe(1);
    last.unsubscribe();
    expect(left()).toBe(0);
  });

  it('keeps a beat on a scheduler that calls back at once', () => {
    const virtual = new VirtualTimeScheduler();
    const impatient = {
      now: () => virtual.now(),
      schedule: (work: () => void, delay = 0) => {
        if (delay > 0) return virtual.schedule(work, delay);
        work();
        return Subscription.EMPTY;
      },
    } as SchedulerLike;
    const scheduler = pacedScheduler({ limit: 1, interval: 25, scheduler: impatient });
    const log: number[] = [];
    interval(10, scheduler)
      .pipe(take(3))
      .subscribe(() => log.push(virtual.now()));
    virtual.flush();
    expect([log, virtual.actions]).toEqual([[10, 35, 60], []]);
  });

  it('leaves no timer behind on a scheduler that calls back at once, and later the next time', () => {
    const virtual = new VirtualTimeScheduler();
    const impatient = {
      now: () => virtual.now(),
      schedule: (work: () => void, delay = 0) => {
        if (delay > 5) return virtual.schedule(work, delay);
        work();
        return Subscription.EMPTY;
      },
    } as SchedulerLike;
    const scheduler = pacedScheduler({ limit: 1, interval: 5, scheduler: impatient });
    const log: number[] = [];
    const action = scheduler.schedule(function (this: SchedulerAction<unknown>) {
      log.push(virtual.now());
      this.schedule(undefined, 10);
    }, 1);
    action.unsubscribe();
    expect([log, virtual.actions.every(({ closed }) => closed)]).toEqual([[0], true]);
  });

  it('starts in a turn of its scheduler, whichever that is', async () => {
    const scheduler = pacedScheduler({ limit: 2, interval: 10, scheduler: asapScheduler });
    const log: string[] = [];
    scheduler.schedule(() => log.push('started'));
    log.push('scheduled');
    await Promise.resolve();
    await Promise.resolve();
    expect(log).toEqual(['scheduled', 'started']);
  });
});

describe('many of them', () => {
  /** How often its clock was left to others while actions ran. */
  function counting(step: number) {
    const virtual = new VirtualTimeScheduler();
    let time = 0;
    let turns = 0;
    const clock = {
      now: () => time,
      schedule: (work: () => void, delay?: number) => {
        return virtual.schedule(() => {
          turns++;
          work();
        }, delay);
      },
    } as SchedulerLike;
    const work = () => {
      time += step;
    };
    return { virtual, clock, work, turns: () => turns };
  }

  it('are one turn of the scheduler, whatever is scheduled and unsubscribed in it', () => {
    const { virtual, clock, work } = counting(0);
    const schedule = vi.spyOn(clock, 'schedule');
    const scheduler = pacedScheduler({ limit: 10, interval: 10, scheduler: clock });
    scheduler.schedule(() => {
      for (let i = 0; i < 5; i++) scheduler.schedule(work);
      scheduler.schedule(work).unsubscribe();
    });
    virtual.flush();
    expect(schedule).toHaveBeenCalledTimes(1);
  });

  it('let the event loop have its turn after a thousand', () => {
    const { virtual, clock, work, turns } = counting(0);
    const scheduler = pacedScheduler({ limit: 10_000, interval: 10, scheduler: clock });
    for (let i = 0; i < 2500; i++) scheduler.schedule(work);
    virtual.flush();
    expect(turns()).toBe(3);
  });

  it('let the event loop have its turn after 10 ms', () => {
    const { virtual, clock, work, turns } = counting(1);
    const scheduler = pacedScheduler({ limit: 10_000, interval: 10, scheduler: clock });
    for (let i = 0; i < 40; i++) scheduler.schedule(work);
    virtual.flush();
    expect(turns()).toBe(3); // the clock is read after every 16th
  });

  it('may be a million, and one that schedules itself a million times', { timeout: 60_000 }, () => {
    const virtual = new VirtualTimeScheduler();
    const scheduler = pacedScheduler({ limit: 1_000_000, interval: 10, scheduler: virtual });
    let count = 0;
    scheduled({ length: 1_000_000 } as ArrayLike<undefined>, scheduler).subscribe(() => count++);
    virtual.flush();
    expect(count).toBe(1_000_000);
    for (let i = 0; i < 1_000_000; i++) scheduler.schedule(() => count++);
    virtual.flush();
    expect([count, virtual.actions.length]).toEqual([2_000_000, 0]);
  });
});
