import { describe, expect, it } from 'vitest';
import { Slice } from '../../src/machines/Slice.js';

/** After how many values each slice is over, by a clock that stands at `now(value)`. */
function lengths(size: number, values: number, now: (value: number) => number): number[] {
  const slice = new Slice(size);
  const found: number[] = [];
  let length = 0;
  for (let value = 0; value < values; length++) {
    if (slice.isOver(() => now(value))) {
      found.push(length);
      length = -1; // the value is asked for once more
    } else value++;
  }
  return found;
}

describe('Slice', () => {
  it('is over after so many values', () => {
    expect(lengths(3, 10, () => 0)).toEqual([3, 3, 3]);
    expect(lengths(1, 3, () => 0)).toEqual([1, 1]);
  });

  it('is over after 10 ms, by a clock that is read at every 16th value', () => {
    expect(lengths(1000, 100, (value) => value)).toEqual([16, 16, 16, 16, 16, 16]);
    expect(lengths(1000, 100, (value) => value / 2)).toEqual([32, 32, 32]);
    expect(lengths(1000, 33, (value) => (value * 10) / 16)).toEqual([16, 16]);
    expect(lengths(1000, 100, (value) => value / 10)).toEqual([]);
  });

  it('begins anew with its own start', () => {
    expect(lengths(20, 100, (value) => value / 2)).toEqual([20, 20, 20, 20]);
  });

  it('is never over if it is infinite, and reads no clock', () => {
    expect(lengths(Infinity, 100_000, () => expect.fail())).toEqual([]);
  });
});
