import { map, timer } from 'rxjs';
import { bufferedMergeMap } from '../src/index.js';
import { type MarbleSpec } from './spec.js';

const spec: MarbleSpec = {
  name: 'bufferedMergeMap.priority',
  call: 'bufferedMergeMap(work, { concurrent: 1, priority: Number })',
  inputs: { source: '1325---------------|' },
  output: '----1---5---3---2--|',
  apply: ({ source }, scheduler) => {
    if (!source) throw new Error('no source');
    const work = (value: string) => timer(4, scheduler).pipe(map(() => value));
    return source.pipe(bufferedMergeMap(work, { concurrent: 1, priority: Number, scheduler }));
  },
};

export default spec;
