import fc from 'fast-check';
import { it } from 'vitest';
import { calmPrograms, faultyPrograms, shown, type PipelineProgram } from '../support/pipelines/program.js';
import { runPipeline } from '../support/pipelines/runPipeline.js';

const { RUNS, SEED, REPLAY: path } = process.env;

/** `RUNS=100 npx vitest run test/properties` looks for the rare ones, in other programs each time. */
const times = Number(RUNS ?? 1);
/** SEED and REPLAY: what a counterexample says about itself. Else each change has to pass the same programs. */
const seed = SEED ?? (RUNS === undefined ? '1' : undefined);

function report({
  failed,
  counterexample,
  seed,
  counterexamplePath,
  numRuns,
  numShrinks,
  errorInstance,
}: fc.RunDetails<[PipelineProgram]>) {
  if (!failed) return;
  const [program] = counterexample ?? [];
  throw new Error(
    [
      `found in run ${String(numRuns)}, made smaller ${String(numShrinks)} times:`,
      program && shown(program),
      errorInstance instanceof Error ? errorInstance.message : 'it hangs',
      `again: SEED=${String(seed)} REPLAY=${String(counterexamplePath)} npx vitest run --project unit test/properties/promises.test.ts`,
    ].join('\n\n'),
  );
}

async function holds(programs: fc.Arbitrary<PipelineProgram>, runs: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(programs, async (program) => {
      const problems = await runPipeline(program);
      if (problems.length > 0) throw new Error(problems.join('\n'));
    }),
    {
      numRuns: runs * times,
      asyncReporter: async (details) => {
        report(details);
      },
      ...(seed !== undefined && { seed: Number(seed) }),
      ...(path !== undefined && { path, endOnFailure: true }),
    },
  );
}

it(
  'a pipeline in which nothing fails delivers everything in order, holds no more than it says, and comes to its end',
  () => holds(calmPrograms, 600),
  60_000 * times,
);

it(
  'however a pipeline ends, it ends once, nothing is lost in silence, and everything is cleaned up before where that is promised',
  () => holds(faultyPrograms, 900),
  60_000 * times,
);
