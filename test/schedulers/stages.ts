import type { SchedulerLike, VirtualTimeScheduler } from 'rxjs';
import { vi } from 'vitest';
import { macrotask } from '../../src/internal/macrotask.js';
import type { Stage } from './contract.js';

/** Timers are faked, so that time passes as told; macrotasks and promises are real, and get their turns after each millisecond. */
export function inFakeTime(create: () => SchedulerLike, turnsPerMs = 5): Stage {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'],
  });
  return {
    scheduler: create(),
    pass: async (ms) => {
      const errors: unknown[] = [];
      await turns(turnsPerMs);
      for (let i = 0; i < ms; i++) {
        try {
          vi.advanceTimersByTime(1);
        } catch (error) {
          errors.push(error);
        }
        await turns(turnsPerMs);
      }
      if (errors.length > 0) throw errors[0];
    },
    left: () => vi.getTimerCount(),
    close: () => vi.useRealTimers(),
  };
}

export function inVirtualTime(create: () => VirtualTimeScheduler): Stage {
  const scheduler = create();
  const run = () => {
    scheduler.flush();
  };
  return {
    scheduler,
    pass: async (ms) => {
      scheduler.maxFrames = scheduler.frame + ms;
      scheduler.schedule(() => undefined, ms); // time goes only as far as something is scheduled
      await Promise.resolve().then(run);
    },
    left: () => scheduler.actions.length,
  };
}

/** Gives the event loop some turns. */
export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise<void>((resolve) => macrotask(resolve));
}
