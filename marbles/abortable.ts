import { ignoreElements, merge, NEVER, Subject, takeUntil } from 'rxjs';
import { abortable } from '../src/sources/abortable.js';
import { type MarbleSpec } from './spec.js';

const spec: MarbleSpec = {
  name: 'abortable',
  call: 'abortable((signal) => work).pipe(takeUntil(stop))',
  inputs: { work: '--a--b--c--|', stop: '------s' },
  output: '--a--b|',
  below: { call: 'signal', output: '------x' },
  apply: ({ work = NEVER, stop = NEVER }, _, seen) => {
    const aborts = new Subject<string>();
    const values = abortable((signal) => {
      signal.addEventListener('abort', () => {
        aborts.next('x');
      });
      return work;
    });
    const stopped = values.pipe(takeUntil(stop));
    return merge(aborts, stopped.pipe(seen, ignoreElements()));
  },
};

export default spec;
