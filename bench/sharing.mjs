import { share, Subject } from 'rxjs';
import { shareDemand } from '../dist/esm/index.js';
import { rounds, timesAsFast } from './compare.mjs';
import { inProcesses } from './processes.mjs';
import { row } from './row.mjs';

export const title = 'Sharing a source that pushes: times as fast as share';

const values = 1000;
const audiences = [1, 10, 100];

const subjects = Object.fromEntries(
  audiences.flatMap((size) => [
    [`share ${size}`, () => deliver(share(), size)],
    [`all ${size}`, () => deliver(shareDemand('all'), size)],
    [`any ${size}`, () => deliver(shareDemand('any'), size)],
  ]),
);

const pairs = audiences.flatMap((size) => [
  [`shareDemand('all') to ${size}`, `all ${size}`, `share ${size}`],
  [`shareDemand('any') to ${size}`, `any ${size}`, `share ${size}`],
]);

export async function* rows() {
  const processes = await inProcesses(import.meta.url, []);
  for (const [i, [what]] of pairs.entries()) {
    yield row(
      what,
      processes.map((ratios) => ratios[i]),
    );
  }
}

export async function measure() {
  const times = await rounds(subjects, { count: 30 });
  return pairs.map(([, candidate, baseline]) => timesAsFast(times[candidate], times[baseline]));
}

function deliver(operator, size) {
  const source = new Subject();
  const shared = source.pipe(operator);
  let sum = 0;
  for (let i = 0; i < size; i++) shared.subscribe((value) => (sum += value));
  for (let i = 0; i < values; i++) source.next(1);
  source.complete();
  if (sum !== values * size) throw new Error(`values are missing: ${sum}`);
}
