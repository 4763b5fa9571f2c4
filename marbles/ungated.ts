import { fromPull, gatedBy, ungated } from '../src/index.js';
import { gateOf, pulled } from './inputs.js';
import { type MarbleSpec } from './spec.js';

const source = '--a-b-c-d-|';

const spec: MarbleSpec = {
  name: 'ungated',
  call: 'fromPull(source).pipe(ungated())',
  inputs: { source, 'gate below': 'o----x------o----' },
  gates: ['gate below'],
  output: '--a-b-c-d-|',
  asynchronous: true,
  apply: ({ 'gate below': gate }, scheduler) =>
    fromPull(() => pulled(source, scheduler)).pipe(ungated(), gatedBy(gateOf(gate))),
};

export default spec;
