// `npm run bench`: prints what is claimed about speed and size, and what is measured. README.md says how.
import * as active from './active.mjs';
import * as adaptive from './adaptive.mjs';
import * as batchWithin from './batchWithin.mjs';
import * as gated from './gated.mjs';
import * as jsonl from './jsonl.mjs';
import * as keyed from './keyed.mjs';
import * as limiter from './limiter.mjs';
import * as memory from './memory.mjs';
import * as peers from './peers.mjs';
import * as pool from './pool.mjs';
import * as problem from './problem.mjs';
import * as promise from './promise.mjs';
import * as queue from './queue.mjs';
import * as sessions from './sessions.mjs';
import * as schedulers from './schedulers.mjs';
import * as sharing from './sharing.mjs';
import * as sizes from './sizes.mjs';
import * as streams from './streams.mjs';
import * as sync from './sync.mjs';
import * as tasks from './tasks.mjs';
import * as timeout from './timeout.mjs';
import * as waiting from './waiting.mjs';
import * as zipped from './zipped.mjs';

const claims = {
  problem,
  sync,
  promise,
  peers,
  waiting,
  active,
  memory,
  gated,
  jsonl,
  keyed,
  adaptive,
  batchWithin,
  queue,
  sharing,
  zipped,
  timeout,
  tasks,
  limiter,
  pool,
  sessions,
  schedulers,
  streams,
  sizes,
};
const names = process.argv.slice(2).filter((argument) => argument !== '--check');
const unknown = names.find((name) => !(name in claims));
if (unknown) {
  console.error(`There is no claim '${unknown}', but: ${Object.keys(claims).join(', ')}.`);
  process.exit(2);
}

const columns = [84, 30, 20, 12];
const line = (...cells) =>
  cells
    .map((cell, i) => cell.padEnd(columns[i] ?? 0))
    .join('')
    .trimEnd();
let missed = 0;
for (const name of names.length > 0 ? names : Object.keys(claims)) {
  const { title, rows } = claims[name];
  console.log(`\n${name}: ${title}`);
  for await (const { what, result, range, target, isMet } of rows()) {
    if (isMet === false) missed++;
    console.log(line(`  ${what}`, result, range, target, isMet === undefined ? '' : isMet ? 'met' : 'MISSED'));
  }
}
console.log(missed === 0 ? '\nAll claims are met.' : `\nMISSED: ${missed}`);
if (process.argv.includes('--check') && missed > 0) process.exitCode = 1;
