import { NEVER, of, Subject } from 'rxjs';
import { expect, it } from 'vitest';
import { gather } from '../../src/sinks/gather.js';
import { heapGrowth, isCollected } from './support.js';

it('lets tasks go that have run, while others still run', async () => {
  const last = new Subject<number>();
  let gathering: Promise<unknown> | undefined;
  const collected = await isCollected(async () => {
    const large = {};
    gathering = gather([() => (large ? of(1) : NEVER), () => last]);
    return large;
  });
  expect(collected).toBe(true);
  last.next(2);
  last.complete();
  expect(await gathering).toEqual([1, 2]);
});

it('is kept by no signal', async () => {
  const { signal } = new AbortController();
  const failing = new Subject<never>();
  const collected = await isCollected(async () => {
    const large = {};
    const gathering = gather([() => (large ? failing : NEVER), () => NEVER], { signal }).catch(() => undefined);
    failing.error(new Error());
    await gathering;
    return large;
  });
  expect(collected).toBe(true);
  expect(signal.aborted).toBe(false);
});

it('does not grow with use', async () => {
  const { signal } = new AbortController();
  const growth = await heapGrowth(async () => {
    await gather([async () => ({}), () => of({}), async (context) => context.signal.aborted], {
      signal,
      concurrent: 2,
    });
    await gather([async () => Promise.reject(new Error()), (context) => (context.signal.aborted ? of(1) : NEVER)], {
      signal,
    }).catch(() => undefined);
  });
  expect(growth).toBeLessThan(64 * 1024);
});
