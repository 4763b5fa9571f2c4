import { map } from 'rxjs';
import { pausableBackpressure } from '../src/operators/pausableBackpressure.js';
import { type MarbleSpec } from './spec.js';

const spec: MarbleSpec = {
  name: 'pausableBackpressure',
  call: 'pausableBackpressure(paused$)',
  inputs: { source: '--a-b-c-d-----e--|', paused$: '---t-----f--------' },
  output: '--a------(bcd)e--|',
  apply: ({ source, paused$ }) => {
    if (!source || !paused$) throw new Error('no source');
    return source.pipe(pausableBackpressure(paused$.pipe(map((mark) => mark === 't'))));
  },
};

export default spec;
