import fc from 'fast-check';
import { Subject, type OperatorFunction } from 'rxjs';
import { expect, it } from 'vitest';
import { gatedBy } from '../../src/index.js';
import { conflate } from '../../src/operators/conflate.js';
import { latest } from '../../src/operators/latest.js';
import { ManualGate } from '../support/ManualGate.js';

/** `RUNS=20 npx vitest run test/properties` looks for the rare ones. */
const times = Number(process.env['RUNS'] ?? 1);

type Step = 'push' | 'open' | 'close' | 'complete' | 'error' | 'unsubscribe';

const programs = fc.record({
  steps: fc.array(
    fc.oneof(
      { weight: 12, arbitrary: fc.constantFrom<Step>('push', 'push', 'open', 'close') },
      { weight: 1, arbitrary: fc.constantFrom<Step>('complete', 'error', 'unsubscribe') },
    ),
    { maxLength: 60 },
  ),
  /** What the consumer does inside of each `next`, over and over. */
  reactions: fc.array(
    fc.constantFrom<Step | 'nothing'>('nothing', 'nothing', 'close', 'close', 'push', 'unsubscribe'),
    {
      minLength: 1,
      maxLength: 8,
    },
  ),
});

function run(steps: readonly Step[], reactions: readonly (Step | 'nothing')[], mode: 'list' | 'latest') {
  const gate = new ManualGate(true);
  const source = new Subject<number>();
  const fates: number[] = [];
  const emitted: number[][] = [];
  let pushed = 0;
  let ended = false;
  let reaction = 0;

  const act = (step: Step | 'nothing') => {
    if (step === 'push') {
      if (source.observed && pushed < 500) source.next(pushed++);
    } else if (step === 'open') gate.ready = true;
    else if (step === 'close') gate.ready = false;
    else if (step === 'complete') source.complete();
    else if (step === 'error') source.error(new Error());
    else if (step === 'unsubscribe') {
      ended = true;
      subscription.unsubscribe();
    }
  };

  const operator =
    mode === 'list'
      ? conflate(
          (value: number) => [value],
          (waiting, value) => [...waiting, value],
          { onDrop: (waiting) => fates.push(...waiting) },
        )
      : latest<number>({ onDrop: (value) => fates.push(value) });
  const subscription = source.pipe(operator as OperatorFunction<number, number | number[]>, gatedBy(gate)).subscribe({
    next: (merged) => {
      expect(gate.ready).toBe(true);
      expect(ended).toBe(false);
      const values = ([] as number[]).concat(merged);
      emitted.push(values);
      fates.push(...values);
      act(reactions[reaction++ % reactions.length] ?? 'nothing');
    },
    error: () => (ended = true),
    complete: () => (ended = true),
  });
  for (const step of steps) act(step);
  gate.ready = true;
  for (let i = 0; i < 600 && !ended; i++) {
    source.complete();
    gate.ready = true;
  }
  return { fates, emitted, pushed, ended, gate };
}

it(
  'merging into lists loses nothing, repeats nothing and keeps the order',
  () => {
    fc.assert(
      fc.property(programs, ({ steps, reactions }) => {
        const { fates, pushed, ended, gate, emitted } = run(steps, reactions, 'list');
        expect(ended).toBe(true);
        expect(fates).toEqual(Array.from({ length: pushed }, (_, i) => i));
        expect(emitted).not.toContainEqual([]);
        expect(gate.waiters.size).toBe(0);
      }),
      { numRuns: 500 * times },
    );
  },
  20_000 * times,
);

it(
  'each value is emitted or told to onDrop, once, and those that are emitted keep their order',
  () => {
    fc.assert(
      fc.property(programs, ({ steps, reactions }) => {
        const { fates, pushed, ended, gate, emitted } = run(steps, reactions, 'latest');
        expect(ended).toBe(true);
        expect([...fates].sort((a, b) => a - b)).toEqual(Array.from({ length: pushed }, (_, i) => i));
        const order = emitted.flat();
        expect(order).toEqual([...order].sort((a, b) => a - b));
        expect(gate.waiters.size).toBe(0);
      }),
      { numRuns: 500 * times },
    );
  },
  20_000 * times,
);
