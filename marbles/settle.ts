import { settle } from '../src/operators/settle.js';
import { type MarbleSpec } from './spec.js';

const spec: MarbleSpec = {
  name: 'settle',
  call: 'source.pipe(settle())',
  inputs: { source: '--a--b--#' },
  output: '--v--w--(e|)',
  values: {
    v: { status: 'fulfilled', value: 'a' },
    w: { status: 'fulfilled', value: 'b' },
    e: { status: 'rejected', reason: 'error' },
  },
  apply: ({ source }) => {
    if (!source) throw new Error('no source');
    return source.pipe(settle());
  },
};

export default spec;
