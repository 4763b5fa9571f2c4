import { fromPull, gatedBy } from '../src/index.js';
import { gateOf, pulled } from './inputs.js';
import { type MarbleSpec } from './spec.js';

const source = '--a-b-c-d-|';

const spec: MarbleSpec = {
  name: 'gatedBy',
  call: 'fromPull(source).pipe(gatedBy(gate))',
  inputs: { source, gate: 'o----x------o----' },
  gates: ['gate'],
  output: '--a-b-------c-d-|',
  asynchronous: true,
  apply: ({ gate }, scheduler) => fromPull(() => pulled(source, scheduler)).pipe(gatedBy(gateOf(gate))),
};

export default spec;
