import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AgeingLine } from '../../src/machines/AgeingLine.js';
import type { Listed } from '../../src/machines/LinkedList.js';

class Member implements Listed<Member> {
  previous: Member | undefined;
  following: Member | undefined;

  constructor(readonly lane: number) {}
}

const patience = [0, 20, 100];

type Step =
  | { readonly do: 'come'; readonly lane: number }
  | { readonly do: 'leave'; readonly which: number }
  | { readonly do: 'run'; readonly ms: number };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('come' as const), lane: fc.nat({ max: 2 }) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), which: fc.nat() }) },
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant('run' as const), ms: fc.constantFrom(0, 0.1, 0.5, 1, 5, 30) }),
    },
  ),
  { maxLength: 150, size: 'max' },
);

it('gives those of a lane first in, first out, and lets no lane stand behind others for longer than its patience', () => {
  fc.assert(
    fc.property(steps, (steps) => {
      const line = new AgeingLine<Member>(patience);
      const waiting: Member[][] = [[], [], []];
      /** For how long others before it have run since it came to wait or ran last. */
      const stood = [0, 0, 0];

      for (const step of steps) {
        if (step.do === 'come') {
          const member = new Member(step.lane);
          line.lanes[step.lane]?.add(member);
          waiting[step.lane]?.push(member);
        } else if (step.do === 'leave') {
          const all = waiting.flat();
          const member = all[step.which % all.length];
          if (!member) continue;
          line.lanes[member.lane]?.remove(member);
          waiting[member.lane] = waiting[member.lane]?.filter((each) => each !== member) ?? [];
        } else {
          const lane = line.next();
          const foremost = waiting.findIndex(({ length }) => length > 0);
          expect(line.foremost()).toBe(foremost);
          expect(lane < 0).toBe(foremost < 0);
          if (lane < 0) continue;
          // Not another one before those who have waited for long enough, and of these the last lane.
          for (let other = lane + 1; other < 3; other++)
            if (waiting[other]?.length) expect(stood[other]).toBeLessThan(patience[other] as number);
          const first = waiting[lane]?.shift();
          expect(line.lanes[lane]?.first).toBe(first);
          line.lanes[lane]?.remove(first as Member);
          line.ran(lane, step.ms);
          for (let other = lane; other < 3; other++)
            stood[other] = other === lane || waiting[other]?.length === 0 ? 0 : (stood[other] as number) + step.ms;
        }
      }
      for (const [lane, members] of waiting.entries()) expect([...(line.lanes[lane] ?? [])]).toEqual(members);
    }),
    { numRuns: 100 },
  );
});

it('is strict while nobody has waited for long', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 2 }), { maxLength: 100 }), (comers) => {
      const line = new AgeingLine<Member>(patience);
      for (const lane of comers) line.lanes[lane]?.add(new Member(lane));
      const order: number[] = [];
      for (let lane = line.next(); lane >= 0; lane = line.next()) {
        line.lanes[lane]?.remove(line.lanes[lane]?.first as Member);
        line.ran(lane, 0.1); // 10 ms in all at most
        order.push(lane);
      }
      expect(order).toEqual([...comers].sort((a, b) => a - b));
    }),
  );
});

describe('while all lanes are full,', () => {
  /** How much time each lane has had. */
  function share(durations: readonly [number, number, number], total: number): number[] {
    const line = new AgeingLine<Member>(patience);
    for (const lane of [0, 1, 2]) line.lanes[lane]?.add(new Member(lane));
    const had = [0, 0, 0];
    for (let time = 0; time < total;) {
      const lane = line.next();
      const ms = durations[lane] as number;
      time += ms;
      had[lane] = (had[lane] as number) + ms;
      line.ran(lane, ms);
    }
    return had;
  }

  it.each([[[0.01, 0.01, 0.01]], [[1, 0.1, 0.1]], [[0.1, 1, 1]], [[5, 0.5, 0.2]]] as const)(
    'of %j ms each, the lower ones have 1 ms in 20 and 1 ms in 100',
    (durations) => {
      const [first = 0, second = 0, third = 0] = share([...durations], 5000);
      expect(second / first).toBeCloseTo(1 / 20, 2);
      expect(third / first).toBeCloseTo(1 / 100, 2);
    },
  );

  it('who takes longer has used up one turn, and no more', () => {
    const [first = 0, second = 0] = share([1, 10, 1], 100_000);
    expect(second / first).toBeCloseTo(10 / 20, 1);
  });
});

it('asks a lane that was empty to wait as long as any', () => {
  const line = new AgeingLine<Member>(patience);
  line.lanes[0]?.add(new Member(0));
  const member = new Member(1);
  line.lanes[1]?.add(member);
  line.ran(0, 20);
  expect(line.next()).toBe(1);
  line.lanes[1]?.remove(member);
  line.ran(0, 1);
  line.lanes[1]?.add(member);
  expect(line.next()).toBe(0);
});

it('does not make up for what was waited before a rest', () => {
  const line = new AgeingLine<Member>(patience);
  line.lanes[0]?.add(new Member(0));
  line.lanes[2]?.add(new Member(2));
  line.ran(0, 100);
  expect(line.next()).toBe(2);
  line.rest();
  expect(line.next()).toBe(0);
});

it('does not charge for the time in which nobody else waited', () => {
  const line = new AgeingLine<Member>(patience);
  line.lanes[2]?.add(new Member(2));
  for (let i = 0; i < 1000; i++) line.ran(2, 10);
  line.lanes[0]?.add(new Member(0));
  line.ran(0, 99);
  expect(line.next()).toBe(0);
  line.ran(0, 1);
  expect(line.next()).toBe(2);
});

it('does not pay back later how long one action took', () => {
  const line = new AgeingLine<Member>(patience);
  line.lanes[0]?.add(new Member(0));
  line.lanes[1]?.add(new Member(1));
  line.ran(0, 5000);
  line.ran(1, 1);
  expect(line.next()).toBe(0);
});
