import { map, timer } from 'rxjs';
import { bufferedMergeMap } from '../src/index.js';
import { type MarbleSpec } from './spec.js';

const spec: MarbleSpec = {
  name: 'bufferedMergeMap',
  call: 'bufferedMergeMap(work, { concurrent: 2 })',
  inputs: { source: 'abcd-----|' },
  output: '---ab-cd-|',
  apply: ({ source }, scheduler) => {
    if (!source) throw new Error('no source');
    const work = (value: string) => timer(3, scheduler).pipe(map(() => value));
    return source.pipe(bufferedMergeMap(work, { concurrent: 2 }));
  },
};

export default spec;
