// Makes one defect after the other on purpose, and prints which of them the random pipelines notice: all of them have to be.
// npm run test:breaks [-- word ...]   Only those whose promise or name has one of the words. Default: all.
import { spawnSync } from 'node:child_process';
import { parseArgs, stripVTControlCharacters } from 'node:util';
import { breaks } from './list.mjs';

const { positionals } = parseArgs({ allowPositionals: true });
const chosen = breaks.filter(
  ({ promise, name }) => positionals.length === 0 || positionals.some((word) => `${promise} ${name}`.includes(word)),
);

/** The first program that goes wrong, and how; `undefined`: none. */
function find(defect) {
  const { stdout, stderr, status, error } = spawnSync('npx', ['vitest', 'run', '--config', 'vitest.breaks.config.ts'], {
    encoding: 'utf8',
    env: { ...process.env, BREAK: JSON.stringify(defect), CI: 'true' },
    timeout: 180_000,
  });
  if (error) return 'hangs';
  if (status === 0) return undefined;
  const said = stripVTControlCharacters(stdout + stderr);
  const [, counterexample] = said.split('found in run ');
  if (counterexample === undefined) throw new Error(`${defect.name}: the tests could not be run\n${said}`);
  const [text] = counterexample.split('\n\nagain: ');
  const [problem] = text.split('\n\n').at(-1).split('\n');
  return `program ${String(Number.parseInt(text, 10))}: ${problem}`;
}

if (chosen.length === 0) throw new Error(`none has one of the words ${positionals.join(', ')}`);
let noticed = 0;
for (const defect of chosen) {
  const found = find(defect);
  if (found !== undefined) noticed++;
  console.log(`${defect.promise.padEnd(8)}  ${defect.name}\n          ${found ?? 'NOT NOTICED'}`);
}
console.log(`${String(noticed)} of ${String(chosen.length)} are noticed`);
if (noticed < chosen.length) process.exitCode = 1;
