import { fromEvent, takeUntil, delay } from 'rxjs';
import { timeoutWithCleanup } from '../src/operators/timeoutWithCleanup.js';
import { abortable } from '../src/sources/abortable.js';
import { type MarbleSpec } from './spec.js';

const spec: MarbleSpec = {
  name: 'timeoutWithCleanup.cooperative',
  call: 'timeoutWithCleanup({ total: 6 })',
  inputs: { work: '-a--b--c--d--|' },
  output: '-a--b--c|',
  apply: ({ work }, scheduler) => {
    if (!work) throw new Error('no work');
    const untilAsked = (signal: AbortSignal) =>
      work.pipe(takeUntil(fromEvent(signal, 'abort').pipe(delay(2, scheduler))));
    return abortable(untilAsked).pipe(timeoutWithCleanup({ total: 6, scheduler }));
  },
};

export default spec;
