import { map, timer } from 'rxjs';
import { bufferedMergeMap, fromPull } from '../src/index.js';
import { type MarbleSpec } from './spec.js';

const spec: MarbleSpec = {
  name: 'fromPull',
  call: "fromPull('abcde')",
  inputs: {},
  output: '(abc)d----e----|',
  below: {
    call: 'bufferedMergeMap(work, { concurrent: 1, highWaterMark: 2 })',
    output: '-----a----b----c----d----(e|)',
  },
  apply: (_, scheduler, seen) => {
    const work = (value: string) => timer(5, scheduler).pipe(map(() => value));
    return fromPull('abcde').pipe(seen, bufferedMergeMap(work, { concurrent: 1, highWaterMark: 2 }));
  },
};

export default spec;
