import fc from 'fast-check';
import { expect, it } from 'vitest';
import { gather, type WorkContext } from '../../src/index.js';

/** `RUNS=20 npx vitest run test/properties` looks for the rare ones. */
const times = Number(process.env['RUNS'] ?? 1);

const programs = fc.record({
  concurrent: fc.constantFrom(1, 2, 3, Infinity),
  tasks: fc.array(
    fc.record({
      /** How many microtasks it takes, and how many its clean-up takes once it has been aborted. */
      takes: fc.nat(8),
      cleansUp: fc.nat(8),
      fails: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    }),
    { maxLength: 10, size: 'max' },
  ),
});

async function microtasks(count: number, stop?: AbortSignal): Promise<void> {
  for (let i = 0; i < count && !stop?.aborted; i++) await Promise.resolve();
}

it('gathers all results in the order of the tasks, or the first error when all that ran has cleaned up', async () => {
  await fc.assert(
    fc.asyncProperty(programs, fc.boolean(), async ({ concurrent, tasks }, settle) => {
      let running = 0;
      let most = 0;
      const errors: unknown[] = [];
      const work = tasks.map(({ takes, cleansUp, fails }, i) => async ({ signal }: WorkContext) => {
        most = Math.max(most, ++running);
        try {
          await microtasks(takes, signal);
          if (signal.aborted) {
            await microtasks(cleansUp);
            throw signal.reason;
          }
          if (fails) {
            const error = new Error(String(i));
            errors.push(error);
            throw error;
          }
          return i;
        } finally {
          running--;
        }
      });
      const gathered = settle ? gather(work, { concurrent, settle: true }) : gather(work, { concurrent });
      const outcome = await gathered.then(
        (results: unknown) => ({ results }),
        (error: unknown) => ({ error }),
      );
      expect([running, most <= concurrent]).toEqual([0, true]);
      const failing = tasks.some(({ fails }) => fails);
      if (settle) {
        const outcomes = tasks.map(({ fails }, i) =>
          fails ? { status: 'rejected', reason: new Error(String(i)) } : { status: 'fulfilled', value: i },
        );
        expect(outcome).toEqual({ results: outcomes });
      } else if (failing) expect(outcome).toEqual({ error: errors[0] });
      else expect(outcome).toEqual({ results: tasks.map((_, i) => i) });
    }),
    { numRuns: 300 * times },
  );
});
