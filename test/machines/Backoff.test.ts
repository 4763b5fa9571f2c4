import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Backoff, type BackoffSettings, type Jitter } from '../../src/machines/Backoff.js';

/** Numbers from 0 to 1, the same each time (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const settings = (given: Partial<BackoffSettings>): BackoffSettings => ({
  initialDelay: 100,
  maxDelay: 30_000,
  factor: 2,
  jitter: 'none',
  random: () => 0.5,
  ...given,
});
const take = (count: number, backoff: Backoff) => Array.from({ length: count }, () => backoff.next());

/** How far the samples are from an even spread over 0 to 1: the statistic of Kolmogorov and Smirnov, times the root of their number. */
function unevenness(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const n = sorted.length;
  const distances = sorted.map((x, i) => Math.max((i + 1) / n - x, x - i / n));
  return Math.max(...distances) * Math.sqrt(n);
}
/** One even sample of a thousand is more uneven. */
const critical = 1.95;
const mean = (samples: readonly number[]) => samples.reduce((a, b) => a + b, 0) / samples.length;

describe('Backoff', () => {
  it('grows by the factor up to the longest wait', () => {
    expect(take(11, new Backoff(settings({})))).toEqual([
      100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000,
    ]);
    expect(take(4, new Backoff(settings({ factor: 1.5, initialDelay: 8 })))).toEqual([8, 12, 18, 27]);
    expect(take(3, new Backoff(settings({ factor: 1 })))).toEqual([100, 100, 100]);
    expect(take(3, new Backoff(settings({ initialDelay: 0, jitter: 'full' })))).toEqual([0, 0, 0]);
    expect(take(3, new Backoff(settings({ initialDelay: 500, maxDelay: 500 })))).toEqual([500, 500, 500]);
  });

  it.each<[Jitter, number[]]>([
    ['full', [50, 100, 200, 400]],
    ['equal', [75, 150, 300, 600]],
    ['decorrelated', [200, 350, 575, 912.5]],
    ['none', [100, 200, 400, 800]],
  ])('with jitter %s is what the formula says', (jitter, waits) => {
    const factor = jitter === 'decorrelated' ? 3 : 2;
    expect(take(4, new Backoff(settings({ jitter, factor })))).toEqual(waits);
  });

  it('begins anew when it is reset', () => {
    for (const jitter of ['full', 'equal', 'decorrelated', 'none'] as const) {
      const backoff = new Backoff(settings({ jitter }));
      const first = take(5, backoff);
      backoff.reset();
      expect(take(5, backoff)).toEqual(first);
    }
  });

  it('does not overflow, however often it is asked', () => {
    fc.assert(
      fc.property(
        fc.record({
          jitter: fc.constantFrom<Jitter>('full', 'equal', 'decorrelated', 'none'),
          factor: fc.oneof(fc.double({ min: 1, max: 10, noNaN: true }), fc.constant(Number.MAX_VALUE)),
          initialDelay: fc.nat(1000),
          more: fc.oneof(fc.nat(100_000), fc.constant(2 ** 31 - 1001)),
        }),
        fc.integer(),
        ({ jitter, factor, initialDelay, more }, seed) => {
          const maxDelay = initialDelay + more;
          const backoff = new Backoff({ initialDelay, maxDelay, factor, jitter, random: seeded(seed) });
          const waits = take(1200, backoff);
          const least = { full: 0, equal: initialDelay / 2, decorrelated: initialDelay, none: initialDelay }[jitter];
          for (const wait of waits) {
            expect(wait).toBeGreaterThanOrEqual(least);
            expect(wait).toBeLessThanOrEqual(maxDelay);
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it('is a number also with the largest factor and the least share', () => {
    const random = () => 0;
    for (const jitter of ['full', 'equal', 'decorrelated', 'none'] as const) {
      const waits = take(3, new Backoff(settings({ jitter, factor: Number.MAX_VALUE, random })));
      expect(waits.filter((wait) => !(wait >= 0 && wait <= 30_000))).toEqual([]);
    }
  });

  describe('spreads the waits', () => {
    const runs = 4000;
    /** The wait before the retry of that number, of many who retry. */
    const waitsOf = (jitter: Jitter, retry: number) => {
      const random = seeded(retry);
      return Array.from({ length: runs }, () =>
        take(retry, new Backoff(settings({ jitter, random, factor: 2 }))).at(-1),
      ) as number[];
    };

    it.each([1, 2, 5, 12])('evenly from 0 to the longest with full jitter, before retry %i', (retry) => {
      const longest = Math.min(30_000, 100 * 2 ** (retry - 1));
      const waits = waitsOf('full', retry);
      expect(unevenness(waits.map((wait) => wait / longest))).toBeLessThan(critical);
      expect(mean(waits) / longest).toBeCloseTo(1 / 2, 1);
    });

    it.each([1, 2, 5, 12])('evenly over the upper half with equal jitter, before retry %i', (retry) => {
      const longest = Math.min(30_000, 100 * 2 ** (retry - 1));
      const waits = waitsOf('equal', retry);
      expect(unevenness(waits.map((wait) => (2 * wait) / longest - 1))).toBeLessThan(critical);
      expect(mean(waits) / longest).toBeCloseTo(3 / 4, 1);
    });

    it('evenly from the first wait to three times the one before with decorrelated jitter', () => {
      const backoff = new Backoff(settings({ jitter: 'decorrelated', factor: 3, maxDelay: 1e9, random: seeded(1) }));
      const shares = Array.from({ length: runs }, () => {
        backoff.reset();
        const [before = 0, wait = 0] = take(5, backoff).slice(-2);
        return (wait - 100) / (3 * before - 100);
      });
      expect(unevenness(shares)).toBeLessThan(critical);
    });

    it('with decorrelated jitter: in the long run two thirds of those after the longest wait are the longest, too', () => {
      const backoff = new Backoff(settings({ jitter: 'decorrelated', factor: 3, random: seeded(2) }));
      const waits = take(20_000, backoff);
      const after = waits.filter((_, i) => waits[i - 1] === 30_000);
      const longest = after.filter((wait) => wait === 30_000);
      expect(longest.length / after.length).toBeCloseTo(2 / 3, 1);
    });

    it('and the test can tell: the decorrelated ones are not even from 0 to the longest', () => {
      const waits = waitsOf('decorrelated', 3);
      expect(unevenness(waits.map((wait) => wait / Math.max(...waits)))).toBeGreaterThan(critical);
    });
  });
});
