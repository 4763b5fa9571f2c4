import { map, timer } from 'rxjs';
import { bufferedMergeMap } from '../src/operators/bufferedMergeMap.js';
import { gracefulShutdown } from '../src/operators/gracefulShutdown.js';
import { cleanedUpBy } from '../test/support/cleanedUpBy.js';
import { type MarbleSpec } from './spec.js';

/** The works take 4 frames, and 3 to clean up when they are cut off. */
const spec: MarbleSpec = {
  name: 'gracefulShutdown.drainTimeout',
  call: "gracefulShutdown(jobs, { on: stop, drainTimeout: 3, onTimeout: 'complete' })",
  inputs: { source: 'abcd-----e-f', stop: '------s' },
  output: '----ab--c---|',
  apply: ({ source, stop }, scheduler) => {
    if (!source || !stop) throw new Error('no source or no stop');
    const time = (value: string) => (value === 'd' ? 6 : 4);
    const work = (value: string) =>
      timer(time(value), scheduler).pipe(
        map(() => value),
        cleanedUpBy(() => timer(3, scheduler)),
      );
    return source.pipe(
      gracefulShutdown((jobs) => jobs.pipe(bufferedMergeMap(work, { concurrent: 2 })), {
        on: stop,
        drainTimeout: 3,
        onTimeout: 'complete',
        scheduler,
      }),
    );
  },
};

export default spec;
