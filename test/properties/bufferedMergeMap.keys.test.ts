import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BufferOverflowError } from '../../src/index.js';
import { pullingPrograms, pushingPrograms, runLaneProgram } from '../support/laneProgram.js';
import { collectUnhandled } from '../support/unhandled.js';

/** `RUNS=20 npx vitest run test/properties` looks for the rare ones. */
const times = Number(process.env['RUNS'] ?? 1);

collectUnhandled();

it(
  'sources that can wait: all comes to its end, in order, nothing overflows, and no busy key holds up others',
  async () => {
    await fc.assert(
      fc.asyncProperty(pullingPrograms, async (program) => {
        const { problems, end, sent, delivered, dropped } = await runLaneProgram(program);
        expect(problems).toEqual([]);
        expect(end).toBe('complete');
        expect(sent).toBe(program.pulled?.flat().length);
        expect(delivered.length + dropped.length).toBe(sent);
        expect(dropped.filter(({ reason }) => reason !== 'age')).toEqual([]);
        if (program.maxAge === undefined) expect(dropped).toEqual([]);
      }),
      { numRuns: 500 * times },
    );
  },
  20_000 * times,
);

it(
  'sources that cannot: whatever comes, each value is started or dropped once, in order and within the bounds',
  async () => {
    await fc.assert(
      fc.asyncProperty(pushingPrograms, async (program) => {
        const { problems, end, sent, delivered, dropped } = await runLaneProgram(program);
        expect(problems).toEqual([]);
        expect(end).not.toBe('stalled');
        if (typeof end === 'object') {
          expect(end.error).toBeInstanceOf(BufferOverflowError);
          expect(program.overflow).toBe('error');
        }
        if (end === 'complete') expect(delivered.length + dropped.length).toBe(sent);
      }),
      { numRuns: 500 * times },
    );
  },
  20_000 * times,
);
