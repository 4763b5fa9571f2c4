import fc from 'fast-check';
import type { Subscription } from 'rxjs';
import { afterEach, expect, it, vi } from 'vitest';
import { idleScheduler } from '../../src/schedulers/idleScheduler.js';
import { stubIdleLoop, stubNoIdleCallback } from './platforms.js';
import { Model, programs, startProgram } from './programs.js';
import { inFakeTime } from './stages.js';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

it.each([
  ['slices are long', () => { stubIdleLoop(); }, 3, 200], // prettier-ignore
  ['slices are of one action', () => { stubIdleLoop(() => 0); }, 60, 20], // prettier-ignore
  ['nobody tells who is idle', stubNoIdleCallback, 3, 200],
])(
  'runs everything when it is due, first in, first out, where %s',
  { timeout: 60_000 },
  async (_, stub, turnsPerMs, numRuns) => {
    await fc.assert(
      fc.asyncProperty(programs, async (roots) => {
        const model = new Model();
        const expected = startProgram(roots, {
          now: () => model.now(),
          schedule: (_lane, work, delay) => model.schedule(0, work, delay),
        });
        model.pass(50);

        stub();
        const { scheduler, pass, left, close } = inFakeTime(() => idleScheduler({ timeout: 10 }), turnsPerMs);
        const actions: Subscription[] = [];
        const log = startProgram(roots, {
          now: () => scheduler.now(),
          schedule: (_lane, work, delay) => {
            const action = scheduler.schedule(work, delay, 0);
            actions.push(action);
            return action;
          },
        });
        for (let i = 0; i < 50; i++) await pass(1);
        for (const action of actions) action.unsubscribe();
        expect(left()).toBe(0);
        close?.();
        expect(log).toEqual(expected);
      }),
      { numRuns },
    );
  },
);

type Step =
  | { readonly do: 'schedule'; readonly delay: number }
  | { readonly do: 'unsubscribe'; readonly which: number }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'idle'; readonly count: number };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('schedule' as const), delay: fc.constantFrom(0, 0, 3, 15) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('unsubscribe' as const), which: fc.nat() }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.nat({ max: 12 }) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('idle' as const), count: fc.nat({ max: 3 }) }) },
  ),
  { maxLength: 60 },
);

interface Waiting {
  readonly id: number;
  readonly due: number;
  readonly action: Subscription;
}

it('lets nobody wait for longer than the timeout, and nobody run earlier than there is time', () => {
  const timeout = 10;
  fc.assert(
    fc.property(steps, (steps) => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
      let request: { callback: IdleRequestCallback; timer: ReturnType<typeof setTimeout> | undefined } | undefined;
      const call = (didTimeout: boolean, timeRemaining: () => number) => {
        const { callback, timer } = request ?? {};
        clearTimeout(timer);
        request = undefined;
        callback?.({ didTimeout, timeRemaining });
      };
      vi.stubGlobal('requestIdleCallback', (callback: IdleRequestCallback, options: IdleRequestOptions) => {
        expect(request).toBe(undefined);
        const timer = setTimeout(() => { call(true, () => 0); }, options.timeout); // prettier-ignore
        request = { callback, timer };
      });
      vi.stubGlobal('cancelIdleCallback', () => {
        clearTimeout(request?.timer);
        request = undefined;
      });

      const scheduler = idleScheduler({ timeout });
      const begin = Date.now();
      const now = () => Date.now() - begin;
      let waiting: Waiting[] = [];
      let ran = 0;
      let ids = 0;
      for (const step of steps) {
        if (step.do === 'schedule') {
          const id = ids++;
          const due = now() + step.delay;
          const action = scheduler.schedule(() => {
            ran++;
            const first = [...waiting].sort((a, b) => a.due - b.due || a.id - b.id)[0];
            expect(id).toBe(first?.id);
            expect(now()).toBeGreaterThanOrEqual(due);
            expect(now() - due).toBeLessThanOrEqual(timeout);
            waiting = waiting.filter((each) => each.id !== id);
          }, step.delay);
          waiting.push({ id, due, action });
        } else if (step.do === 'unsubscribe') {
          const one = waiting[step.which % waiting.length];
          one?.action.unsubscribe();
          waiting = waiting.filter((each) => each !== one);
        } else if (step.do === 'pass') {
          vi.advanceTimersByTime(step.ms);
        } else {
          ran = 0;
          const due = waiting.filter((each) => each.due <= now()).length;
          let left = step.count;
          call(false, () => Math.max(0, left--));
          expect(ran).toBe(Math.min(due, step.count + 1));
        }
        expect(request !== undefined).toBe(waiting.some((each) => each.due <= now()));
      }
      for (const { action } of waiting) action.unsubscribe();
      expect(request).toBe(undefined);
      expect(vi.getTimerCount()).toBe(0);
      vi.useRealTimers();
    }),
    { numRuns: 300 },
  );
});
