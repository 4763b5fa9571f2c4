import fc from 'fast-check';
import type { Subscription } from 'rxjs';
import { afterEach, expect, it, vi } from 'vitest';
import { priorityScheduler } from '../../src/schedulers/priorityScheduler.js';
import { stubNoPostTask, stubPostTask } from './platforms.js';
import { Model, programs, startProgram } from './programs.js';
import { inFakeTime } from './stages.js';

const priorities = ['user-blocking', 'user-visible', 'background'] as const;

afterEach(() => {
  vi.unstubAllGlobals();
});

it.each([
  ['with postTask', stubPostTask],
  ['without postTask', stubNoPostTask],
])('runs everything when it is due, by priority and first in, first out, %s', { timeout: 60_000 }, async (_, stub) => {
  await fc.assert(
    fc.asyncProperty(programs, async (roots) => {
      const model = new Model();
      const expected = startProgram(roots, model);
      model.pass(50);

      stub();
      const stage = inFakeTime(() => priorityScheduler('background'), 8);
      const schedulers = priorities.map((priority) => priorityScheduler(priority));
      const actions: Subscription[] = [];
      const log = startProgram(roots, {
        now: () => Date.now(),
        schedule: (lane, work, delay) => {
          const action = schedulers[lane]?.schedule(work, delay, 0) as Subscription;
          actions.push(action);
          return action;
        },
      });
      for (let i = 0; i < 50; i++) await stage.pass(1);
      for (const action of actions) action.unsubscribe();
      expect(stage.left()).toBe(0);
      stage.close?.();
      expect(log).toEqual(expected);
    }),
    { numRuns: 100 },
  );
});
