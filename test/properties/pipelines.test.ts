import fc from 'fast-check';
import { expect, it } from 'vitest';
import { cancelledPipelines, endingPipelines, runPipeline, type PipelineProgram } from '../support/pipelineProgram.js';
import { collectUnhandled } from '../support/unhandled.js';

/** `RUNS=20 npx vitest run test/properties` looks for the rare ones. */
const times = Number(process.env['RUNS'] ?? 1);

collectUnhandled();

const keepsOrder = ({ combine, sources, stages }: PipelineProgram) =>
  (combine === 'concat' || sources.length === 1) &&
  stages.every(({ concurrent, ordered }) => concurrent === 1 || ordered);

it(
  'a pipeline of what heeds demand comes to its end, loses and repeats nothing, and never lets more wait than it says',
  async () => {
    await fc.assert(
      fc.asyncProperty(endingPipelines, async (program) => {
        const { end, delivered, expected, problems } = await runPipeline(program);
        expect(problems).toEqual([]);
        expect(end).toBe('complete');
        expect([...delivered].sort()).toEqual([...expected].sort());
        if (keepsOrder(program)) expect(delivered).toEqual(expected);
      }),
      { numRuns: 300 * times },
    );
  },
  20_000 * times,
);

it(
  'however a pipeline ends, everything is closed once, nothing is emitted afterwards, and no value vanishes',
  async () => {
    await fc.assert(
      fc.asyncProperty(cancelledPipelines, async (program) => {
        const { end, problems } = await runPipeline(program);
        expect(problems).toEqual([]);
        expect(end).not.toBe('stalled');
      }),
      { numRuns: 500 * times },
    );
  },
  20_000 * times,
);
