import {
  catchError,
  EMPTY,
  firstValueFrom,
  lastValueFrom,
  map,
  merge,
  mergeMap,
  NEVER,
  Observable,
  of,
  repeat,
  retry,
  Subject,
  switchMap,
  take,
  takeUntil,
  tap,
  throwError,
  type ObservableInput,
} from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { bufferedMergeMap, fromPull, gatedBy } from '../../src/index.js';
import { subscribeWork, subscribeWorkWith } from '../../src/internal/abortableWork.js';
import { operate } from '../../src/internal/operate.js';
import type { WorkContext } from '../../src/internal/workContext.js';
import type { Canceller } from '../../src/link/protocol.js';
import { abortable } from '../../src/sources/abortable.js';
import { AnsweredIterator } from '../support/AnsweredIterator.js';
import { ManualGate } from '../support/ManualGate.js';
import { marbles } from '../support/marbles.js';
import { outcomes } from '../support/outcomes.js';
import { record } from '../support/record.js';
import { deferred, settle } from '../support/settle.js';
import { collectUnhandled, reported } from '../support/unhandled.js';

/** Subscribes with a scope that keeps what it is given. */
function inScope<T>(source: Observable<T>) {
  const tracked: PromiseLike<unknown>[] = [];
  const log: unknown[] = [];
  const subscriber = operate<T, never>({
    cleanupScope: { track: (cleanup) => tracked.push(cleanup) },
    next: (value) => void log.push(value),
    error: (error) => void log.push(['error', error]),
    complete: () => void log.push('complete'),
  });
  source.subscribe(subscriber);
  return { log, tracked, subscriber };
}

/** Work that hands out its signals. */
function signalled<T>(work: (signal: AbortSignal) => ObservableInput<T>) {
  const signals: AbortSignal[] = [];
  const source = abortable((signal) => {
    signals.push(signal);
    return work(signal);
  });
  return { signals, source, aborted: () => signals.map((signal) => signal.aborted) };
}

describe('abortable', () => {
  const unhandled = collectUnhandled();

  it.each([undefined, null, 5, NEVER])('refuses %o at the call', (work) => {
    expect(() => abortable(work as never)).toThrow(/^work must be a function, got /);
  });

  it.each<[string, () => ObservableInput<number>]>([
    ['an observable', () => of(1, 2)],
    ['an array', () => [1, 2]],
    ['a generator', () => new Set([1, 2]).values()],
    ['a stream', () => streamOf(1, 2)],
    ['an async generator', asyncNumbers],
  ])('takes %s', async (_, work) => {
    const { source, aborted } = signalled(work);
    const { log } = record(source);
    await settle();
    await new Promise((resolve) => setTimeout(resolve));
    expect(log).toEqual([1, 2, 'complete']);
    expect(aborted()).toEqual([false]);
  });

  it('takes a promise, of any make', async () => {
    const foreign = {
      then: (resolve: (value: number) => void) => {
        resolve(1);
      },
    } as unknown as Promise<number>;
    for (const promise of [Promise.resolve(1), foreign]) {
      const { log } = record(abortable(() => promise));
      await settle();
      expect(log).toEqual([1, 'complete']);
    }
  });

  it('takes a thenable that gives another', async () => {
    const nested = {
      then: (resolve: (value: unknown) => void) => {
        resolve(Promise.resolve(1));
      },
    } as unknown as Promise<number>;
    const { log } = record(abortable(() => nested));
    await settle();
    expect(log).toEqual([1, 'complete']);
  });

  it('asks for what a promise has come to once, however it ends: a query builder runs its query for each time', async () => {
    for (const end of ['unsubscribe', 'itself']) {
      let runs = 0;
      const query = {
        then(resolve: (value: number) => void) {
          runs++;
          void Promise.resolve().then(() => {
            resolve(1);
          });
        },
      } as unknown as Promise<number>;
      const { subscriber } = inScope(abortable(() => query));
      if (end === 'unsubscribe') subscriber.unsubscribe();
      await settle();
      expect(runs).toBe(1);
    }
  });

  it('sees an Observable also where somebody has given Observables a then', () => {
    const thenable = Object.assign(of(1, 2), { then: () => undefined });
    expect(record(abortable(() => thenable as unknown as Observable<number>)).log).toEqual([1, 2, 'complete']);
  });

  it('fails with what the function throws', () => {
    const { source, aborted } = signalled(() => {
      throw new Error('work');
    });
    expect(record(source).log).toEqual([['error', new Error('work')]]);
    expect(aborted()).toEqual([false]);
  });

  it('fails when the function gives nothing that can be subscribed to', () => {
    const { log } = record(abortable(() => undefined as never));
    expect(log).toEqual([['error', expect.any(TypeError)]]);
  });

  it('does not call the function for one who has unsubscribed before', () => {
    const work = vi.fn(() => of(1));
    const subscriber = operate({});
    subscriber.unsubscribe();
    abortable(work).subscribe(subscriber);
    expect(work).not.toHaveBeenCalled();
    subscribeWorkWith(work, subscriber);
    expect(work).not.toHaveBeenCalled();
  });

  describe('aborts the signal', () => {
    it('when unsubscribed, before it unsubscribes from the work', () => {
      const order: string[] = [];
      const { subscription } = record(
        abortable((signal) => {
          signal.addEventListener('abort', () => order.push('abort'));
          return new Observable(() => () => order.push('unsubscribe'));
        }),
      );
      expect(order).toEqual([]);
      subscription.unsubscribe();
      expect(order).toEqual(['abort', 'unsubscribe']);
    });

    it('when a value was enough, of work that goes on', () => {
      const { source, aborted } = signalled(() => of(1, 2));
      expect(record(source.pipe(take(1))).log).toEqual([1, 'complete']);
      expect(aborted()).toEqual([true]);
    });

    it('of each subscription for itself', () => {
      const { source, aborted } = signalled(() => NEVER);
      const first = source.subscribe();
      source.subscribe();
      first.unsubscribe();
      expect(aborted()).toEqual([true, false]);
    });

    it('not when the work has completed or failed by itself, nor later', () => {
      for (const work of [EMPTY, throwError(() => new Error('work'))]) {
        const { source, aborted } = signalled(() => work);
        const { subscription } = record(source);
        subscription.unsubscribe();
        expect(aborted()).toEqual([false]);
      }
    });

    it('not when the end of the work is told: who hears of it sees a signal that is not aborted', () => {
      const seen: unknown[] = [];
      for (const work of [EMPTY, throwError(() => new Error('work'))]) {
        const { source, aborted } = signalled(() => work);
        const look = () => seen.push(aborted());
        source.subscribe({ complete: look, error: look });
      }
      expect(seen).toEqual([[false], [false]]);
    });

    // fromFetch of RxJS 6.5.1 did (issue 4739): the body of the response could not be read any more.
    it('not of a promise that has settled: what fetch has resolved to can still be read', async () => {
      const { source, aborted } = signalled((signal) =>
        Promise.resolve({ json: () => Promise.resolve(signal.aborted) }),
      );
      expect(await firstValueFrom(source.pipe(switchMap((response) => response.json())))).toBe(false);
      expect(await firstValueFrom(source.pipe(take(1)))).toBeDefined();
      expect(aborted()).toEqual([false, false]);
    });

    it('also where a teardown of the work throws', () => {
      const { source, aborted } = signalled(
        () =>
          new Observable(() => () => {
            throw new Error('teardown');
          }),
      );
      const subscription = source.subscribe();
      expect(() => {
        subscription.unsubscribe();
      }).toThrow('teardown');
      expect(aborted()).toEqual([true]);
    });
  });

  describe('unsubscribed inside of the function', () => {
    const unsubscribing = <T>(work: (signal: AbortSignal) => ObservableInput<T>) => {
      const scoped = inScope<T>(NEVER);
      abortable<T>((signal) => {
        scoped.subscriber.unsubscribe();
        return work(signal);
      }).subscribe(scoped.subscriber);
      return scoped;
    };

    it('waits for the promise, which was not known yet', async () => {
      const { promise, resolve } = deferred<number>();
      const { tracked, log } = unsubscribing(() => promise);
      expect(tracked).toHaveLength(1);
      expect(await outcomes(...tracked)).toEqual(['pending']);
      resolve(1);
      expect(await outcomes(...tracked)).toEqual([undefined]);
      expect(log).toEqual([]);
    });

    it('does not subscribe to an observable', () => {
      const subscribed = vi.fn();
      const { tracked } = unsubscribing(() => new Observable(subscribed));
      expect(subscribed).not.toHaveBeenCalled();
      expect(tracked).toEqual([]);
    });

    it('closes an iterator, and waits for that', async () => {
      const iterator = new AnsweredIterator<number>();
      const { tracked } = unsubscribing(() => ({ [Symbol.asyncIterator]: () => iterator }));
      expect(iterator.calls).toEqual(['return']);
      expect(await outcomes(...tracked)).toEqual([{ done: true, value: undefined }]);
    });

    it('aborts the signal at once', () => {
      const seen: boolean[] = [];
      unsubscribing((signal) => {
        seen.push(signal.aborted);
        return EMPTY;
      });
      expect(seen).toEqual([true]);
    });

    it('takes what it throws then for a failure of the clean-up, unless it only says that it was aborted', async () => {
      const failing = unsubscribing(() => {
        throw new Error('work');
      });
      expect(await outcomes(...failing.tracked)).toEqual([['error', new Error('work')]]);
      const cancelled = unsubscribing((signal) => {
        signal.throwIfAborted();
        return EMPTY;
      });
      expect(await outcomes(...cancelled.tracked)).toEqual([undefined]);
    });
  });

  describe('a promise that goes on', () => {
    const running = () => {
      const { promise, resolve, reject } = deferred<number>();
      const { source, signals } = signalled(() => promise);
      return { ...inScope(source), resolve, reject, signals };
    };

    it('is handed over as it is unsubscribed, and settles when the work has', async () => {
      const { tracked, subscriber, resolve, log } = running();
      expect(tracked).toEqual([]);
      subscriber.unsubscribe();
      expect(tracked).toHaveLength(1);
      expect(await outcomes(...tracked)).toEqual(['pending']);
      resolve(1);
      expect(await outcomes(...tracked)).toEqual([undefined]);
      expect(log).toEqual([]);
    });

    it('is none when it has settled before', async () => {
      const { tracked, subscriber, resolve, log } = running();
      resolve(1);
      await settle();
      subscriber.unsubscribe();
      expect(tracked).toEqual([]);
      expect(log).toEqual([1, 'complete']);
    });

    it('is none when its error has been told', async () => {
      const { tracked, subscriber, reject, log } = running();
      reject(new Error('work'));
      await settle();
      subscriber.unsubscribe();
      expect(tracked).toEqual([]);
      expect(log).toEqual([['error', new Error('work')]]);
    });

    it.each([
      ['the reason', (signal: AbortSignal): unknown => signal.reason],
      ['an error with the reason as its cause', (signal: AbortSignal) => new Error('x', { cause: signal.reason })],
      ['an AbortError of its own', () => new DOMException('x', 'AbortError')],
      ['a CanceledError', () => Object.assign(new Error('x'), { name: 'CanceledError' })],
      ['a CancelledError', () => Object.assign(new Error('x'), { name: 'CancelledError' })],
      ['a CancelError', () => Object.assign(new Error('x'), { name: 'CancelError' })],
      ['the code of Node', () => Object.assign(new Error('x'), { code: 'ABORT_ERR' })],
      ['the code of axios', () => Object.assign(new Error('x'), { code: 'ERR_CANCELED' })],
    ])('has not failed when it rejects with %s', async (_, errorOf) => {
      const { tracked, subscriber, reject, signals } = running();
      subscriber.unsubscribe();
      reject(errorOf(signals[0] as AbortSignal));
      expect(await outcomes(...tracked)).toEqual([undefined]);
    });

    it('has failed when it rejects with anything else: whoever waits is told', async () => {
      const { tracked, subscriber, reject } = running();
      subscriber.unsubscribe();
      reject(new Error('rollback'));
      expect(await outcomes(...tracked)).toEqual([['error', new Error('rollback')]]);
    });

    it.each(['NotAnAbortError', 'AbortErrorHandlerError', 'CancelableError', 'ABORT_ERR'])(
      'has failed when it rejects with an error that is only named alike: %s',
      async (name) => {
        const { tracked, subscriber, reject } = running();
        subscriber.unsubscribe();
        const error = Object.assign(new Error('x'), { name });
        reject(error);
        expect(await outcomes(...tracked)).toEqual([['error', error]]);
      },
    );

    it('has failed with whatever cannot be looked at, too', async () => {
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      for (const error of [proxy, { name: Object.create(null) as unknown }]) {
        const { tracked, subscriber, reject } = running();
        subscriber.unsubscribe();
        reject(error);
        const failed: unknown[] = [];
        for (const cleanup of tracked) cleanup.then(undefined, (reason: unknown) => failed.push(reason));
        await settle();
        expect(failed[0] === error).toBe(true);
      }
    });

    it('is reported where nobody waits, and only if it has failed', async () => {
      for (const error of [new Error('rollback'), new DOMException('x', 'AbortError')]) {
        const { promise, reject } = deferred();
        abortable(() => promise)
          .subscribe()
          .unsubscribe();
        reject(error);
        await settle();
      }
      expect(await reported(unhandled)).toEqual(new Error('rollback'));
    });
  });

  it('tells of an observable that fails while it is unsubscribed from, unless it only says that it was aborted', async () => {
    const failingWith = (errorOf: (signal: AbortSignal) => unknown) => {
      const { subscriber, tracked, log } = inScope(
        abortable(
          (signal) =>
            new Observable((inner) => {
              signal.addEventListener('abort', () => {
                inner.error(errorOf(signal));
              });
            }),
        ),
      );
      subscriber.unsubscribe();
      expect(log).toEqual([]);
      return outcomes(...tracked);
    };
    expect(await failingWith(() => new Error('close'))).toEqual([['error', new Error('close')]]);
    expect(await failingWith((signal) => signal.reason)).toEqual([undefined]);
  });

  describe('backpressure', () => {
    it.each<[string, () => ObservableInput<number>]>([
      ['an array', () => [1, 2, 3]],
      ['an async generator', asyncNumbers],
      ['a stream', () => streamOf(1, 2)],
    ])('pulls %s at the pace of the consumer below', async (_, work) => {
      const gate = new ManualGate();
      const { log, subscription } = record(
        abortable(work).pipe(
          map((n) => n),
          gatedBy(gate),
          tap(() => (gate.ready = false)),
        ),
      );
      await settle();
      expect(log).toEqual([]);
      gate.ready = true;
      await settle();
      expect(log).toEqual([1]);
      gate.ready = true;
      await settle();
      expect(log).toEqual([1, 2]);
      subscription.unsubscribe();
      expect(gate.waiters.size).toBe(0);
    });

    it('lets sources in the work see the consumer', () => {
      const gate = new ManualGate();
      const { log } = record(abortable(() => fromPull([1, 2])).pipe(gatedBy(gate)));
      expect(log).toEqual([]);
      gate.ready = true;
      expect(log).toEqual([1, 2, 'complete']);
    });
  });

  describe('among operators', () => {
    it('has a new signal for each time that retry and repeat subscribe', () => {
      let failures = 2;
      const retried = signalled(() => (failures-- > 0 ? throwError(() => new Error()) : of(1)));
      expect(record(retried.source.pipe(retry(2))).log).toEqual([1, 'complete']);
      expect(new Set(retried.signals).size).toBe(3);
      const repeated = signalled(() => of(1));
      expect(record(repeated.source.pipe(repeat(2))).log).toEqual([1, 1, 'complete']);
      expect(new Set(repeated.signals).size).toBe(2);
      expect([...retried.aborted(), ...repeated.aborted()]).toEqual(Array(5).fill(false));
    });

    it('aborts the work before switchMap starts the next', () => {
      const events: string[] = [];
      const source = new Subject<string>();
      source
        .pipe(
          switchMap((name) =>
            abortable((signal) => {
              events.push(`start ${name}`);
              signal.addEventListener('abort', () => events.push(`abort ${name}`));
              return NEVER;
            }),
          ),
        )
        .subscribe();
      source.next('a');
      source.next('b');
      expect(events).toEqual(['start a', 'abort a', 'start b']);
    });

    it('keeps the slot of bufferedMergeMap until its promise has settled', async () => {
      const ends: (() => void)[] = [];
      const started: number[] = [];
      const stop = new Subject();
      const { log } = record(
        of(1, 2).pipe(
          bufferedMergeMap(
            (n) =>
              n === 1
                ? abortable(
                    () =>
                      new Promise<void>((resolve) => {
                        started.push(n);
                        ends.push(resolve);
                      }),
                  ).pipe(takeUntil(stop))
                : of(started.push(n)),
            { concurrent: 1 },
          ),
        ),
      );
      stop.next(0);
      await settle();
      expect(started).toEqual([1]);
      ends[0]?.();
      await settle();
      expect(started).toEqual([1, 2]);
      expect(log).toEqual([2, 'complete']);
    });

    it('is told through operators and inner subscriptions of RxJS', () => {
      const { source, aborted } = signalled(() => NEVER);
      const { tracked, subscriber } = inScope(
        of(1).pipe(
          mergeMap(() => merge(source, source)),
          catchError(() => EMPTY),
        ),
      );
      subscriber.unsubscribe();
      expect(aborted()).toEqual([true, true]);
      expect(tracked).toEqual([]);
    });

    it('can be used with promises: the first and the last value', async () => {
      const { source, aborted } = signalled(() => Promise.resolve('a'));
      expect(await Promise.all([firstValueFrom(source), lastValueFrom(source)])).toEqual(['a', 'a']);
      expect(aborted()).toEqual([false, false]);
    });
  });

  it(
    'is exact in virtual time',
    marbles((m) => {
      const work = m.cold('   -a-b-c|');
      const twice = abortable(() => work).pipe(take(2));
      m.expect(twice).toBeObservable('-a-(b|)');
      m.expect(work).toHaveSubscriptions(['^--!']);
    }),
  );
});

describe('abortable above one who asks it to stop', () => {
  const unhandled = collectUnhandled();

  /** As a timeout that lets work come to an end. */
  function cancellable<T>(source: Observable<T>) {
    const cancels = new Set<(reason: unknown) => void>();
    const left: number[] = [];
    const log: unknown[] = [];
    let asked: { reason: unknown } | undefined;
    const canceller: Canceller = {
      onCancel(cancel) {
        if (asked) cancel(asked.reason);
        else cancels.add(cancel);
        return () => {
          cancels.delete(cancel);
          left.push(log.length);
        };
      },
    };
    const subscriber = operate<T, never>({
      canceller,
      next: (value) => void log.push(value),
      error: (error) => void log.push(['error', error]),
      complete: () => void log.push('complete'),
    });
    return {
      log,
      left,
      cancels,
      subscriber,
      start: () => source.subscribe(subscriber),
      cancel: (reason: unknown) => {
        asked = { reason };
        for (const cancel of cancels) cancel(reason);
      },
    };
  }

  it('aborts the signal with the reason, and stays for the result', async () => {
    const { promise, resolve } = deferred<number>();
    const { source, signals } = signalled(() => promise);
    const { start, cancel, log, left, cancels } = cancellable(source);
    start();
    cancel('late');
    expect(signals.map(({ aborted, reason }) => [aborted, reason as unknown])).toEqual([[true, 'late']]);
    expect(log).toEqual([]);
    expect(left).toEqual([]);
    resolve(1);
    await settle();
    expect(log).toEqual([1, 'complete']);
    expect(left).toEqual([2]);
    expect(cancels.size).toBe(0);
  });

  it('tells of its error, too, also one that only says that it was aborted', async () => {
    const { start, cancel, log, left } = cancellable(
      abortable(
        (signal) =>
          new Promise((_, reject) => {
            signal.addEventListener('abort', () => {
              reject(signal.reason as Error);
            });
          }),
      ),
    );
    start();
    cancel('late');
    await settle();
    expect(log).toEqual([['error', 'late']]);
    expect(left).toEqual([1]);
  });

  it('stays subscribed to an observable', () => {
    const work = new Subject<number>();
    const { start, cancel, log, left } = cancellable(abortable(() => work));
    start();
    cancel('late');
    work.next(1);
    work.complete();
    expect(log).toEqual([1, 'complete']);
    expect(left).toEqual([2]);
  });

  it('leaves when it is unsubscribed, and when it has ended, once', async () => {
    for (const end of ['unsubscribe', 'complete', 'error', 'unsubscribe after cancel'] as const) {
      const work = new Subject<number>();
      const { start, cancel, subscriber, left, cancels } = cancellable(abortable(() => work));
      start();
      if (end === 'unsubscribe after cancel') cancel('late');
      if (end === 'complete') work.complete();
      else if (end === 'error') work.error(new Error());
      else subscriber.unsubscribe();
      subscriber.unsubscribe();
      expect(left).toHaveLength(1);
      expect(cancels.size).toBe(0);
      expect(work.observed).toBe(false);
    }
    await settle();
  });

  it('starts no work when it is too late, and waits in silence for its end', () => {
    const work = vi.fn(() => of(1));
    const { start, cancel, subscriber, log, left } = cancellable(abortable(work));
    cancel('late');
    start();
    expect(work).not.toHaveBeenCalled();
    expect(log).toEqual([]);
    subscriber.unsubscribe();
    expect(left).toEqual([0]);
  });

  it('takes a rejection with that reason for a cancellation, also when it is unsubscribed in the end', async () => {
    const { promise, reject } = deferred();
    const { start, cancel, subscriber } = cancellable(abortable(() => promise));
    start();
    cancel('late');
    subscriber.unsubscribe();
    reject('late');
    await settle();
    expect(unhandled).toEqual([]);
  });
});

describe('subscribeWork', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('makes the signal when it is read, and then tells the canceller of it, but not after the end', () => {
    const onCancel = vi.fn(() => () => undefined);
    for (const early of [false, true]) {
      let context!: WorkContext;
      const work = (given: WorkContext) => {
        context = given;
        return of(early ? given.signal.aborted : 1);
      };
      subscribeWorkWith<unknown>(work, operate({ canceller: { onCancel } }));
      expect(context.signal.aborted).toBe(false);
      expect(onCancel).toHaveBeenCalledTimes(early ? 1 : 0);
    }
  });

  it('finds scope and canceller on the subscriber itself', async () => {
    const tracked: PromiseLike<unknown>[] = [];
    const onCancel = vi.fn(() => () => undefined);
    const subscriber = operate<number, never>({
      cleanupScope: { track: (cleanup) => tracked.push(cleanup) },
      canceller: { onCancel },
    });
    subscribeWork(() => new Promise<number>((resolve) => setTimeout(resolve, 10, 1)), subscriber);
    subscriber.unsubscribe();
    expect(onCancel).toHaveBeenCalledTimes(1);
    expect(tracked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(9);
    expect(await outcomes(...tracked)).toEqual(['pending']);
    await vi.advanceTimersByTimeAsync(1);
    expect(await outcomes(...tracked)).toEqual([undefined]);
  });
});

async function* asyncNumbers(): AsyncGenerator<number> {
  yield 1;
  await Promise.resolve();
  yield 2;
}

function streamOf(...values: number[]): ReadableStream<number> {
  return new ReadableStream({
    start(controller) {
      for (const value of values) controller.enqueue(value);
      controller.close();
    },
  });
}
