import { map, timer } from 'rxjs';
import { bufferedMergeMap } from '../src/index.js';
import { type MarbleSpec } from './spec.js';

const spec: MarbleSpec = {
  name: 'bufferedMergeMap.key',
  call: 'bufferedMergeMap(work, { concurrent: 2, key: letter })',
  inputs: { source: 'aAbB------|' },
  output: '---a-bA-B-|',
  apply: ({ source }, scheduler) => {
    if (!source) throw new Error('no source');
    const work = (value: string) => timer(3, scheduler).pipe(map(() => value));
    const letter = (value: string) => value.toLowerCase();
    return source.pipe(bufferedMergeMap(work, { concurrent: 2, key: letter, scheduler }));
  },
};

export default spec;
