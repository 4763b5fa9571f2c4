import fc from 'fast-check';
import type { SchedulerAction, Subscription } from 'rxjs';

/** What an action does when it runs. */
export interface Plan {
  readonly lane: number;
  readonly delay: number;
  /** With these delays it schedules itself again. */
  readonly again: readonly number[];
  readonly children: readonly Plan[];
  /** Which of the actions that have been scheduled so far it unsubscribes, or schedules again: the n-th last, if there are as many. */
  readonly unsubscribes: number | undefined;
  readonly reschedules: number | undefined;
}

const delays = fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.nat({ max: 4 }));
const someone = fc.option(fc.nat({ max: 4 }), { nil: undefined });
const planWith = (children: fc.Arbitrary<readonly Plan[]>) =>
  fc.record({
    lane: fc.nat({ max: 2 }),
    delay: delays,
    again: fc.array(delays, { maxLength: 3 }),
    children,
    unsubscribes: someone,
    reschedules: someone,
  });
const leaves = planWith(fc.constant([]));
const branches = planWith(fc.array(leaves, { maxLength: 3 }));
export const programs = fc.array(planWith(fc.array(branches, { maxLength: 3 })), { minLength: 1, maxLength: 4 });

/** The part of a scheduler that a program needs. */
export interface World {
  schedule(lane: number, work: (this: SchedulerAction<number>, round?: number) => void, delay: number): Subscription;
  now(): number;
}

/** Starts it, and gives where it notes what has run, and when. */
export function startProgram(roots: readonly Plan[], world: World): string[] {
  const log: string[] = [];
  const actions: { readonly action: Subscription; readonly plan: Plan; rounds: number }[] = [];
  const begin = world.now();
  const add = (plan: Plan): void => {
    const id = actions.length;
    const own = {} as (typeof actions)[number];
    actions.push(own);
    const action = world.schedule(
      plan.lane,
      function (this: SchedulerAction<number>) {
        const round = own.rounds++;
        log.push(`${String(id)}/${String(round)}@${String(world.now() - begin)}`);
        const again = plan.again[round];
        if (again !== undefined) this.schedule(0, again);
        if (round === 0) plan.children.forEach(add);
        if (plan.unsubscribes !== undefined) actions.at(-1 - plan.unsubscribes)?.action.unsubscribe();
        const other = plan.reschedules === undefined ? undefined : actions.at(-1 - plan.reschedules);
        if (other && round < 3) (other.action as SchedulerAction<number>).schedule(0, plan.delay);
      },
      plan.delay,
    );
    Object.assign(own, { action, plan, rounds: 0 });
  };
  roots.forEach(add);
  return log;
}

interface Item {
  readonly lane: number;
  readonly run: () => void;
  due: number;
  order: number;
}

/** Says plainly what should run when: whoever is due, the most urgent first, of these the first that came. */
export class Model implements World {
  private time = 0;
  private order = 0;
  private items: Item[] = [];

  now(): number {
    return this.time;
  }

  schedule(lane: number, work: (this: SchedulerAction<number>) => void, delay: number): Subscription {
    let closed = false;
    const wait = (ms: number) => {
      if (closed) return;
      this.items = this.items.filter((each) => each !== item);
      item.due = this.time + ms;
      item.order = this.order++;
      this.items.push(item);
    };
    const action = {
      schedule: (_: unknown, ms = 0) => { wait(ms); }, // prettier-ignore
      unsubscribe: () => {
        closed = true;
        this.items = this.items.filter((each) => each !== item);
      },
    } as unknown as SchedulerAction<number>;
    const item: Item = { lane, run: () => { work.call(action); }, due: 0, order: 0 }; // prettier-ignore
    wait(delay);
    return action;
  }

  /** What is due at the same time has been in line in the order in which it was scheduled. */
  pass(ms: number): void {
    for (const end = this.time + ms; ; this.time++) {
      for (;;) {
        const due = this.items.filter((each) => each.due <= this.time);
        const next = due.sort((a, b) => a.lane - b.lane || a.due - b.due || a.order - b.order)[0];
        if (!next) break;
        this.items = this.items.filter((each) => each !== next);
        next.run();
      }
      if (this.time >= end) return;
    }
  }
}
