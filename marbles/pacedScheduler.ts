import { observeOn } from 'rxjs';
import { pacedScheduler } from '../src/schedulers/pacedScheduler.js';
import { type MarbleSpec } from './spec.js';

const spec: MarbleSpec = {
  name: 'pacedScheduler',
  call: 'observeOn(pacedScheduler({ limit: 2, interval: 5 }))',
  inputs: { source: 'abc--d---|' },
  output: 'ab---cd---|',
  apply: ({ source }, scheduler) => {
    if (!source) throw new Error('no source');
    return source.pipe(observeOn(pacedScheduler({ limit: 2, interval: 5, scheduler })));
  },
};

export default spec;
