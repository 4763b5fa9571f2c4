import { defer } from 'rxjs';
import { hedge } from '../src/operators/hedge.js';
import { type MarbleSpec } from './spec.js';

const spec: MarbleSpec = {
  name: 'hedge',
  call: 'hedge({ after: 4 })',
  inputs: {
    'first attempt': '---------a|',
    'second attempt': '------b-|',
  },
  output: '------b-|',
  apply: (inputs, scheduler) => {
    const attempts = Object.values(inputs);
    const source = defer(() => attempts.shift() ?? []);
    return source.pipe(hedge({ after: 4, scheduler }));
  },
};

export default spec;
