import { asyncScheduler, concatMap, NEVER, Observable, of, Subject, VirtualTimeScheduler, type Subscriber } from 'rxjs';
import { expect, it } from 'vitest';
import { gatedBy } from '../../src/index.js';
import { timeoutWithCleanup, type TimeoutWithCleanupOptions } from '../../src/operators/timeoutWithCleanup.js';
import { abortable } from '../../src/sources/abortable.js';
import { CountedSignal } from '../support/CountedSignal.js';
import { ManualGate } from '../support/ManualGate.js';
import { stoppable } from '../support/stoppable.js';
import { heapGrowth, isCollected } from './support.js';

type Options = TimeoutWithCleanupOptions<object, object>;

/** A source that does not let its subscribers go. */
function keeping() {
  const kept: Subscriber<object>[] = [];
  const source = new Observable<object>((subscriber) => {
    kept.push(subscriber);
  });
  return { kept, source };
}

/** How it comes to its end; the values have passed before. */
const endings: [string, Options, (kept: Subscriber<object>, scheduler: VirtualTimeScheduler) => void][] = [
  [
    'completion',
    {},
    (kept) => {
      kept.complete();
    },
  ],
  [
    'an error',
    {},
    (kept) => {
      kept.error(new Error());
    },
  ],
  [
    'a timeout',
    {},
    (_, scheduler) => {
      scheduler.flush();
    },
  ],
  [
    'a timeout and something else',
    { with: () => NEVER },
    (_, scheduler) => {
      scheduler.flush();
    },
  ],
  [
    'a timeout whose clean-up hangs',
    { cleanup: () => NEVER },
    (_, scheduler) => {
      scheduler.flush();
    },
  ],
];

it.each(endings)('the last value is let go after %s', async (_, options, end) => {
  const { kept, source } = keeping();
  const scheduler = new VirtualTimeScheduler();
  const limited = source.pipe(timeoutWithCleanup<object, object>({ each: 5, scheduler, ...options }));
  let ended = 0;
  const subscriptions: unknown[] = [];
  const collected = await isCollected(() => {
    const value = {};
    subscriptions.push(limited.subscribe({ error: () => ended++, complete: () => ended++ }));
    kept[0]?.next(value);
    if (kept[0]) end(kept[0], scheduler);
    return value;
  });
  expect(collected).toBe(true);
  expect(ended).toBe('with' in options ? 0 : 1);
  expect([kept.length, subscriptions.length]).toEqual([1, 1]);
});

it('the last value is let go after unsubscription, also while it waits', async () => {
  for (const wait of [false, true]) {
    const { kept, source } = keeping();
    const scheduler = new VirtualTimeScheduler();
    scheduler.maxFrames = 10;
    const limited = source.pipe(timeoutWithCleanup({ each: 5, cleanup: () => NEVER, scheduler }));
    const collected = await isCollected(() => {
      const value = {};
      const subscription = limited.subscribe();
      kept[0]?.next(value);
      if (wait) scheduler.flush();
      subscription.unsubscribe();
      return value;
    });
    expect(collected).toBe(true);
    expect(kept.length).toBe(1);
  }
});

it('the last value: a check that can fail', async () => {
  const { kept, source } = keeping();
  const limited = source.pipe(timeoutWithCleanup({ each: 5, scheduler: new VirtualTimeScheduler() }));
  let subscription: unknown;
  const collected = await isCollected(() => {
    const value = {};
    subscription = limited.subscribe();
    kept[0]?.next(value);
    return value;
  });
  expect(collected).toBe(false);
  expect([kept.length, typeof subscription]).toEqual([1, 'object']);
});

it('does not grow with subscriptions that come and go, in any way', { timeout: 60_000 }, async () => {
  const source = new Subject<number>();
  const scheduler = new VirtualTimeScheduler();
  const gate = new ManualGate(true);
  const options = { each: 5, total: 50, cleanup: () => of(1), scheduler };
  const growth = await heapGrowth(() => {
    const first = source.pipe(timeoutWithCleanup(options), gatedBy(gate)).subscribe();
    source.next(1);
    first.unsubscribe();
    source.pipe(timeoutWithCleanup(options)).subscribe({ error: () => undefined });
    stoppable(NEVER, () => of(1))
      .pipe(timeoutWithCleanup(options), timeoutWithCleanup({ ...options, each: 3 }))
      .subscribe();
    source.pipe(timeoutWithCleanup({ ...options, with: () => of(1) })).subscribe();
    scheduler.flush();
  });
  expect(growth).toBeLessThan(64 * 1024);
  expect([source.observed, gate.waiters.size, scheduler.actions.length]).toEqual([false, 0, 0]);
});

it(
  'leaves no listener at a signal that the work shares (p-timeout 42), and no timer',
  { timeout: 60_000 },
  async () => {
    const shared = new CountedSignal();
    let listenersAtMost = 0;
    const work = abortable(
      (signal) =>
        new Observable<number>((subscriber) => {
          const stop = () => {
            subscriber.complete();
          };
          signal.addEventListener('abort', stop);
          shared.signal.addEventListener('abort', stop);
          listenersAtMost = Math.max(listenersAtMost, shared.listeners);
          subscriber.next(1);
          if (shared.added % 2 === 0) subscriber.complete();
          return () => {
            signal.removeEventListener('abort', stop);
            shared.signal.removeEventListener('abort', stop);
          };
        }),
    );
    const scheduler = new VirtualTimeScheduler();
    const limited = work.pipe(timeoutWithCleanup({ total: 5, scheduler }));
    for (let i = 0; i < 100_000; i++) {
      limited.subscribe();
      scheduler.flush();
    }
    expect([shared.added, shared.listeners, listenersAtMost, scheduler.actions.length]).toEqual([100_000, 0, 1, 0]);
    const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    for (let i = 0; i < 1000; i++)
      work
        .pipe(timeoutWithCleanup({ total: 60_000, scheduler: asyncScheduler }))
        .subscribe()
        .unsubscribe();
    expect(process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length).toBe(timers);
    await Promise.resolve();
  },
);

it('does not grow with the work that comes and goes inside of one', { timeout: 60_000 }, async () => {
  const values = new Subject<number>();
  const scheduler = new VirtualTimeScheduler();
  let seen = 0;
  const limited = values.pipe(
    concatMap(() => abortable(() => of(1))),
    timeoutWithCleanup({ total: 1e6, scheduler }),
  );
  const subscription = limited.subscribe(() => seen++);
  const growth = await heapGrowth(() => {
    values.next(1);
  });
  expect(growth).toBeLessThan(64 * 1024);
  expect(seen).toBe(8000);
  subscription.unsubscribe();
});
