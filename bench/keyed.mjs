import { BehaviorSubject, Observable } from 'rxjs';
import { bufferedMergeMap, fromPull } from '../dist/esm/index.js';
import { rounds, timesAsFast } from './compare.mjs';
import { inProcesses } from './processes.mjs';
import { row } from './row.mjs';

export const title = 'What a value costs that has one of 100 000 keys, in times of what it costs with one of 10';

const count = 200_000;
const inners = ['[x]', 'Promise.resolve(x)'];

export async function* rows() {
  const ratios = (...job) => inProcesses(import.meta.url, job, { processes: 3 });
  for (const inner of inners) {
    yield row(`${inner}, pulled, so that few wait`, await ratios('pulled', inner, 'few', 'many'), { atMost: 1.5 });
  }
  for (const inner of inners) {
    yield row(`${inner}, 200 000 values wait`, await ratios('waiting', inner, 'few', 'many'), { atMost: 4 });
  }
  yield row('a Map of V8 alone: get, set and delete', await ratios('map', '', 'few', 'many'), { better: null });
  for (const inner of inners) {
    yield row(`${inner}, pulled, 10 keys, in times of no key`, await ratios('pulled', inner, 'none', 'few'), {
      better: 'less',
    });
    yield row(`${inner}, 200 000 wait, 10 keys, in times of no key`, await ratios('waiting', inner, 'none', 'few'), {
      better: 'less',
    });
  }
}

const keys = {
  none: undefined,
  few: (i) => i % 10,
  many: (i) => i % 100_000,
};

const projects = {
  '[x]': (x) => [x],
  'Promise.resolve(x)': (x) => Promise.resolve(x),
};

const ways = { pulled, waiting, map };

export async function measure(way, inner, one, other) {
  const run = (name) => ways[way](projects[inner], keys[name] && { key: keys[name] });
  const times = await rounds({ one: run(one), other: run(other) }, { count: 7, sampleMs: 20, warmUpMs: 1 });
  return timesAsFast(times.one, times.other);
}

/** No more are asked for than may run and as many again. */
function pulled(project, options) {
  const results$ = fromPull(numbers).pipe(bufferedMergeMap(project, options));
  return () => all(results$);
}

/** All values wait when the first may start. */
function waiting(project, options) {
  return () => {
    const concurrent = new BehaviorSubject(0);
    const end = all(numbers$.pipe(bufferedMergeMap(project, { concurrent, bufferSize: Infinity, ...options })));
    concurrent.next(4);
    return end;
  };
}

/** What a key costs at least: it is looked for, put in, and taken out when its last value has gone. */
function map(_, { key }) {
  return () => {
    const lanes = new Map();
    for (const i of numbers) if (!lanes.get(key(i))) lanes.set(key(i), i + 1);
    for (const i of numbers) lanes.delete(key(i));
  };
}

const numbers = Array.from({ length: count }, (_, i) => i);

const numbers$ = new Observable((subscriber) => {
  for (let i = 0; i < count; i++) subscriber.next(i);
  subscriber.complete();
});

function all(results$) {
  return new Promise((complete, error) => {
    let left = count;
    results$.subscribe({
      next: () => left--,
      error,
      complete: () => {
        if (left === 0) complete();
        else error(new Error(`results are missing: ${left}`));
      },
    });
  });
}
