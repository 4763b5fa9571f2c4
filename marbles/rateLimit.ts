import { rateLimit } from '../src/operators/rateLimit.js';
import { type MarbleSpec } from './spec.js';

const spec: MarbleSpec = {
  name: 'rateLimit',
  call: 'rateLimit({ limit: 2, interval: 5 })',
  inputs: { source: 'abc--d---|' },
  output: 'ab---cd--|',
  apply: ({ source }, scheduler) => {
    if (!source) throw new Error('no source');
    return source.pipe(rateLimit({ limit: 2, interval: 5, scheduler }));
  },
};

export default spec;
