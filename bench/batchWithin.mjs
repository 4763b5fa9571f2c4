import { bufferCount, bufferTime, range } from 'rxjs';
import { batchWithin } from '../dist/esm/index.js';
import { rounds, timesAsFast } from './compare.mjs';
import { inProcesses } from './processes.mjs';
import { row } from './row.mjs';

export const title = 'Batches by size or time: times as fast as bufferTime and bufferCount of RxJS';

const values = 10_000;
const sizes = [10, 100, 1000];

export async function* rows() {
  for (const size of sizes) {
    const processes = await inProcesses(import.meta.url, [size]);
    const each = (name) => processes.map((ratios) => ratios[name]);
    yield row(`bufferTime(1000, null, ${size})`, each('bufferTime'), { atLeast: 1 });
    yield row(`bufferCount(${size}), against { size: ${size} }`, each('bufferCount'));
  }
}

export async function measure(argument) {
  const size = Number(argument);
  const times = await rounds({
    sizeOrTime: through(batchWithin({ size, time: 1000 })),
    bufferTime: through(bufferTime(1000, null, size)),
    size: through(batchWithin({ size })),
    bufferCount: through(bufferCount(size)),
  });
  return {
    bufferTime: timesAsFast(times.sizeOrTime, times.bufferTime),
    bufferCount: timesAsFast(times.size, times.bufferCount),
  };
}

function through(operator) {
  const batches$ = range(0, values).pipe(operator);
  return () => {
    let count = 0;
    batches$.subscribe((batch) => {
      count += batch.length;
    });
    if (count !== values) throw new Error(`values are missing: ${count}`);
  };
}
