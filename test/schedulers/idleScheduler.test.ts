import { config, interval, lastValueFrom, observeOn, of, range, take, tap, type SchedulerAction } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { idleScheduler, type IdleSchedulerOptions } from '../../src/schedulers/idleScheduler.js';
import type { Stage } from './contract.js';
import { stubIdleCallback, stubIdleLoop, stubNoIdleCallback } from './platforms.js';
import { inFakeTime, turns } from './stages.js';

const inNode = typeof process !== 'undefined' && typeof setImmediate === 'function';
const million = 1_000_000;

afterEach(() => {
  vi.unstubAllGlobals();
});

/** With a fake clock that work can move on. */
function start(options?: IdleSchedulerOptions): Omit<Stage, 'close'> {
  const { close, ...stage } = inFakeTime(() => idleScheduler(options));
  onTestFinished(() => close?.());
  return stage;
}

/** What ran, with a bar after each slice. */
let log = '';
const run = (name: string) => () => {
  log += name;
  queueMicrotask(() => (log += log.endsWith('|') ? '' : '|'));
};
/** It takes `ms`. */
const work = (name: string, ms: number) => () => {
  run(name)();
  vi.advanceTimersByTime(ms);
};
beforeEach(() => {
  log = '';
});

describe('its arguments', () => {
  it.each([
    [-1, '-1'],
    [NaN, 'NaN'],
    [2 ** 31, '2147483648'],
    ['8', "'8'"],
    [null, 'null'],
  ])('timeout: %s is refused', (timeout, quoted) => {
    expect(() => idleScheduler({ timeout: timeout as number })).toThrow(
      new RangeError(`timeout must be a number of milliseconds from 0 to 2147483647 or Infinity, got ${quoted}`),
    );
  });

  it('a bare number as options is refused', () => {
    expect(() => idleScheduler(8 as IdleSchedulerOptions)).toThrow(new TypeError('options must be an object, got 8'));
  });

  it('work that is no function is refused where it is scheduled', () => {
    expect(() => idleScheduler().schedule('work' as never)).toThrow(
      new TypeError("work must be a function, got 'work'"),
    );
  });
});

describe('with requestIdleCallback', () => {
  it('actions run only when there is time, and as long as there is', () => {
    const platform = stubIdleCallback();
    const { scheduler } = start();
    for (const name of 'abcde') scheduler.schedule(work(name, 2));
    vi.advanceTimersByTime(1000);
    expect(log).toBe('');
    platform.idle(3);
    expect(log).toBe('ab');
    platform.idle(4);
    expect(log).toBe('abcd');
    platform.idle();
    expect(log).toBe('abcde');
    expect(platform.requests.size).toBe(0);
  });

  it('one callback is asked for, however many wait', () => {
    const platform = stubIdleCallback();
    const { scheduler } = start();
    for (const name of 'abc') scheduler.schedule(run(name));
    expect(platform.log).toEqual(['request undefined']);
    platform.idle();
    expect(platform.log).toEqual(['request undefined']);
  });

  it('at least one action runs in each slice', () => {
    const platform = stubIdleCallback();
    const { scheduler } = start();
    for (const name of 'ab') scheduler.schedule(run(name));
    platform.idle(0);
    expect(log).toBe('a');
    platform.idle(0);
    expect(log).toBe('ab');
  });

  it('what is scheduled while a slice runs goes to the end of the line', () => {
    const platform = stubIdleCallback();
    const { scheduler } = start();
    scheduler.schedule<number>(function (round = 0) {
      log += `a${String(round)}`;
      if (round === 0) scheduler.schedule(run('c'));
      if (round < 2) this.schedule(round + 1);
    });
    scheduler.schedule(run('b'));
    platform.idle();
    expect(log).toBe('a0bca1a2');
    expect(platform.log).toEqual(['request undefined']);
  });

  it('a delayed action asks for time when it is due', () => {
    const platform = stubIdleCallback();
    const { scheduler } = start();
    scheduler.schedule(run('b'), 20);
    scheduler.schedule(run('a'), 10);
    vi.advanceTimersByTime(9);
    expect(platform.requests.size).toBe(0);
    vi.advanceTimersByTime(11);
    expect(platform.requests.size).toBe(1);
    platform.idle();
    expect(log).toBe('ab');
  });

  describe('and a timeout,', () => {
    it('it is asked for with what is left of that of the first in line', () => {
      const platform = stubIdleCallback();
      const { scheduler } = start({ timeout: 100 });
      scheduler.schedule(run('a'));
      vi.advanceTimersByTime(30);
      scheduler.schedule(run('b'));
      vi.advanceTimersByTime(50);
      platform.idle(0);
      expect(platform.log).toEqual(['request 100', 'request 50']);
    });

    it('it is asked for at once where nothing is left', () => {
      const platform = stubIdleCallback();
      const { scheduler } = start({ timeout: 10 });
      for (const name of 'ab') scheduler.schedule(run(name));
      vi.advanceTimersByTime(50);
      platform.idle(0);
      expect(platform.log).toEqual(['request 10', 'request 1']); // 0 would mean none
    });

    it('those that are overdue run, and no others', () => {
      const platform = stubIdleCallback();
      const { scheduler } = start({ timeout: 10 });
      scheduler.schedule(run('a'));
      scheduler.schedule(run('b'));
      vi.advanceTimersByTime(5);
      scheduler.schedule(run('c'));
      vi.advanceTimersByTime(5);
      platform.timeOut();
      expect(log).toBe('ab');
      expect(platform.log).toEqual(['request 10', 'request 5']);
      vi.advanceTimersByTime(5);
      platform.timeOut();
      expect(log).toBe('abc');
    });

    it('those that are overdue run in slices of 5 ms', () => {
      const platform = stubIdleCallback();
      const { scheduler } = start({ timeout: 10 });
      for (const name of 'abcdefg') scheduler.schedule(work(name, 2));
      vi.advanceTimersByTime(10);
      platform.timeOut();
      expect(log).toBe('abc');
      platform.timeOut();
      expect(log).toBe('abcdef');
    });

    it('it begins when the delay is over, whenever that is seen', () => {
      const platform = stubIdleCallback();
      const { scheduler } = start({ timeout: 10 });
      scheduler.schedule(run('a'), 20);
      scheduler.schedule(run('b'), 20);
      vi.advanceTimersByTime(30);
      expect(platform.log).toEqual(['request 10']);
      platform.timeOut();
      expect(log).toBe('ab');
    });

    it('it begins anew when the action is scheduled anew', () => {
      const platform = stubIdleCallback();
      const { scheduler } = start({ timeout: 10 });
      const action = scheduler.schedule(run('a')) as SchedulerAction<unknown>;
      const other = scheduler.schedule(run('b'));
      vi.advanceTimersByTime(9);
      other.unsubscribe();
      scheduler.schedule(run('c'));
      action.schedule();
      vi.advanceTimersByTime(1);
      platform.timeOut();
      expect(log).toBe('c'); // at least one
      expect(platform.log.at(-1)).toBe('request 9');
    });

    it('of 0 runs with the next turn, busy or not', () => {
      const platform = stubIdleCallback();
      const { scheduler } = start({ timeout: 0 });
      scheduler.schedule(run('a'));
      expect(platform.log).toEqual(['request 1']);
    });
  });

  describe('nothing is left', () => {
    it('of the callback when nobody waits any more', () => {
      const platform = stubIdleCallback();
      const { scheduler, left } = start();
      const actions = [0, 0, 10].map((delay) => scheduler.schedule(run('a'), delay));
      for (const action of actions) action.unsubscribe();
      expect(platform.log).toEqual(['request undefined', 'cancel']);
      expect([platform.requests.size, left()]).toEqual([0, 0]);
    });

    it('but a new one when an action is scheduled after that', () => {
      const platform = stubIdleCallback();
      const { scheduler } = start();
      scheduler.schedule(run('a')).unsubscribe();
      scheduler.schedule(run('b'));
      platform.idle();
      expect(log).toBe('b');
    });

    it('of the state and the work', () => {
      const platform = stubIdleCallback();
      const { scheduler } = start();
      const state = { large: true };
      const action = scheduler.schedule(() => undefined, 0, state);
      const gone = scheduler.schedule(() => undefined, 0, state);
      expect(Object.values(action)).toContain(state);
      gone.unsubscribe();
      platform.idle();
      for (const each of [action, gone]) expect(Object.values(each)).not.toContain(state);
    });
  });

  it('errors are reported, and the others run in the same slice', async () => {
    const unhandled: unknown[] = [];
    config.onUnhandledError = (error: unknown) => unhandled.push(error);
    onTestFinished(() => void (config.onUnhandledError = null));
    const platform = stubIdleCallback();
    const { scheduler, pass } = start();
    const action = scheduler.schedule(() => {
      throw new Error('work');
    });
    scheduler.schedule(run('b'));
    platform.idle();
    await pass(1);
    expect(log).toBe('b|');
    expect([unhandled, action.closed]).toEqual([[new Error('work')], true]);
  });

  it('schedulers do not share their lines', () => {
    const platform = stubIdleCallback();
    const one = idleScheduler();
    const other = idleScheduler();
    one.schedule(run('a'));
    one.schedule(run('b'));
    other.schedule(run('c'));
    expect(platform.requests.size).toBe(2);
    platform.idle(0);
    expect(log).toBe('ac');
    platform.idle();
    expect(log).toBe('acb');
  });
});

describe('without requestIdleCallback', () => {
  beforeEach(stubNoIdleCallback);

  it('a slice comes after the event loop has had a turn', async () => {
    const { scheduler } = start();
    scheduler.schedule(run('a'));
    await Promise.resolve();
    expect(log).toBe('');
    await turns(2);
    expect(log).toBe('a|');
  });

  it('it lasts for 5 ms, and the next one comes after a timer', async () => {
    const { scheduler, left } = start();
    for (const name of 'abcd') scheduler.schedule(work(name, 2));
    await turns(5);
    expect(log).toBe('abc|');
    expect(left()).toBe(1);
    vi.advanceTimersByTime(1);
    await turns(1);
    expect(log).toBe('abc|d|');
    expect(left()).toBe(0);
    scheduler.schedule(run('h'));
    expect(left()).toBe(0);
    await turns(2);
    expect(log).toBe('abc|d|h|');
  });

  it('the timer is cleared when nobody waits any more', async () => {
    const { scheduler, left } = start();
    scheduler.schedule(work('a', 10));
    const action = scheduler.schedule(run('b'));
    await turns(3);
    expect(left()).toBe(1);
    action.unsubscribe();
    expect(left()).toBe(0);
  });

  it.runIf(inNode)('so is the macrotask', () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const action = idleScheduler().schedule(run('a'));
    expect(vi.getTimerCount()).toBe(1);
    action.unsubscribe();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('it works where there is no setImmediate either', async () => {
    vi.stubGlobal('setImmediate', undefined);
    await new Promise<void>((resolve) => void idleScheduler().schedule(() => { resolve(); })); // prettier-ignore
  });

  it('the event loop has its turn while 10 000 values wait', async () => {
    let fired = 0;
    const timer = setInterval(() => fired++, 1);
    const busyFor = (ms: number) => {
      for (const end = performance.now() + ms; performance.now() < end;);
    };
    await lastValueFrom(range(0, 10_000).pipe(observeOn(idleScheduler()), tap(() => { busyFor(0.005); }))); // prettier-ignore
    clearInterval(timer);
    expect(fired).toBeGreaterThanOrEqual(2);
  });
});

describe('a million actions', { timeout: 60_000 }, () => {
  beforeEach(() => {
    stubIdleLoop();
  });

  it('wait in line, without growing cost', async () => {
    const scheduler = idleScheduler({ timeout: 1000 });
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
    const scheduler = idleScheduler();
    const actions = Array.from({ length: million }, () => scheduler.schedule(() => undefined));
    for (let i = 0; i < million; i += 3) actions[i]?.unsubscribe();
    for (const action of actions.reverse()) action.unsubscribe();
  });
});

describe('in tests', () => {
  it('a TestScheduler takes its place', () => {
    const report = (scheduler = idleScheduler()) => of('a').pipe(observeOn(scheduler, 2));
    const test = new TestScheduler((actual, expected) => {
      expect(actual).toStrictEqual(expected);
    });
    test.run(({ expectObservable }) => {
      expectObservable(report(test)).toBe('--(a|)');
    });
  });

  it.runIf(inNode)('fake timers move its delays and its slices', () => {
    stubNoIdleCallback();
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const values: number[] = [];
    interval(10, idleScheduler()).pipe(take(3)).subscribe((value) => values.push(value)); // prettier-ignore
    vi.advanceTimersByTime(25);
    expect(values).toEqual([0, 1]);
    vi.advanceTimersByTime(10);
    expect(values).toEqual([0, 1, 2]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it.runIf(inNode).each([
    ['somebody', stubIdleLoop],
    ['nobody', stubNoIdleCallback],
  ])('fake timers that are taken away do not stop it, where %s tells who is idle', async (_, stub) => {
    stub();
    const scheduler = idleScheduler();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate'] });
    for (const name of 'ab') scheduler.schedule(run(name));
    vi.useRealTimers();
    scheduler.schedule(run('c'));
    await turns(5);
    expect(log).toBe('abc|');
  });

  it('a stand-in that does not tell the time is found out each time, and does not stop it', () => {
    const callbacks: (() => void)[] = [];
    vi.stubGlobal('requestIdleCallback', (callback: () => void) => callbacks.push(callback));
    vi.stubGlobal('cancelIdleCallback', () => undefined);
    const scheduler = idleScheduler();
    for (const name of 'ab') scheduler.schedule(run(name));
    expect(callbacks[0]).toThrow(TypeError);
    expect(callbacks[1]).toThrow(TypeError);
    expect(log).toBe('ab');
    expect(callbacks.length).toBe(2);
  });

  it('a stand-in that calls back at once runs each as it comes', () => {
    vi.stubGlobal('requestIdleCallback', (callback: IdleRequestCallback) => {
      callback({ didTimeout: false, timeRemaining: () => 50 });
    });
    vi.stubGlobal('cancelIdleCallback', () => undefined);
    const scheduler = idleScheduler();
    for (const name of 'abc') scheduler.schedule(run(name));
    expect(log).toBe('abc');
  });
});

describe.runIf(inNode)('a process', { timeout: 60_000 }, () => {
  const folder = '.temp/idleScheduler';

  async function runScript(script: string): Promise<{ code: number | null; out: string; err: string }> {
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
    import { idleScheduler } from './${folder}/schedulers/idleScheduler.js';
    const scheduler = idleScheduler({ timeout: 60_000 });
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
    expect(await runScript(script)).toEqual({ code: 0, out: 'a\nb\n0\n1\n', err: '' });
  });

  it('is not kept alive by what will not run', async () => {
    const script = `${prelude}
      for (const delay of [0, 60_000, Infinity]) scheduler.schedule(() => console.log('ran'), delay).unsubscribe();
      scheduler.schedule(() => console.log('ran'), Infinity);
    `;
    expect(await runScript(script)).toEqual({ code: 0, out: '', err: '' });
  });
});
