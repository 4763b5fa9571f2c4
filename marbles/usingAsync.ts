import { NEVER } from 'rxjs';
import { usingAsync } from '../src/sources/usingAsync.js';
import { type MarbleSpec } from './spec.js';

const spec: MarbleSpec = {
  name: 'usingAsync',
  call: 'usingAsync({ acquire, use, release })',
  inputs: { query: '-a--b|', close: '--------|' },
  output: '-a--b---|',
  apply: ({ query = NEVER, close = NEVER }) =>
    usingAsync({ acquire: () => 'connection', use: () => query, release: () => close }),
};

export default spec;
