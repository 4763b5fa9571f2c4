import { debounceTime, groupBy, map, mergeMap, Observable } from 'rxjs';
import { keyedSessions } from '../dist/esm/index.js';
import { rounds, timesAsFast } from './compare.mjs';
import { inProcesses } from './processes.mjs';
import { row } from './row.mjs';

export const title =
  'Sessions by key, against groupBy with a duration and mergeMap: how many times as much CPU time that takes';

const idleTimeout = 1_000_000; // they end with the source, so that only their upkeep counts

/** Values of so many keys, in turn. */
const shapes = {
  'a new session for each value (10 000)': { keys: 10_000, values: 1, target: { atLeast: 2 } },
  '1000 sessions of 20 values': { keys: 1000, values: 20, target: { atLeast: 1 } },
  '10 sessions of 2000 values': { keys: 10, values: 2000 },
};

export async function* rows() {
  for (const shape of Object.keys(shapes)) {
    const ratios = await inProcesses(import.meta.url, [shape]);
    yield row(shape, ratios, shapes[shape].target);
  }
}

export async function measure(shape) {
  const { keys, values } = shapes[shape];
  const count = keys * values;
  const numbers$ = new Observable((subscriber) => {
    for (let i = 0; i < count; i++) subscriber.next(i);
    subscriber.complete();
  });
  const key = (n) => n % keys;
  const operators = {
    ours: keyedSessions(key, ({ values }) => values.pipe(map((n) => n + 1)), { idleTimeout, maxSessions: Infinity }),
    native: (source) =>
      source.pipe(
        groupBy(key, { duration: (group) => group.pipe(debounceTime(idleTimeout)) }),
        mergeMap((group) => group.pipe(map((n) => n + 1))),
      ),
  };
  const runs = Object.entries(operators).map(([name, operator]) => [
    name,
    () => all(numbers$.pipe(operator), count, name),
  ]);
  const { ours, native } = await rounds(Object.fromEntries(runs), { count: 15, warmUpMs: 200 });
  return timesAsFast(ours, native);
}

function all(results$, count, name) {
  let seen = 0;
  results$.subscribe(() => seen++);
  if (seen !== count) throw new Error(`${name}: ${seen} results of ${count}`);
}
