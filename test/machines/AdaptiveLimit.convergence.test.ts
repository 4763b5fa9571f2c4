import { describe, expect, it } from 'vitest';
import { AimdLimit, GradientLimit, type AdaptiveLimit } from '../../src/machines/AdaptiveLimit.js';

// `npm run bench -- adaptive` shows the same through `bufferedMergeMap`.

/** Serves `capacity` requests at a time, each in `latency` ms on average. */
interface Phase {
  readonly capacity: number;
  readonly latency: number;
}

/** How much work a request is, on average 1. */
const works = {
  even: () => 1,
  uniform: (random: () => number) => 0.5 + random(),
  exponential: (random: () => number) => -Math.log(1 - random()),
};

/** In latencies. */
const settling = 150;
const measured = 400;

/**
 * The throughput of each phase after it has settled, in times of the best that there is: with as many as are served at a time.
 *
 * There is always more to do. What is more than `capacity` shares the server, and costs all of them 1 % each.
 */
function throughputs(limit: AdaptiveLimit, phases: readonly Phase[], work: keyof typeof works, seed: number): number[] {
  const random = randomNumbers(seed);
  const requests: { readonly start: number; readonly due: number }[] = [];
  let now = 0;
  let given = 0; // to each that has been there since the beginning
  return phases.map(({ capacity, latency }) => {
    const begin = now + settling * latency;
    const end = begin + measured * latency;
    let answered = 0;
    while (now < end) {
      while (requests.length < limit.value) requests.push({ start: now, due: given + works[work](random) });
      const running = requests.length;
      const pace = latency * Math.max(1, running / capacity) * (1 + 0.01 * Math.max(0, running - capacity));
      let first = 0;
      for (let i = 1; i < running; i++) if ((requests[i]?.due ?? 0) < (requests[first]?.due ?? 0)) first = i;
      const [next] = requests.splice(first, 1) as [(typeof requests)[number]];
      now += (next.due - given) * pace;
      given = next.due;
      limit.record(now - next.start, running);
      if (now >= begin) answered++;
    }
    return answered / measured / capacity;
  });
}

/** The same for the same seed (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

const limits = {
  gradient: (initial: number) => new GradientLimit({ min: 1, max: 200, initial }, 1.05),
  aimd: (initial: number, latency: number) => new AimdLimit({ min: 1, max: 200, initial }, 1.5 * latency),
};
const algorithms = Object.keys(limits) as (keyof typeof limits)[];

describe.each(algorithms)(
  '%s comes within 15 % of the best throughput, and does so again when the capacity halves and returns',
  (algorithm) => {
    const cases = [2, 4, 8, 16, 32, 64].flatMap((capacity) =>
      [1, 4, Math.min(200, 8 * capacity)].map((initial) => ({ capacity, initial, latency: 10 })),
    );
    cases.push({ capacity: 8, initial: 4, latency: 1 }, { capacity: 8, initial: 4, latency: 1000 });

    it.each(cases)('$capacity at a time, in $latency ms, from $initial', ({ capacity, latency, initial }) => {
      const phases = [capacity, capacity / 2, capacity].map((capacity) => ({ capacity, latency }));
      const run = (work: keyof typeof works, seed: number) =>
        throughputs(limits[algorithm](initial, latency), phases, work, seed);

      for (const throughput of run('even', 0)) expect(throughput).toBeGreaterThan(0.85);
      for (const seed of [1, 2])
        for (const throughput of run('uniform', seed)) expect(throughput).toBeGreaterThan(0.85);

      const runs = [1, 2, 3, 4].map((seed) => run('exponential', seed));
      for (const [i] of phases.entries()) {
        const ofPhase = runs.map((throughputs) => throughputs[i] as number);
        expect(mean(ofPhase)).toBeGreaterThan(0.85);
        expect(Math.min(...ofPhase)).toBeGreaterThan(0.75);
      }
    });
  },
);

describe('gradient finds the latency without load again', () => {
  it.each(['even', 'uniform'] as const)('when all gets slower or faster, with %s work', (work) => {
    const phases = [
      { capacity: 32, latency: 10 },
      { capacity: 32, latency: 30 },
      { capacity: 32, latency: 10 },
      { capacity: 64, latency: 2 },
      { capacity: 8, latency: 10 },
    ];
    for (const seed of [1, 2, 3])
      for (const throughput of throughputs(limits.gradient(4), phases, work, seed))
        expect(throughput).toBeGreaterThan(0.85);
  });

  it('also from a limit that is a hundred times too high', () => {
    const phases = Array.from({ length: 6 }, () => ({ capacity: 2, latency: 10 }));
    const last = throughputs(limits.gradient(200), phases, 'uniform', 1).at(-1);
    expect(last).toBeGreaterThan(0.85);
  });

  it('and does not drift in the long run', () => {
    const phases = Array.from({ length: 20 }, () => ({ capacity: 16, latency: 10 }));
    for (const throughput of throughputs(limits.gradient(4), phases, 'uniform', 1))
      expect(throughput).toBeGreaterThan(0.85);
  });
});

describe('a measurement', () => {
  const answers = (limit: AdaptiveLimit, count: number, latency: number, running = limit.value) => {
    for (let i = 0; i < count; i++) limit.record(latency, running);
    return limit.value;
  };
  /** It has gone up to `max`, and knows what answers take without load. */
  const settled = (max: number) => {
    const limit = new GradientLimit({ min: 1, max, initial: 4 }, 1.05);
    for (let i = 0; i < 1000 && (limit.value < max || i < 100); i++) answers(limit, 1, 10);
    expect(limit.value).toBe(max);
    return limit;
  };

  it('of a limit that was used up once counts as such', () => {
    const aimd = limits.aimd(20, 10);
    answers(aimd, 1, 10, 20);
    expect(answers(aimd, 19, 10, 1)).toBe(21);
  });

  it('of times in which the limit was not used up says nothing of later times', () => {
    const limit = new GradientLimit({ min: 1, max: 10, initial: 10 }, 1.05);
    answers(limit, 10 + 10 + 20 + 50, 10, 10);
    expect(answers(limit, 100, 1000, 4)).toBe(10);
    for (let i = 0; i < 10; i++) expect(answers(limit, 1, 10, 10)).toBe(10);
  });

  it('of the latency without load takes no longer than others where fewer cannot run', () => {
    const limit = limits.gradient(1);
    expect(answers(limit, 1 + 10 + 9, 10)).toBe(1);
    expect(answers(limit, 1, 10)).toBe(2);
  });

  it('takes a tenth off at the most, however slow the answers are', () => {
    const limit = settled(100);
    while (limit.value === 100) answers(limit, 1, 1e6);
    expect(limit.value).toBe(92); // and the queue of 10 that is allowed
  });

  it.each([
    [10, 20, 50],
    [100, 200, 100],
  ])('of the latency without load: from %i, %i answers of the load before and %i more', (initial, before, counted) => {
    const limit = new GradientLimit({ min: 1, max: 200, initial }, 1.05);
    expect(answers(limit, initial + Math.max(initial, 10), 10, initial)).toBe(initial / 2);
    expect(answers(limit, before + counted - 1, 10)).toBe(initial / 2);
    expect(answers(limit, 1, 10)).toBe(initial);
  });
});
