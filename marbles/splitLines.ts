import { map } from 'rxjs';
import { splitLines } from '../src/index.js';
import { type MarbleSpec } from './spec.js';

const spec: MarbleSpec = {
  name: 'splitLines',
  call: 'splitLines()',
  inputs: { source: 'ab;c--d;--;-e|' },
  output: '--x----y--z--(e|)',
  values: { x: 'ab', y: 'cd', z: '', e: 'e' },
  apply: ({ source }) => {
    if (!source) throw new Error('no source');
    return source.pipe(
      map((chunk) => (chunk === ';' ? '\n' : chunk)),
      splitLines(),
    );
  },
};

export default spec;
