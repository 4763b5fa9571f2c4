import fc from 'fast-check';
import { VirtualTimeScheduler, type SchedulerAction, type Subscription } from 'rxjs';
import { expect, it } from 'vitest';
import { cooperativeScheduler } from '../../src/schedulers/index.js';
import type { Stage } from './contract.js';
import { inFakeTime, inVirtualTime } from './stages.js';

/** What an action does when it runs. */
interface Plan {
  readonly delay: number;
  /** With these delays it schedules itself again. */
  readonly again: readonly number[];
  readonly children: readonly Plan[];
  /** Which of the actions that have been scheduled so far it unsubscribes: the n-th last, if there are as many. */
  readonly unsubscribes: number | undefined;
}

const delays = fc.nat({ max: 4 });
const planWith = (children: fc.Arbitrary<readonly Plan[]>) =>
  fc.record({
    delay: delays,
    again: fc.array(delays, { maxLength: 3 }),
    children,
    unsubscribes: fc.option(fc.nat({ max: 4 }), { nil: undefined }),
  });
const leaves = planWith(fc.constant([]));
const branches = planWith(fc.array(leaves, { maxLength: 3 }));
const plans = planWith(fc.array(branches, { maxLength: 3 }));

/** Says what has run, and when. */
async function run(roots: readonly Plan[], stage: Stage): Promise<string[]> {
  const { scheduler, pass } = stage;
  const log: string[] = [];
  const actions: Subscription[] = [];
  const begin = scheduler.now();
  const start = (plan: Plan): void => {
    const id = actions.length;
    const work = function (this: SchedulerAction<number>, round = 0) {
      log.push(`${String(id)}/${String(round)}@${String(scheduler.now() - begin)}`);
      const again = plan.again[round];
      if (again !== undefined) this.schedule(round + 1, again);
      if (round === 0) plan.children.forEach(start);
      if (plan.unsubscribes !== undefined) actions.at(-1 - plan.unsubscribes)?.unsubscribe();
    };
    actions.push(scheduler.schedule(work, plan.delay, 0));
  };
  roots.forEach(start);
  for (let i = 0; i < 50; i++) await pass(1); // more than four delays for each of three generations
  stage.close?.();
  return log;
}

it.each([
  { slices: 'long', budget: 8, turnsPerMs: 3, numRuns: 200 },
  { slices: 'of one action', budget: Number.MIN_VALUE, turnsPerMs: 60, numRuns: 20 },
])(
  'runs everything in the order and at the time of VirtualTimeScheduler: slices $slices',
  { timeout: 60_000 },
  async ({ budget, turnsPerMs, numRuns }) => {
    await fc.assert(
      fc.asyncProperty(fc.array(plans, { minLength: 1, maxLength: 4 }), async (roots) => {
        const virtual = inVirtualTime(() => new VirtualTimeScheduler());
        const expected = await run(roots, virtual);
        const cooperative = inFakeTime(() => cooperativeScheduler({ budget }), turnsPerMs);
        expect(await run(roots, cooperative)).toEqual(expected);
      }),
      { numRuns },
    );
  },
);
