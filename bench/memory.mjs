import { filter, map } from 'rxjs';
import { bufferedMergeMap, fromPull } from '../dist/esm/index.js';
import { digits, fact } from './row.mjs';
import { inProcesses } from './processes.mjs';

export const title = 'Memory, while 10 000 000 values are pulled through map, filter and bufferedMergeMap';

const limit = 8;

export async function* rows() {
  // A small young generation, so that a sample has little garbage in it.
  const flags = ['--expose-gc', '--max-semi-space-size=1'];
  const [{ peak, left, read }] = await inProcesses(import.meta.url, [], { processes: 1, flags });
  yield fact('most that the heap has grown by, with garbage', `${digits(peak)} MB`, `< ${limit} MB`, peak < limit);
  yield fact('what it has grown by at the end, after gc()', `${digits(left)} MB`, `< ${limit} MB`, left < limit);
  yield fact('most that was pulled and not yet done', String(read));
}

export async function measure() {
  const heap = () => process.memoryUsage().heapUsed / 2 ** 20;
  let pulled = 0;
  let done = 0;
  let ahead = 0;
  let peak = 0;

  function* values() {
    for (; pulled < 10_000_000; pulled++) yield { id: pulled };
  }
  const sample = () => {
    peak = Math.max(peak, heap());
    ahead = Math.max(ahead, pulled - done);
  };

  globalThis.gc();
  const before = heap();
  await new Promise((complete, error) => {
    fromPull(values())
      .pipe(
        map(({ id }) => ({ id, isOdd: id % 2 === 1 })),
        filter(({ id }) => id >= 0),
        bufferedMergeMap((value) => Promise.resolve(value), { concurrent: 4 }),
      )
      .subscribe({
        next: () => {
          if (++done % 10_000 === 0) sample();
        },
        error,
        complete,
      });
  });
  globalThis.gc();
  return { peak: peak - before, left: heap() - before, read: ahead };
}
