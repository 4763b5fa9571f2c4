import { asapScheduler, lastValueFrom, observeOn, tap, type SchedulerLike } from 'rxjs';
import { cdp } from 'vitest/browser';
import { beforeAll, expect, it } from 'vitest';
import { demandWindow } from '../../src/operators/demandWindow.js';
import { cooperativeScheduler } from '../../src/schedulers/cooperativeScheduler.js';
import { fromPull } from '../../src/sources/fromPull.js';

// One million values through `observeOn(scheduler)`, in a page that somebody clicks on. The two programs differ in the
// scheduler and in nothing else. The source gives no turn to the event loop of its own accord (`slice: Infinity`), and does not
// run ahead, because each action that waits costs RxJS more the more of them wait: at most 100 values are inside `observeOn`,
// and the next ones come in by an action of the same scheduler, so that its line is never empty before the last value. So
// whether the page has its turn is up to the scheduler alone.

const values = 1_000_000;

function* numbers(): Generator<number> {
  for (let i = 0; i < values; i++) yield i;
}

const pipeline = (scheduler: SchedulerLike) =>
  fromPull(numbers(), { slice: Infinity }).pipe(demandWindow(100, observeOn(scheduler), { scheduler }));

/** What the browser calls a long task, in ms. */
const long = 50;
/** Between the answer of the page and the next click, in ms. */
const pause = 50;

interface Click {
  /** Whether the browser had it while values passed. */
  readonly isInTime: boolean;
  /** From when the browser had it until the page handled it, in ms. */
  readonly delay: number;
}

/** Times are in ms. */
interface Run {
  /** How many values came, each after its predecessor. */
  readonly inOrder: number;
  readonly duration: number;
  /** The durations of those that the browser reports to the page. */
  readonly longTasks: readonly number[];
  /** The longest of all tasks, as the browser's trace has it. */
  readonly longest: number;
  /** The most that a task has used of the processor. The rest of its duration is a wait for the processor, which others had. */
  readonly busiest: number;
  readonly frames: number;
  /** That were handled while values passed. */
  readonly handled: readonly Click[];
  /** The first that was handled when all were through. */
  readonly after: Click | undefined;
}

async function measure(scheduler: SchedulerLike): Promise<Run> {
  const trace = await startTrace();
  const longTasks = observeLongTasks();
  const clicks: { readonly event: MouseEvent; readonly at: number }[] = [];
  const user = startClicking((event) => clicks.push({ event, at: performance.now() }));
  const frames = countFrames();
  let inOrder = 0;
  const { startTime: begin } = performance.mark('begin');
  await lastValueFrom(pipeline(scheduler).pipe(tap((value) => { if (value === inOrder) inOrder++; }))); // prettier-ignore
  const { startTime: end } = performance.mark('end');
  const shown = frames.stop();
  await user.stop();
  const tasks = await trace.stop();
  const clickOf = ({ event, at }: (typeof clicks)[number]): Click => ({
    isInTime: event.timeStamp > begin && event.timeStamp < end,
    delay: at - event.timeStamp,
  });
  const late = clicks.find(({ at }) => at > end);
  return {
    inOrder,
    duration: end - begin,
    longTasks: longTasks.stop(begin, end),
    longest: Math.max(...tasks.map(({ duration }) => duration)),
    busiest: Math.max(...tasks.map(({ used }) => used)),
    frames: shown,
    handled: clicks.filter(({ at }) => at <= end).map(clickOf),
    after: late && clickOf(late),
  };
}

/** What the browser's trace has of an event; in µs. */
interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur?: number;
  /** Of the processor. */
  readonly tdur?: number;
}

interface Devtools {
  send(method: string, params?: object): Promise<unknown>;
  on(event: string, listener: (payload: { value: TraceEvent[] }) => void): void;
  off(event: string, listener: (payload: { value: TraceEvent[] }) => void): void;
}

const devtools = cdp() as unknown as Devtools;

async function startTrace() {
  const events: TraceEvent[] = [];
  const collect = ({ value }: { value: TraceEvent[] }) => events.push(...value);
  devtools.on('Tracing.dataCollected', collect);
  await devtools.send('Tracing.start', {
    traceConfig: {
      includedCategories: ['disabled-by-default-devtools.timeline', 'blink.user_timing'],
      excludedCategories: ['*'],
    },
    transferMode: 'ReportEvents',
  });
  return {
    /** The tasks of this page's thread that are between the marks, or around one of them; in ms. */
    stop: async () => {
      const complete = new Promise<void>((resolve) => {
        const onComplete = () => {
          devtools.off('Tracing.tracingComplete', onComplete);
          resolve();
        };
        devtools.on('Tracing.tracingComplete', onComplete);
      });
      await devtools.send('Tracing.end');
      await complete;
      devtools.off('Tracing.dataCollected', collect);
      const begin = events.find(({ name }) => name === 'begin') as TraceEvent;
      const end = events.find(({ name }) => name === 'end') as TraceEvent;
      return events
        .filter(({ name, pid, tid }) => name === 'RunTask' && pid === begin.pid && tid === begin.tid)
        .filter(({ ts, dur = 0 }) => ts < end.ts && ts + dur > begin.ts)
        .map(({ dur = 0, tdur = dur }) => ({ duration: dur / 1000, used: tdur / 1000 }));
    },
  };
}

/** The user clicks, and clicks again some time after the page has answered. The clicks are real: they come from the browser. */
function startClicking(onClick: (event: MouseEvent) => void) {
  let again: ReturnType<typeof setTimeout> | undefined;
  let sent = click();
  const handle = (event: MouseEvent) => {
    onClick(event);
    again = setTimeout(() => {
      sent = click();
    }, pause);
  };
  addEventListener('click', handle);
  return {
    /** Clicks no more, when what is under way has been handled. */
    stop: async () => {
      await sent;
      await turn();
      clearTimeout(again);
      removeEventListener('click', handle);
      await sent;
    },
  };
}

async function click(): Promise<void> {
  const frame = window.frameElement?.getBoundingClientRect(); // the test runner shows this page in a frame
  const place = { x: (frame?.x ?? 0) + 20, y: (frame?.y ?? 0) + 20, button: 'left', clickCount: 1 };
  await Promise.all([
    devtools.send('Input.dispatchMouseEvent', { type: 'mousePressed', ...place }),
    devtools.send('Input.dispatchMouseEvent', { type: 'mouseReleased', ...place }),
  ]);
}

function observeLongTasks() {
  const entries: PerformanceEntry[] = [];
  const observer = new PerformanceObserver((list) => entries.push(...list.getEntries()));
  observer.observe({ type: 'longtask' });
  return {
    /** The durations of those that touch this time. They are told a little later. */
    stop: (begin: number, end: number) => {
      entries.push(...observer.takeRecords());
      observer.disconnect();
      return entries
        .filter(({ startTime, duration }) => startTime < end && startTime + duration > begin)
        .map(({ duration }) => duration);
    },
  };
}

function countFrames() {
  let frames = 0;
  let next = requestAnimationFrame(function count() {
    frames++;
    next = requestAnimationFrame(count);
  });
  return {
    stop: () => {
      cancelAnimationFrame(next);
      return frames;
    },
  };
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 100));

/** For the documentation. */
function told(name: string, run: Run): string {
  const { duration, longest, busiest, longTasks, frames, handled, after } = run;
  const ms = (time: number) => `${time.toFixed(time < 100 ? 1 : 0)} ms`;
  return [
    `${name}: ${values.toLocaleString('en')} values in ${ms(duration)}`,
    `longest task ${ms(longest)} (busiest: ${ms(busiest)}), long tasks reported: ${longTasks.map(ms).join(', ') || 'none'}`,
    `${String(frames)} frames`,
    handled.length > 0
      ? `${String(handled.length)} clicks handled meanwhile, the slowest after ${ms(Math.max(...handled.map(({ delay }) => delay)))}`
      : `no click handled meanwhile${after ? `, the first after ${ms(after.delay)}` : ''}`,
  ].join('; ');
}

/** Until a run is as it has to be, or it was tried often enough. What holds in every run, however noisy, is in `always`. */
async function attempt(
  name: string,
  scheduler: () => SchedulerLike,
  { isAsExpected, always }: { isAsExpected: (run: Run) => boolean; always?: (run: Run, runs: string) => void },
) {
  const runs: string[] = [];
  for (;;) {
    const run = await measure(scheduler());
    runs.push(told(name, run));
    console.log(runs.at(-1));
    expect(run.inOrder).toBe(values);
    always?.(run, runs.join('\n'));
    if (isAsExpected(run) || runs.length === 5) return { run, runs: runs.join('\n') };
  }
}

beforeAll(async () => {
  // The first click lasts longer, and shows that they arrive; the page may have to be drawn before.
  let arrived = false;
  const handle = () => (arrived = true);
  addEventListener('click', handle);
  while (!arrived) {
    await click();
    await turn();
  }
  removeEventListener('click', handle);
});

it('observeOn(cooperativeScheduler()): the longest task stays under 50 ms, and input is handled', async () => {
  // A task lasts longer when the processor is given to others in the middle of it. So each run must have no task that has
  // itself used 50 ms, which does not hang on others; and one of five must have no task that has lasted for 50 ms.
  const { run, runs } = await attempt('cooperativeScheduler()', () => cooperativeScheduler(), {
    always: ({ busiest }, told) => {
      expect(busiest, told).toBeLessThan(long);
    },
    isAsExpected: ({ longest, longTasks, handled }) => longest < long && longTasks.length === 0 && handled.length > 3,
  });
  expect(run.longTasks, runs).toEqual([]);
  expect(run.longest, runs).toBeLessThan(long);
  expect(run.handled.filter(({ isInTime }) => isInTime).length, runs).toBeGreaterThan(3);
}, 120_000);

it('observeOn(asapScheduler): it is one long task, and input waits until the last value is through', async () => {
  const { run, runs } = await attempt('asapScheduler', () => asapScheduler, {
    always: ({ busiest, handled }, told) => {
      expect(busiest, told).toBeGreaterThan(long);
      expect(handled, told).toEqual([]);
    },
    isAsExpected: ({ after, longTasks }) => after?.isInTime === true && longTasks.length === 1,
  });
  expect(run.longTasks, runs).toHaveLength(1);
  expect(run.longTasks[0], runs).toBeGreaterThan(long);
  expect(run.longest, runs).toBeGreaterThan(run.duration * 0.9);
  expect(run.after, runs).toMatchObject({ isInTime: true });
}, 120_000);
