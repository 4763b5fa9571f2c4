import { Observable, Subject, throwError, VirtualTimeScheduler, type Subscriber } from 'rxjs';
import { expect, it } from 'vitest';
import { gatedBy } from '../../src/index.js';
import { hedge } from '../../src/operators/hedge.js';
import { retryBackoff } from '../../src/operators/retryBackoff.js';
import { abortable } from '../../src/sources/abortable.js';
import { CountedSignal } from '../support/CountedSignal.js';
import { ManualGate } from '../support/ManualGate.js';
import { heapGrowth, isCollected } from './support.js';

/** A source that does not let its subscribers go. */
function keeping() {
  const kept: Subscriber<object>[] = [];
  const source = new Observable<object>((subscriber) => {
    kept.push(subscriber);
  });
  return { kept, source };
}

const none = { error: () => undefined };

it('retryBackoff lets an error go that it has retried: with the first value, the next error, the end, and unsubscription', async () => {
  for (const how of ['value', 'error', 'complete', 'unsubscribe', 'unsubscribe in the wait'] as const) {
    const { kept, source } = keeping();
    const scheduler = new VirtualTimeScheduler();
    const retried = source.pipe(retryBackoff({ scheduler, count: 2 }));
    const subscriptions: unknown[] = [];
    const collected = await isCollected(() => {
      const error = new Error('first');
      const subscription = retried.subscribe(none);
      subscriptions.push(subscription);
      kept[0]?.error(error);
      if (how === 'unsubscribe in the wait') subscription.unsubscribe();
      scheduler.flush();
      if (how === 'value') kept[1]?.next({});
      if (how === 'error') kept[1]?.error(new Error('second'));
      if (how === 'complete') kept[1]?.complete();
      if (how === 'unsubscribe') subscription.unsubscribe();
      return error;
    });
    expect(collected, how).toBe(true);
    expect([kept.length, subscriptions.length]).toEqual([how === 'unsubscribe in the wait' ? 1 : 2, 1]);
  }
});

it('retryBackoff keeps it while it waits: a check that can fail', async () => {
  const { kept, source } = keeping();
  const scheduler = new VirtualTimeScheduler();
  let subscription: unknown;
  const collected = await isCollected(() => {
    const error = new Error('first');
    subscription = source.pipe(retryBackoff({ scheduler })).subscribe(none);
    kept[0]?.error(error);
    return error;
  });
  expect(collected).toBe(false);
  expect([kept.length, typeof subscription]).toEqual([1, 'object']);
});

it('hedge lets the errors of losers go: with a winner, the end, and unsubscription', async () => {
  for (const how of ['value', 'complete', 'error', 'unsubscribe'] as const) {
    const { kept, source } = keeping();
    const scheduler = new VirtualTimeScheduler();
    const hedged = source.pipe(hedge({ after: 10, scheduler, max: 2 }));
    const subscriptions: unknown[] = [];
    const collected = await isCollected(() => {
      const error = new Error('first');
      const subscription = hedged.subscribe(none);
      subscriptions.push(subscription);
      kept[0]?.error(error);
      scheduler.flush();
      if (how === 'value') kept[1]?.next({});
      if (how === 'complete') kept[1]?.complete();
      if (how === 'error') kept[1]?.error(new Error('second'));
      if (how === 'unsubscribe') subscription.unsubscribe();
      return error;
    });
    expect(collected, how).toBe(true);
    expect([kept.length, subscriptions.length]).toEqual([2, 1]);
  }
});

it('hedge keeps it while others race: a check that can fail', async () => {
  const { kept, source } = keeping();
  let subscription: unknown;
  const collected = await isCollected(() => {
    const error = new Error('first');
    subscription = source.pipe(hedge({ after: 10, scheduler: new VirtualTimeScheduler() })).subscribe(none);
    kept[0]?.error(error);
    return error;
  });
  expect(collected).toBe(false);
  expect([kept.length, typeof subscription]).toEqual([2, 'object']);
});

it('no value that has passed is kept', async () => {
  for (const operator of [() => retryBackoff<object>(), () => hedge<object>({ after: 1000 })]) {
    const { kept, source } = keeping();
    let subscription: { unsubscribe(): void } | undefined;
    const collected = await isCollected(() => {
      const value = {};
      subscription = source.pipe(operator()).subscribe();
      kept[0]?.next(value);
      return value;
    });
    expect(collected).toBe(true);
    expect(kept.length).toBe(1);
    subscription?.unsubscribe();
  }
});

it('neither grows with subscriptions that come and go, in any way', { timeout: 60_000 }, async () => {
  const source = new Subject<number>();
  const scheduler = new VirtualTimeScheduler();
  const gate = new ManualGate(true);
  const growth = await heapGrowth(() => {
    for (const operator of [retryBackoff<number>({ count: 2, scheduler }), hedge<number>({ after: 10, scheduler })]) {
      const first = source.pipe(operator, gatedBy(gate)).subscribe(none);
      source.next(1);
      first.unsubscribe();
      throwError(() => 'failed')
        .pipe(operator)
        .subscribe(none);
      const waiting = throwError(() => 'failed')
        .pipe(operator)
        .subscribe(none);
      waiting.unsubscribe();
      scheduler.flush();
    }
  });
  expect(growth).toBeLessThan(64 * 1024);
  expect([source.observed, gate.waiters.size, scheduler.actions.length]).toEqual([false, 0, 0]);
});

it('retryBackoff does not grow with the retries of one subscription', { timeout: 60_000 }, async () => {
  const scheduler = new VirtualTimeScheduler();
  scheduler.maxFrames = 0;
  const source = new Observable<number>((subscriber) => {
    subscriber.next(1);
    subscriber.add(
      scheduler.schedule(() => {
        subscriber.error('failed');
      }, 1),
    );
  });
  const subscription = source
    .pipe(retryBackoff({ count: Infinity, initialDelay: 1, maxDelay: 1, jitter: 'none', scheduler }))
    .subscribe();
  const growth = await heapGrowth(() => {
    scheduler.maxFrames += 2;
    scheduler.flush();
  });
  expect(growth).toBeLessThan(64 * 1024);
  subscription.unsubscribe();
  expect(scheduler.actions.length).toBe(0);
});

it('leaves no listener at a signal that all attempts share, and no timer, in 100 000 uses', { timeout: 60_000 }, () => {
  const shared = new CountedSignal();
  const scheduler = new VirtualTimeScheduler();
  let listenersAtMost = 0;
  let uses = 0;
  const work = abortable(
    (signal) =>
      new Observable<number>((subscriber) => {
        uses++;
        const abort = () => {
          subscriber.error(signal.reason);
        };
        shared.signal.addEventListener('abort', abort);
        listenersAtMost = Math.max(listenersAtMost, shared.listeners);
        subscriber.add(() => {
          shared.signal.removeEventListener('abort', abort);
        });
        if (uses % 2 === 1) subscriber.error('failed');
        else subscriber.next(uses);
      }),
  );
  for (let i = 0; i < 50_000; i++) {
    const operator =
      i % 2 === 0 ? retryBackoff<number>({ initialDelay: 1, scheduler }) : hedge<number>({ after: 1, scheduler });
    const subscription = work.pipe(operator).subscribe(none);
    scheduler.flush();
    subscription.unsubscribe();
  }
  expect([uses, shared.added, shared.listeners, listenersAtMost]).toEqual([100_000, 100_000, 0, 1]);
  expect(scheduler.actions.length).toBe(0);
});
