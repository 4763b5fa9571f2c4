import { fromPull } from '../src/index.js';
import { zipPull } from '../src/sources/zipPull.js';
import { type MarbleSpec } from './spec.js';

const spec: MarbleSpec = {
  name: 'zipPull',
  call: "fromPull('abcd')",
  inputs: { numbers: '---1---2---3|' },
  output: 'a--b---c---d',
  values: { a: 'a', b: 'b', c: 'c', d: 'd', x: ['a', '1'], y: ['b', '2'], z: ['c', '3'] },
  below: { call: 'zipPull([letters, numbers])', output: '---x---y---z|' },
  apply: ({ numbers }, _, seen) => {
    if (!numbers) throw new Error('no numbers');
    return zipPull([fromPull('abcd').pipe(seen), numbers]);
  },
};

export default spec;
