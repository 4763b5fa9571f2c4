import { map, timer } from 'rxjs';
import { bufferedMergeMap } from '../src/index.js';
import { type MarbleSpec } from './spec.js';

const spec: MarbleSpec = {
  name: 'bufferedMergeMap.concurrent',
  call: 'bufferedMergeMap(work, { concurrent: limit })',
  inputs: { source: 'abcdef-----------|', limit: '2----0---1--------' },
  output: '---ab-cd----e--f-|',
  apply: ({ source, limit }, scheduler) => {
    if (!source || !limit) throw new Error('no source or no limit');
    const work = (value: string) => timer(3, scheduler).pipe(map(() => value));
    return source.pipe(bufferedMergeMap(work, { concurrent: limit.pipe(map((digit) => Number(digit))) }));
  },
};

export default spec;
