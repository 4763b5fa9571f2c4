import { count, lastValueFrom, observeOn, range } from 'rxjs';
import { expect, it, vi } from 'vitest';
import { idleScheduler } from '../../src/schedulers/idleScheduler.js';

const busyFor = (ms: number) => {
  for (const end = performance.now() + ms; performance.now() < end;);
};

/** Keeps the event loop busy, with short tasks, until it is told to stop. */
function keepBusy(): () => void {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    busyFor(2);
    port2.postMessage(undefined);
  };
  port2.postMessage(undefined);
  return () => {
    port1.close();
  };
}

it('runs all, in order, when the page is idle', async () => {
  const log: number[] = [];
  const scheduler = idleScheduler();
  await new Promise<void>((resolve) => {
    for (let i = 0; i < 10; i++) scheduler.schedule(() => log.push(i));
    scheduler.schedule(() => { resolve(); }); // prettier-ignore
  });
  expect(log).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

it('ends a slice when the browser says that there is no more time', async () => {
  const asked = vi.spyOn(globalThis, 'requestIdleCallback');
  const scheduler = idleScheduler();
  const passed = lastValueFrom(range(0, 40).pipe(observeOn(scheduler), count()));
  const slow = Array.from({ length: 40 }, () => new Promise<void>((resolve) => void scheduler.schedule(() => { busyFor(5); resolve(); }))); // prettier-ignore
  await Promise.all(slow);
  const slices = asked.mock.calls.length;
  asked.mockRestore();
  expect(await passed).toBe(40);
  expect(slices).toBeGreaterThanOrEqual(3); // 200 ms, of at most 50 ms each
  expect(slices).toBeLessThanOrEqual(42);
});

it('runs after the timeout although the page is busy', async () => {
  const stop = keepBusy();
  const scheduler = idleScheduler({ timeout: 20 });
  const log: number[] = [];
  await new Promise<void>((resolve) => {
    for (let i = 0; i < 10; i++) scheduler.schedule(() => log.push(i));
    scheduler.schedule(() => { resolve(); }); // prettier-ignore
  });
  stop();
  expect(log).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

it('cancels the callback when nobody waits any more', async () => {
  const scheduler = idleScheduler();
  let ran = false;
  scheduler.schedule(() => (ran = true)).unsubscribe();
  await new Promise((resolve) => requestIdleCallback(resolve));
  await new Promise((resolve) => requestIdleCallback(resolve));
  expect(ran).toBe(false);
});
