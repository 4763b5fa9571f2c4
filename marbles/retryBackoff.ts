import { defer } from 'rxjs';
import { retryBackoff } from '../src/operators/retryBackoff.js';
import { type MarbleSpec } from './spec.js';

const spec: MarbleSpec = {
  name: 'retryBackoff',
  call: "retryBackoff({ initialDelay: 2, jitter: 'none' })",
  inputs: {
    'first attempt': '--a#',
    'second attempt': '------b#',
    'third attempt': '------------c-|',
  },
  output: '--a---b-----c-|',
  apply: (inputs, scheduler) => {
    const attempts = Object.values(inputs);
    const source = defer(() => attempts.shift() ?? []);
    return source.pipe(retryBackoff({ initialDelay: 2, jitter: 'none', scheduler }));
  },
};

export default spec;
