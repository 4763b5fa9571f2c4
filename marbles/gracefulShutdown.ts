import { map, timer } from 'rxjs';
import { bufferedMergeMap } from '../src/operators/bufferedMergeMap.js';
import { gracefulShutdown } from '../src/operators/gracefulShutdown.js';
import { type MarbleSpec } from './spec.js';

const spec: MarbleSpec = {
  name: 'gracefulShutdown',
  call: 'gracefulShutdown(jobs, { on: stop })',
  inputs: { source: 'abcd-----e-f', stop: '------s' },
  output: '----ab--c(d|)',
  apply: ({ source, stop }, scheduler) => {
    if (!source || !stop) throw new Error('no source or no stop');
    const work = (value: string) => timer(4, scheduler).pipe(map(() => value));
    return source.pipe(
      gracefulShutdown((jobs) => jobs.pipe(bufferedMergeMap(work, { concurrent: 2 })), { on: stop, scheduler }),
    );
  },
};

export default spec;
