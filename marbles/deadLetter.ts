import { defer, NEVER } from 'rxjs';
import { deadLetter } from '../src/operators/deadLetter.js';
import { type MarbleSpec } from './spec.js';

const spec: MarbleSpec = {
  name: 'deadLetter',
  call: 'deadLetter(order, { attempts: 2, to: () => write })',
  inputs: { 'first attempt': '-a#', 'second attempt': '---b#', write: '-------|' },
  output: '-a-b---|',
  apply: ({ write, ...inputs }, scheduler) => {
    const attempts = Object.values(inputs);
    const work = defer(() => attempts.shift() ?? NEVER);
    return work.pipe(deadLetter('order', { attempts: 2, to: () => write, scheduler }));
  },
};

export default spec;
