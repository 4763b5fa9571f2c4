import fc from 'fast-check';
import { concat, concatMap, of, tap, timer, VirtualTimeScheduler, type Subscription } from 'rxjs';
import { expect, it } from 'vitest';
import { fromPull, gatedBy } from '../../src/index.js';
import { batchWithin } from '../../src/operators/batchWithin.js';
import { ManualGate } from '../support/ManualGate.js';

/** `RUNS=20 npx vitest run test/properties` looks for the rare ones. */
const times = Number(process.env['RUNS'] ?? 1);

interface Item {
  readonly id: number;
  readonly weight: number;
}

const weightOf = (items: readonly Item[]) => items.reduce((sum, { weight }) => sum + weight, 0);

const programs = fc.record({
  size: fc.constantFrom(1, 2, 3, 7, Infinity),
  time: fc.constantFrom(0, 1, 4, 20),
  bufferSize: fc.constantFrom(7, 10, Infinity),
  weighs: fc.boolean(),
  /** How long after the one before each comes, and what it weighs. */
  items: fc.array(fc.record({ gap: fc.nat(6), weight: fc.constantFrom(0, 1, 1, 1, 2, 5, 9) }), { maxLength: 40 }),
  source: fc.constantFrom('waits' as const, 'cannot wait' as const),
  /** When the gate below opens and closes in turn. */
  moves: fc.array(fc.nat(8), { maxLength: 30 }),
  startsOpen: fc.boolean(),
  /** What the consumer takes for each time that the gate opens. */
  takes: fc.constantFrom(1, Infinity),
  unsubscribesAt: fc.option(fc.nat(60), { nil: undefined }),
});

it(
  'batches are the values of the source in their order, never empty and never too heavy, and what is not emitted is dropped',
  () => {
    fc.assert(
      fc.property(programs, ({ size, time, bufferSize, weighs, items, source, moves, takes, ...program }) => {
        const scheduler = new VirtualTimeScheduler();
        const gate = new ManualGate(program.startsOpen);
        const values = items.map(({ weight }, id) => ({ id, weight: weighs ? weight : 1 }));
        const batches: Item[][] = [];
        const dropped: Item[] = [];
        const came: Item[] = [];
        let end = '';

        const paced = concat(
          ...values.map((value, i) => timer(items[i]?.gap ?? 0, scheduler).pipe(concatMap(() => of(value)))),
        );
        const given = source === 'waits' ? fromPull(values, { slice: Infinity }) : paced;
        let subscription: Subscription | undefined = undefined;
        subscription = given
          .pipe(tap((value) => came.push(value)))
          .pipe(
            batchWithin({
              size,
              time,
              bufferSize,
              scheduler,
              ...(weighs && { weigh: ({ weight }: Item) => weight }),
              onDrop: (value) => dropped.push(value),
            }),
            gatedBy(gate),
          )
          .subscribe({
            next: (batch) => {
              expect(gate.ready).toBe(true);
              batches.push(batch);
              if (takes === 1) gate.ready = false;
            },
            error: (error: unknown) => (end = String(error)),
            complete: () => (end = 'complete'),
          });

        let at = 0;
        for (const gap of moves) {
          at += gap;
          scheduler.schedule(() => (gate.ready = !gate.ready), at);
        }
        const { unsubscribesAt } = program;
        if (unsubscribesAt !== undefined) {
          scheduler.schedule(() => {
            if (end === '') end = 'unsubscribed';
            subscription?.unsubscribe();
          }, unsubscribesAt);
        }
        scheduler.flush();
        for (let i = 0; i < 100 && end === ''; i++) {
          gate.ready = true;
          scheduler.flush();
        }

        expect(end).not.toBe('');
        expect(gate.waiters.size).toBe(0);
        const emitted = batches.flat();
        expect(emitted).toEqual(came.slice(0, emitted.length));
        if (end === 'complete') expect(emitted).toEqual(values);
        else expect(emitted.length + dropped.length).toBe(came.length);
        if (source === 'waits') expect(end).not.toMatch(/Overflow/);
        for (const batch of batches) {
          expect(batch).not.toEqual([]);
          expect(batch.length).toBeLessThanOrEqual(bufferSize);
          if (batch.length > 1) expect(weightOf(batch)).toBeLessThanOrEqual(size);
        }
      }),
      { numRuns: 500 * times },
    );
  },
  20_000 * times,
);

it(
  'with a consumer that is never full, a batch goes out when it is full or its time is up, and not before',
  () => {
    fc.assert(
      fc.property(
        fc.constantFrom(1, 2, 3, 7, Infinity),
        fc.constantFrom(1, 4, 20),
        fc.array(fc.nat(6), { maxLength: 60 }),
        (size, time, gaps) => {
          const scheduler = new VirtualTimeScheduler();
          const log: [at: number, ids: number[]][] = [];
          // Half a frame off, so that no value comes in the moment in which a time is up.
          concat(...gaps.map((gap, id) => timer(gap, scheduler).pipe(concatMap(() => of(id)))))
            .pipe(batchWithin({ size, time: time + 0.5, scheduler }))
            .subscribe((batch) => log.push([scheduler.frame, batch]));
          scheduler.flush();

          const expected: [at: number, ids: number[]][] = [];
          let open: { until: number; ids: number[] } | undefined;
          let at = 0;
          for (const [id, gap] of gaps.entries()) {
            at += gap;
            if (open && open.until < at) {
              expected.push([open.until, open.ids]);
              open = undefined;
            }
            open ??= { until: at + time + 0.5, ids: [] };
            open.ids.push(id);
            if (open.ids.length === size) {
              expected.push([at, open.ids]);
              open = undefined;
            }
          }
          if (open) expected.push([at, open.ids]);
          expect(log).toEqual(expected);
        },
      ),
      { numRuns: 300 * times },
    );
  },
  20_000 * times,
);
