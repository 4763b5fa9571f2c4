import { type SchedulerLike } from 'rxjs';
import { writeToStream } from '../src/sinks/writeToStream.js';
import { pause } from './inputs.js';
import { type MarbleSpec } from './spec.js';

const spec: MarbleSpec = {
  name: 'writeToStream',
  call: 'writeToStream(writable)',
  inputs: { source: '-abc------|' },
  output: '----------(3|)',
  values: { 3: 3 },
  asynchronous: true,
  apply: ({ source }, scheduler) => {
    if (!source) throw new Error('no source');
    return source.pipe(writeToStream(slow(scheduler)));
  },
};

/** A stream that takes three frames for each value. */
const slow = (scheduler: SchedulerLike) => new WritableStream<string>({ write: () => pause(3, scheduler) });

export default spec;
