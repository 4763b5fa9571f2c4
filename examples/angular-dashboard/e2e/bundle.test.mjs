// @ts-check
// What the production build has taken from the package.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';

/** @type {{ outputs: Record<string, { inputs: Record<string, { bytesInOutput: number }> }> }} */
const { outputs } = JSON.parse(readFileSync(new URL('../dist/stats.json', import.meta.url), 'utf8'));
const taken = Object.values(outputs)
  .flatMap(({ inputs }) => Object.entries(inputs))
  .filter(([, { bytesInOutput }]) => bytesInOutput > 0);

/** @param {RegExp} path */
const filesOf = (path) => taken.filter(([file]) => path.test(file));

it('has one RxJS, and of rxjs-flow-control no more than is used', (test) => {
  const ours = filesOf(/node_modules\/rxjs-flow-control\//);
  const bytes = ours.reduce((sum, [, { bytesInOutput }]) => sum + bytesInOutput, 0);
  const operators = ours.flatMap(([file]) => /\/operators\/(\w+)\.js$/.exec(file)?.[1] ?? []).sort();
  test.diagnostic(`${String(Math.round(bytes / 100) / 10)} kB of ${String(ours.length)} modules of rxjs-flow-control`);
  assert.deepEqual(operators, [
    'batchWithin',
    'bufferedMergeMap',
    'conflate',
    'latest',
    'pausableBackpressure',
    'retryBackoff',
  ]);
  assert.deepEqual(
    ours.filter(([file]) => !file.includes('/dist/esm/')),
    [],
  );
  assert.deepEqual(filesOf(/node_modules\/rxjs\/dist\/cjs/), []);
});
