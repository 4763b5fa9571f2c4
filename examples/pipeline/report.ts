import { Presets, SingleBar } from 'cli-progress';
import Table from 'cli-table3';
import type { Settings } from './arguments.js';
import type { Tally } from './Tally.js';

// All of it on standard error: standard output is for records (`--out -`).
const { stderr } = process;
stderr.on('error', () => undefined); // who does not want to read it does not have to

export function showMessage(message: string): void {
  stderr.write(`pipeline: ${message}\n`);
}

/** Shows the progress until the function that it returns is called. `done` gives the share that is done, if that can be known. */
export function showProgress(tally: Tally, done: () => number | undefined): () => void {
  return stderr.isTTY ? showBar(tally, done) : showLines(tally);
}

function showBar(tally: Tally, done: () => number | undefined): () => void {
  const figures = '{read} records, {throughput}/s, {waiting} waiting';
  const format = done() === undefined ? figures : `{bar} {percentage}% | ${figures} | {eta_formatted} left`;
  const bar = new SingleBar({ format, stream: stderr, barsize: 30, etaBuffer: 50 }, Presets.shades_classic);
  const update = () => {
    const { read, throughput, waiting } = tally;
    bar.update(done() ?? 0, { read: grouped(read), throughput: grouped(throughput), waiting });
  };
  bar.start(1, 0, { read: 0, throughput: 0, waiting: 0 });
  const timer = setInterval(update, 100);
  return () => {
    clearInterval(timer);
    update();
    bar.stop();
  };
}

function showLines(tally: Tally): () => void {
  const timer = setInterval(() => {
    const { seconds, read, finished, throughput, waiting } = tally;
    stderr.write(
      `${seconds.toFixed(0)} s: ${grouped(read)} in, ${grouped(finished)} out, ${grouped(throughput)}/s, ${String(waiting)} waiting\n`,
    );
  }, 1000);
  return () => {
    clearInterval(timer);
  };
}

export function showReport(tally: Tally, { output, rejected }: Settings): void {
  const { written, finished } = tally;
  const table = new Table({ colAligns: ['left', 'right'], style: { border: [], compact: true } });
  table.push(
    ['records in', grouped(tally.read)],
    ['records out', (written === undefined && finished > 0 ? 'at most ' : '') + grouped(written ?? finished)],
    ['bad records', grouped(tally.bad)],
    ['dropped', grouped(tally.missing)],
    ['retries', grouped(tally.retries)],
    ['time', `${tally.seconds.toFixed(1)} s`],
    ['throughput', `${grouped(tally.throughput)}/s`],
    ['most that waited', grouped(tally.mostWaiting)],
    ['peak memory', `${grouped(Math.round(process.resourceUsage().maxRSS / 1024))} MB`],
  );
  stderr.write(`${table.toString()}\n`);
  if (output !== '-') stderr.write(`records out: ${output}\n`);
  if (tally.bad > 0) stderr.write(`bad records: ${rejected}\n`);
}

/** Says how to go on where it was stopped, with the rest of what was asked for. */
export function showRest(skip: number, records: number): void {
  const limit = records === Infinity ? '' : ` --records ${String(records)}`;
  if (records > 0) showMessage(`--skip ${String(skip)}${limit} goes on from here`);
}

const grouped = (number: number) => number.toLocaleString('en-US');
