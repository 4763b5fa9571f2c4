import { map } from 'rxjs';
import { parseJsonLines } from '../src/index.js';
import { type MarbleSpec } from './spec.js';

const spec: MarbleSpec = {
  name: 'parseJsonLines',
  call: 'parseJsonLines()',
  inputs: { source: '12;3;-;45|' },
  output: '--x-y----(z|)',
  values: { x: 12, y: 3, z: 45 },
  apply: ({ source }) => {
    if (!source) throw new Error('no source');
    return source.pipe(
      map((chunk) => (chunk === ';' ? '\n' : chunk)),
      parseJsonLines(),
    );
  },
};

export default spec;
