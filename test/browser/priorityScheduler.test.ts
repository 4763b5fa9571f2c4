import { observeOn, range, type SchedulerAction } from 'rxjs';
import { expect, it, vi } from 'vitest';
import { priorityScheduler } from '../../src/schedulers/priorityScheduler.js';

const priorities = ['background', 'user-visible', 'user-blocking'] as const;

interface PlatformScheduler {
  postTask<T>(task: () => T, options: { priority: (typeof priorities)[number] }): Promise<T>;
}
const { scheduler: platform } = globalThis as unknown as { scheduler: PlatformScheduler };

const busyFor = (ms: number) => {
  for (const end = performance.now() + ms; performance.now() < end;);
};

it('runs user-blocking actions before user-visible ones, and those before background ones', async () => {
  const log: string[] = [];
  await new Promise<void>((resolve) => {
    for (const priority of priorities) {
      for (const i of [1, 2]) priorityScheduler(priority).schedule(() => log.push(`${priority} ${String(i)}`));
    }
    priorityScheduler('background').schedule(() => { resolve(); }); // prettier-ignore
  });
  expect(log).toEqual([
    'user-blocking 1',
    'user-blocking 2',
    'user-visible 1',
    'user-visible 2',
    'background 1',
    'background 2',
  ]);
});

it('stands among the tasks of the page, with the same priorities', async () => {
  const log: string[] = [];
  await new Promise<void>((resolve) => {
    for (const priority of priorities) void platform.postTask(() => log.push(`page ${priority}`), { priority });
    for (const priority of priorities) priorityScheduler(priority).schedule(() => log.push(`own ${priority}`));
    priorityScheduler('background').schedule(() => { resolve(); }); // prettier-ignore
  });
  const rank = (entry: string) => priorities.findIndex((priority) => entry.endsWith(priority));
  expect(log.slice(0, 4).map(rank)).toEqual([2, 2, 1, 1]);
  expect([...log].sort()).toEqual(priorities.flatMap((p) => [`own ${p}`, `page ${p}`]).sort());
});

it('lets a user-blocking task of the page go before background actions that wait', async () => {
  const scheduler = priorityScheduler('background');
  let before = 0;
  let left = 50;
  const done = new Promise<void>((resolve) => {
    scheduler.schedule(function (this: SchedulerAction<unknown>) {
      busyFor(1);
      if (left === 50) void platform.postTask(() => (before = left), { priority: 'user-blocking' });
      if (--left > 0) this.schedule();
      else resolve();
    });
  });
  await done;
  expect(before).toBeGreaterThan(0); // it did not wait until all had run
});

it('posts one task for each slice, not for each action', async () => {
  const posted = vi.spyOn(platform, 'postTask');
  const passed = await new Promise<number>((resolve) => {
    let count = 0;
    range(0, 10_000)
      .pipe(observeOn(priorityScheduler('user-visible')))
      .subscribe({ next: () => count++, complete: () => { resolve(count); } }); // prettier-ignore
  });
  const tasks = posted.mock.calls.length;
  posted.mockRestore();
  expect(passed).toBe(10_000);
  expect(tasks).toBeGreaterThan(0);
  expect(tasks).toBeLessThan(1000);
});

it('leaves no rejection when it is unsubscribed', async () => {
  const rejections: unknown[] = [];
  const onRejection = (event: PromiseRejectionEvent) => rejections.push(event.reason);
  addEventListener('unhandledrejection', onRejection);
  for (const priority of priorities)
    priorityScheduler(priority)
      .schedule(() => rejections.push('ran'))
      .unsubscribe();
  await platform.postTask(() => undefined, { priority: 'background' });
  await new Promise((resolve) => setTimeout(resolve));
  removeEventListener('unhandledrejection', onRejection);
  expect(rejections).toEqual([]);
});

it('lets background actions have their turn while user-blocking ones go on', async () => {
  const spinning = priorityScheduler('user-blocking').schedule(function (this: SchedulerAction<unknown>) {
    busyFor(0.2);
    this.schedule();
  });
  await new Promise<void>((resolve) => void priorityScheduler('background').schedule(() => { resolve(); })); // prettier-ignore
  await new Promise<void>((resolve) => void priorityScheduler('user-visible').schedule(() => { resolve(); })); // prettier-ignore
  spinning.unsubscribe();
});
