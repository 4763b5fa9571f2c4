import { asyncScheduler, NEVER, Observable, Subject, switchMap, VirtualTimeScheduler, type Subscriber } from 'rxjs';
import { expect, it } from 'vitest';
import { bufferedMergeMap } from '../../src/index.js';
import { gracefulShutdown } from '../../src/operators/gracefulShutdown.js';
import { createShutdown } from '../../src/resources/createShutdown.js';
import { heapGrowth, isCollected } from './support.js';

/** A source that does not let its subscribers go. */
function keeping() {
  const kept: Subscriber<object>[] = [];
  const source = new Observable<object>((subscriber) => {
    kept.push(subscriber);
  });
  return { kept, source };
}

const hanging = (work$: Observable<object>) => work$.pipe(bufferedMergeMap(() => NEVER, { concurrent: 1 }));
const drain = { drainTimeout: 10, onTimeout: 'complete' } as const;

it.each(['values that ran and waited', 'the reason'])('lets %s go when it is over', async (what) => {
  const { kept, source } = keeping();
  const stop = new Subject<object>();
  const scheduler = new VirtualTimeScheduler();
  const collected = await isCollected(() => {
    const value = {};
    source.pipe(gracefulShutdown(hanging, { ...drain, on: stop, scheduler })).subscribe();
    kept[0]?.next(what === 'the reason' ? {} : value);
    kept[0]?.next(what === 'the reason' ? {} : value);
    stop.next(what === 'the reason' ? value : {});
    scheduler.flush();
    return value;
  });
  expect([kept.length, collected]).toEqual([1, true]);
});

it('lets the error go that came while it drained', async () => {
  const { kept, source } = keeping();
  const stop = new Subject<object>();
  const collected = await isCollected(() => {
    const error = new Error();
    let subscriber!: Subscriber<object>;
    const pipeline = (work$: Observable<object>) =>
      new Observable<object>((given) => {
        subscriber = given;
        work$.subscribe();
      });
    source.pipe(gracefulShutdown(pipeline, { on: stop })).subscribe({ error: () => undefined });
    stop.next({});
    subscriber.error(error);
    return error;
  });
  expect([kept.length, collected]).toEqual([1, true]);
});

it('a check that can fail: it keeps what waits as long as it drains', async () => {
  const { kept, source } = keeping();
  const stop = new Subject<object>();
  let subscription;
  const collected = await isCollected(() => {
    const value = {};
    subscription = source.pipe(gracefulShutdown(hanging, { on: stop, scheduler: asyncScheduler })).subscribe();
    kept[0]?.next({});
    kept[0]?.next(value);
    stop.next({});
    return value;
  });
  expect(collected).toBe(false);
  (subscription as { unsubscribe(): void } | undefined)?.unsubscribe();
});

it('a shutdown does not grow with what comes and goes', async () => {
  const shutdown = createShutdown();
  const source = new Subject<object>();
  const growth = await heapGrowth(() => {
    const subscription = source.pipe(gracefulShutdown(hanging, { on: shutdown })).subscribe();
    source.next({});
    subscription.unsubscribe();
    shutdown.add('resource', () => undefined)();
    shutdown.drain('drain', () => undefined)();
  });
  expect(growth).toBeLessThan(64 * 1024);
});

it('does not grow with a pipeline that subscribes to its input again and again', async () => {
  const source = new Subject<object>();
  const again = new Subject<object>();
  const subscription = source
    .pipe(gracefulShutdown((work$) => again.pipe(switchMap(() => work$)), { on: NEVER }))
    .subscribe();
  const growth = await heapGrowth(() => {
    again.next({});
  });
  expect(growth).toBeLessThan(64 * 1024);
  subscription.unsubscribe();
});
