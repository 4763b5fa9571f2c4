// `npm run soak`: the example under random faults, each record followed. README.md says what is done and what is checked.
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { readArguments, recordsPerMinute, usage } from './arguments.mjs';
import { between, draw } from './draw.mjs';
import { FaultyService } from './FaultyService.mjs';
import { judge } from './judge.mjs';
import { Ledger } from './Ledger.mjs';
import { growthOf, mostGrowth } from './memory.mjs';
import { Records } from './records.mjs';
import { Run } from './Run.mjs';
import { Score } from './Score.mjs';
import { tableOf } from './table.mjs';
import { weatherOf } from './weather.mjs';

const { minutes, seed = randomInt(2 ** 31), problem } = readArguments(process.argv.slice(2));
if (problem !== undefined) {
  console.error(`soak: ${problem}\n\n${usage}`);
  process.exit(2);
}
const start = performance.now();
const deadline = start + 60_000 * minutes;
const longRun = 0.4 * 60_000 * minutes;
const isOver = () => performance.now() >= deadline;
const folder = mkdtempSync(join(tmpdir(), 'soak-'));
const files = { out: join(folder, 'out.jsonl'), rejected: join(folder, 'rejected.jsonl') };
const input = join(folder, 'input.jsonl');
const service = new FaultyService();
const score = new Score();
let broken = [];

// The process that runs is killed as this one exits.
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(name, () => {
    rmSync(folder, { recursive: true, force: true });
    process.exit(128 + constants.signals[name]);
  });

/** One input, in as many runs as it takes; the first round is the long run alone. */
async function round(number) {
  const count = number === 1 ? Math.ceil(recordsPerMinute * minutes) : between(200, 20_000, draw(seed, number, 0));
  const records = new Records(seed, number, count);
  records.write(input);
  const ledger = new Ledger(records, files);
  let skip = 0;
  while (!isOver()) {
    const run = new Run(score.runs + 1, weatherOf(seed, score.runs + 1, { skip, count, longRun }), skip, service);
    await run.go({ ...files, folder, input, seed, deadline });
    const { end, read } = assess(run, ledger, count);
    if (broken.length > 0) return;
    if (end === 'failed') ledger.undo(skip);
    else {
      ledger.accept();
      skip += read;
    }
    if (end === 'done') score.fullRounds++;
    if (end === 'done' || run.weather.isLong) break;
  }
  // Once more from the beginning: what a run has written, no later one has touched.
  ledger.forget();
  const { missing, doubled, wrong } = ledger.read(0, skip);
  if (missing.length + doubled.length + wrong.length > 0) broken = [`round ${number} is not the sum of its runs`];
}

function assess(run, ledger, count) {
  const verdict = judge(run, ledger, count);
  const growth = run.weather.isLong ? growthOf(run) : undefined;
  broken = verdict.broken;
  if (growth > mostGrowth) broken.push(`at its end it held ${growth.toFixed(2)} times the memory`);
  score.add(run, verdict, growth);
  showRun(run, verdict);
  if (broken.length > 0) writeFileSync(join(folder, 'stderr.txt'), run.stderr);
  return verdict;
}

function showRun(run, { end, read }) {
  const time = ((performance.now() - start) / 1000).toFixed(0).padStart(4);
  const disk = run.weather.slowDisk ? ', slow disk' : '';
  console.error(
    `${time} s: run ${run.number} ${end} after ${run.seconds.toFixed(1)} s, ${read} records from ${run.skip}${disk}`,
  );
}

await service.start();
try {
  while (!isOver() && broken.length === 0) await round(++score.rounds);
} finally {
  service.stop();
}
console.log(tableOf(score, { seed, seconds: (performance.now() - start) / 1000 }));
if (broken.length === 0) {
  rmSync(folder, { recursive: true });
  if (score.read > 0) console.log('Every promise was kept.');
  else {
    console.log('Nothing was tested: no record was read in this time.');
    process.exitCode = 1;
  }
} else {
  console.log(`BROKEN, in run ${score.runs}:`);
  for (const promise of broken) console.log(`- ${promise}`);
  console.log(`The files, and what the example has said: ${folder}`);
  console.log(`The same faults again: npm run soak -- --minutes ${minutes} --seed ${seed}`);
  process.exitCode = 1;
}
