import { formatJsonLines } from '../src/index.js';
import { type MarbleSpec } from './spec.js';

const spec: MarbleSpec = {
  name: 'formatJsonLines',
  call: 'formatJsonLines()',
  inputs: { source: '-a-b-c-|' },
  output: '-x-y-z-|',
  values: { x: '"a"\n', y: '"b"\n', z: '"c"\n' },
  apply: ({ source }) => {
    if (!source) throw new Error('no source');
    return source.pipe(formatJsonLines());
  },
};

export default spec;
