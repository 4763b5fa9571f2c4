import { config, Observable, Subscription, take } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { gatedBy } from '../../src/index.js';
import { Listeners } from '../support/Listeners.js';
import { ManualGate } from '../support/ManualGate.js';
import { sources } from './sources.js';

const subjects = Object.entries(sources).flatMap(([name, modes]) =>
  Object.entries(modes).map(([mode, create]) => [`${name} ${mode}`, create] as const),
);

describe.each(subjects)('%s keeps the contract of a source', (_, create) => {
  const unhandled: unknown[] = [];
  let open = new Subscription();

  beforeEach(() => {
    vi.useFakeTimers();
    config.onUnhandledError = (error: unknown) => unhandled.push(error);
  });
  afterEach(() => {
    open.unsubscribe();
    open = new Subscription();
    const timers = vi.getTimerCount();
    vi.runAllTimers();
    vi.useRealTimers();
    config.onUnhandledError = null;
    expect({ unhandled: unhandled.splice(0), timers }).toEqual({ unhandled: [], timers: 0 });
  });

  const watch = (source: Observable<unknown>, onNext: () => void = () => undefined) => {
    const events: string[] = [];
    const subscription = source.subscribe({
      next: () => {
        events.push('next');
        onNext();
      },
      error: () => events.push('error'),
      complete: () => events.push('complete'),
    });
    open.add(subscription);
    return { events, subscription };
  };

  it('does nothing before it is subscribed, and leaves no listener', () => {
    const listeners = new Listeners();
    try {
      const source = create();
      expect([listeners.left, vi.getTimerCount()]).toEqual([0, 0]);
      for (let i = 0; i < 10; i++) watch(source).subscription.unsubscribe();
      watch(source.pipe(take(1)));
      expect(listeners.left).toBe(0);
    } finally {
      listeners.restore();
    }
  });

  it('gives each subscriber all of it', () => {
    const source = create();
    const [first, second] = [watch(source), watch(source)];
    vi.runAllTimers();
    expect(first.events.length).toBeGreaterThan(0);
    expect(second.events).toEqual(first.events);
  });

  it('stops once downstream has had enough', () => {
    expect(watch(create().pipe(take(1))).events).toEqual(['next', 'complete']);
  });

  it('gives nothing more once it was unsubscribed inside next', () => {
    const events: string[] = [];
    const gate = new ManualGate(true);
    const source = create().pipe(gatedBy(gate));
    const subscriber = new Subscription();
    const taking = new Observable<unknown>((destination) => {
      subscriber.add(destination);
      return source.subscribe(destination);
    });
    taking.subscribe(() => {
      events.push('next');
      subscriber.unsubscribe();
    });
    vi.runAllTimers();
    expect(events).toEqual(['next']);
  });

  it('gives nothing, and does not wait, once it was unsubscribed behind a closed gate', () => {
    const gate = new ManualGate();
    const { events, subscription } = watch(create().pipe(gatedBy(gate)));
    subscription.unsubscribe();
    expect(gate.waiters.size).toBe(0); // before it is opened, which would call who waits in vain
    const before = [...events];
    gate.ready = true;
    vi.runAllTimers();
    expect(events).toEqual(before);
    expect(gate.waiters.size).toBe(0);
  });

  it('goes on where what the consumer does with a value throws, which is reported', () => {
    const { events } = watch(create(), () => {
      throw new Error('consumer');
    });
    vi.runAllTimers();
    const values = events.filter((event) => event === 'next');
    expect(unhandled.splice(0).map(String)).toEqual(values.map(() => 'Error: consumer'));
  });
});
