import { from, NEVER } from 'rxjs';
import { gather } from '../src/sinks/gather.js';
import { type MarbleSpec } from './spec.js';

const spec: MarbleSpec = {
  name: 'gather',
  call: 'gather([() => a, () => b])',
  inputs: { a: '--1|', b: '----2|' },
  output: '-----(r|)',
  values: { r: ['1', '2'] },
  asynchronous: true,
  apply: ({ a = NEVER, b = NEVER }) => from(gather([() => a, () => b])),
};

export default spec;
