import {
  catchError,
  config,
  EMPTY,
  finalize,
  map,
  merge,
  NEVER,
  Observable,
  of,
  queueScheduler,
  range,
  repeat,
  Subject,
  take,
  tap,
  throwError,
  timer,
  VirtualTimeScheduler,
  type Subscription,
} from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CleanupTimeoutError } from '../../src/errors/CleanupTimeoutError.js';
import { bufferedMergeMap, fromPull, gatedBy } from '../../src/index.js';
import { Completion } from '../../src/internal/Completion.js';
import { operate } from '../../src/internal/operate.js';
import { findCleanupScope } from '../../src/link/walk.js';
import { takeUntilAborted, type TakeUntilAbortedOptions } from '../../src/operators/takeUntilAborted.js';
import { abortable } from '../../src/sources/abortable.js';
import { cleanedUpBy } from '../support/cleanedUpBy.js';
import { CountedSignal } from '../support/CountedSignal.js';
import { ManualGate } from '../support/ManualGate.js';
import { marbles, type RunContext } from '../support/marbles.js';
import { outcomes } from '../support/outcomes.js';
import { record } from '../support/record.js';
import { deferred, settle, turn } from '../support/settle.js';
import { collectUnhandled, reported } from '../support/unhandled.js';

/** A signal that is aborted in a frame of virtual time, with the reason `'why'`. */
function abortedBy(m: RunContext, line: string): AbortSignal {
  const controller = new AbortController();
  m.hot(line).subscribe(() => {
    controller.abort('why');
  });
  return controller.signal;
}

describe('takeUntilAborted', () => {
  const unhandled = collectUnhandled();

  const noSignals = [undefined, null, {}, new AbortController(), new EventTarget(), { aborted: true }, 5];
  it.each(noSignals)('refuses %o for a signal', (signal) => {
    expect(() => takeUntilAborted(signal as AbortSignal)).toThrow(/^signal must be an AbortSignal, got /);
  });

  it.each([
    [{ onAbort: 'ignore' }, /^onAbort must be one of 'complete', 'error', got 'ignore'$/],
    [{ cleanupTimeout: -1 }, /^cleanupTimeout must be a number of milliseconds/],
    [{ scheduler: 5 }, /^scheduler must /],
    [{ name: 5 }, /^name must be a string/],
    [5000, /^options must be an object, got 5000$/],
  ])('refuses the options %o', (options, message) => {
    expect(() => takeUntilAborted(new AbortController().signal, options as TakeUntilAbortedOptions)).toThrow(message);
  });

  describe('on abort', () => {
    const abort = (options: TakeUntilAbortedOptions, source: Observable<unknown> = new Subject()) => {
      const controller = new AbortController();
      const { log, subscription } = record(source.pipe(takeUntilAborted(controller.signal, options)));
      controller.abort('why');
      return { log, subscription };
    };

    it('completes, in the same moment where there is no clean-up', () => {
      expect(abort({}).log).toEqual(['complete']);
    });

    it('errors with the reason, if so wanted', () => {
      expect(abort({ onAbort: 'error' }).log).toEqual([['error', 'why']]);
    });

    it('unsubscribes from the source before it ends', () => {
      const events: string[] = [];
      const source = new Observable(() => () => events.push('unsubscribed'));
      const controller = new AbortController();
      source.pipe(takeUntilAborted(controller.signal)).subscribe({ complete: () => events.push('complete') });
      controller.abort();
      expect(events).toEqual(['unsubscribed', 'complete']);
    });

    it('drops what the source gives afterwards', () => {
      let late!: { next(value: number): void; error(error: unknown): void };
      const { log } = abort({}, new Observable<number>((subscriber) => void (late = subscriber)));
      late.next(1);
      late.error(new Error());
      expect(log).toEqual(['complete']);
    });

    it(
      'drops also what comes while the clean-up goes on',
      marbles((m) => {
        const source = m.hot('      -a-b-c-d-|');
        const signal = abortedBy(m, '----x');
        const expected = '          -a-b---|  ';
        const result = source.pipe(
          cleanedUpBy(() => m.cold('---|')),
          takeUntilAborted(signal),
        );
        m.expect(result).toBeObservable(expected);
        m.expect(source).toHaveSubscriptions('^---!');
      }),
    );

    it('is told through operators of RxJS, and may be followed by another subscription', () => {
      const controller = new AbortController();
      const { log } = record(
        NEVER.pipe(
          takeUntilAborted(controller.signal, { onAbort: 'error' }),
          catchError((error: unknown) => of(error)),
          repeat(2),
        ),
      );
      controller.abort('why');
      expect(log).toEqual(['why', 'why', 'complete']);
    });
  });

  describe('when the signal was aborted before', () => {
    const aborted = AbortSignal.abort('why');

    it('ends at once and never subscribes to the source', () => {
      const subscribed = vi.fn();
      const source = new Observable(subscribed);
      expect(record(source.pipe(takeUntilAborted(aborted))).log).toEqual(['complete']);
      expect(record(source.pipe(takeUntilAborted(aborted, { onAbort: 'error' }))).log).toEqual([['error', 'why']]);
      expect(subscribed).not.toHaveBeenCalled();
    });

    it('does not listen to it', () => {
      const counted = new CountedSignal();
      counted.abort();
      record(NEVER.pipe(takeUntilAborted(counted.signal)));
      expect(counted.added).toBe(0);
    });
  });

  describe('is safe against re-entrance', () => {
    it.each(['complete', 'error'] as const)('aborted inside of next, onAbort: %s', (onAbort) => {
      const controller = new AbortController();
      let produced = 0;
      const source = new Observable<number>((subscriber) => {
        while (!subscriber.closed && produced < 100) subscriber.next(++produced);
      });
      const { log } = record(
        source.pipe(
          takeUntilAborted(controller.signal, { onAbort }),
          tap((n) => {
            if (n === 2) controller.abort('why');
          }),
        ),
      );
      expect(produced).toBe(2);
      expect(log).toEqual([1, onAbort === 'complete' ? 'complete' : ['error', 'why']]);
    });

    it('aborted while the source is being subscribed to', () => {
      const controller = new AbortController();
      const teardown = vi.fn();
      const source = new Observable((subscriber) => {
        subscriber.next(1);
        controller.abort();
        subscriber.next(2);
        return teardown;
      });
      expect(record(source.pipe(takeUntilAborted(controller.signal))).log).toEqual([1, 'complete']);
      expect(teardown).toHaveBeenCalledTimes(1);
    });

    it.each(['complete', 'error'] as const)('aborted when the source ends with %s: it has ended once', async (end) => {
      const stopped: unknown[] = [];
      config.onStoppedNotification = (notification) => stopped.push(notification);
      const controller = new AbortController();
      const source = new Subject<number>();
      const log: string[] = [];
      const abort = (name: string) => () => {
        log.push(name);
        controller.abort();
      };
      source
        .pipe(takeUntilAborted(controller.signal))
        .subscribe({ complete: abort('complete'), error: abort('error') });
      if (end === 'complete') source.complete();
      else source.error(new Error());
      await turn(); // RxJS tells of what comes after the end in a task of its own
      config.onStoppedNotification = null;
      expect(log).toEqual([end]);
      expect(stopped).toEqual([]);
    });

    it('aborted in the teardown of the source', () => {
      const counted = new CountedSignal();
      const source = new Observable(() => () => {
        counted.abort();
      });
      const { log, subscription } = record(source.pipe(takeUntilAborted(counted.signal)));
      subscription.unsubscribe();
      expect(log).toEqual([]);
      expect(counted.listeners).toBe(0);
    });

    it('unsubscribed in the teardown of the source, on abort', async () => {
      const stopped: unknown[] = [];
      config.onStoppedNotification = (notification) => stopped.push(notification);
      const controller = new AbortController();
      const source = new Observable(() => () => {
        subscription.unsubscribe();
      });
      const { log, subscription } = record(source.pipe(takeUntilAborted(controller.signal)));
      controller.abort();
      await turn();
      config.onStoppedNotification = null;
      expect([log, stopped]).toEqual([[], []]);
    });

    it('subscribed to by one who has been unsubscribed already', () => {
      const counted = new CountedSignal();
      const subscriber = operate({});
      subscriber.unsubscribe();
      NEVER.pipe(takeUntilAborted(counted.signal)).subscribe(subscriber);
      expect(counted.listeners).toBe(0);
    });
  });

  describe('waits for clean-up', () => {
    it(
      'that is still to be done, and ends in the frame in which it is',
      marbles((m) => {
        const signal = abortedBy(m, '--x');
        const source = m.cold('      -a-b-c|').pipe(cleanedUpBy(() => m.cold('----|')));
        m.expect(source.pipe(takeUntilAborted(signal))).toBeObservable('-a----|');
        m.expect(source.pipe(takeUntilAborted(signal, { onAbort: 'error' }))).toBeObservable(
          '-a----#',
          undefined,
          'why',
        );
      }),
    );

    it(
      'of several, for all',
      marbles((m) => {
        const signal = abortedBy(m, '--x');
        const cleanedIn = (line: string) => NEVER.pipe(cleanedUpBy(() => m.cold(line)));
        const source = merge(cleanedIn('--|'), cleanedIn('----|'), cleanedIn('|'));
        m.expect(source.pipe(takeUntilAborted(signal))).toBeObservable('------|');
      }),
    );

    it(
      'of the source, not when the source has ended by itself',
      marbles((m) => {
        const signal = abortedBy(m, '---x');
        const inner = NEVER.pipe(cleanedUpBy(() => m.cold('-----|')));
        const source = merge(inner, m.cold('-#'));
        m.expect(source.pipe(takeUntilAborted(signal))).toBeObservable('-#');
      }),
    );

    it('of abortable: the promise of the work', async () => {
      const { promise, resolve } = deferred();
      const controller = new AbortController();
      const signals: AbortSignal[] = [];
      const source = abortable((signal) => {
        signals.push(signal);
        return promise;
      });
      const { log } = record(
        source.pipe(
          map((value) => value),
          takeUntilAborted(controller.signal),
        ),
      );
      controller.abort();
      await settle();
      expect(signals[0]?.aborted).toBe(true);
      expect(log).toEqual([]);
      resolve();
      await settle();
      expect(log).toEqual(['complete']);
    });

    it('of bufferedMergeMap and fromPull', async () => {
      const { promise, resolve } = deferred();
      const controller = new AbortController();
      const closed = vi.fn();
      async function* numbers() {
        try {
          yield 1;
          await promise;
        } finally {
          closed();
        }
      }
      const { log } = record(
        fromPull(numbers).pipe(
          bufferedMergeMap((_, __, { signal }) => (signal.aborted ? EMPTY : promise)),
          takeUntilAborted(controller.signal),
        ),
      );
      await settle();
      controller.abort();
      await settle();
      expect(log).toEqual([]);
      resolve();
      await settle();
      expect(closed).toHaveBeenCalledTimes(1);
      expect(log).toEqual(['complete']);
    });

    it(
      'at most for cleanupTimeout, from the abort on; then it says so',
      marbles((m) => {
        const signal = abortedBy(m, '--x');
        const source = NEVER.pipe(cleanedUpBy(() => NEVER));
        for (const onAbort of ['complete', 'error'] as const) {
          const result = source.pipe(takeUntilAborted(signal, { onAbort, cleanupTimeout: 30, name: 'feed' }));
          const error = new CleanupTimeoutError("takeUntilAborted 'feed'", 30, 'why');
          m.expect(result).toBeObservable('-- 30ms #', undefined, error);
        }
        const patient = source.pipe(takeUntilAborted(signal));
        m.expect(patient).toBeObservable(
          '-- 5s #',
          undefined,
          new CleanupTimeoutError('takeUntilAborted', 5000, 'why'),
        );
      }),
    );

    it('with any scheduler: none is needed where there is no clean-up', () => {
      const controller = new AbortController();
      const { log } = record(
        NEVER.pipe(takeUntilAborted(controller.signal, { cleanupTimeout: 0, scheduler: queueScheduler })),
      );
      controller.abort();
      expect(log).toEqual(['complete']);
    });

    it('without end, if so wanted, and then without a timer', () => {
      const scheduler = new VirtualTimeScheduler();
      const cleanup = new Completion();
      const controller = new AbortController();
      const { log } = record(
        NEVER.pipe(
          cleanedUpBy(() => cleanup),
          takeUntilAborted(controller.signal, { cleanupTimeout: Infinity, scheduler }),
        ),
      );
      controller.abort();
      expect(scheduler.actions).toEqual([]);
      cleanup.resolve();
      expect(log).toEqual(['complete']);
    });

    it(
      'with cleanupTimeout: 0 for none that takes a while, but ends at once where there is none',
      marbles((m) => {
        const signal = abortedBy(m, '--x');
        const options = { cleanupTimeout: 0 };
        m.expect(NEVER.pipe(takeUntilAborted(signal, options))).toBeObservable('--|');
        m.expect(
          NEVER.pipe(
            cleanedUpBy(() => timer(1)),
            takeUntilAborted(signal, options),
          ),
        ).toBeObservable('--#', undefined, new CleanupTimeoutError('takeUntilAborted', 0, 'why'));
      }),
    );

    it('hands it on to the scope below as well, which waits for what goes on', async () => {
      const tracked: PromiseLike<unknown>[] = [];
      const subscriber = operate({ cleanupScope: { track: (each) => tracked.push(each) }, error: () => undefined });
      const controller = new AbortController();
      const scheduler = new VirtualTimeScheduler();
      const cleanup = new Completion();
      NEVER.pipe(
        cleanedUpBy(() => cleanup),
        takeUntilAborted(controller.signal, { cleanupTimeout: 10, scheduler }),
      ).subscribe(subscriber);
      controller.abort();
      scheduler.flush();
      expect(subscriber.closed).toBe(true);
      expect((await outcomes(...tracked)).filter((each) => each === 'pending')).toHaveLength(1);
      cleanup.reject(new Error('late'));
      expect(await outcomes(...tracked)).toContainEqual(['error', new Error('late')]);
    });
  });

  describe('tells of clean-up that has failed', () => {
    const failing = (fails: () => unknown, options: TakeUntilAbortedOptions = {}) => {
      const controller = new AbortController();
      const { log } = record(NEVER.pipe(cleanedUpBy(fails), takeUntilAborted(controller.signal, options)));
      controller.abort('why');
      return log;
    };
    const both = (message: string, ...errors: unknown[]) => new AggregateError(errors, message);

    it('in place of the completion', () => {
      expect(failing(() => throwError(() => 'failure'))).toEqual([['error', 'failure']]);
    });

    it('together with the reason', () => {
      const log = failing(() => throwError(() => 'failure'), { onAbort: 'error', name: 'feed' });
      const error = both("takeUntilAborted 'feed': aborted, and the clean-up has failed", 'why', 'failure');
      expect(log).toStrictEqual([['error', error]]);
      expect(((log[0] as unknown[])[1] as AggregateError).errors).toEqual(['why', 'failure']);
    });

    it('after a while', async () => {
      const log = failing(() => Promise.reject(new Error('failure')));
      expect(log).toEqual([]);
      await settle();
      expect(log).toEqual([['error', new Error('failure')]]);
    });

    it('also where a teardown of the source throws', () => {
      const controller = new AbortController();
      const source = new Observable(() => () => {
        throw new Error('teardown');
      });
      const { log } = record(source.pipe(takeUntilAborted(controller.signal)));
      controller.abort();
      expect(log).toEqual([['error', expect.objectContaining({ errors: [new Error('teardown')] })]]);
    });

    it('also where it has failed already when it is handed over', () => {
      const failed = new Completion();
      failed.reject('failure');
      expect(failing(() => failed)).toEqual([['error', 'failure']]);
    });

    it('as unhandled, if it is unsubscribed in the teardown', async () => {
      const controller = new AbortController();
      const failed = new Completion();
      failed.reject('failure');
      const unsubscribing = new Observable(() => () => {
        subscription.unsubscribe();
      });
      const { log, subscription } = record(
        unsubscribing.pipe(
          cleanedUpBy(() => failed),
          takeUntilAborted(controller.signal),
        ),
      );
      controller.abort();
      expect(await reported(unhandled)).toBe('failure');
      expect(log).toEqual([]);
    });

    it('as unhandled, if it is of what the end tears down, and the others that listen are aborted all the same', async () => {
      const failure = new Error('teardown');
      const controller = new AbortController();
      const end = takeUntilAborted(controller.signal);
      const throwing = record(
        NEVER.pipe(
          end,
          finalize(() => {
            throw failure;
          }),
        ),
      );
      const other = record(NEVER.pipe(end));
      controller.abort();
      expect([throwing.log, other.log]).toEqual([['complete'], ['complete']]);
      expect(await reported(unhandled)).toMatchObject({ errors: [failure] });
    });

    it('to the others that listen as well: they are aborted, too', () => {
      const controller = new AbortController();
      const source = new Observable(() => () => {
        throw new Error('teardown');
      });
      record(source.pipe(takeUntilAborted(controller.signal)));
      const { log } = record(NEVER.pipe(takeUntilAborted(controller.signal)));
      controller.abort();
      expect(log).toEqual(['complete']);
    });

    it('to the others also where a teardown below throws, which is reported', async () => {
      const controller = new AbortController();
      const error = new Error('teardown');
      const first = record(NEVER.pipe(takeUntilAborted(controller.signal)));
      first.subscription.add(() => {
        throw error;
      });
      const second = record(NEVER.pipe(takeUntilAborted(controller.signal)));
      controller.abort();
      expect(await reported(unhandled)).toEqual(expect.objectContaining({ errors: [error] }));
      expect([first.log, second.log]).toEqual([['complete'], ['complete']]);
    });

    it(
      'with the timeout, where other clean-up hangs',
      marbles((m) => {
        const signal = abortedBy(m, '--x');
        const source = merge(
          NEVER.pipe(cleanedUpBy(() => NEVER)),
          NEVER.pipe(cleanedUpBy(() => m.cold('-#', undefined, 'failure'))),
        );
        const error = new CleanupTimeoutError('takeUntilAborted', 5000, 'why', 'failure');
        m.expect(source.pipe(takeUntilAborted(signal))).toBeObservable('-- 5s #', undefined, error);
      }),
    );

    it('as unhandled, if it fails after the end', async () => {
      const scheduler = new VirtualTimeScheduler();
      const cleanup = new Completion();
      const log = failing(() => cleanup, { cleanupTimeout: 10, scheduler });
      scheduler.flush();
      expect(log).toEqual([['error', expect.any(CleanupTimeoutError)]]);
      cleanup.reject(new Error('late'));
      expect(await reported(unhandled)).toEqual(new Error('late'));
    });

    it('as unhandled, if nobody is left to be told', async () => {
      const controller = new AbortController();
      const cleanup = new Completion();
      const { log, subscription } = record(
        NEVER.pipe(
          cleanedUpBy(() => cleanup),
          takeUntilAborted(controller.signal),
        ),
      );
      controller.abort();
      subscription.unsubscribe();
      cleanup.reject(new Error('late'));
      expect(await reported(unhandled)).toEqual(new Error('late'));
      expect(log).toEqual([]);
    });
  });

  it('hands clean-up to the scope below when it is unsubscribed', () => {
    const tracked: unknown[] = [];
    const subscriber = operate({ cleanupScope: { track: (each) => tracked.push(each) } });
    NEVER.pipe(
      cleanedUpBy(() => NEVER),
      takeUntilAborted(new AbortController().signal),
    ).subscribe(subscriber);
    subscriber.unsubscribe();
    expect(tracked).toHaveLength(1);
  });

  it('is the scope for what is above', () => {
    const found: unknown[] = [];
    const looking = new Observable((subscriber) => {
      found.push(findCleanupScope(subscriber));
    });
    record(looking);
    record(looking.pipe(takeUntilAborted(new AbortController().signal)));
    expect(found).toEqual([undefined, expect.objectContaining({})]);
  });

  it('lets the gate below be seen', () => {
    const gate = new ManualGate();
    const controller = new AbortController();
    const { log } = record(fromPull([1, 2]).pipe(takeUntilAborted(controller.signal), gatedBy(gate)));
    expect(log).toEqual([]);
    gate.pass();
    controller.abort();
    expect(log).toEqual([1, 2, 'complete']);
    expect(gate.waiters.size).toBe(0);
  });

  it('leaves the gate below when it is aborted while it waits there', () => {
    const gate = new ManualGate();
    const controller = new AbortController();
    const { log } = record(fromPull([1, 2]).pipe(takeUntilAborted(controller.signal), gatedBy(gate)));
    controller.abort();
    expect(log).toEqual(['complete']);
    expect(gate.waiters.size).toBe(0);
  });

  describe('leaves no listener and no timer behind', { timeout: 60_000 }, () => {
    const uses = 100_000;
    const never = new Subject<number>();
    const ways: Record<string, (signal: AbortSignal) => void> = {
      'when it completes': (signal) => of(1).pipe(takeUntilAborted(signal)).subscribe(),
      'when it fails': (signal) =>
        throwError(() => 0)
          .pipe(takeUntilAborted(signal))
          .subscribe({ error: () => undefined }),
      'when it is unsubscribed': (signal) => {
        never.pipe(takeUntilAborted(signal)).subscribe().unsubscribe();
      },
      'when one value was enough': (signal) => of(1, 2).pipe(takeUntilAborted(signal), take(1)).subscribe(),
    };

    it.each(Object.entries(ways))(`${String(uses)} times: %s`, (_, use) => {
      const counted = new CountedSignal();
      for (let i = 0; i < uses; i++) use(counted.signal);
      expect(counted.listeners).toBe(0);
      expect(counted.added).toBe(uses);
    });

    it(`${String(uses)} times: when it is aborted, whatever becomes of the clean-up`, () => {
      const scheduler = new VirtualTimeScheduler(undefined, Infinity);
      const fates: readonly ((cleanup: Completion, subscription: Subscription) => void)[] = [
        (cleanup) => {
          cleanup.resolve();
        },
        (cleanup) => {
          cleanup.reject('failure');
        },
        (_, subscription) => {
          subscription.unsubscribe();
        },
        () => undefined, // it hangs
      ];
      let ends = 0;
      const end = () => ends++;
      const batch = 100;
      for (let i = 0; i < uses; i += batch) {
        const counted = new CountedSignal();
        const running = Array.from({ length: batch }, () => {
          const cleanup = new Completion();
          const subscription = never
            .pipe(
              cleanedUpBy(() => cleanup),
              takeUntilAborted(counted.signal, { scheduler }),
            )
            .subscribe({ complete: end, error: end });
          return { cleanup, subscription };
        });
        counted.abort('why');
        running.forEach(({ cleanup, subscription }, n) => fates[n % fates.length]?.(cleanup, subscription));
        scheduler.flush();
        expect([counted.listeners, scheduler.actions.length]).toEqual([0, 0]);
      }
      expect(ends).toBe((uses * 3) / 4); // all but those that were unsubscribed
      expect(never.observed).toBe(false);
    });

    it('and has one for all that are subscribed at the same time', () => {
      const counted = new CountedSignal();
      const logs = Array.from({ length: 1000 }, () => record(NEVER.pipe(takeUntilAborted(counted.signal))).log);
      expect([counted.listeners, counted.added]).toEqual([1, 1]);
      counted.abort();
      expect(counted.listeners).toBe(0);
      expect(logs).toEqual(logs.map(() => ['complete']));
    });

    describe('when it has waited', () => {
      beforeEach(() => {
        vi.useFakeTimers();
      });
      afterEach(() => {
        expect(vi.getTimerCount()).toBe(0);
        vi.useRealTimers();
      });

      it.each(['settles', 'fails', 'hangs', 'is no longer wanted'])('for clean-up that %s', async (fate) => {
        const counted = new CountedSignal();
        const cleanup = new Completion();
        const { log, subscription } = record(
          NEVER.pipe(
            cleanedUpBy(() => cleanup),
            takeUntilAborted(counted.signal),
          ),
        );
        counted.abort();
        expect(vi.getTimerCount()).toBe(1);
        await vi.advanceTimersByTimeAsync(4999);
        expect(log).toEqual([]);
        if (fate === 'settles') cleanup.resolve();
        else if (fate === 'fails') cleanup.reject(new Error());
        else if (fate === 'hangs') await vi.advanceTimersByTimeAsync(1);
        else subscription.unsubscribe();
        expect(log).toHaveLength(fate === 'is no longer wanted' ? 0 : 1);
        expect(counted.listeners).toBe(0);
      });
    });
  });

  it('passes a million values', () => {
    let seen = 0;
    range(0, 1_000_000)
      .pipe(takeUntilAborted(new AbortController().signal))
      .subscribe(() => seen++);
    expect(seen).toBe(1_000_000);
  });

  it('drops the value with which it is aborted above', () => {
    const controller = new AbortController();
    const { log } = record(
      of(1, 2).pipe(
        tap((n) => {
          if (n === 2) controller.abort();
        }),
        takeUntilAborted(controller.signal),
      ),
    );
    expect(log).toEqual([1, 'complete']);
  });
});
