import { NEVER, type Observable } from 'rxjs';
import { takeUntilAborted } from '../src/operators/takeUntilAborted.js';
import { cleanedUpBy } from '../test/support/cleanedUpBy.js';
import { type MarbleSpec } from './spec.js';

const spec: MarbleSpec = {
  name: 'takeUntilAborted',
  call: 'source.pipe(takeUntilAborted(signal))',
  inputs: { source: '--a--b--c--d--|', signal: '-------x', 'clean-up of the source': '----------|' },
  output: '--a--b----|',
  apply: ({ source = NEVER, signal = NEVER, 'clean-up of the source': cleanup }, scheduler) =>
    source.pipe(
      cleanedUpBy(() => cleanup),
      takeUntilAborted(signalOf(signal), { scheduler }),
    ),
};

/** A signal that a line of marbles aborts. */
function signalOf(line: Observable<string>): AbortSignal {
  const controller = new AbortController();
  line.subscribe(() => {
    controller.abort();
  });
  return controller.signal;
}

export default spec;
