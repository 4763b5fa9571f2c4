import { from, zip } from 'rxjs';
import { zipPull } from '../dist/esm/index.js';
import { rounds, timesAsFast } from './compare.mjs';
import { inProcesses } from './processes.mjs';
import { fact, row } from './row.mjs';

export const title = 'Zipping a fast source with a slow one: what waits, and times as fast as zip';

const count = 1000;

const subjects = {
  'zip arrays': () => tuples(zip([numbers, numbers])),
  'zipPull arrays': () => tuples(zipPull([numbers, numbers])),
  'zip async': () => tuples(zip([from(later()), from(later())])),
  'zipPull async': () => tuples(zipPull([later(), later()])),
};
const pairs = [
  ['zipPull of two arrays', 'zipPull arrays', 'zip arrays'],
  ['zipPull of two async generators', 'zipPull async', 'zip async'],
];
const numbers = Array.from({ length: count }, (_, i) => i);

export async function* rows() {
  const ahead = { zip: await mostAhead(zip), zipPull: await mostAhead(zipPull) };
  yield fact(`zip, one side 10 times as fast: most values that wait`, `${ahead.zip}`);
  yield fact(`zipPull, the same`, `${ahead.zipPull}`, '<= 1', ahead.zipPull <= 1);
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

/** How many values of the fast side have come before their tuple. */
async function mostAhead(zipAll) {
  let given = 0;
  let taken = 0;
  let most = 0;
  async function* fast() {
    for (; given < count; given++) {
      most = Math.max(most, given + 1 - taken);
      yield given;
    }
  }
  async function* slow() {
    for (let i = 0; i < count / 10; i++) {
      for (let turn = 0; turn < 30; turn++) await undefined;
      yield i;
    }
  }
  await new Promise((resolve, reject) => {
    zipAll([fast(), slow()]).subscribe({ next: () => taken++, error: reject, complete: resolve });
  });
  return most;
}

async function* later() {
  yield* numbers;
}

function tuples(zipped) {
  return new Promise((resolve, reject) => {
    let seen = 0;
    zipped.subscribe({
      next: () => seen++,
      error: reject,
      complete: () => {
        if (seen === count) resolve();
        else reject(new Error(`tuples are missing: ${seen}`));
      },
    });
  });
}
