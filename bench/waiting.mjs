import { mergeMap, Observable } from 'rxjs';
import { bufferedMergeMap } from '../dist/esm/index.js';
import { rounds, timesAsFast } from './compare.mjs';
import { inProcesses } from './processes.mjs';
import { row } from './row.mjs';

export const title = 'What a value costs while many wait, in times of what it costs while 10 000 wait';

const few = 10_000;
const many = 1_000_000;

export async function* rows() {
  for (const kind of ['numbers', 'objects']) {
    const ratios = await inProcesses(import.meta.url, ['bufferedMergeMap', kind, many, 7]);
    yield row(`bufferedMergeMap, 1 000 000 ${kind} wait`, ratios, { atMost: 1.2 });
  }
  const ratios = await inProcesses(import.meta.url, ['mergeMap', 'numbers', 400_000, 1], { processes: 1 });
  yield row('mergeMap of RxJS, 400 000 numbers wait (one run)', ratios, { better: null });
}

const operators = {
  mergeMap: (project) => mergeMap(project, 1),
  bufferedMergeMap: (project) => bufferedMergeMap(project, { concurrent: 1, bufferSize: Infinity }),
};

const kinds = {
  numbers: (i) => i,
  objects: (i) => ({ i }),
};

export async function measure(name, kind, most, count) {
  const values = Array.from({ length: Number(most) }, (_, i) => kinds[kind](i));
  const operator = operators[name]((value) => Promise.resolve(value));
  const times = await rounds(
    { few: pushing(values, few, operator), many: pushing(values, values.length, operator) },
    { count: Number(count), sampleMs: 20, warmUpMs: 1 },
  );
  return timesAsFast(times.few, times.many) / (values.length / few);
}

/** All values come at once; one at a time is worked on. */
function pushing(values, count, operator) {
  const source$ = new Observable((subscriber) => {
    for (let i = 0; i < count; i++) subscriber.next(values[i]);
    subscriber.complete();
  });
  return () =>
    new Promise((complete, error) => {
      source$.pipe(operator).subscribe({ error, complete });
    });
}
