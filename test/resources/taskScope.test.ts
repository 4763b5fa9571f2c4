import {
  EMPTY,
  finalize,
  map,
  noop,
  NEVER,
  Observable,
  of,
  queueScheduler,
  Subject,
  switchMap,
  take,
  throwError,
  timer,
} from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { BufferOverflowError } from '../../src/errors/BufferOverflowError.js';
import { CleanupTimeoutError } from '../../src/errors/CleanupTimeoutError.js';
import { TaskScopeClosedError } from '../../src/errors/TaskScopeClosedError.js';
import type {
  Task,
  TaskContext,
  TaskOptions,
  TaskScope,
  TaskScopeOptions,
} from '../../src/internal/tasks/TaskScope.js';
import { operate } from '../../src/internal/operate.js';
import { runCleanup } from '../../src/internal/runCleanup.js';
import { findCleanupScope } from '../../src/link/walk.js';
import { taskScope } from '../../src/resources/taskScope.js';
import { CountedSignal } from '../support/CountedSignal.js';
import { marbles } from '../support/marbles.js';
import { outcomes } from '../support/outcomes.js';
import { record } from '../support/record.js';
import { deferred, settle } from '../support/settle.js';
import { collectUnhandled, reported } from '../support/unhandled.js';

const unhandled = collectUnhandled();
const reason = new Error('reason');

/** A task that ends by itself when it is told to. */
function manual(log: string[] = [], name = 'a') {
  const subject = new Subject<number>();
  const task = ({ signal }: TaskContext) => {
    log.push(`start ${name}`);
    signal.addEventListener('abort', () => log.push(`abort ${name}`));
    return subject.pipe(finalize(() => log.push(`teardown ${name}`)));
  };
  return Object.assign(subject, { task });
}

/** Has asynchronous clean-up, once it is unsubscribed. */
const withCleanup =
  <T>(source: Observable<T>, cleanup: () => unknown) =>
  (): Observable<T> =>
    new Observable<T>((subscriber) => {
      const scope = findCleanupScope(subscriber);
      subscriber.add(() => {
        const settled = runCleanup(cleanup);
        if (settled) scope?.track(settled);
      });
      source.subscribe(subscriber);
    });

/** The errors of an AggregateError. */
const errorsOf = async (promise: Promise<unknown>): Promise<unknown[]> => {
  const error: unknown = await promise.then(
    () => 'resolved',
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(AggregateError);
  return (error as AggregateError).errors as unknown[];
};

describe('checks what it is called with', () => {
  it.each([
    [{ concurrent: 0 }, RangeError, 'concurrent must be a positive integer or Infinity, got 0'],
    [{ bufferSize: -1 }, RangeError, 'bufferSize must be a non-negative integer or Infinity, got -1'],
    [{ onError: 'ignore' as never }, RangeError, "onError must be one of 'cancel-all', 'settle', got 'ignore'"],
    [{ signal: {} as never }, TypeError, 'signal must be an AbortSignal, got an object'],
    [{ name: 1 as never }, TypeError, 'name must be a string, got 1'],
    [5 as never, TypeError, 'options must be an object, got 5'],
  ] as [TaskScopeOptions, typeof Error, string][])('%o', (options, Class, message) => {
    expect(() => taskScope(options)).toThrow(new Class(message));
  });

  it('and clean-up options as everywhere', () => {
    expect(() => taskScope({ cleanupTimeout: -1 })).toThrow(/^cleanupTimeout must be .*, got -1$/);
    expect(() => taskScope({ scheduler: 5 as never })).toThrow(TypeError);
  });

  it('in run, which then runs nothing', () => {
    const scope = taskScope();
    expect(() => scope.run(Promise.resolve(1) as never)).toThrow(
      new TypeError('task must be a function, got an object'),
    );
    const task = vi.fn(() => of(1));
    expect(() => scope.run(task, { signal: {} as never })).toThrow(TypeError);
    expect(() => scope.run(task, { name: 1 as never })).toThrow(TypeError);
    expect(() => scope.run(task, 1 as never)).toThrow(TypeError);
    expect(task).not.toHaveBeenCalled();
  });
});

describe('a task', () => {
  async function* generator() {
    yield 1;
    yield 2;
  }
  it.each([
    ['a promise', () => Promise.resolve(2), 2],
    [
      'a thenable',
      () =>
        ({
          then: (resolve: (value: number) => void) => {
            resolve(2);
          },
        }) as PromiseLike<number>,
      2,
    ],
    ['an Observable', () => of(1, 2), 2],
    ['an Observable to which somebody has given a then', () => Object.assign(of(1, 2), { then: noop }), 2],
    ['an Observable without a value', () => EMPTY, undefined],
    ['an array', () => [1, 2], 2],
    ['an async iterable', () => generator(), 2],
    [
      'a stream',
      () =>
        new ReadableStream<number>({
          start: (c) => {
            c.enqueue(2);
            c.close();
          },
        }),
      2,
    ],
  ] as [string, () => Promise<number>, unknown][])('that is %s', async (_, task, result) => {
    const scope = taskScope();
    const run = scope.run(task);
    expect(await run.result).toBe(result);
    expect(run.state).toBe('fulfilled');
    await scope.join();
    expect(await run.result).toBe(result);
  });

  it.each([
    [
      'throws',
      () => {
        throw reason;
      },
    ],
    ['rejects', () => Promise.reject(reason)],
    ['errors', () => throwError(() => reason)],
    [
      'is an iterator that throws',
      async function* () {
        throw reason;
      },
    ],
  ] as [string, () => Promise<never>][])('that %s', async (_, task) => {
    const scope = taskScope();
    const run = scope.run(task);
    expect(await errorsOf(scope.join())).toEqual([reason]);
    expect(run.state).toBe('rejected');
    expect(await outcomes(run.result)).toEqual([['error', reason]]);
  });

  it('that gives no source', async () => {
    const scope = taskScope();
    scope.run(() => 5 as never);
    expect(await errorsOf(scope.join())).toEqual([expect.any(TypeError)]);
  });

  it('that unsubscribes from itself is cancelled', async () => {
    const scope = taskScope();
    const run = scope.run(
      () =>
        new Observable((subscriber) => {
          subscriber.unsubscribe();
        }),
    );
    expect(run.state).toBe('cancelled');
    expect(await outcomes(run.result, scope.join())).toEqual([
      ['error', expect.objectContaining({ name: 'AbortError' })],
      undefined,
    ]);
  });

  it('starts at once, or when there is a place', () => {
    const [log, a, b] = [[] as string[], manual(), manual()];
    const scope = taskScope({ concurrent: 1 });
    const tasks = [a, b].map((each, i) => scope.run(each.task, { name: String(i) }));
    const states = () => tasks.map(({ state }) => state);
    expect([states(), tasks.map(({ name }) => name)]).toEqual([
      ['running', 'waiting'],
      ['0', '1'],
    ]);
    a.complete();
    expect(states()).toEqual(['fulfilled', 'running']);
    b.complete();
    expect([states(), log]).toEqual([['fulfilled', 'fulfilled'], []]);
  });

  it('takes its place until its clean-up has settled', async () => {
    const cleanup = deferred();
    const scope = taskScope({ concurrent: 1 });
    const first = scope.run(withCleanup(of(1), () => cleanup.promise));
    const second = scope.run(() => of(2));
    expect([first.state, second.state]).toEqual(['stopping', 'waiting']);
    expect(await outcomes(first.result)).toEqual(['pending']);
    cleanup.resolve();
    expect(await first.result).toBe(1);
    expect(second.state).toBe('fulfilled');
  });

  it('that runs others starts them when its function has returned', () => {
    const log: string[] = [];
    const scope = taskScope();
    scope.run(({ scope }) => {
      scope.run(() => of(log.push('second')));
      log.push('first');
      return of(1);
    });
    expect(log).toEqual(['first', 'second']);
  });

  it('nothing grows the stack: a million tasks that end at once, and that run each other', async () => {
    const scope = taskScope({ concurrent: 16 });
    let count = 0;
    for (let i = 0; i < 500_000; i++) scope.run(() => of(count++));
    const next = (): Observable<number> => {
      if (++count < 1_000_000) scope.run(next);
      return EMPTY;
    };
    scope.run(next);
    await scope.join();
    expect(count).toBe(1_000_000);
  });

  it('overflow is loud: run throws when bufferSize tasks wait, and not for those that can start', () => {
    const scope = taskScope({ concurrent: 2, bufferSize: 1, name: 'jobs' });
    const task = () => NEVER;
    scope.run(({ scope }) => {
      scope.run(task);
      scope.run(task);
      return task();
    });
    expect(() => scope.run(task)).toThrow(new BufferOverflowError("taskScope 'jobs'", 'tasks', 1));
    expect(() => scope.run(task)).toThrow(
      "taskScope 'jobs': 1 tasks wait already. Run the next when one has ended, or use a larger or infinite bufferSize.",
    );
    void scope.cancel();
  });

  it('many without a limit never overflow, even those run by one function', async () => {
    const scope = taskScope({ bufferSize: 0 });
    let ended = 0;
    scope.run(({ scope }) => {
      for (let i = 0; i < 2000; i++) scope.run(() => of(ended++));
      return EMPTY;
    });
    await scope.join();
    expect(ended).toBe(2000);
  });
});

describe('cancel of a task', () => {
  it('stops it, and no other', async () => {
    const [log, scope] = [[] as string[], taskScope()];
    const [a, b] = [manual(log, 'a'), manual(log, 'b')];
    const [first, second] = [scope.run(a.task), scope.run(b.task)];
    first.cancel(reason);
    first.cancel(new Error('too late'));
    expect(log).toEqual(['start a', 'start b', 'abort a', 'teardown a']);
    expect([first.state, second.state]).toEqual(['cancelled', 'running']);
    b.complete();
    expect(await outcomes(first.result, scope.join())).toEqual([['error', reason], undefined]);
    first.cancel();
    expect(first.state).toBe('cancelled');
  });

  it('has an AbortError as its reason, if none is given', async () => {
    const scope = taskScope();
    let seen: AbortSignal | undefined;
    const run = scope.run((context) => {
      seen = context.signal;
      return NEVER;
    });
    run.cancel();
    expect(await outcomes(run.result)).toEqual([['error', expect.objectContaining({ name: 'AbortError' })]]);
    expect(seen?.reason).toBe(await run.result.catch((error: unknown) => error));
  });

  it('gives an aborted signal to who reads it only then', () => {
    let context: TaskContext | undefined;
    const run = taskScope().run((given) => {
      context = given;
      return NEVER;
    });
    run.cancel(reason);
    expect(context?.signal.reason).toBe(reason);
  });

  it('of one that is over leaves its signal alone', () => {
    let signal: AbortSignal | undefined;
    const run = taskScope().run((context) => {
      ({ signal } = context);
      return of(1);
    });
    run.cancel();
    expect([run.state, signal?.aborted]).toEqual(['fulfilled', false]);
  });

  it('of one that waits: it is never started, and the next one moves up', () => {
    const scope = taskScope({ concurrent: 1, bufferSize: 2 });
    const running = manual();
    const task = vi.fn(() => of(1));
    scope.run(running.task);
    const [first, second] = [scope.run(task), scope.run(() => of(2))];
    first.cancel();
    expect(first.state).toBe('cancelled');
    scope.run(() => of(3)); // there is room for it again
    running.complete();
    expect([task.mock.calls.length, second.state]).toEqual([0, 'fulfilled']);
  });

  it('waits for a promise; what it still gives counts', async () => {
    const scope = taskScope();
    const promise = deferred<number>();
    const run = scope.run(() => promise.promise);
    run.cancel(reason);
    expect([run.state, await outcomes(run.result, scope.join())]).toEqual(['stopping', ['pending', 'pending']]);
    promise.resolve(5);
    expect([await run.result, run.state]).toEqual([5, 'fulfilled']);
    await scope.join();
  });

  it.each([
    ['with its reason', reason, 'cancelled'],
    ['with an AbortError', new DOMException('stop', 'AbortError'), 'cancelled'],
    ['with an error of its own', new Error('own'), 'rejected'],
  ])('waits for a promise that then rejects: %s', async (_, error, state) => {
    const scope = taskScope();
    const promise = deferred<number>();
    const run = scope.run(() => promise.promise);
    run.cancel(reason);
    promise.reject(error);
    const joined = scope.join();
    if (state === 'rejected') expect(await errorsOf(joined)).toEqual([error]);
    else await joined;
    expect(run.state).toBe(state);
  });

  it('an AbortError of a task that nobody has cancelled is a failure', async () => {
    const scope = taskScope();
    const error = new DOMException('own', 'AbortError');
    scope.run(() => Promise.reject(error));
    expect(await errorsOf(scope.join())).toEqual([error]);
  });

  it('that ends it: an Observable that completes when its signal is aborted is fulfilled', async () => {
    const scope = taskScope();
    const run = scope.run(
      ({ signal }) =>
        new Observable<number>((subscriber) => {
          signal.addEventListener('abort', () => {
            subscriber.next(7);
            subscriber.complete();
          });
        }),
    );
    run.cancel();
    expect([run.state, await run.result]).toEqual(['fulfilled', 7]);
  });

  it('from within its own function, before it gives anything', async () => {
    const scope = taskScope();
    const [log, subscribed, closed] = [[] as string[], vi.fn(), vi.fn()];
    const cancelAnd = (give: () => unknown) => {
      const run: Task = scope.run(({ scope, signal }) => {
        scope.run(() => of(1), { name: 'beside' });
        signal.addEventListener('abort', () => log.push('abort'));
        self = find(scope);
        self.cancel(reason);
        return give() as never;
      });
      return run;
    };
    let self: Task;
    const find = (scope: TaskScope): Task => {
      let found!: Task;
      scope.tasks$.pipe(take(1)).subscribe((tasks) => (found = tasks.find(({ state }) => state === 'running') as Task));
      return found;
    };
    expect(cancelAnd(() => new Observable(subscribed)).state).toBe('cancelled');
    const stream = new ReadableStream({ cancel: closed });
    const pulled = cancelAnd(() => stream);
    const promised = cancelAnd(() => Promise.resolve(3));
    const thrown = cancelAnd(() => {
      throw reason;
    });
    expect([promised.state, thrown.state]).toEqual(['stopping', 'cancelled']);
    await scope.join();
    expect([pulled.state, promised.state]).toEqual(['cancelled', 'fulfilled']);
    expect([subscribed.mock.calls.length, closed.mock.calls.length, log.length]).toEqual([0, 1, 4]);
  });

  it('by its own signal, whose listener goes with it', async () => {
    const scope = taskScope({ concurrent: 1 });
    const own = new CountedSignal();
    const a = manual();
    const options = { signal: own.signal };
    const [running, waiting] = [scope.run(a.task, options), scope.run(() => of(1), options)];
    const other = scope.run(() => of(1));
    expect(own.listeners).toBe(1);
    own.abort(reason);
    expect([running.state, waiting.state, other.state, own.listeners]).toEqual([
      'cancelled',
      'cancelled',
      'fulfilled',
      0,
    ]);
    const task = vi.fn(() => of(1));
    expect(scope.run(task, options).state).toBe('cancelled');
    expect([task.mock.calls.length, await outcomes(scope.join())]).toEqual([0, [undefined]]);
  });

  it('by a signal that it shares with others, of which some have ended', () => {
    const scope = taskScope();
    const shared = new CountedSignal();
    const all = [manual(), manual(), manual()];
    const tasks = all.map(({ task }) => scope.run(task, { signal: shared.signal }));
    all[0]?.complete();
    tasks[1]?.cancel();
    shared.abort(reason);
    expect(tasks.map(({ state }) => state)).toEqual(['fulfilled', 'cancelled', 'cancelled']);
    expect(shared.listeners).toBe(0);
  });

  const ways: Record<string, (scope: TaskScope, options: TaskOptions) => void> = {
    'that complete': (scope, options) => scope.run(() => EMPTY, options),
    'that fail': (scope, options) => {
      scope.run(() => throwError(() => reason), options).result.catch(noop);
    },
    'that are cancelled': (scope, options) => {
      scope.run(() => NEVER, options).cancel();
    },
    'that are cancelled before their start': (scope, options) => {
      scope.run((context) => {
        scope.run(() => NEVER, options).cancel();
        return context.signal.aborted ? NEVER : EMPTY;
      }, options);
    },
    'that open scopes': (scope, options) => {
      scope.run(({ fork }) => {
        fork().run(() => EMPTY, options);
        return EMPTY;
      }, options);
    },
  };
  it.each(Object.entries(ways))(
    'leaves no listener: 100 000 tasks behind one signal, %s',
    async (_, run) => {
      const [own, parent] = [new CountedSignal(), new CountedSignal()];
      const scope = taskScope({ signal: parent.signal, onError: 'settle' });
      for (let i = 0; i < 100_000; i++) run(scope, { signal: own.signal });
      expect([own.listeners, parent.added, parent.listeners]).toEqual([0, 1, 1]);
      expect(own.added).toBeGreaterThan(99_999);
      await scope.join();
      expect(parent.listeners).toBe(0);
    },
    30_000,
  );

  it(
    'after it has completed, while its clean-up goes on, gives the clean-up so much time',
    marbles((m) => {
      const scope = taskScope({ scheduler: m.scheduler, cleanupTimeout: 3, onError: 'settle' });
      const run = scope.run(withCleanup(of(1), () => NEVER));
      run.result.catch(() => undefined);
      m.scheduler.schedule(() => {
        run.cancel();
      }, 4);
      m.expect(scope.tasks$.pipe(map((tasks) => tasks[0]?.state ?? 'none'))).toBeObservable('a------b', {
        a: 'stopping',
        b: 'none',
      });
    }),
  );
});

describe('when a task fails', () => {
  it('the others are cancelled for it: first all signals, then all subscriptions; those that wait never start', async () => {
    const [log, scope] = [[] as string[], taskScope({ concurrent: 3 })];
    const all = ['a', 'b', 'c', 'd'].map((name) => manual(log, name));
    const tasks = all.map(({ task }) => scope.run(task));
    log.length = 0;
    all[1]?.error(reason);
    expect(log).toEqual(['abort b', 'abort a', 'abort c', 'teardown a', 'teardown b', 'teardown c']);
    expect(tasks.map(({ state }) => state)).toEqual(['cancelled', 'rejected', 'cancelled', 'cancelled']);
    expect(await outcomes(...tasks.map(({ result }) => result))).toEqual(tasks.map(() => ['error', reason]));
    expect(await errorsOf(scope.join())).toEqual([reason]);
  });

  it('join tells of all that fail, also of those that fail while they are cancelled', async () => {
    const scope = taskScope({ name: 'x' });
    const errors = [1, 2, 3].map((n) => new Error(String(n)));
    const promises = errors.map(() => deferred<number>());
    for (const { promise } of promises) scope.run(() => promise);
    const joined = scope.join();
    promises[1]?.reject(errors[1]);
    await settle();
    promises[2]?.reject(errors[1]); // the same error, which the reason is: no news
    promises[0]?.reject(errors[0]);
    expect(await errorsOf(joined)).toEqual([errors[1], errors[0]]);
    await expect(joined).rejects.toThrow(/^taskScope 'x': 2 \(and 1 more\)$/);
  });

  it('run throws, with the failure as its cause', async () => {
    const scope = taskScope();
    scope.run(() => throwError(() => reason));
    expect(() => scope.run(() => of(1))).toThrow(TaskScopeClosedError);
    try {
      scope.run(() => of(1));
    } catch (error) {
      expect(error).toMatchObject({ state: 'cancelled', cause: reason, where: 'taskScope' });
    }
    await scope.join().catch(() => undefined);
  });

  it('with settle, the others go on, and join resolves', async () => {
    const scope = taskScope({ onError: 'settle' });
    const other = manual();
    const tasks = [scope.run(() => throwError(() => reason)), scope.run(other.task)];
    const results = Promise.allSettled(tasks.map(({ result }) => result));
    const joined = scope.join();
    expect([tasks[1]?.state, await outcomes(joined)]).toEqual(['running', ['pending']]);
    other.next(1);
    other.complete();
    await joined;
    expect(await results).toEqual([
      { status: 'rejected', reason },
      { status: 'fulfilled', value: 1 },
    ]);
  });

  it.each([
    [
      'a failure',
      () =>
        withCleanup(
          throwError(() => reason),
          () => NEVER,
        )(),
    ],
    [
      'a clean-up that fails',
      () =>
        withCleanup(
          withCleanup(of(1), () => timer(1).pipe(switchMap(() => throwError(() => reason))))(),
          () => NEVER,
        )(),
    ],
  ])('with settle, %s limits the clean-up too', async (_, task) => {
    vi.useFakeTimers();
    try {
      const run = taskScope({ onError: 'settle', cleanupTimeout: 10 }).run(task);
      const result = errorsOf(run.result);
      expect(run.state).toBe('stopping');
      await vi.advanceTimersByTimeAsync(11);
      expect(await result).toEqual([reason, new CleanupTimeoutError('taskScope, a task', 10, reason)]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('the same error is told once, by whom it is had', async () => {
    const shared = Promise.reject(reason);
    const scope = taskScope();
    for (let i = 0; i < 3; i++) scope.run(() => shared);
    expect(await errorsOf(scope.join())).toEqual([reason]);
  });
});

describe('join', () => {
  it('resolves at once without tasks; then the scope is over', async () => {
    const scope = taskScope({ name: 'x' });
    await scope.join();
    await scope.join();
    await scope.cancel();
    expect(() => scope.run(() => of(1))).toThrow(new TaskScopeClosedError("taskScope 'x'", 'ended'));
    expect(record(scope.tasks$).log).toEqual([[], 'complete']);
  });

  it('lets tasks run others until the last one has ended', async () => {
    const scope = taskScope();
    const a = manual();
    scope.run(a.task);
    const joins = [scope.join(), scope.join()];
    const second = scope.run(() => timer(0).pipe(map(() => scope.run(() => of(5)).state)));
    a.complete();
    expect(await second.result).toBe('fulfilled');
    expect(await outcomes(...joins)).toEqual([undefined, undefined]);
  });

  it('without it, the scope stays open when its tasks have ended', () => {
    const scope = taskScope();
    scope.run(() => of(1));
    expect(scope.run(() => of(2)).state).toBe('fulfilled');
  });

  it('waits for clean-up of what has completed for as long as it takes', async () => {
    vi.useFakeTimers();
    try {
      const scope = taskScope();
      const cleanup = deferred();
      scope.run(withCleanup(of(1), () => cleanup.promise));
      const joined = scope.join();
      await vi.advanceTimersByTimeAsync(60_000);
      expect(await outcomes(joined)).toEqual(['pending']);
      cleanup.resolve();
      await joined;
    } finally {
      vi.useRealTimers();
    }
  });

  it('tells of a clean-up that fails, which cancels the others as any failure', async () => {
    const scope = taskScope();
    const cleanup = deferred();
    const run = scope.run(withCleanup(of(1), () => cleanup.promise));
    const other = scope.run(() => NEVER);
    cleanup.reject(reason);
    expect(await errorsOf(scope.join())).toEqual([reason]);
    expect([run.state, other.state]).toEqual(['rejected', 'cancelled']);
  });

  it.each(['cancelled', 'complete', 'error', 'complete at once', 'error at once'])(
    'tells of a teardown that throws: %s',
    async (how) => {
      for (const onError of ['cancel-all', 'settle'] as const) {
        const scope = taskScope({ onError });
        let end!: () => void;
        const run = scope.run(
          () =>
            new Observable<never>((subscriber) => {
              subscriber.add(() => {
                throw reason;
              });
              end = () => {
                if (how.startsWith('complete')) subscriber.complete();
                else subscriber.error('error');
              };
              if (how.endsWith('at once')) end();
            }),
        );
        if (how === 'cancelled') run.cancel();
        else end();
        const thrown: unknown = expect.objectContaining({ errors: [reason] });
        const errors = how.startsWith('error') ? ['error', thrown] : [thrown];
        const failure = await run.result.catch((error: unknown) => error);
        expect(failure).toEqual(errors.length === 1 ? thrown : expect.objectContaining({ errors }));
        expect(run.state).toBe('rejected');
        if (onError === 'settle') await scope.join();
        else expect(await errorsOf(scope.join())).toEqual(errors);
      }
    },
  );

  it('a failure of clean-up in the middle of a task is reported, since nobody waits for it', async () => {
    const scope = taskScope();
    const source = new Subject<number>();
    scope.run(() => source.pipe(switchMap(() => withCleanup(NEVER, () => Promise.reject(reason))())));
    source.next(1);
    source.next(2);
    expect(await reported(unhandled)).toBe(reason);
    void scope.cancel().catch(() => undefined);
    await settle();
  });
});

describe('cancel', () => {
  it('stops all, waits, and is no failure', async () => {
    const [log, scope] = [[] as string[], taskScope({ concurrent: 2 })];
    const cleanup = deferred();
    const waiting = vi.fn(() => of(1));
    const tasks = [
      scope.run(manual(log, 'a').task),
      scope.run(withCleanup(NEVER, () => cleanup.promise)),
      scope.run(waiting),
    ];
    const [stopped, joined] = [scope.cancel(reason), scope.join()];
    expect(log).toEqual(['start a', 'abort a', 'teardown a']);
    expect(tasks.map(({ state }) => state)).toEqual(['cancelled', 'stopping', 'cancelled']);
    expect(() => scope.run(() => of(1))).toThrow(new TaskScopeClosedError('taskScope', 'cancelled', reason));
    expect(await outcomes(stopped, joined)).toEqual(['pending', 'pending']);
    cleanup.resolve();
    expect(await outcomes(stopped, joined)).toEqual([undefined, undefined]);
    expect(waiting).not.toHaveBeenCalled();
  });

  it('called again changes nothing: the first reason is why no more tasks start', async () => {
    const scope = taskScope();
    const cleanup = deferred();
    scope.run(withCleanup(NEVER, () => cleanup.promise));
    const stopped = [scope.cancel(reason), scope.cancel(new Error('too late'))];
    let thrown: unknown;
    try {
      scope.run(() => of(1));
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ state: 'cancelled', cause: reason });
    cleanup.resolve();
    expect(await outcomes(...stopped)).toEqual([undefined, undefined]);
  });

  it('a listener that runs a task is refused, and one that cancels does no harm', async () => {
    const scope = taskScope();
    let thrown: unknown;
    scope.run(({ signal, scope }) => {
      signal.addEventListener('abort', () => {
        void scope.cancel();
        try {
          scope.run(() => of(1));
        } catch (error) {
          thrown = error;
        }
      });
      return NEVER;
    });
    await scope.cancel();
    expect(thrown).toBeInstanceOf(TaskScopeClosedError);
  });

  it('awaited by a task is that task waiting for itself: it fails when cleanupTimeout is over, and join never ends', async () => {
    const scope = taskScope({ cleanupTimeout: 1 });
    const joining = scope.run(() => scope.join());
    expect(await outcomes(joining.result, scope.join())).toEqual(['pending', 'pending']);
    const cancelling = taskScope({ cleanupTimeout: 1 });
    cancelling.run(() => cancelling.cancel());
    expect(await errorsOf(cancelling.join())).toEqual([expect.any(CleanupTimeoutError)]);
    const later = (await reported(unhandled)) as AggregateError; // what the promise of the task has come to
    expect(later.errors).toEqual([expect.any(CleanupTimeoutError)]);
    expect(await errorsOf(scope.cancel())).toEqual([expect.any(CleanupTimeoutError)]);
    await reported(unhandled);
  });

  it('called by a task that goes on is a race', async () => {
    const scope = taskScope();
    scope.run(async () => {
      await Promise.resolve();
      void scope.cancel();
      return 'first';
    });
    const loser = scope.run(() => NEVER);
    await scope.join();
    expect(loser.state).toBe('cancelled');
  });

  it('waits at most cleanupTimeout, and then tells', async () => {
    vi.useFakeTimers();
    try {
      const scope = taskScope({ cleanupTimeout: 100, name: 'x' });
      const [hanging, failing] = [deferred(), deferred()];
      const run = scope.run(
        withCleanup(NEVER, () => hanging.promise),
        { name: 'y' },
      );
      scope.run(withCleanup(NEVER, () => failing.promise));
      const joined = scope.join();
      const stopped = scope.cancel(reason);
      stopped.catch(() => undefined);
      joined.catch(() => undefined);
      failing.reject(new Error('clean-up'));
      await vi.advanceTimersByTimeAsync(99);
      expect(await outcomes(joined)).toEqual(['pending']);
      await vi.advanceTimersByTimeAsync(1);
      const late = new CleanupTimeoutError("taskScope 'x', task 'y'", 100, reason);
      expect(await errorsOf(joined)).toEqual([new Error('clean-up'), late]);
      expect(await errorsOf(stopped)).toEqual([new Error('clean-up'), late]);
      expect([run.state, vi.getTimerCount()]).toEqual(['rejected', 0]);
      hanging.reject(new Error('later')); // nobody waits any more
      await vi.advanceTimersByTimeAsync(1);
      expect(unhandled.splice(0)).toEqual([new Error('later')]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('a promise that hangs is told, and what it rejects with later is reported if it is no cancellation', async () => {
    vi.useFakeTimers();
    try {
      const scope = taskScope({ cleanupTimeout: 100 });
      const promises = [deferred<number>(), deferred<number>(), deferred<number>()];
      for (const { promise } of promises) scope.run(() => promise);
      const stopped = scope.cancel(reason);
      stopped.catch(() => undefined);
      await vi.advanceTimersByTimeAsync(100);
      expect(await errorsOf(stopped)).toEqual(promises.map((): unknown => expect.any(CleanupTimeoutError)));
      promises[0]?.resolve(1);
      promises[1]?.reject(reason);
      promises[2]?.reject(new Error('later'));
      await vi.advanceTimersByTimeAsync(1);
      expect(unhandled.splice(0)).toEqual([new Error('later')]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('with an infinite cleanupTimeout sets no timer', async () => {
    vi.useFakeTimers();
    try {
      const scope = taskScope({ cleanupTimeout: Infinity });
      const hanging = deferred();
      scope.run(withCleanup(NEVER, () => hanging.promise));
      const stopped = scope.cancel();
      expect(vi.getTimerCount()).toBe(0);
      hanging.resolve();
      await stopped;
    } finally {
      vi.useRealTimers();
    }
  });

  it('of tasks without clean-up asks the scheduler for nothing', async () => {
    const scheduler = { now: () => 0, schedule: vi.fn() };
    const scope = taskScope({ scheduler });
    const run = scope.run(() => NEVER);
    await scope.cancel();
    expect([run.state, scheduler.schedule.mock.calls]).toEqual(['cancelled', []]);
  });

  it('of tasks without clean-up is no failure on a scheduler that does not wait', async () => {
    const scope = taskScope({ scheduler: queueScheduler, cleanupTimeout: 0 });
    const run = scope.run(() => NEVER);
    await scope.cancel();
    expect(run.state).toBe('cancelled');
  });

  it('leaves no timer when the clean-up has settled in time', async () => {
    vi.useFakeTimers();
    try {
      const scope = taskScope();
      const cleanup = deferred();
      scope.run(withCleanup(NEVER, () => cleanup.promise));
      const stopped = scope.cancel();
      expect(vi.getTimerCount()).toBe(1);
      cleanup.resolve();
      await stopped;
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('is awaited by `await using`, which is silent about what join has told', async () => {
    const dispose = (scope: TaskScope) => scope[Symbol.asyncDispose]();
    const cancelled = taskScope();
    const run = cancelled.run(() => NEVER);
    await dispose(cancelled);
    expect(run.state).toBe('cancelled');
    const failed = taskScope();
    failed.run(() => throwError(() => reason));
    expect(await errorsOf(dispose(failed))).toEqual([reason]);
    const joined = taskScope();
    joined.run(() => throwError(() => reason));
    expect(await errorsOf(joined.join())).toEqual([reason]);
    await dispose(joined);
  });
});

describe('its signal', () => {
  it('cancels it with its reason, with which join rejects, and cancel does not', async () => {
    const parent = new CountedSignal();
    const scope = taskScope({ signal: parent.signal });
    const [log, cleanup] = [[] as string[], deferred()];
    scope.run(manual(log).task);
    scope.run(withCleanup(NEVER, () => cleanup.promise));
    const joined = scope.join();
    parent.abort(reason);
    expect([log, await outcomes(joined)]).toEqual([['start a', 'abort a', 'teardown a'], ['pending']]);
    cleanup.resolve();
    expect(await outcomes(joined, scope.cancel())).toEqual([['error', reason], undefined]);
    expect(parent.listeners).toBe(0);
  });

  it('that is aborted before: nothing starts', async () => {
    const scope = taskScope({ signal: AbortSignal.abort(reason) });
    expect(() => scope.run(() => of(1))).toThrow(new TaskScopeClosedError('taskScope', 'cancelled', reason));
    expect(await outcomes(scope.join())).toEqual([['error', reason]]);
  });

  it('failures count more', async () => {
    const parent = new AbortController();
    const scope = taskScope({ signal: parent.signal });
    const promise = deferred();
    scope.run(() => promise.promise);
    parent.abort(reason);
    const error = new Error('own');
    promise.reject(error);
    expect(await errorsOf(scope.join())).toEqual([error]);
  });

  it('aborted while it is cancelled already: join rejects with it all the same', async () => {
    const parent = new AbortController();
    const scope = taskScope({ signal: parent.signal });
    const cleanup = deferred();
    scope.run(withCleanup(NEVER, () => cleanup.promise));
    const stopped = scope.cancel();
    parent.abort(reason);
    cleanup.resolve();
    expect(await outcomes(stopped, scope.join())).toEqual([undefined, ['error', reason]]);
  });

  it('aborted when it is over does nothing', async () => {
    const parent = new AbortController();
    const scope = taskScope({ signal: parent.signal });
    const joined = scope.join();
    parent.abort(reason);
    await joined;
    await scope.join();
  });
});

describe('fork', () => {
  /** Opens a scope below a task that ends when it is told to. */
  function forking(scope: TaskScope, options?: TaskScopeOptions) {
    const end = deferred<number>();
    let child!: TaskScope;
    const parent = scope.run(({ fork }) => {
      child = fork(options);
      return end.promise;
    });
    return { child, parent, end };
  }

  it('the task is not over before the scope below it is, joined or not', async () => {
    const scope = taskScope();
    const { child, parent, end } = forking(scope);
    const inner = manual();
    child.run(inner.task);
    end.resolve(1);
    expect([await outcomes(parent.result, scope.join()), parent.state]).toEqual([['pending', 'pending'], 'stopping']);
    expect(child.run(() => of(1)).state).toBe('fulfilled');
    inner.complete();
    expect(await parent.result).toBe(1);
    expect(() => child.run(() => of(1))).toThrow(TaskScopeClosedError);
    await scope.join();
  });

  it('is cancelled with the task', async () => {
    const scope = taskScope();
    const { child, parent, end } = forking(scope);
    const inner = child.run(() => NEVER);
    parent.cancel(reason);
    expect(inner.state).toBe('cancelled');
    end.reject(reason);
    expect(await outcomes(inner.result, child.join(), parent.result, scope.join())).toEqual([
      ['error', reason],
      ['error', reason],
      ['error', reason],
      undefined,
    ]);
  });

  it('what fails in it fails the task, unless it is joined', async () => {
    const scope = taskScope();
    const { child, parent, end } = forking(scope);
    child.run(() => throwError(() => reason));
    await new Promise((resolve) => setTimeout(resolve));
    expect(parent.state).toBe('running');
    end.resolve(1);
    const [error] = await errorsOf(scope.join());
    expect((error as AggregateError).errors).toEqual([reason]);
    expect(parent.state).toBe('rejected');
  });

  it('what fails in it is told once, to who joins', async () => {
    const scope = taskScope();
    const { child, parent, end } = forking(scope);
    child.run(() => throwError(() => reason));
    await new Promise((resolve) => setTimeout(resolve));
    expect(await errorsOf(child.join())).toEqual([reason]);
    end.resolve(1);
    expect(await parent.result).toBe(1);
    await scope.join();
  });

  it('a task that fails cancels the scope below it, and waits for it', async () => {
    const scope = taskScope();
    const { child, parent, end } = forking(scope);
    const cleanup = deferred();
    const inner = child.run(withCleanup(NEVER, () => cleanup.promise));
    const joined = scope.join();
    end.reject(reason);
    expect([await outcomes(joined), inner.state, parent.state]).toEqual([['pending'], 'stopping', 'stopping']);
    cleanup.resolve();
    expect(await errorsOf(joined)).toEqual([reason]);
  });

  it(
    'has the scheduler and the cleanupTimeout of its parent',
    marbles((m) => {
      const scope = taskScope({ scheduler: m.scheduler, cleanupTimeout: 3 });
      let child!: TaskScope;
      scope.run(({ fork }) => {
        child = fork();
        return NEVER;
      });
      child.run(withCleanup(NEVER, () => NEVER));
      m.scheduler.schedule(() => void scope.cancel().catch(() => undefined), 2);
      m.expect(child.tasks$.pipe(map((tasks) => tasks.length))).toBeObservable('1-1--(0|)', { 0: 0, 1: 1 });
      m.expect(scope.tasks$.pipe(map((tasks) => tasks.length))).toBeObservable('1-1--(0|)', { 0: 0, 1: 1 });
    }),
  );

  it('what has failed in it is told also where the task hangs', async () => {
    const scope = taskScope({ cleanupTimeout: 1 });
    const { child, parent } = forking(scope);
    child.run(() => throwError(() => reason));
    await new Promise((resolve) => setTimeout(resolve));
    const [failed, late] = await errorsOf(scope.cancel());
    expect(parent.state).toBe('rejected');
    expect([(failed as AggregateError).errors, late]).toEqual([[reason], expect.any(CleanupTimeoutError)]);
  });

  it('what hangs in it as long as the task is told', async () => {
    const scope = taskScope({ cleanupTimeout: 1 });
    const { child } = forking(scope);
    child.run(() => new Promise(() => undefined), { name: 'below' });
    const [failed, late] = await errorsOf(scope.cancel());
    expect(String(failed)).toContain("task 'below'");
    expect(late).toBeInstanceOf(CleanupTimeoutError);
  });

  it('what fails in it after the task was too late is reported', async () => {
    const scope = taskScope({ cleanupTimeout: 1 });
    const { child, end } = forking(scope, { cleanupTimeout: 100 });
    const cleanup = deferred();
    child.run(withCleanup(NEVER, () => cleanup.promise));
    expect(await errorsOf(scope.cancel())).toEqual([expect.any(CleanupTimeoutError)]);
    end.resolve(1);
    cleanup.reject(reason);
    expect(((await reported(unhandled)) as AggregateError).errors).toEqual([reason]);
  });

  it('is refused to a task that hangs, once that is over', async () => {
    let context!: TaskContext;
    const scope = taskScope({ cleanupTimeout: 1 });
    scope.run((given) => {
      context = given;
      return new Promise(() => undefined);
    });
    await errorsOf(scope.cancel());
    expect(() => context.fork()).toThrow(new TaskScopeClosedError('taskScope, a task', 'ended'));
  });

  it('is refused to a task that has only its clean-up to wait for', async () => {
    let context!: TaskContext;
    const scope = taskScope();
    const cleanup = deferred();
    const run = scope.run((given) => {
      context = given;
      return withCleanup(of(1), () => cleanup.promise)();
    });
    expect(run.state).toBe('stopping');
    expect(() => context.fork()).toThrow(new TaskScopeClosedError('taskScope, a task', 'ended'));
    cleanup.resolve();
    await scope.join();
  });

  it('is refused to a task that is over', async () => {
    let context!: TaskContext;
    const scope = taskScope();
    scope.run((given) => {
      context = given;
      return EMPTY;
    });
    expect(() => context.fork()).toThrow(new TaskScopeClosedError('taskScope, a task', 'ended'));
    await scope.join();
  });

  it('checks its options', () => {
    taskScope({ onError: 'settle' }).run(({ fork }) => {
      expect(() => fork({ concurrent: 0 })).toThrow(RangeError);
      return EMPTY;
    });
    expect.assertions(1);
  });
});

describe('tasks$', () => {
  const names = (tasks: readonly Task[]) => tasks.map(({ name, state }) => `${String(name)} ${state}`).join(', ');

  it('shows who is there, at once and on each change', async () => {
    const scope = taskScope({ concurrent: 1 });
    const [a, b, cleanup] = [manual(), manual(), deferred()];
    scope.run(
      withCleanup(a, () => cleanup.promise),
      { name: 'a' },
    );
    const { log } = record(scope.tasks$.pipe(map(names)));
    scope.run(b.task, { name: 'b' });
    a.complete();
    cleanup.resolve();
    await settle();
    const later = record(scope.tasks$.pipe(map(names)));
    b.complete();
    await scope.join();
    expect(log).toEqual(
      ['a running', 'a running, b waiting', 'a stopping, b waiting', 'b running', '', '', 'complete'].filter(
        (each, i, all) => each !== '' || all.indexOf(each) === i,
      ),
    );
    expect(later.log).toEqual(['b running', '', 'complete']);
    expect(record(scope.tasks$).log).toEqual([[], 'complete']);
  });

  it('says nothing twice when a scope without tasks ends', async () => {
    const scope = taskScope();
    const { log } = record(scope.tasks$);
    await scope.join();
    expect(log).toEqual([[], 'complete']);
  });

  it('a subscriber that runs and cancels tasks is told of that, after the others', () => {
    const scope = taskScope();
    const [first, second] = [[] as string[], [] as string[]];
    scope.tasks$.subscribe((tasks) => {
      first.push(tasks.map(({ name }) => name).join());
      if (tasks.length === 1 && first.length === 2) scope.run(() => NEVER, { name: 'b' });
      if (tasks.length === 2) tasks[0]?.cancel();
    });
    scope.tasks$.subscribe((tasks) => second.push(tasks.map(({ name }) => name).join()));
    scope.run(() => NEVER, { name: 'a' });
    void scope.cancel();
    expect(first.slice(0, 4)).toEqual(['', 'a', 'a,b', 'b']);
    expect(second).toEqual(first);
  });

  it('a subscriber that throws, or leaves, harms nobody', async () => {
    const scope = taskScope();
    const throwing = operate<readonly Task[], never>({});
    throwing.next = (tasks) => {
      if (tasks.length > 0) throw reason;
    };
    scope.tasks$.subscribe(throwing);
    const once = record(scope.tasks$.pipe(take(2)));
    const run = scope.run(() => NEVER);
    run.cancel();
    expect([once.log, run.state]).toEqual([[[], [], 'complete'], 'cancelled']); // it was behind the one that threw
    await scope.join();
    expect(await reported(unhandled)).toBe(reason);
  });
});

describe('in virtual time', () => {
  it(
    'clean-up is waited for exact to the frame',
    marbles((m) => {
      const scope = taskScope({ scheduler: m.scheduler });
      const a = m.cold('---1|');
      const cleanup = m.cold('--|');
      scope.run(withCleanup(a, () => cleanup));
      m.expect(scope.tasks$.pipe(map((tasks) => tasks[0]?.state[0] ?? '-'))).toBeObservable('r---s-n', {
        r: 'r',
        s: 's',
        n: '-',
      });
    }),
  );

  it(
    'a failure cancels at once, and waits cleanupTimeout at the most',
    marbles((m) => {
      const scope = taskScope({ scheduler: m.scheduler, cleanupTimeout: 3 });
      scope.run(() => m.cold('--#'));
      scope.run(withCleanup(m.cold('----1'), () => NEVER));
      scope.join().catch(() => undefined);
      m.expect(scope.tasks$.pipe(map((tasks) => tasks.map(({ state }) => state[0]).join('')))).toBeObservable(
        'a-b--(c|)',
        { a: 'rr', b: 's', c: '' },
      );
    }),
  );
});
