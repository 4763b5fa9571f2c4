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
});
