// `npm run bench`: prints what is claimed about speed and size, and what is measured. README.md says how.
import { bestOf, readExpected, regressions, tolerance, writeExpected } from './expected.mjs';
import { digits } from './row.mjs';
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
const flags = ['--check', '--record'];
const names = process.argv.slice(2).filter((argument) => !flags.includes(argument));
const [isCheck, isRecord] = flags.map((flag) => process.argv.includes(flag));
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

/** Prints the rows of a claim while they come. Gives those that are held, and how many miss what is claimed. */
async function print({ rows }) {
  const held = [];
  let missed = 0;
  for await (const each of rows()) {
    const { what, result, range, target, isMet, better } = each;
    if (isMet === false) missed++;
    if (better) held.push(each);
    console.log(line(`  ${what}`, result, range, target, isMet === undefined ? '' : isMet ? 'met' : 'MISSED'));
  }
  return { held, missed };
}

const attempts = 3;
const expected = readExpected();
const measured = {};
const worse = [];
let missed = 0;
for (const name of names.length > 0 ? names : Object.keys(claims)) {
  console.log(`\n${name}: ${claims[name].title}`);
  const first = await print(claims[name]);
  missed += first.missed;
  const runs = [first.held];
  const found = () => regressions(expected[name] ?? {}, bestOf(runs));
  while (isCheck && found().length > 0 && runs.length < attempts) {
    console.log(`  once more: ${found().join('; ')}`);
    runs.push((await print(claims[name])).held);
  }
  if (isCheck) worse.push(...found().map((sentence) => `${name}: ${sentence}`));
  if (first.held.length > 0) {
    measured[name] = Object.fromEntries(first.held.map(({ what, value }) => [what, Number(digits(value))]));
  }
}
if (isRecord) writeExpected(measured);
console.log(missed === 0 ? '\nAll claims are met.' : `\nMISSED: ${missed}`);
if (isCheck) {
  const share = Math.round((1 - tolerance) * 100);
  console.log(
    worse.length === 0 ? `No ratio is worse than expected by ${share} %.` : `WORSE:\n  ${worse.join('\n  ')}`,
  );
  if (worse.length > 0) process.exitCode = 1;
}
