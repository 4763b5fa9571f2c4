import { identity, Subject, timeout } from 'rxjs';
import { timeoutWithCleanup } from '../dist/esm/index.js';
import { rounds, timesAsFast } from './compare.mjs';
import { inProcesses } from './processes.mjs';
import { row } from './row.mjs';

export const title = 'Values in limited time: times as fast as timeout of RxJS';

const values = 1_000_000;

export async function* rows() {
  const processes = await inProcesses(import.meta.url, [], { processes: 3 });
  const each = (name) => processes.map((ratios) => ratios[name]);
  yield row(`timeout({ each: 1000 }), ${values} values`, each('each'), { atLeast: 3 });
  yield row(`timeout({ first: 1000 }), ${values} values`, each('first'));
  yield row('the same without a limit, against { each: 1000 }', each('unlimited'), { better: null });
}

export async function measure() {
  const times = await rounds(
    {
      each: through(timeoutWithCleanup({ each: 1000 })),
      nativeEach: through(timeout({ each: 1000 })),
      first: through(timeoutWithCleanup({ first: 1000 })),
      nativeFirst: through(timeout({ first: 1000 })),
      unlimited: through(identity),
    },
    { count: 5 },
  );
  return {
    each: timesAsFast(times.each, times.nativeEach),
    first: timesAsFast(times.first, times.nativeFirst),
    unlimited: timesAsFast(times.each, times.unlimited),
  };
}

/** By a source that is not synchronous with its subscription, so that timers run. */
function through(operator) {
  return () => {
    const source = new Subject();
    let count = 0;
    const subscription = source.pipe(operator).subscribe(() => {
      count++;
    });
    for (let i = 0; i < values; i++) source.next(i);
    subscription.unsubscribe();
    if (count !== values) throw new Error(`values are missing: ${count}`);
  };
}
