import fc from 'fast-check';
import { config, VirtualTimeScheduler, type SchedulerAction, type Subscription } from 'rxjs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { pacedScheduler } from '../../src/schedulers/pacedScheduler.js';

/** `RUNS=20 npx vitest run test/properties` looks for the rare ones. */
const times = Number(process.env['RUNS'] ?? 1);

/** What an action does when it runs. */
interface Plan {
  readonly delay: number;
  /** With these delays it schedules itself again. */
  readonly again: readonly number[];
  readonly children: readonly Plan[];
  /** Which of the actions that have been scheduled so far it unsubscribes: the n-th last, if there are as many. */
  readonly unsubscribes: number | undefined;
  /** At the end of its first run. */
  readonly throws: boolean;
}

const delays = fc.oneof(fc.constant(0), fc.nat({ max: 12 }));
const planWith = (children: fc.Arbitrary<readonly Plan[]>) =>
  fc.record({
    delay: delays,
    again: fc.array(delays, { maxLength: 3 }),
    children,
    unsubscribes: fc.option(fc.nat({ max: 6 }), { nil: undefined, freq: 2 }),
    throws: fc.nat({ max: 9 }).map((n) => n === 0),
  });
const leaves = planWith(fc.constant([]));
const branches = planWith(fc.array(leaves, { maxLength: 3 }));
const plans = planWith(fc.array(branches, { maxLength: 3 }));

/** One wait of an action, from when it joins the line. */
interface Wait {
  readonly action: number;
  readonly joins: number;
  /** Among those that join at once. */
  readonly order: number;
  readonly delayed: boolean;
  starts: number | undefined;
}

interface Outcome {
  /** In the order of the starts. */
  readonly started: readonly Wait[];
  /** Who still waits when all is over. */
  readonly lost: readonly Wait[];
  readonly threw: number;
  readonly left: number;
}

interface Program {
  readonly limit: number;
  readonly interval: number;
  readonly roots: readonly Plan[];
  /** From outside, whatever runs: when, and which of the actions that have been scheduled so far. */
  readonly leaving: readonly { readonly at: number; readonly which: number }[];
}

function play({ limit, interval, roots, leaving }: Program, options: object = {}): Outcome {
  const virtual = new VirtualTimeScheduler();
  const scheduler = pacedScheduler({ limit, interval, scheduler: virtual, ...options });
  const actions: Subscription[] = [];
  const waiting = new Map<number, Wait>();
  const started: Wait[] = [];
  let order = 0;
  let threw = 0;
  const wait = (action: number, delay: number, beat = 0) => {
    const joins = virtual.now() + delay - Math.min(beat, delay);
    waiting.set(action, { action, joins, order: order++, delayed: delay > 0, starts: undefined });
  };
  const unsubscribe = (which: number) => {
    const action = actions.length - 1 - which;
    actions[action]?.unsubscribe();
    waiting.delete(action);
  };
  const start = (plan: Plan): void => {
    const id = actions.length;
    const work = function (this: SchedulerAction<number>, round = 0) {
      const own = waiting.get(id);
      if (!own) throw new Error('it runs and did not wait');
      waiting.delete(id);
      own.starts = virtual.now();
      started.push(own);
      const again = plan.again[round];
      if (again !== undefined) {
        const last = round === 0 ? plan.delay : plan.again[round - 1];
        wait(id, again, again === last ? virtual.now() - own.joins : 0);
        this.schedule(round + 1, again);
      }
      if (round === 0) plan.children.forEach(start);
      if (plan.unsubscribes !== undefined) unsubscribe(plan.unsubscribes);
      if (round > 0 || !plan.throws) return;
      threw++;
      waiting.delete(id);
      throw new Error('work');
    };
    wait(id, plan.delay);
    actions.push(scheduler.schedule(work, plan.delay, 0));
  };
  roots.forEach(start);
  for (const { at, which } of leaving) virtual.schedule(() => { unsubscribe(which); }, at); // prettier-ignore
  virtual.flush();
  return { started, lost: [...waiting.values()], threw, left: virtual.actions.length };
}

const programs = fc.record({
  limit: fc.integer({ min: 1, max: 4 }),
  interval: fc.constantFrom(1, 3, 10, 25),
  roots: fc.array(plans, { minLength: 1, maxLength: 8 }),
  leaving: fc.array(fc.record({ at: fc.nat(60), which: fc.nat(20) }), { maxLength: 5 }),
});

let unhandled = 0;

beforeEach(() => {
  vi.useFakeTimers();
  config.onUnhandledError = () => unhandled++;
});
afterEach(() => {
  config.onUnhandledError = null;
  vi.useRealTimers();
});

/** The most starts in any interval that is open at its end; where it is most, it begins with one. */
const most = (starts: readonly number[], interval: number) =>
  Math.max(0, ...starts.map((at) => starts.filter((each) => each >= at && each < at + interval).length));

function expectInOrder(numbers: readonly number[]): void {
  expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
}

function expectNothingLost({ lost, threw, left }: Outcome): void {
  unhandled = 0;
  vi.runAllTimers();
  expect({ lost, left, threw }).toEqual({ lost: [], left: 0, threw: unhandled });
}

it('never starts more than the limit in an interval, starts each as soon as it may, in order, and loses nothing', () => {
  fc.assert(
    fc.property(programs, (program) => {
      const { limit, interval } = program;
      const outcome = play(program);
      const { started } = outcome;
      const starts = started.map(({ starts = NaN }) => starts);
      expect(most(starts, interval)).toBeLessThanOrEqual(limit);
      // The whole of it: whoever is next starts when it has joined and the permit is free that the limit-th last start took.
      const expected = started.map(({ joins }, i) =>
        Math.max(joins, starts[i - 1] ?? 0, (starts[i - limit] ?? -Infinity) + interval),
      );
      expect(starts).toEqual(expected);
      expectInOrder(started.map(({ joins }) => joins));
      const atOnce = started.filter(({ delayed }) => !delayed).map(({ order }) => order);
      expectInOrder(atOnce);
      expectNothingLost(outcome);
    }),
    { numRuns: 400 * times },
  );
});

it.each([
  ['token-bucket', (limit: number) => 2 * limit],
  ['spaced', (limit: number) => limit],
  ['fixed-window', (limit: number) => 2 * limit],
] as const)('with %s it starts no more than that allows, in order, and loses nothing', (algorithm, bound) => {
  fc.assert(
    fc.property(programs, (program) => {
      const outcome = play(program, { algorithm });
      const starts = outcome.started.map(({ starts = NaN }) => starts);
      expect(most(starts, program.interval)).toBeLessThanOrEqual(bound(program.limit));
      expectInOrder(outcome.started.map(({ joins }) => joins));
      expectNothingLost(outcome);
    }),
    { numRuns: 100 * times },
  );
});
