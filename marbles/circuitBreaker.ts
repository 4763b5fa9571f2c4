import { catchError, ignoreElements, map, merge, mergeMap, of, throwError } from 'rxjs';
import { CircuitOpenError } from '../src/errors/CircuitOpenError.js';
import { circuitBreaker } from '../src/operators/circuitBreaker.js';
import { createCircuitBreaker } from '../src/resources/createCircuitBreaker.js';
import { type MarbleSpec } from './spec.js';

const spec: MarbleSpec = {
  name: 'circuitBreaker',
  call: 'circuitBreaker(breaker)',
  inputs: { call: 'a-x-x-a-----a-a-|' },
  output: 'a-f-f-r-----a-a-|',
  below: { call: 'breaker.state$', output: 'c---o----h--c' },
  apply: ({ call }, scheduler, seen) => {
    if (!call) throw new Error('no call');
    const breaker = createCircuitBreaker({ threshold: { consecutive: 2 }, openFor: 5, scheduler });
    const ask = (id: string) =>
      (id === 'x' ? throwError(() => new Error('x fails')) : of(id)).pipe(
        circuitBreaker(breaker),
        catchError((error: unknown) => of(error instanceof CircuitOpenError ? 'r' : 'f')),
      );
    const states = breaker.state$.pipe(map(({ status }) => status.charAt(0)));
    return merge(states, call.pipe(mergeMap(ask), seen, ignoreElements()));
  },
};

export default spec;
