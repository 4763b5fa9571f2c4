import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FixedWindow } from '../../src/machines/FixedWindow.js';
import type { PermitRule } from '../../src/machines/PermitRule.js';
import { SlidingWindow } from '../../src/machines/SlidingWindow.js';
import { Spaced } from '../../src/machines/Spaced.js';
import { TokenBucket } from '../../src/machines/TokenBucket.js';

interface Taken {
  readonly at: number;
  readonly cost: number;
}

const sum = (taken: readonly Taken[]) => taken.reduce((total, { cost }) => total + cost, 0);
const within = (taken: readonly Taken[], from: number, to: number) =>
  sum(taken.filter(({ at }) => at >= from && at < to));
/** The most in any window that is open at its end; a window that has most begins with a permit. */
const most = (taken: readonly Taken[], interval: number) =>
  Math.max(0, ...taken.map(({ at }) => within(taken, at, at + interval)));

/** Asks for permits one after the other, each as soon as there are any: gives when it had them. */
function takeAll(rule: PermitRule, wishes: readonly { gap: number; cost: number }[]): Taken[] {
  const taken: Taken[] = [];
  let now = 0;
  for (const { gap, cost } of wishes) {
    now += gap;
    for (let delay = rule.delay(now, cost); delay > 0; delay = rule.delay(now, cost)) now += Math.ceil(delay);
    rule.take(now, cost);
    taken.push({ at: now, cost });
  }
  return taken;
}

const programs = fc
  .record({
    limit: fc.integer({ min: 1, max: 9 }),
    interval: fc.constantFrom(1, 2, 3, 7, 10, 100),
    costs: fc.boolean(),
    gaps: fc.array(fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(20), fc.nat(200)), { maxLength: 60 }),
    seed: fc.array(fc.nat(8), { minLength: 60, maxLength: 60 }),
  })
  .map(({ limit, interval, costs, gaps, seed }) => ({
    limit,
    interval,
    wishes: gaps.map((gap, i) => ({ gap, cost: costs ? (seed[i] ?? 0) % (limit + 1) : 1 })),
  }));

describe('SlidingWindow', () => {
  it('gives at most the limit in any interval, and each permit as soon as that allows', () => {
    fc.assert(
      fc.property(programs, ({ limit, interval, wishes }) => {
        const taken = takeAll(new SlidingWindow(limit, interval), wishes);
        expect(most(taken, interval)).toBeLessThanOrEqual(limit);
        let now = 0;
        for (const [i, { at, cost }] of taken.entries()) {
          now += wishes[i]?.gap ?? 0;
          const before = taken.slice(0, i);
          while (within(before, now - interval + 1, now + 1) + cost > limit) now++;
          expect(at).toBe(now);
        }
      }),
    );
  });

  it('frees a permit at t + interval exactly, and not before', () => {
    const window = new SlidingWindow(1, 10);
    window.take(5, 1);
    expect(window.delay(14.999, 1)).toBeCloseTo(0.001);
    expect(window.delay(15, 1)).toBe(0);
  });

  it('says how long until several are free that were taken at several times', () => {
    const window = new SlidingWindow(5, 100);
    for (const at of [0, 10, 20, 30]) window.take(at, 1);
    expect([1, 2, 3, 4, 5].map((cost) => window.delay(40, cost))).toEqual([0, 60, 70, 80, 90]);
  });

  it('where rounding says that an interval has not passed yet, is late and not early', () => {
    const window = new SlidingWindow(1, 0.2);
    window.take(0.1, 1);
    expect(0.1 + 0.2).toBeGreaterThan(0.3);
    expect(window.delay(0.3, 1)).toBeGreaterThan(0);
    expect(window.delay(1.3, 1)).toBe(0);
  });

  it('grows beyond its first size, in the middle of the ring, and is idle when all are free', () => {
    const window = new SlidingWindow(3000, 3000);
    for (let at = 0; at < 9000; at++) {
      expect(window.delay(at, 1)).toBe(0);
      window.take(at, 1);
    }
    expect(window.delay(9000, 1)).toBe(0);
    expect(window.delay(9000, 2)).toBe(1);
    expect(window.isIdle(11_998)).toBe(false);
    expect(window.isIdle(11_999)).toBe(true);
    window.take(12_000, 3000);
    expect(window.delay(12_000, 1)).toBe(3000);
  });

  it('keeps each moment when it grows in the middle of the ring', () => {
    const window = new SlidingWindow(5, 100);
    for (const at of [0, 10, 20, 30]) window.take(at, 1);
    expect(window.delay(105, 1)).toBe(0);
    for (const at of [105, 106]) window.take(at, 1);
    expect([1, 2, 3, 4, 5].map((cost) => window.delay(107, cost))).toEqual([3, 13, 23, 98, 99]);
  });

  it('keeps those of one moment together, and so no more than there are moments', () => {
    const window = new SlidingWindow(1000, 100);
    for (let at = 0; at < 150; at++) for (let i = 0; i < 4; i++) if (window.delay(at, 1) === 0) window.take(at, 1);
    expect(roomOf(window)).toBe(128);
    expect([604, 605, 608, 609].map((cost) => window.delay(150, cost))).toEqual([0, 1, 1, 2]);
  });

  it('does not keep the memory of many moments when all are free, but that of 1024', () => {
    const window = new SlidingWindow(5000, 5000);
    expect(roomOf(window)).toBeLessThanOrEqual(1);
    for (let at = 0; at < 1024; at++) window.take(at, 1);
    expect(window.isIdle(7000)).toBe(true);
    expect(roomOf(window)).toBe(1024);
    for (let at = 0; at < 1025; at++) window.take(7000 + at, 1);
    expect(roomOf(window)).toBe(2048);
    expect(window.isIdle(14_000)).toBe(true);
    expect(roomOf(window)).toBe(1);
  });

  it('keeps nothing of who takes none', () => {
    const window = new SlidingWindow(3, 10);
    window.take(0, 0);
    expect(window.isIdle(0)).toBe(true);
  });
});

/** How many moments it has room for. */
const roomOf = (window: object) => (Object.values(window).find(Array.isArray) as unknown[]).length;

describe('FixedWindow', () => {
  it('gives at most the limit from the first permit of a window to its end', () => {
    fc.assert(
      fc.property(programs, ({ limit, interval, wishes }) => {
        const taken = takeAll(new FixedWindow(limit, interval), wishes);
        expect(most(taken, interval)).toBeLessThanOrEqual(2 * limit);
        let start = -Infinity;
        for (const { at, cost } of taken) {
          if (cost === 0 || at < start + interval) continue;
          start = at;
          expect(within(taken, start, start + interval)).toBeLessThanOrEqual(limit);
        }
      }),
    );
  });

  it('lets twice the limit through where two windows meet, as it says; a sliding window does not', () => {
    const wishes = [0, 99, 0, 0, 1, 0, 0, 0].map((gap) => ({ gap, cost: 1 }));
    const most10 = (rule: PermitRule) => most(takeAll(rule, wishes), 10);
    expect(most10(new FixedWindow(4, 100))).toBe(7);
    expect(most10(new SlidingWindow(4, 100))).toBe(4);
  });

  it('gives permits without delay when its window is over, however long ago', () => {
    const window = new FixedWindow(2, 10);
    window.take(5, 2);
    expect([14, 15, 16, 1000].map((now) => window.delay(now, 2))).toEqual([1, 0, 0, 0]);
  });

  it('is idle from the end of its window on', () => {
    const window = new FixedWindow(2, 10);
    expect(window.isIdle(0)).toBe(true);
    window.take(5, 1);
    expect([window.isIdle(14), window.isIdle(15)]).toEqual([false, true]);
  });
});

describe('TokenBucket', () => {
  it('gives at most burst and limit in any interval', () => {
    fc.assert(
      fc.property(programs, fc.integer({ min: 1, max: 12 }), ({ limit, interval, wishes }, burst) => {
        const affordable = wishes.map(({ gap, cost }) => ({ gap, cost: Math.min(cost, burst) }));
        const taken = takeAll(new TokenBucket(limit, interval, burst), affordable);
        expect(most(taken, interval)).toBeLessThanOrEqual(burst + limit);
      }),
    );
  });

  it('is full at first, and permits come back evenly', () => {
    const bucket = new TokenBucket(2, 10, 3);
    bucket.take(0, 3);
    expect([1, 2, 3].map((cost) => bucket.delay(0, cost))).toEqual([5, 10, 15]);
    expect([1, 2, 3].map((cost) => bucket.delay(7, cost))).toEqual([0, 3, 8]);
    expect(bucket.isIdle(14)).toBe(false);
    expect(bucket.isIdle(15)).toBe(true);
    expect(bucket.delay(1000, 3)).toBe(0);
    bucket.take(1000, 3);
    expect(bucket.delay(1000, 1)).toBe(5);
  });
});

describe('Spaced', () => {
  it('gives at most the limit in any interval, where each takes one', () => {
    fc.assert(
      fc.property(programs, ({ limit, interval, wishes }) => {
        const taken = takeAll(
          new Spaced(limit, interval),
          wishes.map(({ gap }) => ({ gap, cost: 1 })),
        );
        expect(most(taken, interval)).toBeLessThanOrEqual(limit);
        const space = Math.floor(interval / limit);
        for (const [i, { at }] of taken.entries())
          if (i > 0) expect(at - (taken[i - 1]?.at ?? 0)).toBeGreaterThanOrEqual(space);
      }),
    );
  });

  it('saves nothing up, and pauses after several as after one by one', () => {
    const spaced = new Spaced(5, 10);
    spaced.take(0, 3);
    expect(spaced.delay(0, 1)).toBe(6);
    expect(spaced.delay(1000, 1)).toBe(0);
    spaced.take(1000, 1);
    expect(spaced.delay(1000, 1)).toBe(2);
    expect([spaced.isIdle(1001), spaced.isIdle(1002)]).toEqual([false, true]);
  });
});

it.each<[string, (limit: number, interval: number) => PermitRule]>([
  ['SlidingWindow', (limit, interval) => new SlidingWindow(limit, interval)],
  ['FixedWindow', (limit, interval) => new FixedWindow(limit, interval)],
  ['TokenBucket', (limit, interval) => new TokenBucket(limit, interval, 1)],
  ['Spaced', (limit, interval) => new Spaced(limit, interval)],
])(
  '%s reaches the limit with a clock of whole ms, however odd the numbers, and at any time of the epoch',
  (_, create) => {
    for (const epoch of [0, 1_763_900_000_000]) {
      for (const [limit, interval] of [
        [3, 10],
        [7, 1000],
        [700, 1000],
        [3, 1],
      ] as const) {
        const rule = create(limit, interval);
        let count = 0;
        let now = epoch;
        const end = epoch + 20 * interval;
        for (;;) {
          for (let delay = rule.delay(now, 1); delay > 0; delay = rule.delay(now, 1)) now += Math.ceil(delay);
          if (now >= end) break;
          rule.take(now, 1);
          count++;
        }
        expect(count, `${limit} in ${interval}`).toBeGreaterThanOrEqual(20 * limit - 2);
        expect(count).toBeLessThanOrEqual(20 * limit + 3);
      }
    }
  },
);

it.each<[string, PermitRule]>([
  ['SlidingWindow', new SlidingWindow(1, 10)],
  ['FixedWindow', new FixedWindow(1, 10)],
  ['TokenBucket', new TokenBucket(1, 10, 1)],
  ['Spaced', new Spaced(1, 10)],
])('%s lets pass at once what costs nothing, and is as it was before', (_, rule) => {
  rule.take(0, 0);
  expect(rule.isIdle(0)).toBe(true);
  rule.take(5, 1);
  expect(rule.delay(6, 0)).toBe(0);
  rule.take(6, 0);
  expect([rule.delay(14, 1), rule.delay(15, 1)]).toEqual([1, 0]);
});
