import { expect, it } from 'vitest';
import { growthOf, mostGrowth, warmUp } from '../../soak/memory.mjs';

/** 100 samples of `level`, more by `rise` at the end, after 25 that are lower while it warms up. */
const run = (rise: number, requests = 3 * warmUp) => ({
  warmAt: 25,
  requests,
  memory: Array.from({ length: 125 }, (_, i) => (i < 25 ? 30 : 100) + (i % 7) + (rise * i) / 124),
});

it('sees a leak, and no leak in noise or in what it takes to start', () => {
  expect(growthOf(run(0))).toBeCloseTo(1, 1);
  expect(growthOf(run(0))).toBeLessThan(mostGrowth);
  expect(growthOf(run(100))).toBeGreaterThan(mostGrowth);
});

it('says nothing of a run that has done little', () => {
  expect(growthOf(run(100, 2 * warmUp - 1))).toBeUndefined();
  expect(growthOf({ warmAt: undefined, requests: 5, memory: [1, 2] })).toBeUndefined();
});
