// Checked by `npm run typecheck`.
import { of, timer, type Observable } from 'rxjs';
import { describe, expectTypeOf, it } from 'vitest';
import type { Task, TaskScope, TaskState } from '../../src/internal/tasks/TaskScope.js';
import { taskScope } from '../../src/resources/taskScope.js';

describe('taskScope', () => {
  const scope = taskScope({ onError: 'settle', concurrent: 2, name: 'x' });

  it('gives tasks of what their sources give, or of nothing', () => {
    expectTypeOf(scope.run(() => of(1))).toEqualTypeOf<Task<number>>();
    expectTypeOf(scope.run(async () => 'a').result).toEqualTypeOf<Promise<string | undefined>>();
    expectTypeOf(scope.run(() => [true]).state).toEqualTypeOf<TaskState>();
    expectTypeOf(scope.run(() => timer(1)).name).toEqualTypeOf<string | undefined>();
    expectTypeOf(scope.tasks$).toEqualTypeOf<Observable<readonly Task[]>>();
  });

  it('tells tasks of their cancellation, of their scope, and gives them one of their own', () => {
    scope.run(({ signal, scope, fork }) => {
      expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
      expectTypeOf(scope).toEqualTypeOf<TaskScope>();
      expectTypeOf(fork({ concurrent: 1 })).toEqualTypeOf<TaskScope>();
      // @ts-expect-error it is cancelled with the task: no other signal
      fork({ signal });
      return of(1);
    });
  });

  it('can be disposed of, where that is known', () => {
    expectTypeOf(scope[Symbol.asyncDispose]).toEqualTypeOf<() => Promise<void>>();
    expectTypeOf(scope).toExtend<AsyncDisposable>();
  });

  it('refuses promises, and what is no source', () => {
    // @ts-expect-error a promise runs already: pass a function
    scope.run(Promise.resolve(1));
    // @ts-expect-error a number is no source
    scope.run(() => 1);
    // @ts-expect-error RxJS's word is concurrent
    taskScope({ concurrency: 4 });
    // @ts-expect-error there are two ways
    taskScope({ onError: 'ignore' });
  });
});
