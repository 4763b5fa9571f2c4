import { map } from 'rxjs';
import { keyedSessions } from '../src/operators/keyedSessions.js';
import { type MarbleSpec } from './spec.js';

const spec: MarbleSpec = {
  name: 'keyedSessions',
  call: 'keyedSessions(key, count, { idleTimeout: 4 })',
  inputs: { source: 'ab-a------ab|' },
  output: '11-2------11|',
  apply: ({ source }, scheduler) => {
    if (!source) throw new Error('no source');
    return source.pipe(
      keyedSessions(
        (value) => value,
        ({ values }) => values.pipe(map((_, i) => String(i + 1))),
        { idleTimeout: 4, scheduler },
      ),
    );
  },
};

export default spec;
