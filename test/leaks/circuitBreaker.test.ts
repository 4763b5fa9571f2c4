import { EMPTY, NEVER, Observable, Subject, throwError, VirtualTimeScheduler, type Subscriber } from 'rxjs';
import { expect, it } from 'vitest';
import { circuitBreaker } from '../../src/operators/circuitBreaker.js';
import { createCircuitBreaker } from '../../src/resources/createCircuitBreaker.js';
import { CountingScheduler } from '../support/CountingScheduler.js';
import { heapGrowth, isCollected } from './support.js';

it('a breaker keeps nothing of 100 000 calls, however they end, and has no timer', { timeout: 60_000 }, async () => {
  const clock = new VirtualTimeScheduler();
  const scheduler = new CountingScheduler(clock);
  const breaker = createCircuitBreaker({
    threshold: { ratio: 0.4, window: 1000, minimum: 10 },
    probes: 2,
    slowAfter: 1000,
    scheduler,
  });
  const fails = throwError(() => 'fails').pipe(circuitBreaker(breaker));
  const completes = EMPTY.pipe(circuitBreaker(breaker));
  const hangs = NEVER.pipe(circuitBreaker(breaker));
  let i = 0;
  const growth = await heapGrowth(() => {
    i++;
    clock.frame = i * 100;
    // Opens now and then, and is on trial now and then.
    if (i % 50 > 20) fails.subscribe({ error: () => undefined });
    completes.subscribe({ error: () => undefined });
    hangs.subscribe({ error: () => undefined }).unsubscribe();
    if (i % 1000 === 0) breaker.state$.subscribe().unsubscribe();
  }, 25_000);
  expect(growth).toBeLessThan(64 * 1024);
  expect(breaker.statistics().openings).toBeGreaterThan(10);
  expect(breaker.statistics().running).toBe(0);
  expect(scheduler.pending).toBe(0);
});

it('a breaker keeps nothing of those who have watched it', async () => {
  const breaker = createCircuitBreaker();
  const growth = await heapGrowth(() => {
    breaker.state$.subscribe().unsubscribe();
  }, 25_000);
  expect(growth).toBeLessThan(64 * 1024);
});

it('a trial that hangs is let go when its state is over, and when it is unsubscribed', async () => {
  const clock = new VirtualTimeScheduler();
  const breaker = createCircuitBreaker({ threshold: { consecutive: 1 }, openFor: 10, probes: 5, scheduler: clock });
  const fails = throwError(() => 'fails').pipe(circuitBreaker(breaker));
  fails.subscribe({ error: () => undefined });
  clock.frame = 10;
  expect(breaker.state.status).toBe('half-open');
  const isLetGo = await isCollected(() => {
    const consumer = { next: () => undefined, error: () => undefined };
    NEVER.pipe(circuitBreaker(breaker)).subscribe(consumer).unsubscribe();
    return consumer;
  });
  expect(isLetGo).toBe(true);
});

it('a value of a producer that keeps its subscriber is not held after the call', async () => {
  const breaker = createCircuitBreaker();
  let kept: Subscriber<object> | undefined;
  const source = new Observable<object>((subscriber) => {
    kept = subscriber;
  });
  const isLetGo = await isCollected(() => {
    const value = {};
    const subscription = source.pipe(circuitBreaker(breaker)).subscribe();
    kept?.next(value);
    subscription.unsubscribe();
    return value;
  });
  expect(isLetGo).toBe(true);
  expect(kept?.closed).toBe(true);
});

it('two pipelines that go on do not grow by their calls', async () => {
  const breaker = createCircuitBreaker({ threshold: { ratio: 0.5, calls: 100 } });
  const source = new Subject<number>();
  const kept = source.pipe(circuitBreaker(breaker)).subscribe();
  const growth = await heapGrowth(() => {
    source.next(1);
    EMPTY.pipe(circuitBreaker(breaker)).subscribe();
  }, 25_000);
  expect(growth).toBeLessThan(64 * 1024);
  kept.unsubscribe();
});
