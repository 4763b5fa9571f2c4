import { map, NEVER } from 'rxjs';
import { taskScope } from '../src/resources/taskScope.js';
import { type MarbleSpec } from './spec.js';

const spec: MarbleSpec = {
  name: 'taskScope',
  call: 'scope.tasks$: how many',
  inputs: { a: '--1|', b: '----2|' },
  output: '2--1-(0|)',
  values: { 0: 0, 1: 1, 2: 2 },
  apply: ({ a = NEVER, b = NEVER }, scheduler) => {
    const scope = taskScope({ scheduler });
    scope.run(() => a);
    scope.run(() => b);
    void scope.join();
    return scope.tasks$.pipe(map((tasks) => tasks.length));
  },
};

export default spec;
