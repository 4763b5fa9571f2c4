import {
  config,
  count,
  interval,
  lastValueFrom,
  observeOn,
  range,
  scheduled,
  Subscription,
  take,
  tap,
  type SchedulerAction,
  type SchedulerLike,
} from 'rxjs';
import { afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { fromPull } from '../../src/index.js';
import { cooperativeScheduler, type CooperativeSchedulerOptions } from '../../src/schedulers/index.js';
import { inFakeTime, turns } from './stages.js';

const inNode = typeof process !== 'undefined' && typeof setImmediate === 'function';

/** With a fake clock that work can move on. */
function start(options?: CooperativeSchedulerOptions) {
  const { scheduler, ...stage } = inFakeTime(() => cooperativeScheduler(options));
  onTestFinished(() => stage.close?.());
  return { ...stage, scheduler };
}

/** Runs `work` in a slice, where everything that it schedules joins the line. */
async function inSlice(scheduler: SchedulerLike, work: () => void): Promise<void> {
  scheduler.schedule(work);
  await turns(5);
}

const busyFor = (ms: number) => {
  for (const end = performance.now() + ms; performance.now() < end;);
};

describe('its arguments', () => {
  it.each([
    [0, '0'],
    [-1, '-1'],
    [NaN, 'NaN'],
    [Infinity, 'Infinity'],
    ['8', "'8'"],
    [null, 'null'],
  ])('budget: %s is refused', (budget, quoted) => {
    expect(() => cooperativeScheduler({ budget: budget as number })).toThrow(
      new RangeError(`budget must be a positive number of milliseconds, got ${quoted}`),
    );
  });

  it('a bare number as options is refused', () => {
    expect(() => cooperativeScheduler(8 as CooperativeSchedulerOptions)).toThrow(
      new TypeError('options must be an object, got 8'),
    );
  });

  it('work that is no function is refused where it is scheduled', () => {
    expect(() => cooperativeScheduler().schedule('work' as never)).toThrow(
      new TypeError("work must be a function, got 'work'"),
    );
  });

  it.each([[{ budget: 0.5 }], [{ budget: 1000 }], [{}], [undefined]])('%j is taken', async (options) => {
    const scheduler = cooperativeScheduler(options);
    await new Promise<void>((resolve) => void scheduler.schedule(() => { resolve(); })); // prettier-ignore
  });
});

describe('a slice', () => {
  /** What ran, with a bar after each slice. */
  let log = '';
  const run = (name: string) => {
    log += name;
    queueMicrotask(() => (log += log.endsWith('|') ? '' : '|'));
  };

  beforeEach(() => {
    log = '';
  });

  it('starts in a macrotask: after the promises that are settled, and after the first has run not another one', async () => {
    const { scheduler } = start();
    scheduler.schedule(() => {
      run('a');
    });
    scheduler.schedule(() => {
      run('b');
    });
    await Promise.resolve().then(() => (log += 'promise '));
    for (let i = 0; i < 20; i++) await Promise.resolve();
    expect(log).toBe('promise ');
    await turns(1);
    expect(log).toBe('promise ab|');
  });

  it('is over when the budget is used', async () => {
    const { scheduler, pass } = start({ budget: 5 });
    for (const name of 'abcdefgh') {
      scheduler.schedule(() => {
        run(name);
        vi.advanceTimersByTime(2);
      });
    }
    await pass(0);
    expect(log).toBe('abc|def|gh|');
  });

  it('has 8 ms if nothing else is said', async () => {
    const { scheduler, pass } = start();
    for (const name of 'abcdefghijkl') {
      scheduler.schedule(() => {
        run(name);
        vi.advanceTimersByTime(1);
      });
    }
    await pass(0);
    expect(log).toBe('abcdefgh|ijkl|');
  });

  it('runs at least one action, however long it takes', async () => {
    const { scheduler, pass } = start({ budget: 1 });
    for (const name of 'abc') {
      scheduler.schedule(() => {
        run(name);
        vi.advanceTimersByTime(100);
      });
    }
    await pass(0);
    expect(log).toBe('a|b|c|');
  });

  it('has its whole budget again after a pause', async () => {
    const { scheduler, pass } = start({ budget: 2 });
    for (const names of ['abc', 'def']) {
      for (const name of names) {
        scheduler.schedule(() => {
          run(name);
          vi.advanceTimersByTime(1);
        });
      }
      await pass(10);
    }
    expect(log).toBe('ab|c|de|f|');
  });

  it('takes on what is scheduled while it runs, at the end of the line', async () => {
    const { scheduler, pass } = start();
    scheduler.schedule(
      function (this: SchedulerAction<number>, left = 0) {
        run(`a${String(left)}`);
        if (left === 2) {
          scheduler.schedule(() => {
            run('c');
          });
        }
        if (left > 0) this.schedule(left - 1);
      },
      0,
      2,
    );
    scheduler.schedule(() => {
      run('b');
    });
    await pass(0);
    expect(log).toBe('a2bca1a0|');
  });

  it('is of one scheduler: another one has its own line and its own budget', async () => {
    const { scheduler, pass } = start({ budget: 1 });
    const other = cooperativeScheduler({ budget: 1 });
    for (const name of 'abc') {
      scheduler.schedule(() => {
        run(name);
        vi.advanceTimersByTime(1);
      });
    }
    other.schedule(() => {
      run('X');
    });
    await pass(0);
    expect(log).toBe('a|X|b|c|');
  });

  it.runIf(inNode)('is one macrotask, whatever is scheduled and unsubscribed in it', async () => {
    const { scheduler, pass } = start();
    const macrotasks = vi.spyOn(globalThis, 'setImmediate');
    onTestFinished(() => { macrotasks.mockRestore(); }); // prettier-ignore
    scheduler.schedule(
      function (this: SchedulerAction<number>, left = 0) {
        scheduler.schedule(() => undefined).unsubscribe();
        if (left > 0) this.schedule(left - 1);
      },
      0,
      5,
    );
    expect(macrotasks).toHaveBeenCalledTimes(1);
    await Promise.resolve();
    macrotasks.mockClear();
    await pass(0);
    expect(macrotasks).toHaveBeenCalledTimes(5); // those of the test itself
  });

  it('is not entered a second time when its work lets fake time pass', async () => {
    const { scheduler, pass } = start();
    scheduler.schedule(() => {
      run('c');
    }, 5);
    scheduler.schedule(() => {
      run('(a');
      vi.advanceTimersByTime(5);
      run('a)');
    });
    scheduler.schedule(() => {
      run('b');
    });
    await pass(0);
    expect(log).toBe('(aa)b|c|');
  });

  it.runIf(inNode)('that was lost with fake timers is asked for again', async () => {
    const scheduler = cooperativeScheduler();
    vi.useFakeTimers();
    for (const name of 'ab') {
      scheduler.schedule(() => {
        run(name);
      });
    }
    vi.useRealTimers();
    scheduler.schedule(() => {
      run('c');
    });
    await turns(2);
    expect(log).toBe('abc|');
  });
});

describe('the event loop has its turn', () => {
  /** Counts the turns of a timer until `done`. */
  async function timerTurns(done: Promise<unknown>): Promise<number> {
    let fired = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const again = () => {
      timer = setTimeout(() => {
        fired++;
        again();
      }, 0);
    };
    again();
    await done;
    clearTimeout(timer);
    return fired;
  }

  it('while 100 000 values pass through observeOn', async () => {
    const scheduler = cooperativeScheduler({ budget: 2 });
    const numbers = Array.from({ length: 100_000 }, (_, i) => i);
    const passed: number[] = [];
    const done = lastValueFrom(scheduled(numbers, scheduler).pipe(observeOn(scheduler), tap((n) => passed.push(n)))); // prettier-ignore
    expect(await timerTurns(done)).toBeGreaterThanOrEqual(3);
    expect(passed).toEqual(numbers);
  });

  it('while 10 000 values wait in observeOn, each with some work', async () => {
    const done = lastValueFrom(
      range(0, 10_000).pipe(
        observeOn(cooperativeScheduler({ budget: 2 })),
        tap(() => {
          busyFor(0.005);
        }),
        count(),
      ),
    );
    expect(await timerTurns(done)).toBeGreaterThanOrEqual(3);
    expect(await done).toBe(10_000);
  });

  it('while a source is pulled, without demand from below', async () => {
    const done = lastValueFrom(
      fromPull(
        Array.from({ length: 10_000 }, (_, i) => i),
        { slice: 10, scheduler: cooperativeScheduler({ budget: 1 }) },
      ).pipe(
        tap(() => {
          busyFor(0.005);
        }),
        count(),
      ),
    );
    expect(await timerTurns(done)).toBeGreaterThanOrEqual(3);
    expect(await done).toBe(10_000);
  });

  it('and an own delayed action too, while others go on for ever', async () => {
    const scheduler = cooperativeScheduler({ budget: 1 });
    const spinning = new Subscription();
    for (let i = 0; i < 3; i++) spinning.add(scheduler.schedule(function (this: SchedulerAction<unknown>) { this.schedule(); })); // prettier-ignore
    expect(await lastValueFrom(interval(2, scheduler).pipe(take(3)))).toBe(2);
    spinning.unsubscribe();
  });

  it('where there is no setImmediate', async () => {
    vi.stubGlobal('setImmediate', undefined);
    onTestFinished(() => void vi.unstubAllGlobals());
    const scheduler = cooperativeScheduler({ budget: 1 });
    const done = lastValueFrom(
      scheduled(range(0, 1000), scheduler).pipe(
        observeOn(scheduler),
        tap(() => {
          busyFor(0.05);
        }),
        count(),
      ),
    );
    expect(await timerTurns(done)).toBeGreaterThanOrEqual(3);
    expect(await done).toBe(1000);
  });
});

describe('a million actions', { timeout: 60_000 }, () => {
  const million = 1_000_000;

  it('wait in line, without growing cost', async () => {
    const scheduler = cooperativeScheduler();
    let next = 0;
    let inOrder = true;
    await new Promise<void>((resolve) => {
      for (let i = 0; i < million; i++) {
        scheduler.schedule(() => {
          inOrder &&= next++ === i;
          if (i === million - 1) resolve();
        });
      }
    });
    expect([next, inOrder]).toEqual([million, true]);
  });

  it('leave the line, first come, last come or in between', () => {
    const scheduler = cooperativeScheduler();
    const actions = Array.from({ length: million }, () => scheduler.schedule(() => undefined));
    for (let i = 0; i < million; i += 3) actions[i]?.unsubscribe();
    for (const action of actions.reverse()) action.unsubscribe();
  });

  it('are one that schedules itself, without a growing stack', async () => {
    const left = await new Promise((resolve) => {
      cooperativeScheduler().schedule(
        function (this: SchedulerAction<number>, state = 0) {
          if (state > 0) this.schedule(state - 1);
          else resolve(state);
        },
        0,
        million,
      );
    });
    expect(left).toBe(0);
  });
});

describe('a delay', () => {
  it.each([-5, -Infinity, NaN])('of %d is none', async (delay) => {
    const { scheduler, left } = start();
    const log: string[] = [];
    await inSlice(scheduler, () => {
      scheduler.schedule(() => log.push('a'), delay);
      scheduler.schedule(() => log.push('b'));
      expect(left()).toBe(0);
    });
    expect(log).toEqual(['a', 'b']);
  });

  it('of Infinity sets no timer, and ends only with the action', () => {
    const { scheduler, left } = start();
    const action = scheduler.schedule(() => undefined, Infinity);
    expect([left(), action.closed]).toEqual([0, false]);
    action.unsubscribe();
    expect(action.closed).toBe(true);
  });

  it('may be longer than the longest timer', async () => {
    const { scheduler, left } = start();
    const longest = 2 ** 31 - 1;
    const log: string[] = [];
    scheduler.schedule(() => log.push('a'), longest);
    scheduler.schedule(() => log.push('b'), longest + 1);
    scheduler.schedule(() => log.push('c'), 2 * longest + 10);
    const never = scheduler.schedule(() => log.push('never'), 2 * longest + 10);
    vi.advanceTimersByTime(longest - 1);
    await turns(2);
    expect(log).toEqual([]);
    vi.advanceTimersByTime(1);
    await turns(2);
    expect(log).toEqual(['a']);
    vi.advanceTimersByTime(1);
    await turns(2);
    expect(log).toEqual(['a', 'b']);
    never.unsubscribe();
    vi.advanceTimersByTime(longest + 8);
    await turns(2);
    expect(log).toEqual(['a', 'b']);
    vi.advanceTimersByTime(1);
    await turns(2);
    expect([log, left()]).toEqual([['a', 'b', 'c'], 0]);
  });

  it('that is over counts by its due time, in whatever order the timers fire', async () => {
    const { scheduler } = start();
    const log: string[] = [];
    const timers = vi.spyOn(globalThis, 'setTimeout');
    onTestFinished(() => { timers.mockRestore(); }); // prettier-ignore
    for (const ms of [20, 10, 30, 10])
      scheduler.schedule((state) => log.push(state), ms, `${String(ms)}/${String(log.length)}`);
    vi.setSystemTime(Date.now() - 60_000); // a clock that is put back does not turn anything round
    scheduler.schedule((state) => log.push(state), 20, 'later 20');
    for (const [fire] of timers.mock.calls.reverse()) fire();
    expect(log).toEqual([]);
    await turns(2);
    expect(log).toEqual(['10/0', '10/0', 'later 20', '20/0', '30/0']);
  });

  it('that is over is not overtaken by what is scheduled after that', async () => {
    const { scheduler, pass } = start();
    const log: string[] = [];
    const run = (name: string) => () => {
      log.push(name);
    };
    scheduler.schedule(run('late'), 8);
    scheduler.schedule(run('due'), 5);
    setTimeout(() => scheduler.schedule(run('after')), 7);
    vi.advanceTimersByTime(20); // at once, as after work that took long
    await pass(1);
    expect(log).toEqual(['due', 'after', 'late']);
  });

  it('that is over joins the end of the line', async () => {
    const { scheduler } = start();
    const log: string[] = [];
    scheduler.schedule(() => log.push('c'), 1);
    scheduler.schedule(() => log.push('a'));
    scheduler.schedule(() => log.push('b'));
    vi.advanceTimersByTime(1);
    await turns(2);
    expect(log).toEqual(['a', 'b', 'c']);
  });

  it('that stays the same keeps its beat, whatever the work takes', async () => {
    const { scheduler, pass } = start();
    const times: number[] = [];
    const begin = Date.now();
    const subscription = interval(10, scheduler).subscribe(() => {
      times.push(Date.now() - begin);
      vi.advanceTimersByTime(4);
    });
    await pass(34); // and 16 ms of work
    subscription.unsubscribe();
    expect(times).toEqual([10, 20, 30, 40, 50]);
  });

  it('that is over early, by the clock, does not lengthen the next one', async () => {
    const { scheduler } = start();
    const timers = vi.spyOn(globalThis, 'setTimeout');
    onTestFinished(() => { timers.mockRestore(); }); // prettier-ignore
    const action = scheduler.schedule(function (this: SchedulerAction<unknown>) { this.schedule(undefined, 10); }, 10); // prettier-ignore
    timers.mock.calls[0]?.[0]();
    await turns(2);
    expect(timers.mock.calls.map(([, ms]) => ms)).toEqual([10, 10]);
    action.unsubscribe();
  });

  it('that stays the same is not made up for when it was missed', async () => {
    const { scheduler, pass } = start();
    const times: number[] = [];
    const begin = Date.now();
    const subscription = interval(10, scheduler).subscribe((i) => {
      times.push(Date.now() - begin);
      if (i === 0) vi.advanceTimersByTime(35);
    });
    await pass(40);
    subscription.unsubscribe();
    expect(times).toEqual([10, 46, 55, 65, 75]); // no timer is shorter than 1 ms
  });

  it.each([
    ['another one', 7, undefined],
    ['after a turn without one', 10, 0],
  ])('is counted from the call if it is %s', async (_, delay, between) => {
    const { scheduler, pass } = start();
    const times: number[] = [];
    const begin = Date.now();
    const delays = [between, delay].filter((each) => each !== undefined);
    scheduler.schedule(function (this: SchedulerAction<unknown>) {
      times.push(Date.now() - begin);
      vi.advanceTimersByTime(4);
      if (delays.length > 0) this.schedule(undefined, delays.shift());
    }, 10);
    await pass(50);
    expect(times.at(-1)).toBe(between === undefined ? 10 + 4 + 7 : 10 + 4 + 4 + 10);
  });

  it('is counted from the call if somebody else schedules the action', async () => {
    const { scheduler, pass } = start();
    const times: number[] = [];
    const begin = Date.now();
    const action = scheduler.schedule(() => times.push(Date.now() - begin), 10) as SchedulerAction<unknown>;
    await pass(14);
    action.schedule(undefined, 10);
    await pass(20);
    expect(times).toEqual([10, 24]);
  });
});

describe('an error in work', () => {
  const unhandled: unknown[] = [];

  beforeEach(() => {
    unhandled.length = 0;
    config.onUnhandledError = (error: unknown) => unhandled.push(error);
  });
  afterEach(() => {
    config.onUnhandledError = null;
  });

  it.each([[new Error('work')], [undefined], [0]])(
    '%s is reported, and the others run in the same slice',
    async (error) => {
      const { scheduler, pass } = start();
      const log: string[] = [];
      scheduler.schedule(() => {
        log.push('a');
        queueMicrotask(() => log.push('|'));
      });
      const action = scheduler.schedule(function (this: SchedulerAction<unknown>) {
        this.schedule();
        throw error;
      });
      scheduler.schedule(() => log.push('b'));
      scheduler.schedule(() => log.push('c'), 1);
      await pass(5);
      expect(log).toEqual(['a', 'b', '|', 'c']);
      expect(unhandled).toEqual([error]);
      expect(action.closed).toBe(true);
    },
  );

  it('is reported in a task of its own', async () => {
    const { scheduler, pass } = start();
    scheduler.schedule(() => {
      throw new Error('work');
    });
    await turns(5);
    expect(unhandled).toEqual([]);
    await pass(1);
    expect(unhandled).toEqual([new Error('work')]);
  });

  it('is reported with that of the teardown', async () => {
    const { scheduler, pass } = start();
    const log: string[] = [];
    scheduler
      .schedule(() => {
        throw new Error('work');
      })
      .add(() => {
        throw new Error('teardown');
      });
    scheduler.schedule(() => log.push('b'));
    await pass(5);
    expect(log).toEqual(['b']);
    expect(unhandled).toEqual([new Error('work'), expect.objectContaining({ errors: [new Error('teardown')] })]);
  });
});

describe('nothing is left', () => {
  it('when an action is scheduled that has been unsubscribed', () => {
    const { scheduler, left } = start();
    const action = scheduler.schedule(() => undefined) as SchedulerAction<unknown>;
    action.unsubscribe();
    expect(action.schedule(undefined, 10)).toBe(action);
    expect(left()).toBe(0);
  });

  it('of a timer that has been cleared', () => {
    const { scheduler } = start();
    const cleared = vi.spyOn(globalThis, 'clearTimeout');
    onTestFinished(() => { cleared.mockRestore(); }); // prettier-ignore
    const action = scheduler.schedule(() => undefined, 10) as SchedulerAction<unknown>;
    action.schedule();
    action.unsubscribe();
    action.unsubscribe();
    expect(cleared).toHaveBeenCalledTimes(1);
  });

  /** With macrotasks faked too, so that they are counted. */
  function counted() {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    return { scheduler: cooperativeScheduler(), left: () => vi.getTimerCount() };
  }

  it.runIf(inNode)('when the last that waited is unsubscribed', () => {
    const { scheduler, left } = counted();
    const actions = [0, 0, 10, 20].map((ms) => scheduler.schedule(() => undefined, ms));
    expect(left()).toBe(3);
    const leaving = actions.map((action) => {
      action.unsubscribe();
      return left();
    });
    expect(leaving).toEqual([3, 2, 1, 0]);
  });

  it.runIf(inNode)('when it is unsubscribed after its timer has fired', () => {
    const { scheduler, left } = counted();
    const action = scheduler.schedule(() => undefined, 10);
    vi.advanceTimersByTime(10); // what setImmediate is given within a timer comes 1 ms later
    expect(left()).toBe(1);
    action.unsubscribe();
    expect(left()).toBe(0);
  });

  it.runIf(inNode)('but the new one when an action is scheduled anew', () => {
    const { scheduler, left } = counted();
    const action = scheduler.schedule(() => undefined) as SchedulerAction<unknown>;
    action.schedule(undefined, 10);
    expect(left()).toBe(1);
    action.schedule(undefined, Infinity);
    expect(left()).toBe(0);
    action.schedule();
    expect(left()).toBe(1);
    action.unsubscribe();
    expect(left()).toBe(0);
  });

  it.runIf(inNode)('when all have run', () => {
    const { scheduler, left } = counted();
    for (const ms of [0, 0, 10, 20]) scheduler.schedule(() => undefined, ms);
    vi.advanceTimersByTime(30);
    expect(left()).toBe(0);
  });

  it('of the state, once it has been passed on or is no longer wanted', async () => {
    const { scheduler, pass } = start();
    const state = { large: true };
    const run = scheduler.schedule(() => undefined, 0, state);
    const gone = scheduler.schedule(() => undefined, 0, state);
    const late = scheduler.schedule(() => undefined, 10, state);
    gone.unsubscribe();
    late.unsubscribe();
    expect(Object.values(run)).toContain(state);
    await pass(1);
    for (const action of [run, gone, late]) expect(Object.values(action)).not.toContain(state);
  });

  it('of the work, once the action is unsubscribed', () => {
    const { scheduler } = start();
    const work = () => undefined;
    const action = scheduler.schedule(work, 10);
    expect(Object.values(action)).toContain(work);
    action.unsubscribe();
    expect(Object.values(action)).not.toContain(work);
  });
});

describe.runIf(inNode)('a process', { timeout: 60_000 }, () => {
  const folder = '.temp/cooperativeScheduler';

  async function run(script: string): Promise<{ code: number | null; out: string; err: string }> {
    const { spawn } = await import('node:child_process');
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { timeout: 50_000 });
    const out: unknown[] = [];
    const err: unknown[] = [];
    child.stdout.on('data', (chunk) => out.push(chunk));
    child.stderr.on('data', (chunk) => err.push(chunk));
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
    return { code, out: out.join(''), err: err.join('') };
  }
  const prelude = `
    import { interval, observeOn, of, take } from 'rxjs';
    import { cooperativeScheduler } from './${folder}/schedulers/index.js';
    const scheduler = cooperativeScheduler();
  `;

  beforeAll(async () => {
    const { execFile } = await import('node:child_process');
    const args = ['-p', 'tsconfig.build.json', '--outDir', folder, '--noCheck', '--declaration', 'false', '--declarationMap', 'false']; // prettier-ignore
    await new Promise((resolve) => execFile(process.execPath, ['node_modules/typescript/bin/tsc', ...args], resolve));
  }, 60_000);

  it('lives until all actions have run, and ends by itself', async () => {
    const script = `${prelude}
      of('a', 'b').pipe(observeOn(scheduler)).subscribe(console.log);
      interval(20, scheduler).pipe(take(2)).subscribe(console.log);
    `;
    expect(await run(script)).toEqual({ code: 0, out: 'a\nb\n0\n1\n', err: '' });
  });

  it('is not kept alive by what will not run', async () => {
    const script = `${prelude}
      for (const delay of [0, 60_000, Infinity]) scheduler.schedule(() => console.log('ran'), delay).unsubscribe();
      scheduler.schedule(() => console.log('ran'), Infinity);
      const waiting = scheduler.schedule(() => console.log('ran'), 60_000);
      scheduler.schedule(() => waiting.unsubscribe(), 20);
    `;
    expect(await run(script)).toEqual({ code: 0, out: '', err: '' });
  });

  it('fails with what work throws', async () => {
    const script = `${prelude}
      scheduler.schedule(() => { throw new Error('work'); });
      scheduler.schedule(() => console.log('the other'));
    `;
    const { code, out, err } = await run(script);
    expect({ code, out }).toEqual({ code: 1, out: 'the other\n' });
    expect(err).toContain('Error: work');
  });
});
