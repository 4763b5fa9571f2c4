import { mergeMap, Observable, range } from 'rxjs';
import { bufferedMergeMap } from '../dist/esm/index.js';
import { rounds, shuffled, timesAsFast } from './compare.mjs';
import { inProcesses } from './processes.mjs';
import { row } from './row.mjs';

export const title = 'What an inner source costs while many run, in times of what it costs while a tenth of them run';

/**
 * What is linear costs the same each, but that V8 has to move to its old generation what lives so long: so much that as many
 * subscriptions without any operator cost several times as much each. What is quadratic costs 10 times as much.
 */
const linear = { atMost: 5 };

export async function* rows() {
  yield row(
    '100 000 subscriptions, no operator',
    await inProcesses(import.meta.url, ['none', 'first in, first out', 100_000, 7]),
  );
  for (const order of Object.keys(orders)) {
    const ratios = await inProcesses(import.meta.url, ['bufferedMergeMap', order, 100_000, 7]);
    yield row(`bufferedMergeMap, 100 000 run, ${order}`, ratios, linear);
  }
  for (const order of Object.keys(orders)) {
    const ratios = await inProcesses(import.meta.url, ['mergeMap', order, 20_000, 1], { processes: 1 });
    yield row(`mergeMap of RxJS, 20 000 run, ${order} (one run)`, ratios, { better: null });
  }
}

const operators = {
  mergeMap: (project) => mergeMap(project),
  bufferedMergeMap: (project) => bufferedMergeMap(project, { concurrent: Infinity }),
};

/** In which order they complete. */
const orders = {
  'first in, first out': (count) => Array.from({ length: count }, (_, i) => i),
  'last in, first out': (count) => Array.from({ length: count }, (_, i) => count - 1 - i),
  'in random order': (count) => shuffled(Array.from({ length: count }, (_, i) => i)),
};

export async function measure(name, order, most, count) {
  const running = (number) =>
    name === 'none' ? subscribed(number) : completing(operators[name], orders[order](number));
  const times = await rounds(
    { few: running(Number(most) / 10), many: running(Number(most)) },
    { count: Number(count), sampleMs: 20, warmUpMs: 30 },
  );
  return timesAsFast(times.few, times.many) / 10;
}

function subscribed(count) {
  return () => {
    const subscribers = [];
    for (let i = 0; i < count; i++) new Observable((subscriber) => void subscribers.push(subscriber)).subscribe({});
    for (const subscriber of subscribers) {
      subscriber.next(0);
      subscriber.complete();
    }
  };
}

function completing(operator, order) {
  let inners;
  const results$ = range(0, order.length).pipe(operator(() => new Observable((inner) => void inners.push(inner))));
  return () =>
    new Promise((complete, error) => {
      inners = [];
      results$.subscribe({ error, complete });
      for (const i of order) {
        inners[i].next(i);
        inners[i].complete();
      }
    });
}
