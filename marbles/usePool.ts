import { map, timer } from 'rxjs';
import { usePool } from '../src/operators/usePool.js';
import { createPool } from '../src/resources/createPool.js';
import { type MarbleSpec } from './spec.js';

const spec: MarbleSpec = {
  name: 'usePool',
  call: 'usePool(pool, query)',
  inputs: { source: 'abc----|' },
  output: '---ab-c|',
  apply: ({ source }, scheduler) => {
    if (!source) throw new Error('no source');
    const pool = createPool({ create: () => ({}), max: 2, scheduler });
    return source.pipe(usePool(pool, (value) => timer(3, scheduler).pipe(map(() => value)), { scheduler }));
  },
};

export default spec;
