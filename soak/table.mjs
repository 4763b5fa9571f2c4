import Table from 'cli-table3';
import { quantile } from './memory.mjs';

/** The score as a table. */
export function tableOf(score, { seed, seconds }) {
  const table = new Table({ colAligns: ['left', 'right'], style: { head: [], border: [], compact: true } });
  const { ends, faults } = score;
  table.push(
    ['time', `${seconds.toFixed(0)} s`],
    ['seed', String(seed)],
    ['rounds', `${score.rounds}, of them to the end: ${score.fullRounds}`],
    ['runs', grouped(score.runs)],
    ['  to the end of the input', grouped(ends.done)],
    ['  stopped by SIGTERM', grouped(ends.stopped)],
    ['  failed, since the service was down', grouped(ends.failed)],
    ['  on a slow disk', `${grouped(score.slowRuns)}, with ${grouped(score.stalls)} stalls`],
    ['requests', grouped(score.requests)],
    ['faults', grouped([...faults.values()].reduce((sum, times) => sum + times, 0))],
    ...[...faults].sort().map(([kind, times]) => [`  ${kind}`, grouped(times)]),
    ['retries reported', grouped(score.retries)],
    ['records', grouped(score.read)],
    ['  located', grouped(score.located)],
    ['  set aside, with the reason', grouped(score.setAside)],
    ['  lost', grouped(score.lost)],
    ['  doubled', grouped(score.doubled)],
    ['  wrong', grouped(score.wrong)],
    ['records of failed runs, done again', grouped(score.doneAgain)],
    ['from SIGTERM to the end', spread(score.stops, 'ms')],
    ['throughput of a run', spread(score.rates, 'records/s')],
    ['memory', spread(score.memory, 'MB')],
    [
      '  of the long run, at its end',
      score.growth === undefined ? 'not measured: too few requests' : `${score.growth.toFixed(2)} x`,
    ],
  );
  return table.toString();
}

const grouped = (number) => number.toLocaleString('en-US');

/** Least, median and most. */
function spread(numbers, unit) {
  if (numbers.length === 0) return 'not measured';
  const [least, median, most] = [0, 0.5, 1].map((share) => grouped(Math.round(quantile(numbers, share))));
  return `${least} .. ${median} .. ${most} ${unit}`;
}
