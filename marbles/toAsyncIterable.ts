import { Observable, type SchedulerLike } from 'rxjs';
import { toAsyncIterable } from '../src/index.js';
import { pause } from './inputs.js';
import { type MarbleSpec } from './spec.js';

const spec: MarbleSpec = {
  name: 'toAsyncIterable',
  call: 'for await (const value of toAsyncIterable(source)) await work(value);',
  inputs: { source: '-abc------|' },
  output: '-a--b--c--|',
  asynchronous: true,
  apply: ({ source }, scheduler) => {
    if (!source) throw new Error('no source');
    return loop(toAsyncIterable(source), scheduler);
  },
};

/** Gives the values when the loop gets them. */
const loop = (values: AsyncIterable<string>, scheduler: SchedulerLike) =>
  new Observable<string>((subscriber) => {
    const run = async () => {
      for await (const value of values) {
        subscriber.next(value);
        await pause(3, scheduler);
      }
      subscriber.complete();
    };
    void run();
  });

export default spec;
