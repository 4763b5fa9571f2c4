import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Handover, type Putter, type Taker } from '../../src/machines/Handover.js';

const waiter = fc.nat({ max: 20 });
const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.constant({ do: 'put' as const }) },
    { weight: 4, arbitrary: fc.constant({ do: 'take' as const }) },
    { weight: 1, arbitrary: fc.constant({ do: 'take into' as const }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('withdraw' as const), waiter }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('leave' as const), waiter }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('be unready' as const), waiter }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('step aside' as const) }) },
  ),
  { maxLength: 80, size: 'max' },
);

interface Program {
  readonly capacity: number;
  readonly steps: typeof steps extends fc.Arbitrary<infer S> ? S : never;
  readonly end: 'graceful' | 'immediate';
}
const programs: fc.Arbitrary<Program> = fc.record({
  capacity: fc.constantFrom(0, 1, 2, 3, Infinity),
  steps,
  end: fc.constantFrom('graceful' as const, 'immediate' as const),
});

/** asyncio's model: three lists. Whoever is not ready is passed over. */
it('is three lists, first in, first out, in any order of puts, takes and cancellations', () => {
  fc.assert(
    fc.property(programs, ({ capacity, steps, end }) => {
      const events: string[] = [];
      const handover = new Handover<number>(capacity, 'Handover');
      const putters: (Putter<number> & { ready: boolean })[] = [];
      const takers: (Taker<number> & { ready: boolean; name: number })[] = [];

      const expected: string[] = [];
      const model = { values: [] as number[], putters: [] as number[], takers: [] as number[], aside: [] as number[] };
      const counts = { puts: 0, takes: 0, peak: 0 };
      const putterAt = (value: number) => putters.find((putter) => putter.value === value);
      const takerAt = (name: number) => takers[name] as (typeof takers)[0];
      const passOver = <N>(line: N[], isReady: (name: N) => boolean, kind: string) => {
        while (line.length > 0 && !isReady(line[0] as N)) expected.push(`${kind} ${String(line.shift())} skipped`);
      };
      const skipPutters = () => {
        passOver(model.putters, (value) => !!putterAt(value)?.ready, 'putter');
      };
      let next = 0;

      const newPutter = (value: number) => {
        const putter: Putter<number> & { ready: boolean } = {
          previous: undefined,
          following: undefined,
          value,
          ready: true,
          admit: () => events.push(`putter ${value} admitted`),
          skip: () => events.push(`putter ${value} skipped`),
          refuse: () => events.push(`putter ${value} refused`),
        };
        putters.push(putter);
        return putter;
      };
      const newTaker = () => {
        const name = takers.length;
        const taker = {
          previous: undefined,
          following: undefined,
          name,
          ready: true,
          receive: (value: number) => events.push(`taker ${name} receives ${value}`),
          skip: () => events.push(`taker ${name} skipped`),
          end: () => events.push(`taker ${name} ended`),
        };
        takers.push(taker);
        return taker;
      };

      for (const step of steps) {
        if (step.do === 'put') {
          const value = next++;
          passOver(model.takers, (name) => takerAt(name).ready, 'taker');
          const taker = model.takers.shift();
          if (taker !== undefined) {
            expected.push(`taker ${taker} receives ${value}`);
            counts.puts++;
            counts.takes++;
          } else if (model.values.length < capacity) {
            model.values.push(value);
            counts.puts++;
            counts.peak = Math.max(counts.peak, model.values.length);
          } else model.putters.push(value);
          if (!handover.offer(value)) handover.waitToPut(newPutter(value));
        } else if (step.do === 'take' || step.do === 'take into') {
          skipPuttersIfEmpty();
          const has = model.values.length > 0 || model.putters.length > 0;
          expect(handover.hasNext).toBe(has);
          if (!has) {
            model.takers.push(takers.length);
            handover.waitToTake(newTaker());
            continue;
          }
          skipPutters();
          const putter = model.putters.shift();
          if (putter !== undefined) {
            model.values.push(putter);
            expected.push(`putter ${putter} admitted`);
            counts.puts++;
          }
          counts.takes++;
          const value = model.values.shift();
          if (step.do === 'take') expect(handover.take()).toBe(value);
          else {
            let taken: number | undefined;
            handover.takeInto((given) => (taken = given));
            expect(taken).toBe(value);
          }
        } else if (step.do === 'withdraw') {
          const putter = putters[step.waiter];
          if (!putter) continue;
          model.putters = model.putters.filter((value) => value !== putter.value);
          handover.withdraw(putter);
        } else if (step.do === 'leave') {
          const taker = takers[step.waiter];
          if (!taker) continue;
          model.takers = model.takers.filter((name) => name !== step.waiter);
          model.aside = model.aside.filter((name) => name !== step.waiter);
          handover.leave(taker);
        } else if (step.do === 'step aside') {
          model.aside.push(takers.length);
          handover.stepAside(newTaker());
        } else {
          const [putter, taker] = [putters[step.waiter], takers[step.waiter]];
          if (putter) putter.ready = false;
          if (taker) taker.ready = false;
        }

        expect(events).toEqual(expected);
        expect(handover).toMatchObject({
          size: model.values.length,
          peakSize: counts.peak,
          puts: counts.puts,
          takes: counts.takes,
          underWork: counts.takes,
          unfinished: counts.takes + model.values.length,
          waitingPuts: model.putters.length,
          waitingTakes: model.takers.length,
          drained: false,
        });
      }

      function skipPuttersIfEmpty() {
        if (model.values.length === 0) skipPutters();
      }

      // The end: putters are refused; when all is taken or dropped, takers end.
      for (const value of model.putters) expected.push(`putter ${value} refused`);
      const ends = [...model.takers, ...model.aside].map((name) => `taker ${name} ended`);
      const left = model.values;
      const dropped = handover.close(end === 'immediate');
      if (end === 'immediate') expect(dropped).toEqual(left);
      else {
        expect(dropped).toEqual([]);
        if (left.length > 0) {
          expect(events).toEqual(expected);
          expect(left.map(() => handover.take())).toEqual(left);
        }
      }
      expect(events).toEqual([...expected, ...ends]);
      expect(handover).toMatchObject({
        drained: true,
        hasNext: false,
        size: 0,
        waitingPuts: 0,
        waitingTakes: 0,
        dropped: dropped.length,
        puts: handover.takes + dropped.length,
      });
    }),
    { numRuns: 500 },
  );
});

it('hands over the last value before it tells the others of the end', () => {
  const handover = new Handover<number>(1, 'Handover');
  const events: unknown[] = [];
  handover.offer(1);
  handover.stepAside({
    previous: undefined,
    following: undefined,
    ready: false,
    receive: (value) => events.push(value),
    skip: () => events.push('skipped'),
    end: () => events.push('end'),
  });
  handover.close(false);
  handover.takeInto((value) => events.push(value));
  expect(events).toEqual([1, 'end']);
});

it('counts what has been taken and not been marked as done', () => {
  const handover = new Handover<number>(3, 'Handover');
  for (const value of [1, 2, 3]) handover.offer(value);
  handover.take();
  handover.take();
  handover.done++;
  expect(handover).toMatchObject({ size: 1, takes: 2, underWork: 1, unfinished: 2 });
});
