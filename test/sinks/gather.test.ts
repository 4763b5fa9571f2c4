import {
  defaultIfEmpty,
  EMPTY,
  from,
  NEVER,
  Observable,
  of,
  Subject,
  take,
  tap,
  throwError,
  timer,
  VirtualTimeScheduler,
  type ObservableInput,
} from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { EmptyTaskError } from '../../src/errors/EmptyTaskError.js';
import { findGate, fromPull, type WorkContext } from '../../src/index.js';
import { gather, type GatherOptions } from '../../src/sinks/gather.js';
import { AnsweredIterator } from '../support/AnsweredIterator.js';
import { cleanedUpBy } from '../support/cleanedUpBy.js';
import { CountedSignal } from '../support/CountedSignal.js';
import { outcomes } from '../support/outcomes.js';
import { deferred, settle } from '../support/settle.js';
import { collectUnhandled, reported } from '../support/unhandled.js';

const unhandled = collectUnhandled();
const fulfilled = (value: unknown) => ({ status: 'fulfilled', value });
const rejected = (reason: unknown) => ({ status: 'rejected', reason });

/** So many promises, and tasks that wait for them. */
function futures(count: number) {
  const all = Array.from({ length: count }, () => deferred<unknown>());
  return { all, tasks: all.map((each) => () => each.promise) };
}

/** A task that says when it is started, aborted and unsubscribed. */
const watched = (log: string[], name: string, input: ObservableInput<unknown> = NEVER) => {
  return ({ signal }: WorkContext) => {
    log.push(`start ${name}`);
    signal.addEventListener('abort', () => log.push(`abort ${name}`));
    return new Observable<unknown>((subscriber) => {
      const subscription = from(input).subscribe(subscriber);
      return () => {
        log.push(`teardown ${name}`);
        subscription.unsubscribe();
      };
    });
  };
};

/** Not a Promise, as other libraries have them. */
function thenable<T>(value: T): PromiseLike<T> {
  const promise = Promise.resolve(value);
  return { then: promise.then.bind(promise) };
}

/** A task that rejects only when its clean-up, after the abort, is over. */
const cleaning =
  (cleanup: Promise<unknown>) =>
  ({ signal }: WorkContext) =>
    new Promise((_, reject) => {
      signal.addEventListener('abort', () => {
        cleanup.then(() => {
          reject(signal.reason as Error);
        }, reject);
      });
    });

describe('checks what it is called with', () => {
  it.each([
    [{ concurrent: 0 }, RangeError, 'concurrent must be a positive integer or Infinity, got 0'],
    [{ settle: 1 as never }, TypeError, 'settle must be a boolean, got 1'],
    [{ signal: {} as never }, TypeError, 'signal must be an AbortSignal, got an object'],
    [{ name: 1 as never }, TypeError, 'name must be a string, got 1'],
    [2 as never, TypeError, 'options must be an object, got 2'],
  ] as [GatherOptions & { settle?: false }, typeof Error, string][])('%o', (options, Class, message) => {
    expect(() => gather([() => of(1)], options)).toThrow(new Class(message));
  });

  it('and clean-up options as everywhere', () => {
    expect(() => gather([() => of(1)], { cleanupTimeout: -1 })).toThrow(/^cleanupTimeout must be .*, got -1$/);
    expect(() => gather([() => of(1)], { scheduler: 5 as never })).toThrow(TypeError);
  });

  it('test_issue46672: what is no task starts nothing', () => {
    const task = vi.fn(() => of(1));
    for (const [tasks, message] of [
      [[task, Promise.resolve(1)], 'tasks[1] must be a function, got an object'],
      [5, 'tasks must be an iterable of functions, got 5'],
      [undefined, 'tasks must be an iterable of functions, got undefined'],
      [task, 'tasks must be an iterable of functions, got a function'],
    ])
      expect(() => gather(tasks as never)).toThrow(new TypeError(message as string));
    expect(task).not.toHaveBeenCalled();
  });
});

// The names of the tests of CPython 3.13, Lib/test/test_asyncio/test_tasks.py, and what they are about.

describe('FutureGatherTests', () => {
  it('test_success', async () => {
    const { all, tasks } = futures(3);
    const gathering = gather(tasks);
    all[1]?.resolve(1);
    all[0]?.resolve(2);
    expect(await outcomes(gathering)).toEqual(['pending']);
    all[2]?.resolve(3);
    expect(await gathering).toEqual([2, 1, 3]);
  });

  it('test_result_exception_success', async () => {
    const { all, tasks } = futures(3);
    const gathering = gather(tasks, { settle: true });
    for (const [i, each] of all.entries()) each.resolve(i);
    expect(await gathering).toEqual([0, 1, 2].map(fulfilled));
  });

  it('test_one_exception', async () => {
    const { all, tasks } = futures(5);
    const gathering = gather(tasks);
    const error = new Error('zero division');
    all[0]?.resolve(1);
    all[1]?.reject(error);
    expect(await outcomes(gathering)).toEqual([['error', error]]);
    // Does nothing
    all[2]?.resolve(3);
    all[4]?.reject(new Error('too late'));
    await settle();
  });

  it('test_return_exceptions', async () => {
    const { all, tasks } = futures(4);
    const gathering = gather(tasks, { settle: true });
    const errors = [new Error('one'), new Error('two')];
    all[1]?.resolve(1);
    all[2]?.reject(errors[0]);
    all[0]?.resolve(3);
    expect(await outcomes(gathering)).toEqual(['pending']);
    all[3]?.reject(errors[1]);
    expect(await gathering).toEqual([fulfilled(3), fulfilled(1), rejected(errors[0]), rejected(errors[1])]);
  });

  it('test_constructor_empty_sequence', async () => {
    expect(await gather([])).toEqual([]);
    expect(await gather([], { settle: true })).toEqual([]);
    expect(await gather(new Set<() => Promise<number>>())).toEqual([]);
  });

  it('test_one_cancellation', async () => {
    const { all, tasks } = futures(3);
    const gathering = gather(tasks);
    const cancelled = new DOMException('cancelled', 'AbortError'); // of its own, not asked for
    all[1]?.reject(cancelled);
    expect(await outcomes(gathering)).toEqual([['error', cancelled]]);
  });

  it('test_result_exception_one_cancellation', async () => {
    const { all, tasks } = futures(4);
    const gathering = gather(tasks, { settle: true });
    const cancelled = new DOMException('cancelled', 'AbortError');
    all[0]?.resolve(1);
    all[1]?.reject(new Error('one'));
    all[2]?.reject(cancelled);
    expect(await outcomes(gathering)).toEqual(['pending']);
    all[3]?.resolve(3);
    expect(await gathering).toEqual([fulfilled(1), rejected(new Error('one')), rejected(cancelled), fulfilled(3)]);
  });
});

describe('CoroutineGatherTests', () => {
  it('test_duplicate_coroutines', async () => {
    let calls = 0;
    const task = async () => ++calls;
    expect(await gather([task, task, async () => 'def', task])).toEqual([1, 2, 'def', 3]); // each is run for itself
  });

  it('test_cancellation_broadcast', async () => {
    const controller = new AbortController();
    const log: string[] = [];
    const gathering = gather([watched(log, 'a'), watched(log, 'b')], { signal: controller.signal });
    controller.abort('enough');
    expect(await outcomes(gathering)).toEqual([['error', 'enough']]);
    expect(log).toEqual(['start a', 'start b', 'abort a', 'abort b', 'teardown a', 'teardown b']);
  });

  it('test_exception_marking', async () => {
    const { all } = futures(2);
    const inner = (i: number) => async () => {
      await all[i]?.promise;
      throw new Error(`of ${i}`);
    };
    const gathering = gather([inner(0), inner(1)]);
    all[0]?.resolve(undefined);
    all[1]?.resolve(undefined);
    expect(await outcomes(gathering)).toEqual([['error', new Error('of 0')]]); // and the other is not unhandled
  });

  it('test_cancel_gather_1', async () => {
    const counted = new CountedSignal();
    const gathering = gather([async () => 1], { signal: counted.signal });
    await settle();
    expect(counted.listeners).toBe(0);
    counted.abort(); // too late: all tasks are done
    expect(await gathering).toEqual([1]);
  });

  it('test_cancel_gather_2', async () => {
    const controller = new AbortController();
    const reason = new Error('my message');
    const gathering = gather([() => NEVER], { signal: controller.signal });
    controller.abort(reason);
    await expect(gathering).rejects.toBe(reason);
  });

  it('test_recursive_gather', async () => {
    const sum = async (depth: number): Promise<number> =>
      depth === 0 ? 1 : (await gather([() => sum(depth - 1), () => sum(depth - 1)])).reduce((a, b) => a + b);
    expect(await sum(5)).toBe(32);
  });
});

describe('a task', () => {
  it('may be of any kind: its last value is the result', async () => {
    const results = await gather([
      () => of(1, 2, 3),
      async () => 'resolved',
      () => ['a', 'b'],
      async function* () {
        yield 1;
        yield 2;
      },
      () =>
        new ReadableStream<number>({
          start: (controller) => {
            controller.enqueue(5);
            controller.close();
          },
        }),
      () => thenable('thenable'),
      () => of(undefined),
    ]);
    expect(results).toEqual([3, 'resolved', 'b', 2, 5, 'thenable', undefined]);
  });

  it('that completes without a value fails', async () => {
    const error = await gather([() => of(1), () => EMPTY], { name: 'pages' }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(EmptyTaskError);
    expect(error).toMatchObject({ name: 'EmptyTaskError', where: "gather 'pages'", index: 1 });
    expect((error as Error).message).toBe(
      "gather 'pages': task 1 has completed without a value. Give it one where it has none, by defaultIfEmpty or endWith, say.",
    );
    expect(await gather([() => EMPTY.pipe(defaultIfEmpty(0))])).toEqual([0]);
    expect(await gather([() => EMPTY, () => of(2)], { settle: true })).toEqual([
      rejected(new EmptyTaskError('gather', 0)),
      fulfilled(2),
    ]);
  });

  it('that throws, or gives what is no source, fails', async () => {
    const throws = (): Observable<number> => {
      throw new Error('thrown');
    };
    expect(await outcomes(gather([throws]))).toEqual([['error', new Error('thrown')]]);
    expect(await gather([throws, () => of(1)], { settle: true })).toEqual([
      rejected(new Error('thrown')),
      fulfilled(1),
    ]);
    expect(await outcomes(gather([() => 5 as never]))).toEqual([['error', expect.any(TypeError)]]);
  });

  it('is run ungated', async () => {
    const gates: unknown[] = [];
    await gather([
      () =>
        new Observable((subscriber) => {
          gates.push(findGate(subscriber));
          subscriber.next(1);
          subscriber.complete();
        }),
    ]);
    expect(gates).toEqual([undefined]);
  });

  it('starts at once, in order', () => {
    const log: string[] = [];
    void gather([watched(log, 'a'), watched(log, 'b')]);
    expect(log).toEqual(['start a', 'start b']);
  });
});

describe('concurrent', () => {
  it('lets so many run, and starts the next when one has ended', async () => {
    const { all, tasks } = futures(4);
    const started: number[] = [];
    const gathering = gather(
      tasks.map((task, i) => () => (started.push(i), task())),
      { concurrent: 2 },
    );
    expect(started).toEqual([0, 1]);
    all[1]?.resolve('b');
    await settle();
    expect(started).toEqual([0, 1, 2]);
    for (const each of all) each.resolve('x');
    expect(await gathering).toEqual(['x', 'b', 'x', 'x']);
    expect(started).toEqual([0, 1, 2, 3]);
  });

  it('counts clean-up: a place is free when that has settled', async () => {
    const cleanup = deferred();
    const iterator = new AnsweredIterator<number>(cleanup.promise);
    const second = vi.fn(() => of(2));
    const gathering = gather([() => fromPull(iterator).pipe(take(1)), second], { concurrent: 1 });
    iterator.give(1);
    await settle();
    expect(second).not.toHaveBeenCalled();
    cleanup.resolve();
    expect(await gathering).toEqual([1, 2]);
  });

  it('starts no other after an error', async () => {
    const { all, tasks } = futures(1);
    const second = vi.fn(() => of(2));
    const gathering = gather([...tasks, second], { concurrent: 1 });
    all[0]?.reject(new Error('first'));
    expect(await outcomes(gathering)).toEqual([['error', new Error('first')]]);
    expect(second).not.toHaveBeenCalled();
  });

  it('starts no other after a synchronous error', async () => {
    const second = vi.fn(() => of(2));
    expect(await outcomes(gather([() => throwError(() => 'first'), second]))).toEqual([['error', 'first']]);
    expect(second).not.toHaveBeenCalled();
  });

  it('does not nest: a million synchronous tasks', async () => {
    const tasks = Array.from({ length: 1_000_000 }, (_, i) => () => [i]);
    const results = await gather(tasks, { concurrent: 1 });
    expect([results.length, results[999_999]]).toEqual([1_000_000, 999_999]);
  });
});

describe('the first error', () => {
  it('aborts the signals, then unsubscribes, of those that still run', async () => {
    const log: string[] = [];
    const failing = new Subject<never>();
    const gathering = gather([
      watched(log, 'done', of(1)),
      watched(log, 'a'),
      watched(log, 'failing', failing),
      watched(log, 'b'),
    ]);
    log.length = 0;
    failing.error('error');
    expect(await outcomes(gathering)).toEqual([['error', 'error']]);
    expect(log).toEqual(['teardown failing', 'abort a', 'abort b', 'teardown a', 'teardown b']);
  });

  it('passes when the clean-ups have settled', async () => {
    const cleanups = [deferred(), deferred()];
    const iterator = new AnsweredIterator<number>(cleanups[1]?.promise);
    const gathering = gather(
      [
        cleaning(cleanups[0]?.promise ?? Promise.resolve()),
        () => iterator as unknown as AsyncIterable<number>,
        () => fromPull(iterator),
        async () => {
          throw new Error('first');
        },
      ].filter((_, i) => i !== 1),
    );
    expect(await outcomes(gathering)).toEqual(['pending']);
    cleanups[0]?.resolve();
    expect(await outcomes(gathering)).toEqual(['pending']);
    cleanups[1]?.resolve();
    expect(await outcomes(gathering)).toEqual([['error', new Error('first')]]);
  });

  it('closes async iterables at once, also while they are asked', async () => {
    const iterator = new AnsweredIterator<number>();
    const failing = new Subject<never>();
    const gathering = gather([() => ({ [Symbol.asyncIterator]: () => iterator }), () => failing]);
    failing.error('error');
    expect(iterator.calls).toEqual(['next', 'return']);
    expect(await outcomes(gathering)).toEqual([['error', 'error']]);
  });

  it('passes after cleanupTimeout at the latest, on the scheduler', async () => {
    const scheduler = new VirtualTimeScheduler();
    const cleanup = deferred();
    const failing = new Subject<never>();
    const gathering = gather([cleaning(cleanup.promise), () => failing], { cleanupTimeout: 100, scheduler });
    failing.error('error');
    expect(await outcomes(gathering)).toEqual(['pending']);
    scheduler.flush();
    expect(await outcomes(gathering)).toEqual([['error', 'error']]);
    expect(scheduler.now()).toBe(100);
    cleanup.resolve();
  });

  it('is told alone: clean-up that fails is reported, also after cleanupTimeout, and one that hangs is not', async () => {
    const scheduler = new VirtualTimeScheduler();
    const cleanup = deferred();
    const failing = new Subject<never>();
    const broken = NEVER.pipe(cleanedUpBy(() => Promise.reject(new Error('at once'))));
    const hanging = NEVER.pipe(cleanedUpBy(() => cleanup.promise));
    const gathering = gather([() => broken, () => hanging, () => failing], { cleanupTimeout: 100, scheduler });
    failing.error('error');
    expect(await reported(unhandled)).toEqual(new Error('at once'));
    scheduler.flush();
    expect(await outcomes(gathering)).toEqual([['error', 'error']]);
    expect(unhandled).toEqual([]);
    cleanup.reject(new Error('later'));
    expect(await reported(unhandled)).toEqual(new Error('later'));
  });

  it('leaves no timer behind', async () => {
    const scheduler = new VirtualTimeScheduler();
    const cleanup = deferred();
    const failing = new Subject<never>();
    const gathering = gather([cleaning(cleanup.promise), () => failing], { scheduler });
    failing.error('error');
    cleanup.resolve();
    expect(await outcomes(gathering)).toEqual([['error', 'error']]);
    scheduler.flush();
    expect(scheduler.now()).toBe(0);
  });

  it('does not wait for a promise that has not read its signal', async () => {
    const failing = new Subject<never>();
    const gathering = gather([() => new Promise(() => undefined), () => failing]);
    failing.error('error');
    expect(await outcomes(gathering)).toEqual([['error', 'error']]);
  });

  it('counts, and a second one does not, nor that of work that was aborted for it', async () => {
    const cleanup = deferred();
    const [failing, second] = [new Subject<never>(), new Subject<never>()];
    const gathering = gather([cleaning(cleanup.promise), () => failing, () => second]);
    failing.error('first');
    second.error('second');
    cleanup.reject(new Error('clean-up'));
    expect(await outcomes(gathering)).toEqual([['error', 'first']]);
    expect(unhandled).toEqual([]);
  });

  it('counts, also when the abort makes another fail', async () => {
    const [failing, second] = [new Subject<never>(), new Subject<never>()];
    const heeding = ({ signal }: WorkContext) => {
      signal.addEventListener('abort', () => {
        second.error('second');
      });
      return NEVER;
    };
    const gathering = gather([heeding, () => failing, () => second]);
    failing.error('first');
    expect(await outcomes(gathering)).toEqual([['error', 'first']]);
  });

  it('passes although a teardown throws, which is reported', async () => {
    const failing = new Subject<never>();
    const log: string[] = [];
    const gathering = gather([
      () =>
        new Observable<number>(() => () => {
          throw new Error('teardown');
        }),
      watched(log, 'other'),
      () => failing,
    ]);
    failing.error('error');
    expect(await outcomes(gathering)).toEqual([['error', 'error']]);
    expect(log.at(-1)).toBe('teardown other');
    expect(await reported(unhandled)).toMatchObject({ errors: [new Error('teardown')] });
  });

  it('leaves the signal alone of a task that reads it afterwards, and tells that it is too late', async () => {
    const contexts: WorkContext[] = [];
    const failing = new Subject<never>();
    const gathering = gather([(context) => (contexts.push(context), NEVER), () => failing]);
    failing.error('error');
    await outcomes(gathering);
    expect(contexts[0]?.signal.aborted).toBe(true);
  });
});

describe('settle', () => {
  it('aborts nothing', async () => {
    const log: string[] = [];
    const gathering = gather([watched(log, 'a', timer(1)), () => throwError(() => 'error')], { settle: true });
    expect(await gathering).toEqual([fulfilled(0), rejected('error')]);
    expect(log).toEqual(['start a', 'teardown a']);
  });

  it('waits for the clean-up of what has failed', async () => {
    const cleanup = deferred();
    const iterator = new AnsweredIterator<number>(cleanup.promise);
    const throwing = fromPull(iterator).pipe(
      tap(() => {
        throw new Error('inside');
      }),
    );
    const gathering = gather([() => throwing], { settle: true });
    iterator.give(1);
    expect(await outcomes(gathering)).toEqual(['pending']);
    cleanup.resolve();
    expect(await gathering).toEqual([rejected(new Error('inside'))]);
  });
});

describe('a signal', () => {
  it('that has been aborted before starts nothing', async () => {
    const task = vi.fn(() => of(1));
    const signal = AbortSignal.abort('enough');
    expect(
      await outcomes(gather([task], { signal }), gather([task], { signal, settle: true }), gather([], { signal })),
    ).toEqual(Array(3).fill(['error', 'enough']));
    expect(task).not.toHaveBeenCalled();
  });

  it('aborts with settle, too, waits for clean-up, and starts no other', async () => {
    const controller = new AbortController();
    const cleanup = deferred();
    const last = vi.fn(() => of(1));
    const gathering = gather([cleaning(cleanup.promise), last], {
      settle: true,
      concurrent: 1,
      signal: controller.signal,
    });
    controller.abort('enough');
    expect(await outcomes(gathering)).toEqual(['pending']);
    cleanup.resolve();
    expect(await outcomes(gathering)).toEqual([['error', 'enough']]);
    expect(last).not.toHaveBeenCalled();
  });

  it('may be aborted by a task while it starts: its clean-up is waited for', async () => {
    const controller = new AbortController();
    const cleanup = deferred();
    const log: string[] = [];
    const task = async ({ signal }: WorkContext) => {
      controller.abort('enough');
      log.push(`aborted: ${signal.aborted}`);
      await cleanup.promise;
    };
    const gathering = gather([task, watched(log, 'other')], { signal: controller.signal });
    expect(await outcomes(gathering)).toEqual(['pending']);
    cleanup.resolve();
    expect(await outcomes(gathering)).toEqual([['error', 'enough']]);
    expect(log).toEqual(['aborted: true']);
  });

  it('may be aborted by a task that gives a source: that is closed, or not even subscribed to', async () => {
    const controller = new AbortController();
    const iterator = new AnsweredIterator<number>();
    const subscribed = vi.fn();
    const gathering = gather(
      [
        () => {
          controller.abort('enough');
          return { [Symbol.asyncIterator]: () => iterator };
        },
      ],
      { signal: controller.signal },
    );
    expect(await outcomes(gathering)).toEqual([['error', 'enough']]);
    expect(iterator.calls).toEqual(['return']);
    const other = new AbortController();
    const task = () => {
      other.abort('enough');
      return new Observable<number>(subscribed);
    };
    expect(await outcomes(gather([task], { signal: other.signal }))).toEqual([['error', 'enough']]);
    expect(subscribed).not.toHaveBeenCalled();
  });

  it('has no listener left, on any path', async () => {
    const counted = new CountedSignal();
    const { signal } = counted;
    for (let i = 0; i < 2000; i++) {
      await gather([async () => 1], { signal });
      await gather([async () => Promise.reject(new Error())], { signal }).catch(() => undefined);
      await gather([async () => Promise.reject(new Error())], { signal, settle: true });
    }
    expect(counted).toMatchObject({ added: 6000, listeners: 0 });
    const gathering = gather([() => NEVER], { signal });
    expect(counted.listeners).toBe(1);
    counted.abort('enough');
    expect(await outcomes(gathering)).toEqual([['error', 'enough']]);
    expect(counted.listeners).toBe(0);
  });
});
