import { animationFrames, firstValueFrom, map, take, toArray } from 'rxjs';
import { expect, it } from 'vitest';
import { bufferedMergeMap, fromPull, toAsyncIterable } from '../../src/index.js';

it('runs in a browser', () => {
  expect(navigator.userAgent).toContain('Chrome');
});

it('runs the files that are published', () => {
  const files = performance.getEntriesByType('resource').map((entry) => new URL(entry.name).pathname);
  expect(files.filter((file) => file.includes('/dist/esm/operators/'))).not.toEqual([]);
  expect(files.filter((file) => file.startsWith('/src/'))).toEqual([]);
});

it('maps real animation frames', async () => {
  const frames = animationFrames().pipe(
    take(3),
    map((_, index) => index),
    bufferedMergeMap((index) => Promise.resolve(index)),
    toArray(),
  );
  await expect(firstValueFrom(frames)).resolves.toEqual([0, 1, 2]);
});

it('pulls a web stream, and cancels it when it is no longer wanted', async () => {
  let cancelled = false;
  let next = 0;
  const stream = new ReadableStream<number>(
    {
      pull: (controller) => {
        controller.enqueue(next++);
      },
      cancel: () => {
        cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  await expect(firstValueFrom(fromPull(stream).pipe(take(3), toArray()))).resolves.toEqual([0, 1, 2]);
  expect({ next, cancelled }).toEqual({ next: 3, cancelled: true });
});

it('gives the event loop its turn without setImmediate', async () => {
  expect('setImmediate' in globalThis).toBe(false);
  let turns = 0;
  const timer = setInterval(() => {
    turns++;
  });
  const deadline = Date.now() + 100;
  let values = 0;
  for await (const _ of toAsyncIterable(fromPull(untilTime(deadline)))) values++;
  clearInterval(timer);
  expect(values).toBeGreaterThan(1000);
  expect(turns).toBeGreaterThan(1);
});

function* untilTime(deadline: number): Generator<number> {
  for (let i = 0; Date.now() < deadline; i++) yield i;
}
