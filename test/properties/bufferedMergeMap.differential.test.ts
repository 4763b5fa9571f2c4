import fc from 'fast-check';
import { mergeMap } from 'rxjs';
import { expect, it } from 'vitest';
import { bufferedMergeMap } from '../../src/index.js';
import { mergePrograms, runMergeProgram, type Merge } from '../support/mergeProgram.js';

const native: Merge = (project, concurrent) => mergeMap(project, concurrent);
const ours: Merge = (project, concurrent) => bufferedMergeMap(project, { concurrent, bufferSize: Infinity });

const isTeardown = (line: string) => / (teardown|return) /.test(line);

/**
 * The one difference: RxJS starts a waiting value inside the completion of the inner source before it, which a synchronous
 * inner source turns into recursion, and so it tears down the first after the last. Here each is torn down before the next is
 * started, at the price of this: among what happens synchronously, teardowns come earlier.
 */
const withoutTeardownOrder = (log: string[]) => [
  log.filter((line) => !isTeardown(line)),
  log.filter(isTeardown).sort(),
];

it('does what mergeMap does, in the same order and at the same time', async () => {
  await fc.assert(
    fc.asyncProperty(mergePrograms, async (program) => {
      const expected = await runMergeProgram(program, native);
      const actual = await runMergeProgram(program, ours);
      expect(withoutTeardownOrder(actual)).toEqual(withoutTeardownOrder(expected));
    }),
    { numRuns: 2000 },
  );
});

it('tears down in the order of mergeMap, unless a waiting inner source is synchronous', async () => {
  const asynchronous = mergePrograms.filter(
    ({ inners, concurrent }) =>
      concurrent === Infinity ||
      inners.every((inner) => inner === 'promise' || (Array.isArray(inner) && inner.every(({ at }) => at > 0))),
  );
  await fc.assert(
    fc.asyncProperty(asynchronous, async (program) => {
      expect(await runMergeProgram(program, ours)).toEqual(await runMergeProgram(program, native));
    }),
    { numRuns: 1000 },
  );
});
