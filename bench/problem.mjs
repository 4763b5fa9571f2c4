import { EMPTY, from, mergeMap, range, timer } from 'rxjs';
import { setTimeout as delay } from 'node:timers/promises';
import { bufferedMergeMap, fromPull } from '../dist/esm/index.js';
import { inProcesses } from './processes.mjs';
import { fact } from './row.mjs';

export const title = 'The problem: what mergeMap of RxJS does, and what bufferedMergeMap does';

export async function* rows() {
  for (const of of ['mergeMap', 'bufferedMergeMap']) {
    const [pulled] = await inProcesses(import.meta.url, ['pulled', of], { processes: 1 });
    const isMet = of === 'mergeMap' ? undefined : pulled <= 36 + 4 + 4;
    yield fact(
      `${of}: pulled of 5000 when 36 are done, 4 at a time`,
      String(pulled),
      isMet === undefined ? '' : '<= 44',
      isMet,
    );
  }
  for (const of of ['mergeMap', 'bufferedMergeMap']) {
    const [outcome] = await inProcesses(import.meta.url, ['outcome', of], { processes: 1 });
    const [target, isMet] = of === 'mergeMap' ? [] : ['completes', outcome === 'completes'];
    yield fact(`${of}: 3000 synchronous inner sources behind a slow one`, outcome, target, isMet);
  }
}

export const measure = (what, of) => (what === 'pulled' ? pulledWhenDone(of, 36) : outcomeBehindSlowOne(of, 3000));

function pulledWhenDone(of, enough) {
  let pulled = 0;
  let done = 0;
  async function* values() {
    for (; pulled < 5000;) yield pulled++;
  }
  const work = () => delay(1);
  const results$ =
    of === 'mergeMap'
      ? from(values()).pipe(mergeMap(work, 4))
      : fromPull(values()).pipe(bufferedMergeMap(work, { concurrent: 4 }));
  return new Promise((resolve) => {
    results$.subscribe(() => {
      if (++done === enough) resolve(pulled);
    });
  });
}

/** Within a second, of which it needs less than a hundredth. */
async function outcomeBehindSlowOne(of, count) {
  const project = (i) => (i === 0 ? timer(1) : EMPTY);
  const operator =
    of === 'mergeMap' ? mergeMap(project, 1) : bufferedMergeMap(project, { concurrent: 1, bufferSize: Infinity });
  let outcome = 'neither completes nor errors';
  range(0, count)
    .pipe(operator)
    .subscribe({
      error: (error) => {
        outcome = `errors: ${error}`;
      },
      complete: () => {
        outcome = 'completes';
      },
    });
  await delay(1000);
  return outcome;
}
