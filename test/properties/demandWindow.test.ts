import fc from 'fast-check';
import {
  bufferTime,
  concatMap,
  delay,
  filter,
  map,
  merge,
  mergeMap,
  observeOn,
  pipe,
  tap,
  timer,
  VirtualTimeScheduler,
  type OperatorFunction,
  type SchedulerLike,
} from 'rxjs';
import { expect, it } from 'vitest';
import { fromPull, gatedBy } from '../../src/index.js';
import { demandWindow } from '../../src/operators/demandWindow.js';
import { ManualGate } from '../support/ManualGate.js';

/** `RUNS=20 npx vitest run test/properties` looks for the rare ones. */
const times = Number(process.env['RUNS'] ?? 1);

type Operator = (scheduler: SchedulerLike, paces: readonly number[]) => OperatorFunction<number, number | number[]>;

const work = (scheduler: SchedulerLike, paces: readonly number[]) => (value: number) =>
  timer(paces[value % paces.length] ?? 0, scheduler).pipe(map(() => value));

const operators: Record<string, Operator> = {
  map: () => map((value) => value),
  delay: (scheduler, [pace = 0]) => delay(pace, scheduler),
  observeOn: (scheduler, [pace = 0]) => observeOn(scheduler, pace),
  concatMap: (scheduler, paces) => concatMap(work(scheduler, paces)),
  mergeMap: (scheduler, paces) => mergeMap(work(scheduler, paces)),
  'mergeMap, 2': (scheduler, paces) => mergeMap(work(scheduler, paces), 2),
  // Empty ones would wait too, without end.
  bufferTime: (scheduler, [pace = 0]) =>
    pipe(
      bufferTime(pace + 1, scheduler),
      filter((batch) => batch.length > 0),
    ),
  demandWindow: (scheduler, paces) => demandWindow(2, mergeMap(work(scheduler, paces)), { scheduler }),
};

const programs = fc.record({
  operator: fc.constantFrom(...Object.keys(operators)),
  size: fc.constantFrom(1, 2, 3, 8, Infinity),
  counts: fc.array(fc.nat(20), { minLength: 1, maxLength: 3 }),
  paces: fc.array(fc.nat(7), { minLength: 1, maxLength: 5 }),
  /** When the gate below moves: after so long each. */
  moves: fc.array(fc.nat(9), { maxLength: 20 }),
  takes: fc.constantFrom(1, Infinity),
});

it(
  'never more are inside than may be, nothing is emitted that the consumer cannot take, and all come out in the end',
  () => {
    fc.assert(
      fc.property(programs, ({ operator, size, counts, paces, moves, takes }) => {
        const scheduler = new VirtualTimeScheduler();
        const gate = new ManualGate(true);
        const seen: number[] = [];
        const problems: unknown[] = [];
        let pulled = 0;
        let most = 0;
        let completed = false;
        const create = operators[operator] as Operator;
        const sources = counts.map((count, s) =>
          fromPull(
            function* () {
              for (let i = 0; i < count; i++) yield s * 100 + i;
            },
            { slice: Infinity },
          ),
        );
        merge(...sources)
          .pipe(
            tap(() => (most = Math.max(most, ++pulled - seen.length))),
            demandWindow(size, create(scheduler, paces), {
              valuesIn: (result) => (Array.isArray(result) ? result.length : 1),
              scheduler,
            }),
            gatedBy(gate),
          )
          .subscribe({
            next: (result) => {
              expect(gate.ready).toBe(true);
              seen.push(...[result].flat());
              if (takes === 1) gate.ready = false;
            },
            error: (error: unknown) => problems.push(error),
            complete: () => (completed = true),
          });
        let at = 0;
        for (const gap of moves) {
          at += gap;
          scheduler.schedule(() => (gate.ready = !gate.ready), at);
        }
        scheduler.maxFrames = 1000;
        scheduler.flush();
        for (let i = 0; i < 300 && !completed; i++) {
          gate.ready = true;
          scheduler.maxFrames += 100;
          scheduler.flush();
        }

        expect(problems).toEqual([]);
        expect(completed).toBe(true);
        const expected = counts.flatMap((count, s) => Array.from({ length: count }, (_, i) => s * 100 + i));
        expect([...seen].sort((a, b) => a - b)).toEqual(expected);
        expect(most).toBeLessThanOrEqual(size);
        expect(gate.waiters.size).toBe(0);
      }),
      { numRuns: 500 * times },
    );
  },
  30_000 * times,
);
