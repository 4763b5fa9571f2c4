import {
  concat,
  defer,
  EMPTY,
  from,
  lastValueFrom,
  map,
  mergeMap,
  NEVER,
  noop,
  Observable,
  of,
  Subject,
  Subscription,
  take,
  throwError,
  timer,
  VirtualTimeScheduler,
} from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { bufferedMergeMap, findCleanupScope, fromPull, gatedBy, toAsyncIterable } from '../../src/index.js';
import { DeadLetterError, type DeadLetter } from '../../src/errors/DeadLetterError.js';
import { deadLetter } from '../../src/operators/deadLetter.js';
import { operate } from '../../src/internal/operate.js';
import { timeoutWithCleanup } from '../../src/operators/timeoutWithCleanup.js';
import { abortable } from '../../src/sources/abortable.js';
import { cleanedUpBy } from '../support/cleanedUpBy.js';
import { CountingCanceller } from '../support/CountingCanceller.js';
import { ManualGate } from '../support/ManualGate.js';
import { marbles } from '../support/marbles.js';
import { record } from '../support/record.js';
import { deferred, settle } from '../support/settle.js';
import { collectUnhandled, reported } from '../support/unhandled.js';

const broken = new Error('broken');
const fails = throwError(() => broken);

/** Fails in virtual time, at times that are told, one for each attempt. */
function attemptsAt(scheduler: VirtualTimeScheduler, times: readonly number[]) {
  const started: number[] = [];
  const work = defer(() => {
    const error = `error ${String(started.length + 1)}`;
    const time = times[started.length];
    started.push(scheduler.frame);
    return time === undefined ? EMPTY : timer(time, scheduler).pipe(mergeMap(() => throwError(() => error)));
  });
  return { started, work };
}

describe('deadLetter', () => {
  const unhandled = collectUnhandled();

  it('passes what the work gives, and makes no letter where it succeeds in the end', () => {
    const to = vi.fn();
    let attempts = 0;
    const work = defer(() => (++attempts < 3 ? concat(of(attempts), fails) : of(attempts)));
    expect(record(work.pipe(deadLetter('value', { to }))).log).toEqual([1, 2, 3, 'complete']);
    expect(to).not.toHaveBeenCalled();
  });

  it('hands the value over with each error and its time, and completes', () => {
    const scheduler = new VirtualTimeScheduler();
    const { started, work } = attemptsAt(scheduler, [5, 6, 7]);
    const to = vi.fn();
    const { log } = record(work.pipe(deadLetter({ id: 7 }, { to, scheduler, delayFor: (_, attempt) => attempt * 10 })));
    scheduler.flush();
    expect(log).toEqual(['complete']);
    expect(started).toEqual([0, 15, 41]);
    expect(to.mock.calls).toEqual([
      [
        {
          value: { id: 7 },
          error: 'error 3',
          attempts: 3,
          firstFailedAt: 5,
          failures: [
            { error: 'error 1', at: 5 },
            { error: 'error 2', at: 21 },
            { error: 'error 3', at: 48 },
          ],
        },
      ],
    ]);
  });

  it(
    'waits for what `to` gives before it completes, and only then the next value has its turn',
    marbles((m) => {
      const written: string[] = [];
      const to = ({ value }: DeadLetter<string>) => {
        written.push(`${value} at ${String(m.scheduler.frame)}`);
        return m.cold('x--|');
      };
      const work = (value: string) => (value === 'x' ? m.cold('-#') : m.cold(`-${value}|`));
      const source = m.hot<string>('axxa|');
      const result = source.pipe(
        mergeMap((value) => work(value).pipe(deadLetter(value, { attempts: 1, to, scheduler: m.scheduler })), 1),
      );
      m.expect(result).toBeObservable('-a---------a|');
      m.flush();
      expect(written).toEqual(['x at 3', 'x at 7']);
    }),
  );

  it('lets the source wait where letters cannot be written as fast as they come: there is no buffer of letters', async () => {
    const writes: (() => void)[] = [];
    let read = 0;
    const orders = function* () {
      for (;;) {
        read++;
        yield read;
      }
    };
    const { subscription } = record(
      fromPull(orders).pipe(
        bufferedMergeMap(
          (order) => fails.pipe(deadLetter(order, { to: () => new Promise<void>((resolve) => writes.push(resolve)) })),
          { concurrent: 2, highWaterMark: 0 },
        ),
      ),
    );
    await settle();
    expect([read, writes.length]).toEqual([2, 2]);
    writes.shift()?.();
    await settle();
    expect([read, writes.length]).toEqual([3, 2]);
    subscription.unsubscribe();
    for (const write of writes) write();
  });

  it('takes a Subject, and never ends it', () => {
    const letters = new Subject<DeadLetter<number>>();
    const seen = record(letters.pipe(map(({ value }) => value)));
    expect(record(of(1, 2).pipe(mergeMap((id) => fails.pipe(deadLetter(id, { to: letters }))))).log).toEqual([
      'complete',
    ]);
    expect(seen.log).toEqual([1, 2]);
  });

  it('does not wait for what an observer gives back', () => {
    const to = { next: () => NEVER };
    expect(record(fails.pipe(deadLetter(1, { to }))).log).toEqual(['complete']);
  });

  describe('when `to` fails', () => {
    const cause = new Error('disk full');
    const givenBy: readonly (readonly [string, () => unknown])[] = [
      [
        'throws',
        () => {
          throw cause;
        },
      ],
      ['rejects', () => Promise.reject(cause)],
      ['gives an Observable that errors', () => throwError(() => cause)],
    ];

    it.each(givenBy)('(%s) it errors with the letter and both errors: nothing is lost in silence', async (_, to) => {
      const { log } = record(fails.pipe(deadLetter('value', { attempts: 2, to, name: 'orders' })));
      await settle();
      expect(log).toHaveLength(1);
      const [[, error]] = log as [[string, DeadLetterError<string>]];
      expect(error).toBeInstanceOf(DeadLetterError);
      expect(error).toMatchObject({ where: "deadLetter 'orders'", cause, letter: { value: 'value', error: broken } });
      expect(error.letter.failures).toHaveLength(2);
      expect(error.message).toContain('attempts: 2');
    });

    it.each(givenBy)('(%s) after it was unsubscribed, that is told to who waits for clean-up below', async (_, to) => {
      const { promise, resolve } = deferred();
      const late = () => promise.then(to).then((given) => (given instanceof Observable ? lastOf(given) : given));
      const tracked: PromiseLike<unknown>[] = [];
      const { subscription, log } = record(
        timeoutless(fails.pipe(deadLetter('value', { to: late })), (cleanup) => tracked.push(cleanup)),
      );
      subscription.unsubscribe();
      expect(tracked).toHaveLength(1);
      resolve();
      await expect(tracked[0]).rejects.toMatchObject({ name: 'DeadLetterError', cause });
      expect(log).toEqual([]);
    });

    it('after it was unsubscribed, and nobody waits below, it is reported', async () => {
      const { promise, reject } = deferred();
      const { subscription } = record(fails.pipe(deadLetter('value', { to: () => promise })));
      subscription.unsubscribe();
      reject(cause);
      expect(await reported(unhandled)).toMatchObject({ name: 'DeadLetterError', cause, letter: { value: 'value' } });
    });
  });

  describe('unsubscribed', () => {
    it('while an attempt runs, stops it, and makes no letter', () => {
      const to = vi.fn();
      const source = new Subject();
      record(source.pipe(deadLetter(1, { to, attempts: 1 }))).subscription.unsubscribe();
      expect(source.observed).toBe(false);
      source.error(broken);
      expect(to).not.toHaveBeenCalled();
    });

    it('between two attempts, cancels the timer, and makes no letter', () => {
      const scheduler = new VirtualTimeScheduler();
      const to = vi.fn();
      const { started, work } = attemptsAt(scheduler, [0, 0]);
      const { subscription } = record(work.pipe(deadLetter(1, { to, scheduler, delayFor: () => 10 })));
      scheduler.maxFrames = 5;
      scheduler.flush();
      subscription.unsubscribe();
      expect(scheduler.actions.filter(({ closed }) => !closed)).toEqual([]);
      scheduler.maxFrames = Infinity;
      scheduler.flush();
      expect(started).toEqual([0]);
      expect(to).not.toHaveBeenCalled();
    });

    it('while the letter is delivered, lets that come to its end, and who waits for clean-up below waits for it', async () => {
      const { promise, resolve } = deferred();
      const written: number[] = [];
      const to = ({ value }: DeadLetter<number>) => promise.then(() => written.push(value));
      const iterator = toAsyncIterable(merge2(fails.pipe(deadLetter(7, { to })), of('first')))[Symbol.asyncIterator]();
      await iterator.next();
      let over = false;
      const returned = iterator.return?.().then(() => (over = true));
      await settle();
      expect(over).toBe(false);
      resolve();
      await returned;
      expect(written).toEqual([7]);
    });

    it('inside of `to`, the letter is delivered all the same', async () => {
      const cause = new Error('disk full');
      const tracked: PromiseLike<unknown>[] = [];
      const subscription = new Subscription();
      const results = [
        () => undefined,
        () => Promise.resolve(),
        (): never => {
          throw cause;
        },
      ].map((give) => {
        const each = new Subscription();
        const source = new Subject();
        each.add(
          timeoutless(
            source.pipe(
              deadLetter(1, {
                attempts: 1,
                to: () => {
                  each.unsubscribe();
                  return give();
                },
              }),
            ),
            (cleanup) => tracked.push(cleanup),
          ).subscribe(),
        );
        subscription.add(each);
        source.error(broken);
        return each.closed;
      });
      expect(results).toEqual([true, true, true]);
      const settled = await Promise.allSettled(tracked);
      expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    });

    it.each(['shouldRetry', 'delayFor'] as const)('inside of %s, makes no letter and no attempt', (name) => {
      const to = vi.fn();
      for (const given of [true, false]) {
        const subscription = new Subscription();
        const source = new Subject();
        const callback = () => {
          subscription.unsubscribe();
          return name === 'shouldRetry' ? given : given ? 0 : Infinity;
        };
        subscription.add(source.pipe(deadLetter(1, { to, [name]: callback })).subscribe());
        source.error(broken);
      }
      expect(to).not.toHaveBeenCalled();
    });
  });

  it('unsubscribed inside of delayFor, sets no timer', () => {
    const scheduler = new VirtualTimeScheduler();
    const subscription = new Subscription();
    const source = new Subject();
    const delayFor = () => {
      subscription.unsubscribe();
      return 10;
    };
    subscription.add(source.pipe(deadLetter(1, { to: noop, delayFor, scheduler })).subscribe());
    source.error(broken);
    expect(scheduler.actions).toEqual([]);
  });

  describe('asked to stop by a consumer below', () => {
    const stoppable = (reject: (reason: unknown) => unknown) =>
      abortable(
        (signal) =>
          new Observable<never>((subscriber) => {
            signal.addEventListener('abort', () => {
              subscriber.error(reject(signal.reason));
            });
          }),
      );

    it('makes no letter of work that fails for that, and no attempt', () => {
      const scheduler = new VirtualTimeScheduler();
      const to = vi.fn();
      const asked = new Error('was asked');
      const { log } = record(
        stoppable(() => asked).pipe(deadLetter(1, { to, scheduler }), timeoutWithCleanup({ total: 5, scheduler })),
      );
      scheduler.flush();
      expect(log).toMatchObject([['error', { name: 'TimeoutWithCleanupError', cause: asked }]]);
      expect(to).not.toHaveBeenCalled();
      expect(scheduler.frame).toBe(5);
    });

    it('listens for that only until it ends, however it does', () => {
      const canceller = new CountingCanceller();
      const run = (source: Observable<unknown>) =>
        record(source.pipe(deadLetter(1, { to: noop }), canceller.below)).subscription;
      const running = run(NEVER);
      expect(canceller.size).toBe(1);
      run(EMPTY);
      run(fails);
      expect(canceller.size).toBe(1);
      running.unsubscribe();
      expect(canceller.size).toBe(0);
    });

    it('between two attempts, ends at once', () => {
      const scheduler = new VirtualTimeScheduler();
      const to = vi.fn();
      const { log } = record(
        fails.pipe(
          deadLetter(1, { to, scheduler, delayFor: () => 100 }),
          timeoutWithCleanup({ total: 5, cleanupTimeout: 50, scheduler }),
        ),
      );
      scheduler.maxFrames = 5;
      scheduler.flush();
      expect(log).toMatchObject([['error', { name: 'TimeoutWithCleanupError' }]]);
      expect(to).not.toHaveBeenCalled();
      expect(scheduler.actions.filter(({ closed }) => !closed)).toEqual([]);
    });

    it('between two attempts, passes the last error on, and makes no letter of it', () => {
      const scheduler = new VirtualTimeScheduler();
      const to = vi.fn();
      let ask = noop;
      const canceller = {
        onCancel: (cancel: (reason: unknown) => void) => {
          ask = () => {
            cancel('stop');
          };
          return noop;
        },
      };
      const source = fails.pipe(deadLetter(1, { to, scheduler, delayFor: () => 100 }));
      const { log } = record(
        new Observable<never>((destination) => {
          source.subscribe(operate<never, never>({ destination, canceller }));
        }),
      );
      expect(log).toEqual([]);
      ask();
      expect(log).toEqual([['error', broken]]);
      expect(to).not.toHaveBeenCalled();
    });

    it('while the letter is delivered, that comes to its end, and is waited for', () => {
      const scheduler = new VirtualTimeScheduler();
      const to = () => timer(20, scheduler);
      const { log } = record(
        fails.pipe(
          deadLetter(1, { to, attempts: 1, scheduler }),
          timeoutWithCleanup({ total: 5, cleanupTimeout: 50, scheduler }),
        ),
      );
      scheduler.maxFrames = 20;
      scheduler.flush();
      expect(log).toMatchObject([['error', { name: 'TimeoutWithCleanupError', cleanup: 'done' }]]);
      expect(scheduler.frame).toBe(20);
    });
  });

  it('makes a letter at once of an error after which no attempt makes sense', () => {
    const to = vi.fn();
    const shouldRetry = vi.fn((error: unknown) => error !== 'poison');
    record(throwError(() => 'poison').pipe(deadLetter(1, { to, shouldRetry })));
    expect(to.mock.calls).toMatchObject([[{ attempts: 1, error: 'poison' }]]);
    expect(shouldRetry.mock.calls).toEqual([['poison', 1]]);
    record(fails.pipe(deadLetter(1, { to, delayFor: () => Infinity })));
    expect(to.mock.calls[1]).toMatchObject([{ attempts: 1, error: broken }]);
  });

  it('does not ask about an attempt after the last', () => {
    const shouldRetry = vi.fn(() => true);
    const delayFor = vi.fn(() => undefined);
    record(fails.pipe(deadLetter(1, { to: () => undefined, shouldRetry, delayFor })));
    expect(shouldRetry.mock.calls).toEqual([
      [broken, 1],
      [broken, 2],
    ]);
    expect(delayFor.mock.calls).toEqual(shouldRetry.mock.calls);
  });

  it('begins an attempt when the clean-up of the last is over', () => {
    const scheduler = new VirtualTimeScheduler();
    const started: number[] = [];
    const work = defer(() => {
      started.push(scheduler.frame);
      return NEVER;
    });
    const failing = work.pipe(
      cleanedUpBy(() => timer(10, scheduler)),
      (source) =>
        new Observable((subscriber) => {
          source.subscribe(subscriber);
          subscriber.add(scheduler.schedule(() => { subscriber.error(broken); }, 1)); // prettier-ignore
        }),
    );
    const { subscription } = record(failing.pipe(deadLetter(1, { to: () => undefined, attempts: 2, scheduler })));
    scheduler.maxFrames = 15;
    scheduler.flush();
    expect(started).toEqual([0, 11]);
    subscription.unsubscribe();
  });

  it('leaves the failure of such clean-up to the scope below, and reports it where there is none', async () => {
    const failure = new Error('clean-up');
    const failing = new Observable<never>((subscriber) => {
      const scope = findCleanupScope(subscriber);
      subscriber.add(() => scope?.track(Promise.reject(failure)));
      subscriber.error(broken);
    }).pipe(deadLetter(1, { to: () => undefined, attempts: 2 }));
    const tracked: PromiseLike<unknown>[] = [];
    await lastValueFrom(
      timeoutless(failing, (cleanup) => tracked.push(cleanup)),
      { defaultValue: 1 },
    );
    expect(await Promise.allSettled(tracked)).toContainEqual({ status: 'rejected', reason: failure });
    expect(unhandled).toEqual([]);
    await lastValueFrom(failing, { defaultValue: 1 });
    expect(await reported(unhandled)).toBe(failure);
    expect(await reported(unhandled)).toBe(failure);
  });

  it('tears an attempt down before it begins the next', () => {
    const events: string[] = [];
    let n = 0;
    const source = new Subject<never>();
    const work = new Observable((subscriber) => {
      const id = String(++n);
      events.push(`start ${id}`);
      subscriber.add(source.subscribe(subscriber));
      return () => events.push(`end ${id}`);
    });
    record(work.pipe(deadLetter(1, { to: () => events.push('letter'), attempts: 1, shouldRetry: () => true })));
    source.error(broken);
    expect(events).toEqual(['start 1', 'end 1', 'letter']);
    events.length = 0;
    n = 0;
    let attempts = 0;
    record(
      new Observable((subscriber) => {
        const id = String(++attempts);
        events.push(`start ${id}`);
        subscriber.add(() => events.push(`end ${id}`));
        queueMicrotask(() => {
          subscriber.error(broken);
        });
      }).pipe(deadLetter(1, { to: () => events.push('letter'), attempts: 2 })),
    );
    return settle().then(() => {
      expect(events).toEqual(['start 1', 'end 1', 'start 2', 'end 2', 'letter']);
    });
  });

  it.each(['shouldRetry', 'delayFor'] as const)('what %s throws is its error, and makes no letter', (name) => {
    const thrown = new Error(name);
    const to = vi.fn();
    const callback = () => {
      throw thrown;
    };
    expect(record(fails.pipe(deadLetter(1, { to, [name]: callback }))).log).toEqual([['error', thrown]]);
    expect(to).not.toHaveBeenCalled();
  });

  it('checks what its callbacks give', () => {
    const to = vi.fn();
    expect(record(fails.pipe(deadLetter(1, { to, name: 'a', shouldRetry: () => 1 as never }))).log).toEqual([
      ['error', new TypeError("deadLetter 'a': what shouldRetry gives must be a boolean, got 1")],
    ]);
    expect(record(fails.pipe(deadLetter(1, { to, delayFor: () => -1 }))).log).toMatchObject([
      [
        'error',
        {
          name: 'RangeError',
          message: expect.stringMatching(/^deadLetter: what delayFor gives must be .*, got -1$/) as string,
        },
      ],
    ]);
  });

  it('makes a hundred thousand attempts that fail at once without growing the stack', () => {
    const to = vi.fn();
    record(fails.pipe(deadLetter(1, { to, attempts: 100_000 })));
    expect(to.mock.calls).toMatchObject([[{ attempts: 100_000 }]]);
  });

  it('lets a hundred thousand values go to letters, one after the other', () => {
    let letters = 0;
    const { log } = record(
      fromPull(
        Array.from({ length: 100_000 }, (_, i) => i),
        { slice: Infinity },
      ).pipe(
        bufferedMergeMap((i) => fails.pipe(deadLetter(i, { attempts: 1, to: () => letters++ })), {
          concurrent: 1,
        }),
      ),
    );
    expect(letters).toBe(100_000);
    expect(log).toEqual(['complete']);
  });

  it('passes demand on: a source that can wait sees the gate below, in each attempt', () => {
    const gate = new ManualGate();
    let attempts = 0;
    const work = defer(() => (++attempts === 1 ? fails : fromPull([1, 2])));
    const { log } = record(work.pipe(deadLetter(1, { to: () => undefined }), gatedBy(gate)));
    expect([attempts, log]).toEqual([2, []]);
    gate.ready = true;
    expect(log).toEqual([1, 2, 'complete']);
  });

  it('begins nothing when one value is enough, or for a subscriber that is closed already', () => {
    const to = vi.fn();
    const work = concat(of(1), fails);
    expect(record(work.pipe(deadLetter(1, { to }), take(1))).log).toEqual([1, 'complete']);
    expect(to).not.toHaveBeenCalled();
    const started = vi.fn();
    new Observable<never>((subscriber) => {
      subscriber.complete();
      defer(() => {
        started();
        return fails;
      })
        .pipe(deadLetter(1, { to }))
        .subscribe(subscriber);
    }).subscribe();
    expect(started).not.toHaveBeenCalled();
  });

  it('fails again with the same error where the source is a promise, as its doc says', async () => {
    const to = vi.fn();
    record(from(Promise.reject(broken)).pipe(deadLetter(1, { to })));
    await settle();
    expect(to.mock.calls).toMatchObject([[{ attempts: 3, failures: [{ error: broken }, { error: broken }, {}] }]]);
  });

  it.each([
    [{}, TypeError, "to must be a function or have a function 'next', got undefined"],
    [{ to: {} }, TypeError, "to must be a function or have a function 'next', got an object"],
    [{ to: null }, TypeError, "to must be a function or have a function 'next', got null"],
    [{ to: noop, attempts: 0 }, RangeError, 'attempts must be a positive integer, got 0'],
    [{ to: noop, attempts: Infinity }, RangeError, 'attempts must be a positive integer, got Infinity'],
    [{ to: noop, shouldRetry: 1 }, TypeError, 'shouldRetry must be a function, got 1'],
    [{ to: noop, delayFor: 1 }, TypeError, 'delayFor must be a function, got 1'],
    [{ to: noop, cleanupTimeout: -1 }, RangeError, 'cleanupTimeout must be'],
    [{ to: noop, scheduler: 1 }, TypeError, 'scheduler must have'],
    [{ to: noop, name: 1 }, TypeError, 'name must be a string, got 1'],
    [undefined, TypeError, 'options must be an object, got undefined'],
  ])('refuses %o at the call', (options, Kind, message) => {
    expect(() => deadLetter(1, options as never)).toThrow(Kind);
    expect(() => deadLetter(1, options as never)).toThrow(message);
  });
});

/** Both at once. */
const merge2 = (a: Observable<unknown>, b: Observable<unknown>) => of(b, a).pipe(mergeMap((each) => each));

const lastOf = (given: Observable<unknown>) =>
  new Promise((resolve, reject) => {
    given.subscribe({ complete: () => { resolve(undefined); }, error: reject }); // prettier-ignore
  });

/** With a scope below that a test holds. */
function timeoutless<T>(source: Observable<T>, track: (cleanup: PromiseLike<unknown>) => void): Observable<T> {
  return new Observable((destination) => {
    source.subscribe(operate<T, T>({ destination, cleanupScope: { track } }));
  });
}
