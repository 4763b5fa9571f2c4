import { gatedBy } from '../src/index.js';
import { conflate } from '../src/operators/conflate.js';
import { gateOf } from './inputs.js';
import { type MarbleSpec } from './spec.js';

const spec: MarbleSpec = {
  name: 'conflate',
  call: 'conflate(add)',
  inputs: { source: '-a-b-c---d-|', 'gate below': 'o-x----o----' },
  gates: ['gate below'],
  output: '-a-----x-d-|',
  values: { a: 'a', x: 'b+c', d: 'd' },
  apply: ({ source, 'gate below': gate }) => {
    if (!source) throw new Error('no source');
    return source.pipe(
      conflate((waiting, value) => `${waiting}+${value}`),
      gatedBy(gateOf(gate)),
    );
  },
};

export default spec;
