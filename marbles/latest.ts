import { gatedBy } from '../src/index.js';
import { latest } from '../src/operators/latest.js';
import { gateOf } from './inputs.js';
import { type MarbleSpec } from './spec.js';

const spec: MarbleSpec = {
  name: 'latest',
  call: 'latest()',
  inputs: { source: '-a-b-c---d-|', 'gate below': 'o-x----o----' },
  gates: ['gate below'],
  output: '-a-----c-d-|',
  apply: ({ source, 'gate below': gate }) => {
    if (!source) throw new Error('no source');
    return source.pipe(latest(), gatedBy(gateOf(gate)));
  },
};

export default spec;
