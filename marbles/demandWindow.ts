import { delay } from 'rxjs';
import { demandWindow } from '../src/operators/demandWindow.js';
import { type MarbleSpec } from './spec.js';

const spec: MarbleSpec = {
  name: 'demandWindow',
  call: 'demandWindow(2, delay(3))',
  inputs: { source: 'abcd------|' },
  output: '---ab-cd--|',
  apply: ({ source }, scheduler) => {
    if (!source) throw new Error('no source');
    return source.pipe(demandWindow(2, delay(3, scheduler), { scheduler }));
  },
};

export default spec;
