import { batchWithin } from '../src/operators/batchWithin.js';
import { type MarbleSpec } from './spec.js';

const spec: MarbleSpec = {
  name: 'batchWithin',
  call: 'batchWithin({ size: 3, time: 5 })',
  inputs: { source: 'abcde------f-|' },
  output: '--x-----y----(z|)',
  values: { x: ['a', 'b', 'c'], y: ['d', 'e'], z: ['f'] },
  apply: ({ source }, scheduler) => {
    if (!source) throw new Error('no source');
    return source.pipe(batchWithin({ size: 3, time: 5, scheduler }));
  },
};

export default spec;
