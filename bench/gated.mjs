import { from, map, mergeMap } from 'rxjs';
import { bufferedMergeMap, fromPull, toAsyncIterable } from '../dist/esm/index.js';
import { rounds, timesAsFast } from './compare.mjs';
import { inProcesses } from './processes.mjs';
import { row } from './row.mjs';

export const title = 'Gated pipelines over an async generator: times as fast as what they replace';

const count = 2000;
async function* values() {
  for (let i = 0; i < count; i++) yield i;
}
const work = (x) => Promise.resolve(x);
const native = () => mergeMap(work, 4);
const ours = () => bufferedMergeMap(work, { concurrent: 4 });

const subjects = {
  forAwait: () => lengthOf(values()),
  from: () => lengthOf$(from(values())),
  fromPull: () => lengthOf$(fromPull(values())),
  'from, mergeMap': () => lengthOf$(from(values()).pipe(native())),
  'fromPull, bufferedMergeMap': () => lengthOf$(fromPull(values()).pipe(ours())),
  'from, mergeMap, map, mergeMap': () => lengthOf$(from(values()).pipe(native(), map(identity), native())),
  'fromPull, bufferedMergeMap, map, bufferedMergeMap': () =>
    lengthOf$(fromPull(values()).pipe(ours(), map(identity), ours())),
  'fromPull, toAsyncIterable': () => lengthOf(toAsyncIterable(fromPull(values()))),
  'fromPull, toAsyncIterable 16': () => lengthOf(toAsyncIterable(fromPull(values()), { highWaterMark: 16 })),
};

const pairs = [
  ['fromPull', 'from'],
  ['fromPull', 'forAwait'],
  ['fromPull, bufferedMergeMap', 'from, mergeMap'],
  ['fromPull, bufferedMergeMap, map, bufferedMergeMap', 'from, mergeMap, map, mergeMap'],
  ['fromPull, toAsyncIterable', 'forAwait'],
  ['fromPull, toAsyncIterable 16', 'forAwait'],
];

export async function* rows() {
  const processes = await inProcesses(import.meta.url, []);
  for (const [i, [candidate, baseline]] of pairs.entries()) {
    yield row(
      `${candidate} against ${baseline}`,
      processes.map((ratios) => ratios[i]),
    );
  }
}

export async function measure() {
  const times = await rounds(subjects, { count: 30 });
  return pairs.map(([candidate, baseline]) => timesAsFast(times[candidate], times[baseline]));
}

function identity(value) {
  return value;
}

async function lengthOf(iterable) {
  let length = 0;
  const iterator = iterable[Symbol.asyncIterator]();
  while (!(await iterator.next()).done) length++;
  check(length);
}

function lengthOf$(results$) {
  return new Promise((resolve, reject) => {
    let length = 0;
    results$.subscribe({
      next: () => {
        length++;
      },
      error: reject,
      complete: () => {
        check(length);
        resolve();
      },
    });
  });
}

function check(length) {
  if (length !== count) throw new Error(`results are missing: ${length}`);
}
