import { Observable, type SchedulerLike } from 'rxjs';
import { toReadableStream } from '../src/sinks/toReadableStream.js';
import { pause } from './inputs.js';
import { type MarbleSpec } from './spec.js';

const spec: MarbleSpec = {
  name: 'toReadableStream',
  call: 'for await (const value of toReadableStream(source)) await work(value);',
  inputs: { source: '-abc------|' },
  output: '-a--b--c--|',
  asynchronous: true,
  apply: ({ source }, scheduler) => {
    if (!source) throw new Error('no source');
    return loop(toReadableStream(source), scheduler);
  },
};

/** Gives the values when the loop gets them. */
const loop = (stream: ReadableStream<string>, scheduler: SchedulerLike) =>
  new Observable<string>((subscriber) => {
    const reader = stream.getReader();
    const run = async () => {
      for (let read = await reader.read(); !read.done; read = await reader.read()) {
        subscriber.next(read.value);
        await pause(3, scheduler);
      }
      subscriber.complete();
    };
    void run();
  });

export default spec;
