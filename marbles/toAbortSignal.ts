import { NEVER, Observable } from 'rxjs';
import { toAbortSignal } from '../src/sinks/toAbortSignal.js';
import { type MarbleSpec } from './spec.js';

const spec: MarbleSpec = {
  name: 'toAbortSignal',
  call: 'toAbortSignal(notifier)',
  inputs: { notifier: '---a--b--|' },
  output: '---x',
  apply: ({ notifier = NEVER }) =>
    new Observable((subscriber) => {
      toAbortSignal(notifier).addEventListener('abort', () => {
        subscriber.next('x');
      });
    }),
};

export default spec;
