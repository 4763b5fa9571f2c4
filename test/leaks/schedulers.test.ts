import type { SchedulerLike } from 'rxjs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { cooperativeScheduler } from '../../src/schedulers/cooperativeScheduler.js';
import { idleScheduler } from '../../src/schedulers/idleScheduler.js';
import { priorityScheduler } from '../../src/schedulers/priorityScheduler.js';
import { stubIdleLoop, stubPostTask } from '../schedulers/platforms.js';
import { heapGrowth, heapUsed, isCollected } from './support.js';

interface Case {
  readonly name: string;
  readonly create: () => SchedulerLike;
  readonly stub?: () => unknown;
}

const cases: readonly Case[] = [
  { name: 'cooperativeScheduler', create: () => cooperativeScheduler() },
  { name: 'priorityScheduler', create: () => priorityScheduler('background') },
  {
    name: 'priorityScheduler with postTask',
    create: () => priorityScheduler('background'),
    stub: () => stubPostTask(false),
  },
  { name: 'idleScheduler', create: () => idleScheduler({ timeout: 1000 }) },
  {
    name: 'idleScheduler with requestIdleCallback',
    create: () => idleScheduler({ timeout: 1000 }),
    stub: () => {
      stubIdleLoop();
    },
  },
];

describe.each(cases)('$name', { timeout: 60_000 }, ({ create, stub }) => {
  const start = (): SchedulerLike => {
    stub?.();
    onTestFinished(() => void vi.unstubAllGlobals());
    return create();
  };

  it('keeps nothing of a million actions that were scheduled and unsubscribed', async () => {
    const scheduler = start();
    const round = () => {
      const stays = scheduler.schedule(() => undefined); // so that the slice does, too
      for (let i = 0; i < 500_000; i++) {
        scheduler.schedule(() => undefined, 0, { large: true }).unsubscribe();
        scheduler.schedule(() => undefined, Infinity, { large: true }).unsubscribe();
      }
      for (let i = 0; i < 1000; i++) scheduler.schedule(() => undefined, 60_000, { large: true }).unsubscribe();
      stays.unsubscribe();
    };
    round();
    const before = await heapUsed();
    round();
    expect((await heapUsed()) - before).toBeLessThan(1024 * 1024); // a million of a byte each
  });

  it('keeps nothing of slices that come and go', async () => {
    const scheduler = start();
    const growth = await heapGrowth(async () => {
      scheduler.schedule(() => undefined).unsubscribe();
      scheduler.schedule(() => undefined, 0, { large: true });
      await new Promise<void>((resolve) => void scheduler.schedule(() => { resolve(); })); // prettier-ignore
    }, 500);
    expect(growth).toBeLessThan(64 * 1024);
  });

  it('keeps neither the state nor the work of an action that somebody keeps', async () => {
    const scheduler = start();
    const kept: unknown[] = [];
    const makers = [
      () => {
        const state = {};
        const action = scheduler.schedule(() => undefined, 60_000, state);
        action.unsubscribe();
        kept.push(action);
        return state;
      },
      () => {
        const work = () => undefined;
        const action = scheduler.schedule(work);
        action.unsubscribe();
        kept.push(action);
        return work;
      },
      async () => {
        const state = {};
        kept.push(scheduler.schedule(() => undefined, 0, state));
        await new Promise<void>((resolve) => void scheduler.schedule(() => { resolve(); })); // prettier-ignore
        return state;
      },
    ];
    for (const make of makers) expect(await isCollected(make)).toBe(true);
    expect(kept).toHaveLength(3);
  });

  it('is checked by what can fail', async () => {
    const scheduler = start();
    const kept: { unsubscribe(): void }[] = [];
    const collected = await isCollected(() => {
      const state = {};
      kept.push(scheduler.schedule(() => undefined, 60_000, state));
      return state;
    });
    expect(collected).toBe(false);
    kept[0]?.unsubscribe();
  });
});
