import {
  concat,
  concatMap,
  concatWith,
  EMPTY,
  exhaustMap,
  finalize,
  map,
  merge,
  mergeMap,
  NEVER,
  Observable,
  of,
  range,
  repeat,
  retry,
  Subject,
  switchMap,
  take,
  takeUntil,
  tap,
  throwError,
  timeout,
  timer,
  type ObservableInput,
  type Subscriber,
} from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ReleaseError } from '../../src/errors/ReleaseError.js';
import { Completion } from '../../src/internal/Completion.js';
import { operate } from '../../src/internal/operate.js';
import type { WorkContext } from '../../src/internal/workContext.js';
import type { Canceller } from '../../src/link/protocol.js';
import { findCleanupScope } from '../../src/link/walk.js';
import { bufferedMergeMap } from '../../src/operators/bufferedMergeMap.js';
import { gatedBy } from '../../src/operators/gatedBy.js';
import { timeoutWithCleanup } from '../../src/operators/timeoutWithCleanup.js';
import { toAsyncIterable } from '../../src/sinks/toAsyncIterable.js';
import { abortable } from '../../src/sources/abortable.js';
import { fromPull } from '../../src/sources/fromPull.js';
import { usingAsync, type UsingAsyncOptions } from '../../src/sources/usingAsync.js';
import { AnsweredIterator } from '../support/AnsweredIterator.js';
import { cleanedUpBy } from '../support/cleanedUpBy.js';
import { ManualGate } from '../support/ManualGate.js';
import { marbles } from '../support/marbles.js';
import { record } from '../support/record.js';
import { deferred, settle } from '../support/settle.js';
import { collectUnhandled, reported } from '../support/unhandled.js';

/** Writes down what is done with resources, which are numbered, and what comes out. */
function story<T>(
  use: (resource: number, context: WorkContext) => ObservableInput<T>,
  more: Partial<UsingAsyncOptions<number, ObservableInput<T>>> = {},
) {
  const log: unknown[] = [];
  let last = 0;
  const source = usingAsync<number, T>({
    acquire: () => {
      log.push(`acquire ${String(++last)}`);
      return last;
    },
    use,
    release: (resource, { kind }) => {
      log.push(`${kind} ${String(resource)}`);
    },
    ...more,
  });
  return {
    log,
    source,
    subscribe: (from: Observable<unknown> = source) =>
      from.subscribe({
        next: (value) => log.push(value),
        error: (error: unknown) => log.push(['error', error]),
        complete: () => log.push('end'),
      }),
  };
}

/** A scope below, and what it was handed. */
function below<T>(source: Observable<T>, canceller?: Canceller) {
  const log: unknown[] = [];
  const settled: unknown[] = [];
  let pending = 0;
  const sink = operate<T, never>({
    canceller,
    cleanupScope: {
      track: (cleanup) => {
        pending++;
        cleanup.then(
          () => {
            pending--;
            settled.push('done');
          },
          (error: unknown) => {
            pending--;
            settled.push(['failed', error]);
          },
        );
      },
    },
    next: (value) => log.push(value),
    error: (error) => log.push(['error', error]),
    complete: () => log.push('end'),
  });
  source.subscribe(sink);
  return {
    log,
    settled,
    sink,
    get pending() {
      return pending;
    },
  };
}

const failure = (fields: Partial<ReleaseError>) =>
  expect.objectContaining({ name: 'ReleaseError', ...fields }) as unknown;

describe('usingAsync', () => {
  const unhandled = collectUnhandled();

  it('acquires, uses and releases anew for each subscription, and nothing before', () => {
    const { log, subscribe } = story((resource) => of(resource * 10));
    expect(log).toEqual([]);
    subscribe();
    subscribe();
    expect(log).toEqual(['acquire 1', 10, 'complete 1', 'end', 'acquire 2', 20, 'complete 2', 'end']);
  });

  it('does nothing for a subscriber that is closed', () => {
    const { log, source } = story(() => of(1));
    const sink = operate<number, never>({});
    sink.unsubscribe();
    source.subscribe(sink);
    expect(log).toEqual([]);
  });

  it('is synchronous where all of it is, in one task without microtasks', () => {
    const { log, subscribe } = story(() => [1, 2], { release: () => void log.push('released') });
    subscribe();
    log.push('after subscribe');
    expect(log).toEqual(['acquire 1', 1, 2, 'released', 'end', 'after subscribe']);
  });

  it.each([undefined, null, 0, false])('takes %s for a resource', (resource) => {
    const release = vi.fn();
    const use = vi.fn(() => of('used'));
    const { log } = record(usingAsync({ acquire: () => resource, use, release }));
    expect(log).toEqual(['used', 'complete']);
    expect(use.mock.calls).toEqual([[resource, expect.anything()]]);
    expect(release.mock.calls).toEqual([[resource, { kind: 'complete' }]]);
  });

  it('awaits what acquire promises, and what release promises', async () => {
    const acquired = deferred<string>();
    const released = deferred();
    const { log } = record(
      usingAsync({ acquire: () => acquired.promise, use: (resource) => of(resource), release: () => released.promise }),
    );
    await settle();
    expect(log).toEqual([]);
    acquired.resolve('resource');
    await settle();
    expect(log).toEqual(['resource']);
    released.resolve();
    await settle();
    expect(log).toEqual(['resource', 'complete']);
  });

  it('goes on at once when a thenable calls back at once', () => {
    const acquired = new Completion();
    const released = new Completion();
    const { log } = record(usingAsync({ acquire: () => acquired, use: () => of(1), release: () => released }));
    expect(log).toEqual([]);
    acquired.resolve();
    expect(log).toEqual([1]);
    released.resolve();
    expect(log).toEqual([1, 'complete']);
  });

  it('acquires once from a thenable that calls back twice, and then throws', () => {
    const { log, subscribe } = story(() => of('used'), {
      acquire: () =>
        ({
          then: (done: (value: number) => void, fail: (error: unknown) => void) => {
            done(1);
            done(2);
            fail(new Error('late'));
            throw new Error('thrown');
          },
        }) as unknown as PromiseLike<number>,
    });
    subscribe();
    expect(log).toEqual(['used', 'complete 1', 'end']);
  });

  it('fails with what the then of a thenable throws', () => {
    const error = new Error('then');
    const then = () => {
      throw error;
    };
    const { log } = record(usingAsync({ acquire: () => ({ then }), use: () => of(1), release: then }));
    expect(log).toEqual([['error', error]]);
  });

  describe('shows in virtual time', () => {
    it(
      'that values pass as they come, and completion waits for the release',
      marbles((m) => {
        const use = m.cold('-a-b|');
        const release = m.cold('    --|');
        const result = usingAsync({ acquire: () => 1, use: () => use, release: () => release });
        m.expect(result).toBeObservable('-a-b--|');
        m.expect(use).toHaveSubscriptions('^---!');
        m.expect(release).toHaveSubscriptions('----^-!');
      }),
    );

    it(
      'that an error waits for the release, too',
      marbles((m) => {
        const result = usingAsync({ acquire: () => 1, use: () => m.cold('-a-#'), release: () => m.cold('--|') });
        m.expect(result).toBeObservable('-a---#');
      }),
    );

    it(
      'that retry acquires again only after the release',
      marbles((m) => {
        let attempts = 0;
        const releases: number[] = [];
        const result = usingAsync({
          acquire: () => ++attempts,
          use: (attempt) => (attempt < 3 ? m.cold('-#') : m.cold('-a|')),
          release: (attempt) => m.cold('--|').pipe(tap({ complete: () => releases.push(attempt, attempts) })),
        }).pipe(retry(2));
        m.expect(result).toBeObservable('-------a--|');
        m.flush();
        expect(releases).toEqual([1, 1, 2, 2, 3, 3]);
      }),
    );

    it(
      'that repeat acquires again only after the release',
      marbles((m) => {
        const result = usingAsync({
          acquire: () => 1,
          use: () => m.cold('-a|'),
          release: () => m.cold('--|'),
        }).pipe(repeat(2));
        m.expect(result).toBeObservable('-a---a--|');
      }),
    );

    it(
      'that switchMap does not wait: the release of one overlaps with the use of the next',
      marbles((m) => {
        const release = m.cold('---|');
        const result = m
          .cold<string>('a-b|')
          .pipe(
            switchMap((x) =>
              usingAsync({ acquire: () => 1, use: () => m.cold('-x--|', { x }), release: () => release }),
            ),
          );
        m.expect(result).toBeObservable('-a-b-----|');
        m.expect(release).toHaveSubscriptions(['--^--!', '------^--!']);
      }),
    );

    it(
      'that bufferedMergeMap keeps the slot until the resource is released',
      marbles((m) => {
        const release = m.cold('---|');
        const result = m.cold<string>('(ab|)').pipe(
          bufferedMergeMap(
            (x) => usingAsync({ acquire: () => 1, use: () => m.cold('-(x|)', { x }), release: () => release }),
            {
              concurrent: 1,
              scheduler: m.scheduler,
            },
          ),
        );
        m.expect(result).toBeObservable('-a---b--|');
      }),
    );

    it(
      'that bufferedMergeMap keeps the slot when take has had enough',
      marbles((m) => {
        const release = m.cold('---|');
        const result = m
          .cold<string>('(ab|)')
          .pipe(
            bufferedMergeMap(
              (x) =>
                usingAsync({ acquire: () => 1, use: () => m.cold('-x-y-z|', { x }), release: () => release }).pipe(
                  take(1),
                ),
              { concurrent: 1, scheduler: m.scheduler },
            ),
          );
        m.expect(result).toBeObservable('-a---b--|');
      }),
    );

    it(
      'that an error of a sibling passes when the resource is released',
      marbles((m) => {
        const release = m.cold('---|');
        const result = m
          .cold('(ab)')
          .pipe(
            bufferedMergeMap(
              (x) =>
                x === 'a' ? usingAsync({ acquire: () => 1, use: () => NEVER, release: () => release }) : m.cold('--#'),
              { concurrent: 2, scheduler: m.scheduler },
            ),
          );
        m.expect(result).toBeObservable('-----#');
      }),
    );

    it(
      'that clean-ups of the use have cleanupTimeout, and the release has it once more',
      marbles((m) => {
        const errors: unknown[] = [];
        const result = usingAsync({
          acquire: () => 1,
          use: () =>
            new Observable<never>((subscriber) => {
              findCleanupScope(subscriber)?.track(new Completion());
              subscriber.complete();
            }),
          release: () => NEVER,
          cleanupTimeout: 3,
          scheduler: m.scheduler,
        }).pipe(
          tap({ error: (error: unknown) => errors.push(error) }),
          mergeMap(() => EMPTY),
        );
        const withoutTheError = new Observable((subscriber) =>
          result.subscribe({
            error: () => {
              subscriber.error('error');
            },
          }),
        );
        m.expect(withoutTheError).toBeObservable('------#');
        m.flush();
        expect(errors).toEqual([
          failure({ outcome: 'complete', what: 'release', reason: 'timed-out', cause: undefined }),
        ]);
      }),
    );
  });

  describe('when acquire fails', () => {
    const error = new Error('acquire');

    it.each([
      [
        'it throws',
        () => {
          throw error;
        },
      ],
      ['its promise rejects', () => Promise.reject(error)],
    ])('has its error, and nothing to use or release: %s', async (_, acquire: () => Promise<number>) => {
      const { log, subscribe } = story(() => of(1), { acquire });
      subscribe();
      await settle();
      expect(log).toEqual([['error', error]]);
    });

    it('after it was unsubscribed, tells the scope below', async () => {
      const acquired = deferred<number>();
      const { log, source } = story(() => of(1), { acquire: () => acquired.promise });
      const scope = below(source);
      scope.sink.unsubscribe();
      expect(scope.pending).toBe(1);
      acquired.reject(error);
      await settle();
      expect([log, scope.log, scope.settled]).toEqual([[], [], [['failed', error]]]);
    });

    it('after it was unsubscribed, is reported as unhandled where nobody is below', async () => {
      const acquired = deferred<number>();
      const { log, subscribe } = story(() => of(1), { acquire: () => acquired.promise });
      subscribe().unsubscribe();
      acquired.reject(error);
      expect(await reported(unhandled)).toBe(error);
      expect(log).toEqual([]);
    });
  });

  describe('unsubscribed while acquire is pending (the trap of reactor-core 2836 and 3695)', () => {
    it('lets it come to its end, and releases without using', async () => {
      const acquired = deferred<number>();
      const { log, source } = story(() => of(1), { acquire: () => acquired.promise });
      const scope = below(source);
      scope.sink.unsubscribe();
      await settle();
      expect([log, scope.pending]).toEqual([[], 1]);
      acquired.resolve(7);
      await settle();
      expect([log, scope.log, scope.settled]).toEqual([['cancel 7'], [], ['done']]);
    });

    it('keeps the scope below waiting until the release is over', async () => {
      const acquired = deferred<number>();
      const released = deferred();
      const { source } = story(() => of(1), { acquire: () => acquired.promise, release: () => released.promise });
      const scope = below(source);
      scope.sink.unsubscribe();
      acquired.resolve(7);
      await settle();
      expect(scope.pending).toBeGreaterThan(0);
      released.resolve();
      await settle();
      expect(scope.pending).toBe(0);
    });

    it('does the same where nobody is below', async () => {
      const acquired = deferred<number>();
      const { log, subscribe } = story(() => of(1), { acquire: () => acquired.promise });
      subscribe().unsubscribe();
      acquired.resolve(7);
      await settle();
      expect(log).toEqual(['cancel 7']);
    });
  });

  it('does not use what was acquired when it was unsubscribed inside of acquire', () => {
    const { log, subscribe, source } = story(() => of(1), {
      acquire: () => {
        stop.next();
        return 7;
      },
    });
    const stop = new Subject<void>();
    subscribe(source.pipe(takeUntil(stop)));
    expect(log).toEqual(['end', 'cancel 7']);
  });

  describe('when use fails', () => {
    const error = new Error('use');

    it.each([
      [
        'it throws',
        () => {
          throw error;
        },
      ],
      ['what it gives errors', () => throwError(() => error)],
      ['its promise rejects', () => Promise.reject(error)],
    ])('releases with the error, which then passes: %s', async (_, use: () => ObservableInput<number>) => {
      const release = vi.fn();
      const { log } = record(usingAsync({ acquire: () => 7, use, release }));
      await settle();
      expect(log).toEqual([['error', error]]);
      expect(release.mock.calls).toEqual([[7, { kind: 'error', error }]]);
    });

    it('with what is no source, releases with that error', () => {
      const { log, subscribe } = story(() => undefined as unknown as ObservableInput<number>);
      subscribe();
      expect(log).toEqual(['acquire 1', 'error 1', ['error', expect.any(TypeError)]]);
    });

    it('passes an error that is undefined', () => {
      const { log, subscribe } = story(() => throwError(() => undefined));
      subscribe();
      expect(log).toEqual(['acquire 1', 'error 1', ['error', undefined]]);
    });
  });

  describe('unsubscribed while it is used', () => {
    it('aborts the signal, unsubscribes from the source, and releases, in that order', () => {
      const order: string[] = [];
      record(
        usingAsync({
          acquire: () => 7,
          use: (_, { signal }) => {
            signal.addEventListener('abort', () => order.push('aborted'));
            return NEVER.pipe(finalize(() => order.push('unsubscribed')));
          },
          release: (_, { kind }) => order.push(kind),
        }),
      ).subscription.unsubscribe();
      expect(order).toEqual(['aborted', 'unsubscribed', 'cancel']);
    });

    it('returns at once, and waits for the clean-ups before the release', async () => {
      const iterator = new AnsweredIterator(new Promise((resolve) => setTimeout(resolve, 5)));
      const { log, source } = story(() => ({ [Symbol.asyncIterator]: () => iterator }));
      const scope = below(source);
      scope.sink.unsubscribe();
      log.push(...iterator.calls);
      await settle();
      expect(log).toEqual(['acquire 1', 'next', 'return']);
      expect(scope.pending).toBeGreaterThan(0);
      await vi.waitFor(() => {
        expect(log).toEqual(['acquire 1', 'next', 'return', 'cancel 1']);
      });
      expect(scope.pending).toBe(0);
    });

    it.each([true, false])(
      'waits for the promise that use gave before the release, its signal read: %s',
      async (reads) => {
        const work = deferred<number>();
        const { log, source } = story((_, context) => {
          if (reads) expect(context.signal.aborted).toBe(false);
          return work.promise;
        });
        const scope = below(source);
        await settle();
        scope.sink.unsubscribe();
        await settle();
        expect(log).toEqual(['acquire 1']);
        work.resolve(1);
        await settle();
        expect([log, scope.pending, scope.log]).toEqual([['acquire 1', 'cancel 1'], 0, []]);
      },
    );

    it('takes a promise that rejects because it was aborted for settled', async () => {
      const { log, source } = story(
        (_, { signal }) =>
          new Promise<never>((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              reject(signal.reason as Error);
            });
          }),
      );
      const scope = below(source);
      scope.sink.unsubscribe();
      await settle();
      expect(log).toEqual(['acquire 1', 'cancel 1']);
      expect(scope.settled).not.toContainEqual(['failed', expect.anything()]);
    });

    it('tells of a promise that rejects for another reason, when the resource is released', async () => {
      const error = new Error('work');
      const work = deferred();
      const { log, source } = story(() => work.promise);
      const scope = below(source);
      scope.sink.unsubscribe();
      work.reject(error);
      await settle();
      expect(log).toEqual(['acquire 1', 'cancel 1']);
      const told = failure({ outcome: 'cancel', what: 'clean-up', reason: 'failed', cause: error });
      expect(scope.settled.filter((each) => each !== 'done')).toEqual([['failed', told]]);
    });

    it('releases once the teardown of a source that is being subscribed to has run', () => {
      const order: string[] = [];
      usingAsync({
        acquire: () => 7,
        use: () =>
          new Observable<number>((subscriber) => {
            subscriber.next(1);
            order.push('goes on');
            return () => order.push('torn down');
          }),
        release: (_, { kind }) => order.push(kind),
      })
        .pipe(take(1))
        .subscribe();
      expect(order).toEqual(['goes on', 'torn down', 'cancel']);
    });

    it('releases once the teardown of a source that completes while it is being subscribed to has run', () => {
      const order: string[] = [];
      usingAsync({
        acquire: () => 7,
        use: () =>
          new Observable<number>((subscriber) => {
            subscriber.complete();
            order.push('goes on');
            return () => order.push('torn down');
          }),
        release: (_, { kind }) => order.push(kind),
      }).subscribe({ complete: () => order.push('end') });
      expect(order).toEqual(['goes on', 'torn down', 'complete', 'end']);
    });

    it('inside of next of a later value, releases inside of that', () => {
      const values = new Subject<number>();
      const { log, subscribe, source } = story(() => values);
      subscribe(source.pipe(take(1)));
      values.next(1);
      expect(log).toEqual(['acquire 1', 1, 'end', 'cancel 1']);
    });

    it('inside of use, subscribes to nothing, and releases when use has come back', () => {
      const subscribed = vi.fn();
      const stop = new Subject<void>();
      const { log, subscribe, source } = story((_, { signal }) => {
        log.push('use');
        stop.next();
        log.push(signal.aborted);
        return new Observable<number>(subscribed);
      });
      subscribe(source.pipe(takeUntil(stop)));
      expect(log).toEqual(['acquire 1', 'use', 'end', true, 'cancel 1']);
      expect(subscribed).not.toHaveBeenCalled();
    });

    it('inside of use, tells of what use throws then', async () => {
      const error = new Error('too late');
      const stop = new Subject<void>();
      const { log, subscribe, source } = story((): Observable<number> => {
        stop.next();
        throw error;
      });
      subscribe(source.pipe(takeUntil(stop)));
      expect(log).toEqual(['acquire 1', 'end', 'cancel 1']);
      expect(await reported(unhandled)).toEqual(failure({ outcome: 'cancel', what: 'clean-up', cause: error }));
    });

    it('waits for the promise that use gives when it was unsubscribed inside of use', async () => {
      const stop = new Subject<void>();
      const work = deferred<number>();
      const { log, subscribe, source } = story(() => {
        stop.next();
        return work.promise;
      });
      subscribe(source.pipe(takeUntil(stop)));
      await settle();
      expect(log).toEqual(['acquire 1', 'end']);
      work.resolve(1);
      await settle();
      expect(log).toEqual(['acquire 1', 'end', 'cancel 1']);
    });

    it('inside of release, emits nothing', () => {
      const stop = new Subject<void>();
      const { log, source } = story(() => of(1), {
        release: (_: number, { kind }) => {
          stop.next();
          log.push(kind);
        },
      });
      const result = record(source.pipe(takeUntil(stop)));
      expect(log).toEqual(['acquire 1', 'complete']);
      expect(result.log).toEqual([1, 'complete']); // that of takeUntil
    });

    it('while the release is pending, hands that to the scope below, and releases not once more', async () => {
      const released = deferred();
      const release = vi.fn(() => released.promise);
      const { source } = story(() => of(1), { release });
      const scope = below(source);
      scope.sink.unsubscribe();
      expect(scope.pending).toBeGreaterThan(0);
      released.resolve();
      await settle();
      expect([scope.pending, scope.log]).toEqual([0, [1]]);
      expect(release).toHaveBeenCalledTimes(1);
    });

    it('while clean-ups of a use are awaited that has ended by itself, releases as that has ended (reactor-core 1486)', () => {
      const cleanup = new Completion();
      const release = vi.fn();
      const { log, subscription } = record(
        usingAsync({
          acquire: () => 7,
          use: () =>
            new Observable<number>((subscriber) => {
              findCleanupScope(subscriber)?.track(cleanup);
              subscriber.complete();
            }),
          release,
        }),
      );
      subscription.unsubscribe();
      expect(release).not.toHaveBeenCalled();
      cleanup.resolve();
      expect(release.mock.calls).toEqual([[7, { kind: 'complete' }]]);
      expect(log).toEqual([]);
    });

    it('is never without something to wait for below, from the unsubscription to the end of the release', async () => {
      const states: number[] = [];
      const { source } = story(
        () =>
          new Observable<number>((subscriber) => {
            const below = findCleanupScope(subscriber);
            return () => {
              const cleanup = new Completion();
              below?.track(cleanup);
              cleanup.resolve();
              states.push(scope.pending);
            };
          }),
        {
          release: () => {
            states.push(scope.pending);
            return Promise.resolve();
          },
        },
      );
      const scope = below(source);
      scope.sink.unsubscribe();
      expect(states.every((pending) => pending > 0)).toBe(true);
      await settle();
      expect(scope.pending).toBe(0);
    });
  });

  it('tells nobody of an error of the use who has unsubscribed before the release was over: that was told', async () => {
    const error = new Error('use');
    const released = new Completion();
    const release = vi.fn(() => released);
    const scope = below(usingAsync({ acquire: () => 7, use: () => throwError(() => error), release }));
    scope.sink.unsubscribe();
    released.resolve();
    await settle();
    expect([scope.log, scope.pending]).toEqual([[], 0]);
    expect(scope.settled.filter((each) => each !== 'done')).toEqual([]);
    expect(release.mock.calls).toEqual([[7, { kind: 'error', error }]]);
  });

  it('has completed once a promise that use gave has, also where its value is enough for the consumer', async () => {
    const enough = story(() => Promise.resolve(1));
    enough.subscribe(enough.source.pipe(take(1)));
    const { promise, resolve } = deferred<number>();
    const before = story(() => promise);
    before.subscribe().unsubscribe();
    resolve(1);
    await settle();
    expect(enough.log).toEqual(['acquire 1', 1, 'end', 'complete 1']);
    expect(before.log).toEqual(['acquire 1', 'cancel 1']);
  });

  it('reports what a teardown below throws when it ends', async () => {
    const error = new Error('teardown');
    const { log, subscribe } = story(() => EMPTY, { acquire: () => Promise.resolve(7) });
    subscribe().add(() => {
      throw error;
    });
    expect(await reported(unhandled)).toEqual(expect.objectContaining({ errors: [error] }));
    expect(log).toEqual(['complete 7', 'end']);
  });

  describe('when the consumer fails', () => {
    it('in map, releases as cancelled: the use has not failed', () => {
      const error = new Error('map');
      const { log, subscribe, source } = story(() => new Subject<number>().pipe((s) => concat(of(1), s)));
      subscribe(
        source.pipe(
          map(() => {
            throw error;
          }),
        ),
      );
      expect(log).toEqual(['acquire 1', ['error', error], 'cancel 1']);
    });

    it('in the observer, goes on as RxJS does', async () => {
      const error = new Error('observer');
      const { log, source } = story(() => of(1, 2));
      source.subscribe((value) => {
        log.push(value);
        if (value === 1) throw error;
      });
      expect(log).toEqual(['acquire 1', 1, 2, 'complete 1']);
      expect(await reported(unhandled)).toBe(error);
    });
  });

  it('releases also when a teardown of what use gave throws', () => {
    const error = new Error('teardown');
    const { log, subscribe } = story(
      () =>
        new Observable<number>(() => () => {
          throw error;
        }),
    );
    const subscription = subscribe();
    expect(() => {
      subscription.unsubscribe();
    }).toThrow();
    expect(log).toEqual(['acquire 1', 'cancel 1']);
  });

  it('releases also when such a teardown throws at the end of the use, and reports that', async () => {
    const error = new Error('teardown');
    let use!: Subscriber<number>;
    const { log, subscribe } = story(
      () =>
        new Observable<number>((subscriber) => {
          use = subscriber;
          return () => {
            throw error;
          };
        }),
    );
    subscribe();
    use.complete();
    expect(log).toEqual(['acquire 1', 'complete 1', 'end']);
    expect(await reported(unhandled)).toEqual(expect.objectContaining({ errors: [error] }));
  });

  describe('releases', () => {
    it.each([null, 0, 'released', {}])(
      'and is over with that where release gives nothing to wait for, but %o',
      (given) => {
        const { log, subscribe } = story(() => of(1), { release: () => given });
        subscribe();
        expect(log).toEqual(['acquire 1', 1, 'end']);
      },
    );

    it('by one method for each outcome, on their object', () => {
      const error = new Error('use');
      class Release {
        readonly calls: unknown[] = [];
        complete(...args: unknown[]) {
          this.calls.push(['complete', ...args]);
        }
        error(...args: unknown[]) {
          this.calls.push(['error', ...args]);
        }
        cancel(...args: unknown[]) {
          this.calls.push(['cancel', ...args]);
        }
      }
      const release = new Release();
      record(usingAsync({ acquire: () => 1, use: () => EMPTY, release }));
      record(usingAsync({ acquire: () => 2, use: () => throwError(() => error), release }));
      record(usingAsync({ acquire: () => 3, use: () => NEVER, release })).subscription.unsubscribe();
      expect(release.calls).toEqual([
        ['complete', 1],
        ['error', 2, error],
        ['cancel', 3],
      ]);
    });

    it('and fails when a method of that object throws', () => {
      const error = new Error('commit');
      const release = {
        complete: () => {
          throw error;
        },
        error: vi.fn(),
        cancel: vi.fn(),
      };
      expect(record(usingAsync({ acquire: () => 1, use: () => EMPTY, release })).log).toEqual([
        [
          'error',
          failure({ outcome: 'complete', what: 'release', reason: 'failed', cause: error, useError: undefined }),
        ],
      ]);
      expect(release.error).not.toHaveBeenCalled();
      expect(release.cancel).not.toHaveBeenCalled();
    });

    it.each([
      [
        'throws',
        (error: Error) => {
          throw error;
        },
      ],
      ['gives a promise that rejects', (error: Error) => Promise.reject(error)],
      ['gives an Observable that errors', (error: Error) => throwError(() => error)],
      [
        'gives a thenable that throws',
        (error: Error) => ({
          then: () => {
            throw error;
          },
        }),
      ],
    ])('and tells of it when it %s: after completion', async (_, fail) => {
      const error = new Error('release');
      const { log } = record(usingAsync({ acquire: () => 1, use: () => of(1), release: () => fail(error) }));
      await settle();
      expect(log).toEqual([
        1,
        [
          'error',
          failure({ where: 'usingAsync', outcome: 'complete', what: 'release', reason: 'failed', cause: error }),
        ],
      ]);
    });

    it('and tells both errors when the use had failed, too (as SuppressedError does)', () => {
      const error = new Error('release');
      const useError = new Error('use');
      const { log } = record(
        usingAsync({
          acquire: () => 1,
          use: () => throwError(() => useError),
          release: () => {
            throw error;
          },
          name: 'db',
        }),
      );
      expect(log).toEqual([
        ['error', failure({ where: "usingAsync 'db'", outcome: 'error', reason: 'failed', cause: error, useError })],
      ]);
    });

    it('and tells the scope below when it was cancelled', () => {
      const error = new Error('release');
      const { source } = story(() => NEVER, { release: () => throwError(() => error) });
      const scope = below(source);
      scope.sink.unsubscribe();
      const told = failure({ outcome: 'cancel', reason: 'failed', cause: error });
      expect([scope.log, scope.pending]).toEqual([[], 0]);
      expect(scope.settled.filter((each) => each !== 'done')).toEqual([['failed', told]]);
    });

    it('and reports it as unhandled where nobody is below', async () => {
      const error = new Error('release');
      const { subscribe } = story(() => NEVER, {
        release: () => {
          throw error;
        },
      });
      subscribe().unsubscribe();
      expect(await reported(unhandled)).toEqual(failure({ outcome: 'cancel', reason: 'failed', cause: error }));
    });

    it('and tells of a clean-up before it that has failed, when it is over', () => {
      const error = new Error('clean-up');
      const cleanup = new Completion();
      const { log, subscribe } = story(
        () =>
          new Observable<number>((subscriber) => {
            findCleanupScope(subscriber)?.track(cleanup);
            subscriber.complete();
          }),
      );
      subscribe();
      cleanup.reject(error);
      const told = failure({ outcome: 'complete', what: 'clean-up', reason: 'failed', cause: error });
      expect(log).toEqual(['acquire 1', 'complete 1', ['error', told]]);
    });

    it('and tells of a clean-up before it that has failed at once, as the use was torn down', () => {
      const cleanup = new Completion();
      cleanup.reject('clean-up');
      const use = new Subject<number>();
      const failing = NEVER.pipe(cleanedUpBy(() => cleanup));
      const told = { what: 'clean-up', reason: 'failed', cause: 'clean-up' } as const;

      const completed = below(story(() => failing.pipe(takeUntil(use))).source);
      use.next(1);
      expect(completed.log).toEqual([['error', failure({ ...told, outcome: 'complete' })]]);

      const failed = below(story(() => merge(failing, use)).source);
      use.error('use');
      expect(failed.log).toEqual([['error', failure({ ...told, outcome: 'error', useError: 'use' })]]);

      const cancelled = below(story(() => failing).source);
      cancelled.sink.unsubscribe();
      expect(cancelled.settled).toEqual(['done', ['failed', failure({ ...told, outcome: 'cancel' })]]);
    });

    it('and says in words what went wrong', () => {
      const message = (...args: ConstructorParameters<typeof ReleaseError>) => new ReleaseError(...args).message;
      expect(message('usingAsync', 'complete', 'release', 'failed', 1, undefined)).toBe(
        "usingAsync: release has failed after the use had completed. What has failed is the 'cause'.",
      );
      expect(message('usingAsync', 'cancel', 'clean-up', 'timed-out', undefined, undefined)).toBe(
        'usingAsync: the clean-up of what had used the resource did not end in time after the use was cancelled. ' +
          "It goes on: let it end sooner, or raise 'cleanupTimeout'.",
      );
      expect(message('usingAsync', 'error', 'release', 'failed', 1, 2)).toBe(
        "usingAsync: release has failed after the use had failed. What has failed is the 'cause'. 'useError' is the error of the use.",
      );
    });
  });

  describe('waits at most cleanupTimeout', () => {
    beforeEach(() => {
      vi.useFakeTimers();
    });
    afterEach(() => {
      expect(vi.getTimerCount()).toBe(0);
      vi.useRealTimers();
    });

    it('for the release: after completion', async () => {
      const { log, subscribe } = story(() => of(1), {
        release: () => new Promise(() => undefined),
        cleanupTimeout: 100,
      });
      subscribe();
      await vi.advanceTimersByTimeAsync(99);
      expect(log).toEqual(['acquire 1', 1]);
      await vi.advanceTimersByTimeAsync(1);
      expect(log.at(-1)).toEqual(['error', failure({ outcome: 'complete', what: 'release', reason: 'timed-out' })]);
    });

    it('5000 ms by default, and with the error of the use', async () => {
      const useError = new Error('use');
      const { log, subscribe } = story(() => throwError(() => useError), { release: () => NEVER });
      subscribe();
      await vi.advanceTimersByTimeAsync(4999);
      expect(log).toEqual(['acquire 1']);
      await vi.advanceTimersByTimeAsync(1);
      expect(log.at(-1)).toEqual(['error', failure({ outcome: 'error', reason: 'timed-out', useError })]);
    });

    it('for a promise of use that does not heed its signal, and then releases all the same', async () => {
      const { log, source } = story(() => new Promise(() => undefined), { cleanupTimeout: 100 });
      const scope = below(source);
      scope.sink.unsubscribe();
      await vi.advanceTimersByTimeAsync(99);
      expect(log).toEqual(['acquire 1']);
      await vi.advanceTimersByTimeAsync(1);
      expect(log).toEqual(['acquire 1', 'cancel 1']);
      expect(scope.settled).toEqual([
        ['failed', failure({ outcome: 'cancel', what: 'clean-up', reason: 'timed-out' })],
      ]);
    });

    it('and tells the scope below of a release that hangs after a cancellation', async () => {
      const { source } = story(() => NEVER, { release: () => NEVER, cleanupTimeout: 100 });
      const scope = below(source);
      scope.sink.unsubscribe();
      await vi.advanceTimersByTimeAsync(100);
      expect(scope.settled).toEqual([['failed', failure({ outcome: 'cancel', what: 'release', reason: 'timed-out' })]]);
    });

    it('and lets what fails after that be known', async () => {
      const error = new Error('late');
      const released = deferred();
      const { source } = story(() => of(1), { release: () => released.promise, cleanupTimeout: 100 });
      const scope = below(source);
      await vi.advanceTimersByTimeAsync(100);
      expect(scope.log.at(-1)).toEqual(['error', failure({ reason: 'timed-out' })]);
      released.reject(error);
      await settle();
      expect(scope.settled).toEqual([['failed', error]]);
    });

    it('and lets be known what fails while it releases without it, also when it is unsubscribed then', async () => {
      const cleanup = new Completion();
      const { source } = story(
        () =>
          of(1).pipe(
            concatWith(NEVER),
            cleanedUpBy(() => cleanup),
            take(1),
          ),
        {
          release: () => NEVER,
          cleanupTimeout: 100,
        },
      );
      const scope = below(source);
      await vi.advanceTimersByTimeAsync(150);
      scope.sink.unsubscribe();
      cleanup.reject('late');
      expect(scope.settled).toEqual([['failed', 'late']]);
      await vi.advanceTimersByTimeAsync(50);
    });

    it('not at all with 0, and for ever with Infinity', async () => {
      const never = { release: () => NEVER };
      const none = story(() => EMPTY, { ...never, cleanupTimeout: 0 });
      const endless = story(() => EMPTY, { ...never, cleanupTimeout: Infinity });
      none.subscribe();
      endless.subscribe();
      await vi.advanceTimersByTimeAsync(0);
      expect(none.log.at(-1)).toEqual(['error', failure({ reason: 'timed-out' })]);
      await vi.advanceTimersByTimeAsync(1e9);
      expect(endless.log).toEqual(['acquire 1']);
    });

    it('and leaves no timer once the release has come in time, cancelled or not', async () => {
      const release = () => timer(50);
      story(() => of(1), { release }).subscribe();
      story(() => NEVER, { release })
        .subscribe()
        .unsubscribe();
      await vi.advanceTimersByTimeAsync(50);
    });

    it('inside of timeout, which does not wait for the release', async () => {
      const { log, subscribe, source } = story(() => NEVER, {
        release: (resource: number, { kind }) => timer(30).pipe(tap(() => log.push(`${kind} ${String(resource)}`))),
      });
      subscribe(source.pipe(timeout({ first: 10, with: () => of('late') })));
      await vi.advanceTimersByTimeAsync(10);
      expect(log).toEqual(['acquire 1', 'late', 'end']);
      await vi.advanceTimersByTimeAsync(30);
      expect(log).toEqual(['acquire 1', 'late', 'end', 'cancel 1']);
    });
  });

  describe('with a canceller below', () => {
    /** Asks, and counts who has not left. */
    function asking() {
      const asked = new Set<(reason: unknown) => void>();
      let before: { reason: unknown } | undefined;
      const canceller: Canceller = {
        onCancel: (cancel) => {
          asked.add(cancel);
          if (before) cancel(before.reason);
          return () => asked.delete(cancel);
        },
      };
      const ask = (reason: unknown) => {
        before = { reason };
        for (const cancel of asked) cancel(reason);
      };
      return { canceller, ask, asked };
    }
    const reason = new Error('asked to stop');

    it('lets a result come, and leaves when the resource is released', async () => {
      const { canceller, ask, asked } = asking();
      const work = deferred<string>();
      const released = deferred();
      const signals: AbortSignal[] = [];
      const release = vi.fn(() => released.promise);
      const scope = below(
        usingAsync({
          acquire: () => 7,
          use: (_, { signal }) => {
            signals.push(signal);
            return work.promise;
          },
          release,
        }),
        canceller,
      );
      expect(asked.size).toBeGreaterThan(0);
      ask(reason);
      expect(signals[0]?.reason).toBe(reason);
      work.resolve('result');
      await settle();
      expect(scope.log).toEqual(['result']);
      expect(asked.size).toBeGreaterThan(0);
      released.resolve();
      await settle();
      expect([scope.log, asked.size]).toEqual([['result', 'end'], 0]);
      expect(release.mock.calls).toEqual([[7, { kind: 'complete' }]]);
    });

    it('takes a failure of the use for one where it was asked to stop for no reason', () => {
      const { canceller, ask } = asking();
      const use = new Subject<number>();
      const release = vi.fn();
      const error = new Error('use');
      const scope = below(
        usingAsync({ acquire: () => 7, use: (_, { signal }) => (signal.aborted ? NEVER : use), release }),
        canceller,
      );
      ask(undefined);
      use.error(error);
      expect(scope.log).toEqual([['error', error]]);
      expect(release.mock.calls).toEqual([[7, { kind: 'error', error }]]);
    });

    it('releases as cancelled when the use fails because it was asked to stop, and passes that on', async () => {
      const { canceller, ask, asked } = asking();
      const release = vi.fn();
      const scope = below(
        usingAsync({
          acquire: () => 7,
          use: (_, { signal }) =>
            new Promise<never>((_resolve, reject) => {
              signal.addEventListener('abort', () => {
                reject(signal.reason as Error);
              });
            }),
          release,
        }),
        canceller,
      );
      ask(reason);
      await settle();
      expect([scope.log, asked.size]).toEqual([[['error', reason]], 0]);
      expect(release.mock.calls).toEqual([[7, { kind: 'cancel' }]]);
    });

    it('does not use what was acquired after it was asked to stop', async () => {
      const { canceller, ask } = asking();
      const acquired = deferred<number>();
      const use = vi.fn(() => of(1));
      const release = vi.fn();
      const scope = below(usingAsync({ acquire: () => acquired.promise, use, release }), canceller);
      ask(reason);
      acquired.resolve(7);
      await settle();
      expect(scope.log).toEqual([['error', reason]]);
      expect(use).not.toHaveBeenCalled();
      expect(release.mock.calls).toEqual([[7, { kind: 'cancel' }]]);
    });

    it('asks for no time for work that does not read its signal: it could not stop', () => {
      const { canceller, asked } = asking();
      below(usingAsync({ acquire: () => 1, use: () => NEVER, release: () => NEVER }), canceller);
      below(
        usingAsync({ acquire: () => 1, use: () => new Promise<never>(() => undefined), release: () => 0 }),
        canceller,
      );
      expect(asked.size).toBe(0);
    });

    it('keeps work inside that has ended with the use until the release is over, and other work not', () => {
      const { canceller, ask, asked } = asking();
      const [first, last] = [new Subject<number>(), new Subject<number>()];
      const released = new Completion();
      const scope = below(
        usingAsync({
          acquire: () => 1,
          use: () => concat(...[first, last].map((work) => abortable((signal) => (signal.aborted ? EMPTY : work)))),
          release: () => released,
        }),
        canceller,
      );
      const sizes = [asked.size];
      first.complete();
      sizes.push(asked.size);
      ask(reason);
      last.next(1);
      last.complete();
      sizes.push(asked.size);
      expect(scope.log).toEqual([1]);
      released.resolve();
      expect([sizes, asked.size, scope.log]).toEqual([[1, 1, 1], 0, [1, 'end']]);
    });

    it('lets it leave when it is unsubscribed while the release is pending', () => {
      const { canceller, asked } = asking();
      const scope = below(
        usingAsync({
          acquire: () => 1,
          use: (_, { signal }) => (signal.aborted ? NEVER : EMPTY),
          release: () => new Completion(),
          cleanupTimeout: Infinity,
        }),
        canceller,
      );
      expect(asked.size).toBe(1);
      scope.sink.unsubscribe();
      expect(asked.size).toBe(0);
    });

    it('lets all leave when it is unsubscribed after it was asked', () => {
      const { canceller, ask, asked } = asking();
      const scope = below(
        usingAsync({ acquire: () => 1, use: (_, { signal }) => (signal.aborted ? EMPTY : NEVER), release: () => 0 }),
        canceller,
      );
      ask(reason);
      expect(asked.size).toBe(1);
      scope.sink.unsubscribe();
      expect(asked.size).toBe(0);
    });

    it('leaves no timer when it is unsubscribed as soon as work inside has stopped', () => {
      vi.useFakeTimers();
      try {
        const { canceller, ask, asked } = asking();
        const work = new Subject<never>();
        const inside = of(1).pipe(mergeMap(() => abortable((signal) => (signal.aborted ? EMPTY : work))));
        const scope = below(
          usingAsync({ acquire: () => 1, use: () => concat(inside, NEVER), release: () => 0 }),
          canceller,
        );
        ask(reason);
        work.complete();
        expect([asked.size, vi.getTimerCount()]).toEqual([1, 1]);
        scope.sink.unsubscribe();
        expect([asked.size, vi.getTimerCount()]).toEqual([0, 0]);
      } finally {
        vi.useRealTimers();
      }
    });

    it('asks for no time for the release when it was unsubscribed just before', () => {
      const { canceller, asked } = asking();
      const started = new Subject<void>();
      const release = vi.fn(() => new Completion());
      const source = usingAsync({
        acquire: () => 1,
        use: () =>
          new Observable<number>((subscriber) => {
            subscriber.complete();
            started.next();
          }),
        release,
        cleanupTimeout: Infinity,
      });
      const sink = operate<number, never>({ canceller });
      started.subscribe(() => {
        sink.unsubscribe();
      });
      source.subscribe(sink);
      expect(release.mock.calls).toEqual([[1, { kind: 'complete' }]]);
      expect(asked.size).toBe(0);
    });

    it('leaves also where that asks for so much that it is called off', () => {
      const left = vi.fn();
      let calls = 0;
      const canceller: Canceller = {
        onCancel: () => {
          calls++;
          if (calls === 2) stop.next(); // the first only looks whether to begin
          return left;
        },
      };
      const stop = new Subject<void>();
      const use = new Subject<number>();
      const scope = below(
        usingAsync({ acquire: () => 1, use: () => use, release: () => new Completion(), cleanupTimeout: Infinity }),
        canceller,
      );
      stop.subscribe(() => {
        scope.sink.unsubscribe();
      });
      use.complete();
      expect([calls, left.mock.calls.length]).toEqual([2, 2]);
    });

    it('does not look for it once it is unsubscribed, and lets nobody register who reads the signal then', async () => {
      const onCancel = vi.fn(() => () => undefined);
      const acquired = deferred<number>();
      below(usingAsync({ acquire: () => acquired.promise, use: () => of(1), release: () => 0 }), {
        onCancel,
      }).sink.unsubscribe();
      acquired.resolve(1);
      await settle();
      expect(onCancel).not.toHaveBeenCalled();

      const { canceller, asked } = asking();
      const contexts: WorkContext[] = [];
      const use = (_: number, context: WorkContext) => {
        contexts.push(context);
        return contexts.length === 1 ? of(1) : NEVER;
      };
      below(usingAsync({ acquire: () => 1, use, release: () => 0 }), canceller);
      below(usingAsync({ acquire: () => 1, use, release: () => 0 }), canceller).sink.unsubscribe();
      expect(contexts.map(({ signal }) => signal.aborted)).toEqual([false, true]);
      expect(asked.size).toBe(0);
    });

    it('asks for no time while it acquires, and leaves when it is unsubscribed', () => {
      const { canceller, asked } = asking();
      const pending = below(
        usingAsync({ acquire: () => new Promise<number>(() => undefined), use: () => of(1), release: () => 0 }),
        canceller,
      );
      expect(asked.size).toBe(0);
      pending.sink.unsubscribe();
      const used = below(
        usingAsync({
          acquire: () => 1,
          use: (_, { signal }) => (signal.aborted ? EMPTY : NEVER),
          release: () => NEVER,
          cleanupTimeout: Infinity,
        }),
        canceller,
      );
      expect(asked.size).toBeGreaterThan(0);
      used.sink.unsubscribe();
      expect(asked.size).toBe(0);
    });
  });

  describe('in timeoutWithCleanup', () => {
    beforeEach(() => {
      vi.useFakeTimers();
    });
    afterEach(() => {
      expect(vi.getTimerCount()).toBe(0);
      vi.useRealTimers();
    });

    const limited = (
      use: (resource: number, context: WorkContext) => ObservableInput<string>,
      strategy: 'cooperative' | 'aggressive' = 'cooperative',
    ) => {
      const { log, subscribe, source } = story(use, {
        release: (_: number, { kind }) => timer(30).pipe(tap({ complete: () => log.push(`${kind}, released`) })),
      });
      subscribe(source.pipe(timeoutWithCleanup({ total: 100, strategy, cleanupTimeout: 1000 })));
      return log;
    };
    const late = ['error', expect.objectContaining({ name: 'TimeoutWithCleanupError', cleanup: 'done' })];
    /** A result that comes 20 ms after the request. */
    const stopping = (signal: AbortSignal) =>
      new Promise<string>((resolve) => {
        signal.addEventListener('abort', () => {
          setTimeout(resolve, 20, 'so far');
        });
      });

    it.each(['cooperative', 'aggressive'] as const)('is released before the error passes: %s', async (strategy) => {
      const log = limited(() => NEVER, strategy);
      await vi.advanceTimersByTimeAsync(129);
      expect(log).toEqual(['acquire 1']);
      await vi.advanceTimersByTimeAsync(1);
      expect(log).toEqual(['acquire 1', 'cancel, released', late]);
    });

    it.each([
      ['of use itself', (_: number, { signal }: WorkContext) => stopping(signal)],
      ['of work inside', () => of(1).pipe(concatMap(() => abortable(stopping)))],
    ])('completes with a result that comes after the request: %s', async (_, use) => {
      const log = limited(use);
      await vi.advanceTimersByTimeAsync(149);
      expect(log).toEqual(['acquire 1', 'so far']);
      await vi.advanceTimersByTimeAsync(1);
      expect(log).toEqual(['acquire 1', 'so far', 'complete, released', 'end']);
    });

    it('completes when time was up only for the release', async () => {
      const log = limited(() => timer(90).pipe(map(() => 'result')));
      await vi.advanceTimersByTimeAsync(120);
      expect(log).toEqual(['acquire 1', 'result', 'complete, released', 'end']);
    });

    it('is given up when all work inside has stopped, and the use goes on', async () => {
      const log = limited(() => concat(abortable(stopping), NEVER));
      await vi.advanceTimersByTimeAsync(155);
      expect(log).toEqual(['acquire 1', 'so far', 'cancel, released', late]);
    });

    it('is released when acquire has come to its end', async () => {
      const { log, subscribe, source } = story(() => of('used'), {
        acquire: () => new Promise<number>((resolve) => setTimeout(resolve, 150, 7)),
      });
      subscribe(source.pipe(timeoutWithCleanup({ total: 100 })));
      await vi.advanceTimersByTimeAsync(150);
      expect(log).toEqual(['cancel 7', late]);
    });
  });

  describe('with a gate below', () => {
    it('pulls what use gives at the pace of the consumer', () => {
      const gate = new ManualGate();
      const pulled: number[] = [];
      function* values() {
        for (let i = 1; i <= 3; i++) {
          pulled.push(i);
          yield i;
        }
      }
      const { log, subscribe, source } = story(() => values());
      subscribe(source.pipe(gatedBy(gate)));
      expect(pulled).toEqual([]);
      gate.pass();
      expect(pulled).toEqual([1, 2, 3]);
      gate.ready = false;
      expect(log).toEqual(['acquire 1', 1, 2, 3, 'complete 1', 'end']);
    });

    it('lets one value through at a time', async () => {
      const iterator = toAsyncIterable(story(() => fromPull(range3), {}).source, { highWaterMark: 1 })[
        Symbol.asyncIterator
      ]();
      expect(await iterator.next()).toEqual({ done: false, value: 1 });
      expect(await iterator.return?.()).toEqual({ done: true, value: undefined });
    });
    const range3 = [1, 2, 3];
  });

  it('is waited for by return() of toAsyncIterable', async () => {
    const order: string[] = [];
    const source = usingAsync({
      acquire: async () => 7,
      use: () => concat(of(1), NEVER),
      release: async (_, { kind }) => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        order.push(kind);
      },
    });
    for await (const value of toAsyncIterable(source)) {
      expect(value).toBe(1);
      break;
    }
    expect(order).toEqual(['cancel']);
  });

  it('works inside of itself: the inner resource is released first', () => {
    const order: string[] = [];
    const resource = (name: string, use: () => ObservableInput<number>) =>
      usingAsync({
        acquire: () => name,
        use,
        release: (_, { kind }) => timer(5).pipe(tap(() => order.push(`${name} ${kind}`))),
      });
    vi.useFakeTimers();
    try {
      record(resource('outer', () => resource('inner', () => NEVER))).subscription.unsubscribe();
      record(resource('outer', () => resource('inner', () => EMPTY)));
      vi.advanceTimersByTime(5);
      expect(order).toEqual(['inner cancel', 'inner complete']);
      vi.advanceTimersByTime(5);
      expect(order).toEqual(['inner cancel', 'inner complete', 'outer cancel', 'outer complete']);
    } finally {
      vi.useRealTimers();
    }
  });

  it('is not started by exhaustMap while one is being released', () => {
    const starts = new Subject<void>();
    const released = new Completion();
    const { log, subscribe, source } = story(() => EMPTY, { release: () => released });
    subscribe(starts.pipe(exhaustMap(() => source)));
    starts.next();
    starts.next();
    released.resolve();
    starts.next();
    expect(log).toEqual(['acquire 1', 'acquire 2']);
  });

  it('passes a million values', () => {
    let sum = 0;
    const { source } = story(() => range(1, 1_000_000));
    source.subscribe((value) => (sum += value));
    expect(sum).toBe(500_000_500_000);
  });

  it('serves 100 000 one after the other, without a timer left and without growing the stack', () => {
    vi.useFakeTimers();
    try {
      let released = 0;
      const source = usingAsync({ acquire: () => 1, use: () => of(1), release: () => released++ });
      range(0, 50_000)
        .pipe(bufferedMergeMap(() => source, { concurrent: 1, bufferSize: Infinity }))
        .subscribe();
      for (let i = 0; i < 50_000; i++)
        usingAsync({ acquire: () => 1, use: () => NEVER, release: () => released++ })
          .subscribe()
          .unsubscribe();
      expect(released).toBe(100_000);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('throws at the call for wrong arguments', () => {
    const right = { acquire: () => 1, use: () => of(1), release: () => undefined };
    const wrong = (part: object, Kind: ErrorConstructor, message: string) => {
      expect(() => usingAsync({ ...right, ...part })).toThrow(new Kind(message));
    };
    wrong({ acquire: 1 }, TypeError, 'acquire must be a function, got 1');
    wrong({ use: undefined }, TypeError, 'use must be a function, got undefined');
    const expected = "release must be a function or have 'complete', 'error' and 'cancel', got";
    wrong({ release: undefined }, TypeError, `${expected} undefined`);
    wrong({ release: null }, TypeError, `${expected} null`);
    wrong({ release: { complete: () => 1, error: () => 1 } }, TypeError, `${expected} an object`);
    wrong({ name: 1 }, TypeError, 'name must be a string, got 1');
    wrong(
      { cleanupTimeout: -1 },
      RangeError,
      'cleanupTimeout must be a number of milliseconds from 0 to 2147483647 or Infinity, got -1',
    );
    wrong({ scheduler: {} }, TypeError, "scheduler must have the functions 'now' and 'schedule', got an object");
    expect(() => usingAsync(undefined as never)).toThrow(new TypeError('options must be an object, got undefined'));
  });
});
