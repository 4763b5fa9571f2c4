// Against mergeMap of RxJS, which does the same: shared by the claims `sync` and `promise`.
import { mergeMap, of, range } from 'rxjs';
import { bufferedMergeMap } from '../dist/esm/index.js';
import { rounds, timesAsFast } from './compare.mjs';
import { inProcesses } from './processes.mjs';
import { row } from './row.mjs';

const projects = {
  'of(x)': (x) => of(x),
  '[x]': (x) => [x],
  'Promise.resolve(x)': (x) => Promise.resolve(x),
  'async function': async (x) => x,
};

export async function* rowsAgainstMergeMap(url, inners, target) {
  for (const inner of inners) {
    for (const concurrent of [1, 4, 64, Infinity]) {
      yield row(`${inner}, concurrent ${concurrent}`, await inProcesses(url, [inner, concurrent]), target);
    }
  }
}

export async function timesAsFastAsMergeMap(inner, concurrent) {
  const project = projects[inner];
  const { ours, native } = await rounds({
    ours: through(bufferedMergeMap(project, { concurrent, bufferSize: Infinity })),
    native: through(mergeMap(project, concurrent)),
  });
  return timesAsFast(ours, native);
}

function through(operator) {
  const results$ = range(0, 1000).pipe(operator);
  return () =>
    new Promise((complete, error) => {
      let sum = 0;
      results$.subscribe({
        next: (value) => {
          sum += value;
        },
        error,
        complete: () => {
          if (sum === 499_500) complete();
          else error(new Error(`results are missing: ${sum}`));
        },
      });
    });
}
