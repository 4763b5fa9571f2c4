import { from as fromIterable } from 'ix/asynciterable';
import { flatMap } from 'ix/asynciterable/operators';
import { Readable } from 'node:stream';
import pLimit from 'p-limit';
import pMap, { pMapIterable } from 'p-map';
import PQueue from 'p-queue';
import { from, mergeMap } from 'rxjs';
import { parallelMap, transform } from 'streaming-iterables';
import { bufferedMergeMap, fromPull } from '../dist/esm/index.js';
import { median, rounds, timesAsFast } from './compare.mjs';
import { inProcesses } from './processes.mjs';
import { row } from './row.mjs';

export const title = 'Promises as inner sources, against other libraries: how many times as long they take';

const count = 500;
const array = Array.from({ length: count }, (_, i) => i);
async function* generator() {
  for (let i = 0; i < count; i++) yield i;
}

const inputs = { array: () => array, 'async generator': generator };

const works = {
  microtask: async (x) => {
    await undefined;
    return x;
  },
  setImmediate: (x) => new Promise((resolve) => setImmediate(resolve, x)),
};

/**
 * Each as its documentation says, the fastest where there are several ways; and `ordered` for those that keep the order.
 * They give the sum of the results, or the results.
 */
const subjects = {
  ours: (input, work, concurrent) => sumOf(fromPull(input).pipe(bufferedMergeMap(work, { concurrent }))),
  'ours, ordered': (input, work, concurrent) =>
    sumOf(fromPull(input).pipe(bufferedMergeMap(work, { concurrent, ordered: true }))),
  'RxJS mergeMap': (input, work, concurrent) => sumOf(from(input).pipe(mergeMap(work, concurrent))),
  'p-map': (input, work, concurrency) => pMap(input, work, { concurrency }),
  'p-map, pMapIterable': (input, work, concurrency) =>
    sumOfEach(pMapIterable(input, work, { concurrency, preserveOrder: false })),
  'p-limit': async (input, work, concurrent) => {
    const limit = pLimit(concurrent);
    if (Array.isArray(input)) return limit.map(input, work);
    const results = [];
    for await (const value of input) results.push(limit(work, value));
    return Promise.all(results);
  },
  'p-queue': async (input, work, concurrency) => {
    const queue = new PQueue({ concurrency });
    if (Array.isArray(input)) return queue.addAll(input.map((value) => () => work(value)));
    let sum = 0;
    for await (const value of input) {
      await queue.onSizeLessThan(concurrency);
      void queue.add(async () => {
        const result = await work(value);
        sum += result;
      });
    }
    await queue.onIdle();
    return sum;
  },
  'Node, Readable.map': (input, work, concurrency) => Readable.from(input).map(work, { concurrency }).toArray(),
  'streaming-iterables, parallelMap': (input, work, concurrent) => sumOfEach(parallelMap(concurrent, work, input)),
  'streaming-iterables, transform': (input, work, concurrent) => sumOfEach(transform(concurrent, work, input)),
  'IxJS, flatMap': (input, work, concurrent) => sumOfEach(fromIterable(input).pipe(flatMap(work, concurrent))),
  'a loop by hand': async (input, work, concurrent) => {
    const values = input[Symbol.asyncIterator]?.() ?? input.values();
    let sum = 0;
    const loop = async () => {
      for (;;) {
        const next = values.next();
        const { done, value } = next instanceof Promise ? await next : next;
        if (done) return;
        const result = await work(value); // not `sum += await`, which would read the sum before
        sum += result;
      }
    };
    await Promise.all(Array.from({ length: concurrent }, loop));
    return sum;
  },
};

/** A loop that does nothing else is the floor; in order is more work. */
const unclaimed = ['a loop by hand', 'ours, ordered'];

function sumOf(results$) {
  return new Promise((resolve, reject) => {
    let sum = 0;
    results$.subscribe({
      next: (result) => {
        sum += result;
      },
      error: reject,
      complete: () => {
        resolve(sum);
      },
    });
  });
}

async function sumOfEach(results) {
  let sum = 0;
  for await (const result of results) sum += result;
  return sum;
}

export async function* rows() {
  for (const work of Object.keys(works)) {
    const measured = [];
    for (const input of Object.keys(inputs)) {
      for (const concurrent of [4, 16]) {
        const processes = await inProcesses(import.meta.url, [work, input, concurrent]);
        for (const peer of Object.keys(processes[0])) {
          measured.push({ peer, where: `${input}, ${concurrent}`, ratios: processes.map((ratios) => ratios[peer]) });
        }
      }
    }
    for (const peer of Object.keys(subjects).slice(1)) {
      const [{ where, ratios }] = measured
        .filter((each) => each.peer === peer)
        .sort((one, other) => median(one.ratios) - median(other.ratios));
      yield row(`${work}: ${peer} (least with ${where})`, ratios, unclaimed.includes(peer) ? {} : { atLeast: 1 });
    }
  }
}

export async function measure(work, input, concurrent) {
  const runs = Object.entries(subjects).map(([name, run]) => [
    name,
    async () => {
      const results = await run(inputs[input](), works[work], Number(concurrent));
      const sum = Array.isArray(results) ? results.reduce((total, result) => total + result) : results;
      if (sum !== (count * (count - 1)) / 2) throw new Error(`${name}: results are missing: ${sum}`);
    },
  ]);
  const { ours, ...peers } = await rounds(Object.fromEntries(runs), { count: 15, warmUpMs: 60 });
  return Object.fromEntries(Object.entries(peers).map(([name, times]) => [name, timesAsFast(ours, times)]));
}
