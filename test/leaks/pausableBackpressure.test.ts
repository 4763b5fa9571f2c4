import { BehaviorSubject, Observable, Subject, type Subscriber } from 'rxjs';
import { expect, it } from 'vitest';
import { pausableBackpressure } from '../../src/operators/pausableBackpressure.js';
import { heapGrowth, isCollected } from './support.js';

/** A source and a pause that do not let their subscribers go. */
function keeping(paused = true) {
  const kept: Subscriber<object>[] = [];
  const pauses: Subscriber<boolean>[] = [];
  const source = new Observable<object>((subscriber) => {
    kept.push(subscriber);
  });
  const paused$ = new Observable<boolean>((subscriber) => {
    pauses.push(subscriber);
    subscriber.next(paused);
  });
  return { kept, source, pauses, paused$ };
}

for (const end of ['unsubscribe', 'error', 'error of paused$'] as const) {
  it(`lets the values go that wait, on ${end}`, async () => {
    const { kept, source, pauses, paused$ } = keeping();
    const subscription = source.pipe(pausableBackpressure(paused$)).subscribe({ error: () => undefined });
    const collected = await isCollected(() => {
      const value = {};
      kept[0]?.next(value);
      kept[0]?.next({});
      if (end === 'unsubscribe') subscription.unsubscribe();
      else if (end === 'error') kept[0]?.error(new Error());
      else pauses[0]?.error(new Error());
      return value;
    });
    expect(collected).toBe(true);
    expect([kept.length, pauses.length]).toEqual([1, 1]);
  });
}

it('is a check that can fail', async () => {
  const { kept, source, paused$ } = keeping();
  const subscription = source.pipe(pausableBackpressure(paused$)).subscribe();
  const collected = await isCollected(() => {
    const value = {};
    kept[0]?.next(value);
    return value;
  });
  expect(collected).toBe(false);
  subscription.unsubscribe();
});

it('keeps no value that has left or was dropped', async () => {
  for (const mode of ['buffer', 'latest', 'drop'] as const) {
    const { kept, source, pauses, paused$ } = keeping();
    const subscription = source.pipe(pausableBackpressure(paused$, { mode })).subscribe();
    const collected = await isCollected(() => {
      const value = {};
      kept[0]?.next(value);
      kept[0]?.next({});
      pauses[0]?.next(false);
      return value;
    });
    expect(collected, mode).toBe(true);
    expect(subscription.closed).toBe(false);
    subscription.unsubscribe();
  }
});

it("mode 'resubscribe' does not grow with the pauses", async () => {
  const source = new Subject<object>();
  const paused$ = new BehaviorSubject(false);
  const subscription = source.pipe(pausableBackpressure(paused$, { mode: 'resubscribe' })).subscribe();
  const growth = await heapGrowth(() => {
    source.next({});
    paused$.next(true);
    paused$.next(false);
  });
  expect(growth).toBeLessThan(64 * 1024);
  subscription.unsubscribe();
  expect(source.observed).toBe(false);
});

it('does not grow with pauses, values that wait and a pace', async () => {
  const source = new Subject<object>();
  const paused$ = new BehaviorSubject(false);
  const subscription = source.pipe(pausableBackpressure(paused$, { drain: { perTick: 2 } })).subscribe();
  const growth = await heapGrowth(async () => {
    paused$.next(true);
    for (let i = 0; i < 3; i++) source.next({ i });
    paused$.next(false);
    for (let ticks = 0; ticks < 2; ticks++) await new Promise((resolve) => setImmediate(resolve));
  }, 5_000);
  expect(growth).toBeLessThan(64 * 1024);
  subscription.unsubscribe();
});
