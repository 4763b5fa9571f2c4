import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ArrivalOrder, SourceOrder, type ResultLine } from '../../src/machines/ResultLine.js';

/** What waits, as one array in the order of arrival. */
class Model {
  /** In the order in which they were taken. */
  readonly slots: { readonly name: string; open: boolean }[] = [];
  waiting: { readonly slot: string; readonly result: number }[] = [];

  constructor(private readonly ordered: boolean) {}

  /** The slot whose turn it is: the first that is open, or for which something waits. */
  get turn(): string | undefined {
    return this.slots.find(({ name, open }) => open || this.of(name).length > 0)?.name;
  }

  of(slot: string): typeof this.waiting {
    return this.waiting.filter((each) => each.slot === slot);
  }

  mayPass(slot: string): boolean {
    return this.isClear(slot) && (!this.ordered || slot === this.turn);
  }

  isClear(slot: string): boolean {
    return (this.ordered ? this.of(slot) : this.waiting).length === 0;
  }

  get first(): { readonly slot: string; readonly result: number } | undefined {
    return this.ordered ? this.of(this.turn ?? '')[0] : this.waiting[0];
  }

  takeFirst(): void {
    const { first } = this;
    this.waiting = this.waiting.filter((each) => each !== first);
  }

  get inOrder(): number[] {
    const waiting = this.ordered ? this.slots.flatMap(({ name }) => this.of(name)) : this.waiting;
    return waiting.map(({ result }) => result);
  }
}

type Step =
  { readonly do: 'open' } | { readonly do: 'take first' } | { readonly do: 'push' | 'close'; readonly slot: number };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 2, arbitrary: fc.record({ do: fc.constant('open' as const) }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('push' as const), slot: fc.nat({ max: 9 }) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('close' as const), slot: fc.nat({ max: 9 }) }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('take first' as const) }) },
  ),
  { maxLength: 100, size: 'max' },
);

describe.each([
  ['ArrivalOrder', false, () => new ArrivalOrder<string, number>()],
  ['SourceOrder', true, () => new SourceOrder<string, number>()],
])('%s', (_, ordered, create: () => ResultLine<string, number>) => {
  it('lets results go in its order, and none before its turn', () => {
    fc.assert(
      fc.property(steps, (steps) => {
        const line = create();
        const model = new Model(ordered);
        let next = 0;

        for (const step of steps) {
          if (step.do === 'open') {
            const name = `slot ${model.slots.length}`;
            line.open(name);
            model.slots.push({ name, open: true });
          } else if (step.do === 'take first') {
            const { first } = model;
            if (first) {
              const delivered: typeof model.waiting = [];
              line.takeFirst((result, slot) => delivered.push({ slot, result }));
              expect(delivered).toEqual([first]);
              model.takeFirst();
            }
          } else {
            const open = model.slots.filter((slot) => slot.open);
            const slot = open[step.slot % open.length];
            if (slot && step.do === 'push') {
              line.push(next, slot.name);
              model.waiting.push({ slot: slot.name, result: next++ });
            } else if (slot) {
              line.close(slot.name);
              slot.open = false;
            }
          }
          expect(line.size).toBe(model.waiting.length);
          expect(line.hasFirst).toBe(model.first !== undefined);
          for (const { name } of model.slots.filter((slot) => slot.open)) {
            expect(line.mayPass(name)).toBe(model.mayPass(name));
            expect(line.isClear(name)).toBe(model.isClear(name));
          }
        }
        expect(line.takeAll()).toEqual(model.inOrder);
        expect(line.size).toBe(0);
      }),
      { numRuns: 300 },
    );
  });
});

it('SourceOrder bears a slot that is asked for, or closed again, once it has gone', () => {
  const line = new SourceOrder<string, number>();
  line.open('gone');
  line.close('gone');
  line.close('gone');
  expect([line.mayPass('gone'), line.isClear('gone'), line.hasFirst]).toEqual([false, true, false]);
});

it('SourceOrder forgets a slot when its last result has gone', () => {
  const line = new SourceOrder<object, number>();
  for (let i = 0; i < 100; i++) {
    const slot = {};
    line.open(slot);
    line.push(i, slot);
    line.close(slot);
    line.takeFirst(() => {});
  }
  expect(slotsIn(line)).toBe(0);
});

it('ArrivalOrder forgets the slots of what is taken out', () => {
  const line = new ArrivalOrder<object, number>();
  line.push(1, { old: true });
  line.takeAll();
  line.push(2, { old: false });
  const slots: object[] = [];
  line.takeFirst((_, slot) => slots.push(slot));
  expect(slots).toEqual([{ old: false }]);
});

const slotsIn = (line: object) =>
  Object.values(line).reduce<number>(
    (sum, field) => sum + (field instanceof Map || field instanceof Set ? field.size : 0),
    0,
  );

it('SourceOrder costs the same for each slot, however many there are', () => {
  const line = new SourceOrder<number, number>();
  const count = 1_000_000; // minutes, if each that leaves made it look for the next
  for (let slot = 0; slot < count; slot++) line.open(slot);
  for (let slot = 0; slot < count; slot++) line.close(slot);
  expect([line.size, line.hasFirst]).toEqual([0, false]);
});
