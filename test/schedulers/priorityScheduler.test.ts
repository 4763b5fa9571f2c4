import {
  config,
  interval,
  lastValueFrom,
  observeOn,
  of,
  range,
  Subscription,
  take,
  tap,
  type SchedulerAction,
} from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { priorityScheduler } from '../../src/schedulers/priorityScheduler.js';
import type { Stage } from './contract.js';
import { stubNoPostTask, stubPostTask } from './platforms.js';
import { inFakeTime, turns } from './stages.js';

const inNode = typeof process !== 'undefined' && typeof setImmediate === 'function';
const million = 1_000_000;

type Priority = Parameters<typeof priorityScheduler>[0];
const [urgent, visible, background] = (['user-blocking', 'user-visible', 'background'] as const).map((priority) =>
  priorityScheduler(priority),
) as [Stage['scheduler'], Stage['scheduler'], Stage['scheduler']];

afterEach(() => {
  vi.unstubAllGlobals();
});

/** With a fake clock that work can move on. */
function start(): Omit<Stage, 'scheduler'> {
  const { pass, left, close } = inFakeTime(() => urgent);
  onTestFinished(() => close?.());
  return { pass, left };
}

/** What ran, with a bar after each slice. */
let log = '';
const run = (name: string) => () => {
  log += name;
  queueMicrotask(() => (log += log.endsWith('|') ? '' : '|'));
};
beforeEach(() => {
  log = '';
});

/** Schedules itself again for ever, and takes `ms` each time. */
function spin(scheduler: Stage['scheduler'], ms: number, onRun: () => void = () => undefined): Subscription {
  const subscription = scheduler.schedule(function (this: SchedulerAction<unknown>) {
    onRun();
    vi.advanceTimersByTime(ms);
    this.schedule();
  });
  onTestFinished(() => {
    subscription.unsubscribe();
  });
  return subscription;
}

describe('its arguments', () => {
  it.each([
    ['urgent', "'urgent'"],
    [1, '1'],
    [undefined, 'undefined'],
    [{ priority: 'background' }, 'an object'],
  ])('%j is refused', (priority, quoted) => {
    expect(() => priorityScheduler(priority as Priority)).toThrow(
      new RangeError(`priority must be one of 'user-blocking', 'user-visible', 'background', got ${quoted}`),
    );
  });

  it('work that is no function is refused where it is scheduled', () => {
    expect(() => background.schedule('work' as never)).toThrow(new TypeError("work must be a function, got 'work'"));
  });
});

describe('the realm', () => {
  it('has one scheduler for each priority', () => {
    expect(priorityScheduler('background')).toBe(background);
    expect(new Set([urgent, visible, background]).size).toBe(3);
  });

  it('has them where each copy of the package finds them', () => {
    const realm = globalThis as unknown as Record<symbol, unknown>;
    expect(realm[Symbol.for('rxjs-flow-control.priority-schedulers')]).toEqual({
      'user-blocking': urgent,
      'user-visible': visible,
      background,
    });
    expect(Object.keys(globalThis).filter((name) => name.includes('rxjs'))).toEqual([]);
  });
});

describe.each([
  ['where there is postTask', stubPostTask],
  ['where there is none', stubNoPostTask],
])('%s', (_, stub) => {
  beforeEach(() => {
    stub();
  });

  it('more urgent actions go first, those of one priority in the order in which they came', async () => {
    const { pass } = start();
    for (const i of '12') {
      background.schedule(run(`b${i}`));
      visible.schedule(run(`v${i}`));
      urgent.schedule(run(`u${i}`));
    }
    await pass(1);
    expect(log.replaceAll('|', '')).toBe('u1u2v1v2b1b2');
  });

  it('an action that comes while a slice runs goes before all that are less urgent', async () => {
    const { pass } = start();
    background.schedule(() => {
      run('a')();
      background.schedule(run('d'));
      urgent.schedule(run('u'));
      visible.schedule(run('v'));
    });
    background.schedule(run('b'));
    background.schedule(run('c'));
    await pass(1);
    expect(log).toBe('auvbcd|');
  });

  it('delayed actions join the end of the line of their priority when they are due', async () => {
    const { pass } = start();
    background.schedule(run('b'), 3);
    visible.schedule(run('v'), 3);
    urgent.schedule(run('u'), 3);
    urgent.schedule(run('later'), 4);
    background.schedule(run('a'), 2);
    await pass(10);
    expect(log.replaceAll('|', '')).toBe('auvblater');
  });

  it('an action that has left does not hold up the others', async () => {
    const { pass } = start();
    const [u, v] = [urgent.schedule(run('u')), visible.schedule(run('v'))];
    background.schedule(run('b'));
    u.unsubscribe();
    v.unsubscribe();
    await pass(1);
    expect(log).toBe('b|');
  });

  it('a slice is over after 8 ms', async () => {
    const { pass } = start();
    for (const name of 'abcdefgh')
      urgent.schedule(() => {
        run(name)();
        vi.advanceTimersByTime(3);
      });
    await pass(1);
    expect(log).toBe('abc|def|gh|');
  });

  it('a million actions wait in line, without growing cost and without a task each', { timeout: 60_000 }, async () => {
    let next = 0;
    let inOrder = true;
    let tasks = 0;
    let counted = false;
    const count = () => {
      counted = false;
    };
    await new Promise<void>((resolve) => {
      for (let i = 0; i < million; i++) {
        visible.schedule(() => {
          inOrder &&= next++ === i;
          if (!counted) {
            counted = true;
            tasks++;
            queueMicrotask(count);
          }
          if (i === million - 1) resolve();
        });
      }
    });
    expect([next, inOrder]).toEqual([million, true]);
    expect(tasks).toBeLessThan(million / 50);
  });

  it('the event loop has its turn while 10 000 values wait', async () => {
    let fired = 0;
    const timer = setInterval(() => fired++, 1);
    const busyFor = (ms: number) => {
      for (const end = performance.now() + ms; performance.now() < end;);
    };
    await lastValueFrom(range(0, 10_000).pipe(observeOn(urgent), tap(() => { busyFor(0.005); }))); // prettier-ignore
    clearInterval(timer);
    expect(fired).toBeGreaterThanOrEqual(2);
  });

  it('errors are reported, and the others run', async () => {
    const unhandled: unknown[] = [];
    config.onUnhandledError = (error: unknown) => unhandled.push(error);
    onTestFinished(() => void (config.onUnhandledError = null));
    const { pass } = start();
    const action = urgent.schedule(() => {
      throw new Error('work');
    });
    urgent.schedule(run('u'));
    background.schedule(run('b'));
    await pass(5);
    expect(log.replaceAll('|', '')).toBe('ub');
    expect([unhandled, action.closed]).toEqual([[new Error('work')], true]);
  });

  describe('ages:', () => {
    it('a user-visible action starts after 20 ms behind others, a background action after 100 ms', async () => {
      const { pass } = start();
      const begin = performance.now();
      const times: Record<string, number> = {};
      const note = (name: string) => () => {
        times[name] = performance.now() - begin;
      };
      visible.schedule(note('visible'));
      background.schedule(note('background'));
      const spinning = spin(urgent, 1);
      while (!('background' in times)) await pass(0);
      spinning.unsubscribe();
      expect(times).toEqual({ visible: 20, background: 100 });
    });

    it('1 ms in 20 is for user-visible actions, 1 ms in 100 for background ones', async () => {
      const { pass } = start();
      const runs = { urgent: 0, visible: 0, background: 0 };
      const spinning = new Subscription();
      spinning.add(spin(background, 0.25, () => runs.background++));
      spinning.add(spin(visible, 0.5, () => runs.visible++));
      spinning.add(spin(urgent, 1, () => runs.urgent++));
      while (runs.urgent < 1000) await pass(0);
      spinning.unsubscribe();
      expect((runs.visible * 0.5) / runs.urgent).toBeCloseTo(1 / 20, 2);
      expect((runs.background * 0.25) / runs.urgent).toBeCloseTo(1 / 100, 2);
    });

    it('time in which none of them runs does not count', async () => {
      const { pass } = start();
      background.schedule(run('b'));
      vi.advanceTimersByTime(1000); // as work that takes long elsewhere
      urgent.schedule(run('u'));
      await pass(1);
      expect(log.replaceAll('|', '')).toBe('ub');
    });

    it('who comes new waits as long as others did', async () => {
      const { pass } = start();
      const waiting = visible.schedule(run('v'));
      let spinning = spin(urgent, 1);
      await pass(0);
      vi.advanceTimersByTime(0);
      waiting.unsubscribe();
      spinning.unsubscribe();
      const begin = performance.now();
      let time = 0;
      spinning = spin(urgent, 1);
      await pass(0);
      visible.schedule(() => {
        time = performance.now() - begin;
      });
      const since = performance.now() - begin;
      while (time === 0) await pass(0);
      spinning.unsubscribe();
      expect(time - since).toBe(20);
    });
  });

  it('nothing is left of the state and the work', async () => {
    const { pass } = start();
    const state = { large: true };
    const action = background.schedule(() => undefined, 0, state);
    const gone = background.schedule(() => undefined, 0, state);
    expect(Object.values(action)).toContain(state);
    gone.unsubscribe();
    await pass(1);
    for (const each of [action, gone]) expect(Object.values(each)).not.toContain(state);
  });
});

describe('with postTask', () => {
  it('a slice has the priority of the most urgent who waits, and ends before those who are less urgent', async () => {
    const platform = stubPostTask();
    const { pass } = start();
    urgent.schedule(run('u'));
    visible.schedule(run('v'));
    background.schedule(run('b'));
    urgent.schedule(run('w'));
    await pass(1);
    expect(log).toBe('uw|v|b|');
    expect(platform.log).toEqual([
      'post user-blocking',
      'run user-blocking',
      'post user-visible',
      'run user-visible',
      'post background',
      'run background',
    ]);
  });

  it('it is posted anew when somebody more urgent comes, or the most urgent leaves', () => {
    const platform = stubPostTask();
    const action = urgent.schedule(run('u'), Infinity) as SchedulerAction<unknown>;
    const others = background.schedule(run('b'));
    others.add(visible.schedule(run('v')));
    action.schedule();
    expect(platform.log).toEqual([
      'post background',
      'abort background',
      'post user-visible',
      'abort user-visible',
      'post user-blocking',
    ]);
    platform.log.length = 0;
    action.unsubscribe();
    expect(platform.log).toEqual(['abort user-blocking', 'post user-visible']);
    others.unsubscribe();
  });

  it('it is posted for a delayed action when that is due', async () => {
    const platform = stubPostTask();
    const { pass } = start();
    visible.schedule(run('v'), 5);
    await pass(4);
    expect(platform.log).toEqual([]);
    await pass(1);
    expect(platform.log).toEqual(['post user-visible', 'run user-visible']);
  });

  it('it is aborted when nobody waits any more, and nobody hears of that', async () => {
    const platform = stubPostTask();
    const rejections: unknown[] = [];
    const onRejection = (reason: unknown) => rejections.push(reason);
    if (inNode) process.on('unhandledRejection', onRejection);
    background.schedule(run('b')).unsubscribe();
    expect(platform.log).toEqual(['post background', 'abort background']);
    expect(platform.waiting).toEqual([]);
    await turns(3);
    if (inNode) process.off('unhandledRejection', onRejection);
    expect([log, rejections]).toEqual(['', []]);
  });

  it('other tasks of the page go before those who are less urgent', async () => {
    stubPostTask();
    const { pass } = start();
    const { postTask } = (globalThis as unknown as { scheduler: { postTask: (...args: unknown[]) => unknown } })
      .scheduler;
    urgent.schedule(() => {
      run('u')();
      void postTask(run('page'), { priority: 'user-visible', signal: new AbortController().signal });
    });
    background.schedule(run('b'));
    await pass(1);
    expect(log).toBe('u|page|b|');
  });
});

describe('without postTask', () => {
  beforeEach(stubNoPostTask);

  it('one slice is for all', async () => {
    const { pass } = start();
    background.schedule(run('b'));
    visible.schedule(run('v'));
    urgent.schedule(run('u'));
    await pass(1);
    expect(log).toBe('uvb|');
  });

  it('it works where there is no setImmediate either', async () => {
    vi.stubGlobal('setImmediate', undefined);
    await new Promise<void>((resolve) => void background.schedule(() => { resolve(); })); // prettier-ignore
  });

  it.runIf(inNode)('it is cleared when nobody waits any more', () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const actions = [urgent, visible, background].flatMap((each) => [
      each.schedule(run('x')),
      each.schedule(run('x'), 10),
    ]);
    expect(vi.getTimerCount()).toBe(4);
    for (const action of actions) action.unsubscribe();
    expect(vi.getTimerCount()).toBe(0);
  });

  it.runIf(inNode)('a slice that went with the fake timers of another test holds up nobody', async () => {
    vi.useFakeTimers();
    const forgotten = background.schedule(run('forgotten'));
    vi.useRealTimers();
    await new Promise<void>((resolve) => void background.schedule(() => { resolve(); })); // prettier-ignore
    expect(log).toContain('forgotten');
    forgotten.unsubscribe();
  });
});

describe('a million actions', { timeout: 60_000 }, () => {
  beforeEach(stubNoPostTask);

  it('leave the line, first come, last come or in between', () => {
    const actions = Array.from({ length: million }, () => background.schedule(() => undefined));
    for (let i = 0; i < million; i += 3) actions[i]?.unsubscribe();
    for (const action of actions.reverse()) action.unsubscribe();
  });

  it('are one that schedules itself, without a growing stack', async () => {
    const left = await new Promise((resolve) => {
      background.schedule(
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

describe('in tests', () => {
  it('a TestScheduler takes its place', () => {
    const report = (scheduler: Stage['scheduler'] = priorityScheduler('background')) =>
      of('a').pipe(observeOn(scheduler, 2));
    const test = new TestScheduler((actual, expected) => {
      expect(actual).toStrictEqual(expected);
    });
    test.run(({ expectObservable }) => {
      expectObservable(report(test)).toBe('--(a|)');
    });
  });

  it.runIf(inNode)('fake timers move its delays and its slices', () => {
    stubNoPostTask();
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const values: number[] = [];
    interval(10, background).pipe(take(3)).subscribe((value) => values.push(value)); // prettier-ignore
    vi.advanceTimersByTime(25);
    expect(values).toEqual([0, 1]);
    vi.advanceTimersByTime(10);
    expect(values).toEqual([0, 1, 2]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe.runIf(inNode)('a process', { timeout: 60_000 }, () => {
  const folder = '.temp/priorityScheduler';

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
    import { priorityScheduler } from './${folder}/one/schedulers/priorityScheduler.js';
    const scheduler = priorityScheduler('background');
  `;

  beforeAll(async () => {
    const { execFile } = await import('node:child_process');
    const { cpSync } = await import('node:fs');
    const args = ['-p', 'tsconfig.build.json', '--outDir', `${folder}/one`, '--noCheck', '--declaration', 'false', '--declarationMap', 'false']; // prettier-ignore
    await new Promise((resolve) => execFile(process.execPath, ['node_modules/typescript/bin/tsc', ...args], resolve));
    cpSync(`${folder}/one`, `${folder}/other`, { recursive: true });
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

  it('has one line for two copies of the package', async () => {
    const script = `${prelude}
      import { priorityScheduler as other } from './${folder}/other/schedulers/priorityScheduler.js';
      if (other === priorityScheduler) throw new Error('one copy');
      scheduler.schedule(() => console.log('b1'));
      other('background').schedule(() => console.log('b2'));
      scheduler.schedule(() => console.log('b3'));
      other('user-blocking').schedule(() => console.log('u'));
      const left = other('user-visible').schedule(() => console.log('left'));
      of(1).pipe(observeOn(other('user-visible'))).subscribe(() => console.log('v'));
      left.unsubscribe();
    `;
    expect(await runScript(script)).toEqual({ code: 0, out: 'u\nv\nb1\nb2\nb3\n', err: '' });
  });
});
