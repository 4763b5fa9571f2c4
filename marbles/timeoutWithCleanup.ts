import { of, timer } from 'rxjs';
import { timeoutWithCleanup } from '../src/operators/timeoutWithCleanup.js';
import { type MarbleSpec } from './spec.js';

const spec: MarbleSpec = {
  name: 'timeoutWithCleanup',
  call: "timeoutWithCleanup({ each: 4, cleanup, with: () => of('x') })",
  inputs: { source: '-a------b--|' },
  output: '-a-------(x|)',
  apply: ({ source }, scheduler) => {
    if (!source) throw new Error('no source');
    const cleanup = () => timer(4, scheduler);
    return source.pipe(timeoutWithCleanup({ each: 4, cleanup, with: () => of('x'), scheduler }));
  },
};

export default spec;
