import { expect, it } from 'vitest';
import { SteadyTime } from '../../src/machines/SteadyTime.js';

it('goes with the clock, and stands still when that is set back', () => {
  const time = new SteadyTime();
  expect([1000, 1010, 10, 15, 15, 20, 2000].map((clock) => time.at(clock))).toEqual([
    1000, 1010, 1010, 1015, 1015, 1020, 3000,
  ]);
});

it('never goes back, also by rounding', () => {
  const time = new SteadyTime();
  let last = time.at(0.1);
  for (const clock of [0.3, 0.1, 0.2, 1e9 + 0.1, 0.7, 0.7, 0.1]) {
    const now = time.at(clock);
    expect(now).toBeGreaterThanOrEqual(last);
    last = now;
  }
});
