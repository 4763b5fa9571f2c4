import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AimdLimit, GradientLimit, type AdaptiveLimit, type LimitRange } from '../../src/machines/AdaptiveLimit.js';

const range = (initial: number, max = 200, min = 1): LimitRange => ({ min, max, initial });

/** So many answers of work that uses all slots. */
function answer(limit: AdaptiveLimit, latency: number, count = 1): number {
  for (let i = 0; i < count; i++) limit.record(latency, limit.value);
  return limit.value;
}

/** So many answers of a server that serves `capacity` at a time, each in 10 ms: the values that the limit had meanwhile. */
function serve(limit: AdaptiveLimit, capacity: number, count = 20_000): number[] {
  return Array.from({ length: count }, () => {
    const running = limit.value;
    limit.record(10 * Math.max(1, running / capacity), running);
    return limit.value;
  });
}

/** How many answers it takes until the limit is another, and which. */
function untilChange(limit: AdaptiveLimit, latency: number, running?: number): [answers: number, value: number] {
  const { value } = limit;
  let answers = 0;
  do {
    limit.record(latency, running ?? limit.value);
    answers++;
  } while (limit.value === value && answers < 10_000);
  return [answers, limit.value];
}

const ranges: fc.Arbitrary<LimitRange> = fc
  .tuple(fc.integer({ min: 1, max: 10 }), fc.nat(50), fc.nat(50))
  .map(([min, more, evenMore]) => ({ min, initial: min + more, max: min + more + evenMore }));
const records = fc.array(
  fc.record({
    latency: fc.oneof(fc.constant(0), fc.nat(20), fc.double({ min: 0, max: 1e9, noNaN: true })),
    used: fc.double({ min: 0, max: 1, noNaN: true }),
    times: fc.integer({ min: 1, max: 60 }),
  }),
  { maxLength: 40, size: 'max' },
);

describe.each<[string, (range: LimitRange) => AdaptiveLimit]>([
  ['AimdLimit', (range) => new AimdLimit(range, 15)],
  ['GradientLimit', (range) => new GradientLimit(range, 1.05)],
])('%s', (_, create) => {
  it('is always a whole number from min to max, whatever it is told', () => {
    fc.assert(
      fc.property(ranges, records, (range, records) => {
        const limit = create(range);
        expect(limit.value).toBe(range.initial);
        for (const { latency, used, times } of records) {
          for (let i = 0; i < times; i++) {
            limit.record(latency, 1 + Math.floor(used * (limit.value - 1)));
            const { value } = limit;
            if (!(Number.isInteger(value) && value >= range.min && value <= range.max)) expect(value).toBe(range);
          }
        }
      }),
    );
  });

  it.each([1, 4, 20])('goes up to max, from %i, while all is well and all slots are used', (initial) => {
    expect(Math.max(...serve(create(range(initial, 20)), 1000))).toBe(20);
  });

  it('does not go up while it is not used up', () => {
    const limit = create(range(10));
    const values = Array.from({ length: 5000 }, () => (limit.record(5, 4), limit.value));
    expect(Math.max(...values)).toBe(10);
  });

  it.each([4, 200])('comes to about what the server can serve, from %i', (initial) => {
    const limit = create(range(initial));
    serve(limit, 32);
    const values = serve(limit, 32, 5000);
    expect(Math.max(...values)).toBeLessThan(2 * 32);
    const mean = values.reduce((sum, value) => sum + value) / values.length;
    expect(mean).toBeGreaterThan(0.8 * 32);
  });

  it('follows when the server can serve fewer, and more again', () => {
    const limit = create(range(4));
    serve(limit, 64);
    serve(limit, 8);
    expect(Math.max(...serve(limit, 8, 5000))).toBeLessThan(2 * 8 + 8);
    serve(limit, 64);
    expect(Math.max(...serve(limit, 64, 5000))).toBeGreaterThan(0.8 * 64);
  });

  it('does not fall below min, however slow all gets', () => {
    const limit = create(range(50, 200, 7));
    expect(Math.min(...serve(limit, 0.01))).toBe(7);
  });

  it('goes on where answers take no time that could be measured', () => {
    const limit = create(range(4, 20));
    const values = Array.from({ length: 5000 }, () => answer(limit, 0));
    expect(Math.max(...values)).toBe(20);
  });
});

describe('AimdLimit', () => {
  it('one more after as many answers as there are slots, but ten at least', () => {
    const few = new AimdLimit(range(4), 100);
    expect([answer(few, 100, 9), answer(few, 100)]).toEqual([4, 5]);
    const many = new AimdLimit(range(20), 100);
    expect([answer(many, 100, 19), answer(many, 100)]).toEqual([20, 21]);
  });

  it('a tenth less when they take too long on an average', () => {
    const limit = new AimdLimit(range(50), 100);
    expect([answer(limit, 100.1, 49), answer(limit, 100.1)]).toEqual([50, 45]);
    const other = new AimdLimit(range(50), 100);
    answer(other, 1000);
    expect(answer(other, 50, 49)).toBe(51);
  });

  it('its slots are in use when at one time half of them were', () => {
    const limit = new AimdLimit(range(50), 100);
    limit.record(100, 24);
    for (let i = 0; i < 49; i++) limit.record(100, 1);
    expect(limit.value).toBe(50);
    limit.record(100, 25);
    for (let i = 0; i < 49; i++) limit.record(100, 1);
    expect(limit.value).toBe(51);
  });

  it('then answers of work that was started before do not count', () => {
    const limit = new AimdLimit(range(50), 100);
    for (let i = 0; i < 50; i++) limit.record(200, 50);
    expect(limit.value).toBe(45);
    for (let running = 50; running > 0; running--) limit.record(200, running);
    for (let i = 0; i < 44; i++) limit.record(200, 45);
    expect(limit.value).toBe(45);
    limit.record(200, 45);
    expect(limit.value).toBe(40);
  });
});

describe('GradientLimit', () => {
  it('measures what answers take without load with half as many', () => {
    const values = serve(new GradientLimit(range(64), 1.05), 1000, 2000);
    expect(values.slice(0, 128)).toContain(32);
    expect(values.slice(128).every((value) => value >= 64 || value === 32)).toBe(true);
  });

  it('knows no latency that is too long by itself', () => {
    const limit = new GradientLimit(range(4, 20), 1.05);
    const values = Array.from({ length: 5000 }, () => answer(limit, 60_000));
    expect(Math.max(...values)).toBe(20);
  });

  it('takes what is within the tolerance for normal', () => {
    const ups = (tolerance: number) => {
      const limit = new GradientLimit(range(64, 66), tolerance);
      answer(limit, 10, 1000);
      return Array.from({ length: 400 }, () => answer(limit, 14)).every((value) => value === 66 || value < 40);
    };
    expect([ups(1.5), ups(1.05)]).toEqual([true, false]);
  });

  describe('with 64 slots', () => {
    /** It knows that answers take `noLoad`. */
    function measured(noLoad: number, tolerance = 1.5, { max = 1000, min = 1 } = {}): GradientLimit {
      const limit = new GradientLimit(range(64, max, min), tolerance);
      untilChange(limit, noLoad);
      answer(limit, noLoad, 192);
      return limit;
    }

    it('passes over the first 64 answers, judges 64, passes over twice as many as ran, and measures 64', () => {
      const limit = new GradientLimit(range(64), 1.5);
      answer(limit, 1000, 64);
      expect([answer(limit, 10, 63), answer(limit, 10)]).toEqual([64, 32]);
      answer(limit, 1000, 128);
      expect([answer(limit, 8, 63), answer(limit, 8)]).toEqual([32, 64]); // not less than 0.8 of 10
      expect(untilChange(limit, 12)).toEqual([64, 72]); // not more than 1.5 of 8
    });

    it('halves again when half as many are much faster, and then measures 50 answers', () => {
      const limit = new GradientLimit(range(64), 1.5);
      expect(untilChange(limit, 10)).toEqual([128, 32]);
      expect(untilChange(limit, 7.9)).toEqual([192, 16]);
      expect(untilChange(limit, 7)).toEqual([114, 32]);
      expect(untilChange(limit, 10.5)).toEqual([32, 37]);
    });

    it('does not halve again when answers take no time that could be measured', () => {
      const limit = new GradientLimit(range(64), 1.5);
      expect(untilChange(limit, 10)).toEqual([128, 32]);
      expect(untilChange(limit, 0)).toEqual([192, 64]);
    });

    it.each([
      [15, 64, 'that is about what they take without load'],
      [15.1, 16, 'that is faster, but still too slow'],
    ])('when half as many take %d ms instead of 50, and once took 10: %d, %s', (latency, value) => {
      const limit = measured(10, 10, { max: 64 });
      expect(untilChange(limit, 50)).toEqual([101 * 64, 32]);
      expect(untilChange(limit, latency)).toEqual([192, value]);
    });

    it.each([
      [10, 72], // up by the square root
      [15, 72],
      [15.5, 69], // 64 * 15 / 15.5 + 8
      [20, 62], // a fifth of the way to 64 * 15 / 20 + 8
      [30, 59], // a fifth of the way to 64 / 2 + 8
      [60, 59], // not to less
    ])('when answers take %d ms instead of 10: %d', (latency, value) => {
      expect(untilChange(measured(10), latency)).toEqual([64, value]);
    });

    it('measures anew after a hundred windows', () => {
      const limit = measured(10, 1.5, { max: 64 });
      for (let i = 0; i < 2; i++) {
        expect(untilChange(limit, 10)).toEqual([101 * 64, 32]);
        expect(untilChange(limit, 10)).toEqual([192, 64]);
      }
    });

    it.each([
      [7.9, 6],
      [8, 101],
    ])('measures anew, when answers take %d ms instead of 10, in window %d', (latency, windows) => {
      const limit = measured(10, 1.5, { max: 64 });
      expect(untilChange(limit, latency)).toEqual([windows * 64, 32]);
    });

    it('measures anew when it has come down to less than half', () => {
      const limit = measured(10);
      const values = Array.from({ length: 11 }, () => untilChange(limit, 1000)[1]);
      expect(values).toEqual([59, 54, 50, 47, 43, 40, 37, 35, 33, 30, 15]);
    });

    it('does not when it has come down to half, which is the least', () => {
      const limit = measured(10, 1.5, { min: 32 });
      answer(limit, 1000, 1000);
      expect(limit.value).toBe(32);
      answer(limit, 1000, 32 * 50);
      expect(limit.value).toBe(32);
    });

    it('measures with no fewer than min, and where fewer cannot run, what it has', () => {
      expect(untilChange(new GradientLimit(range(64, 200, 40), 1.5), 10)).toEqual([128, 40]);
      const limit = new GradientLimit(range(64, 200, 64), 1.5);
      expect(untilChange(limit, 10)).toEqual([192, 72]);
    });

    it('does not judge while fewer than half of the slots are used', () => {
      const limit = new GradientLimit(range(64), 1.5);
      answer(limit, 10, 64);
      for (let i = 0; i < 64; i++) limit.record(10, 31);
      expect(untilChange(limit, 10, 32)).toEqual([64, 32]);
    });
  });
});
