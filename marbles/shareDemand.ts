import { Observable } from 'rxjs';
import { fromPull, gatedBy } from '../src/index.js';
import { shareDemand } from '../src/operators/shareDemand.js';
import { gateOf, pulled } from './inputs.js';
import { type MarbleSpec } from './spec.js';

const source = '--a-b-c-d-|';

const spec: MarbleSpec = {
  name: 'shareDemand',
  call: "shareDemand('all'), for another subscriber",
  inputs: { source, 'gate of one subscriber': 'o----x------o----' },
  gates: ['gate of one subscriber'],
  output: '--a-b-------c-d-|',
  asynchronous: true,
  apply: (inputs, scheduler) => {
    const shared = fromPull(() => pulled(source, scheduler)).pipe(shareDemand('all'));
    const slow = shared.pipe(gatedBy(gateOf(inputs['gate of one subscriber'])));
    return new Observable((another) => {
      another.add(slow.subscribe());
      shared.subscribe(another);
    });
  },
};

export default spec;
