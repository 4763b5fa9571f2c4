import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Heap, type Ranked } from '../../src/machines/Heap.js';

class Member implements Ranked {
  place = -1;

  constructor(
    readonly rank: number,
    readonly arrival: number,
  ) {}
}

const inOrder = (members: readonly Member[]) =>
  [...members].sort((a, b) => (a.rank < b.rank ? -1 : a.rank > b.rank ? 1 : a.arrival - b.arrival));

type Step =
  | { readonly do: 'push'; readonly rank: number }
  | { readonly do: 'shift' }
  | { readonly do: 'remove'; readonly which: number };

const ranks = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.double({ noNaN: true }),
  fc.constantFrom(-Infinity, Infinity),
);
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('push' as const), rank: ranks }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('shift' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), which: fc.nat() }) },
  ),
  { maxLength: 300, size: 'max' },
);

it('gives the lowest first, of the same rank the first that came, whoever is taken out from between', () => {
  fc.assert(
    fc.property(steps, (steps) => {
      const heap = new Heap<Member>();
      let model: Member[] = [];

      for (const [arrival, step] of steps.entries()) {
        if (step.do === 'push') {
          const member = new Member(step.rank, arrival);
          heap.push(member);
          model.push(member);
        } else if (model.length > 0) {
          const expected = step.do === 'shift' ? inOrder(model)[0] : model[step.which % model.length];
          if (step.do === 'shift') expect(heap.shift()).toBe(expected);
          else heap.remove(expected as Member);
          expect(expected?.place).toBe(-1);
          model = model.filter((member) => member !== expected);
        }
        expect(heap.size).toBe(model.length);
      }
      expect(new Set(model.map(({ place }) => place))).toEqual(new Set(model.keys()));
      expect(model.map(() => heap.shift())).toEqual(inOrder(model));
      expect(heap.size).toBe(0);
    }),
    { numRuns: 300 },
  );
});

it('lets go of what has left', () => {
  const heap = new Heap<Member>();
  const members = [3, 1, 2].map((rank) => new Member(rank, rank));
  for (const member of members) heap.push(member);
  heap.remove(members[0] as Member);
  heap.shift();
  heap.shift();
  expect(JSON.stringify(heap)).toBe('{"members":[]}');
});

it('costs little for each, however many there are', () => {
  const heap = new Heap<Member>();
  const count = 50_000; // minutes, if each that leaves made it look through the others
  const members = Array.from({ length: count }, (_, i) => new Member((i * 7919) % count, i));
  for (const member of members) heap.push(member);
  for (const member of members.slice(0, count / 2)) heap.remove(member);
  let last = -Infinity;
  while (heap.size > 0) {
    const { rank } = heap.shift();
    if (rank < last) throw new Error('not in order');
    last = rank;
  }
});
