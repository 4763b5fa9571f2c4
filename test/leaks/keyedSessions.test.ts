import { NEVER, Observable, Subject, take, type Subscriber } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Session } from '../../src/internal/sessions/Session.js';
import { keyedSessions, type KeyedSessionsOptions } from '../../src/operators/keyedSessions.js';
import { CountingScheduler } from '../support/CountingScheduler.js';
import { Clock } from '../support/Later.js';
import { heapGrowth, heapUsed, isCollected } from './support.js';

interface Value {
  readonly key: object;
}

type Options = KeyedSessionsOptions<Value, object, unknown>;
type Handler = (session: Session<object, Value>) => Observable<unknown>;

const pass: Handler = ({ values }) => values;

/** A source that does not let its subscribers go. */
function keeping(handler: Handler, options: Options = {}) {
  const kept: Subscriber<Value>[] = [];
  const clock = new Clock();
  const subscription = new Observable<Value>((subscriber) => {
    kept.push(subscriber);
  })
    .pipe(keyedSessions(({ key }) => key, handler, { scheduler: clock, ...options }))
    .subscribe({ error: () => undefined });
  return { kept, clock, subscription, send: (value: Value) => kept[0]?.next(value) };
}

describe('a key, its values and its session are let go', () => {
  it('when the session was idle', async () => {
    const { send, clock, kept } = keeping(pass, { idleTimeout: 5, maxAge: 1e6 });
    const collected = await isCollected(() => {
      const key = {};
      send({ key });
      clock.advance(5);
      return key;
    });
    expect([collected, kept.length]).toEqual([true, 1]);
  });

  it('when it made room', async () => {
    const { send, kept } = keeping(pass, { maxSessions: 1 });
    const collected = await isCollected(() => {
      const key = {};
      send({ key });
      send({ key: {} });
      return key;
    });
    expect([collected, kept.length]).toEqual([true, 1]);
  });

  it.each<['unsubscribe' | 'error', string, Handler]>([
    ['unsubscribe', 'wait', () => NEVER],
    ['error', 'wait', () => NEVER],
    ['unsubscribe', 'rest', pass],
    ['error', 'rest', pass],
  ])('on %s, where they %s', async (end, _, handler) => {
    const { send, kept, subscription } = keeping(handler, { idleTimeout: 1e6, maxAge: 1e6 });
    const collected = await isCollected(() => {
      const key = {};
      send({ key });
      send({ key });
      if (end === 'error') kept[0]?.error(new Error());
      else subscription.unsubscribe();
      return key;
    });
    expect([collected, kept.length]).toEqual([true, 1]);
  });

  it('a value that was taken is let go while its session lives', async () => {
    const key = {};
    const { send, kept } = keeping(pass);
    const collected = await isCollected(() => {
      const value = { key };
      send(value);
      return value;
    });
    expect([collected, kept.length]).toEqual([true, 1]);
  });

  it('and that is a check that can fail', async () => {
    const { send, subscription } = keeping(pass);
    const collected = await isCollected(() => {
      const key = {};
      send({ key });
      return key;
    });
    expect(collected).toBe(false);
    subscription.unsubscribe();
  });
});

it('a million keys through 1000 sessions leave the heap as it is', { timeout: 60_000 }, async () => {
  const source = new Subject<Value>();
  const clock = new Clock();
  const scheduler = new CountingScheduler(clock);
  let closed = 0;
  const subscription = source
    .pipe(
      keyedSessions(({ key }) => key, pass as never, {
        ...{ scheduler, idleTimeout: 1e6, maxAge: 1e7, maxSessions: 1000 },
        onClose: () => {
          closed++;
        },
      }),
    )
    .subscribe();
  const send = (count: number) => {
    for (let i = 0; i < count; i++) source.next({ key: {} });
  };
  send(20_000);
  const before = await heapUsed();
  send(1_000_000);
  expect((await heapUsed()) - before).toBeLessThan(256 * 1024);
  expect([closed, scheduler.pending]).toEqual([1_019_000, 1]);
  subscription.unsubscribe();
  expect(scheduler.pending).toBe(0);
});

describe.each<[string, Handler, Options]>([
  ['that complete by themselves', ({ values }) => values.pipe(take(1)), {}],
  ['that read their signal', ({ values, signal }) => (signal.aborted ? NEVER : values), { maxSessions: 2 }],
  ['that end with time', pass, { idleTimeout: 5, maxAge: 7 }],
  ['that are dropped', () => NEVER, { maxSessions: 1, onMaxSessions: 'drop' }],
  ['that wait', ({ values }) => values, { maxSessions: 1, onMaxSessions: 'wait', idleTimeout: 1 }],
])('sessions %s', (_, handler, options) => {
  it('do not grow', { timeout: 60_000 }, async () => {
    const { send, clock, subscription } = keeping(handler, options);
    const growth = await heapGrowth(() => {
      send({ key: {} });
      clock.advance(1);
    });
    expect(growth).toBeLessThan(64 * 1024);
    subscription.unsubscribe();
  });
});

it('subscriptions that come and go leave nothing', { timeout: 60_000 }, async () => {
  const source = new Subject<Value>();
  const growth = await heapGrowth(() => {
    const subscription = source
      .pipe(
        keyedSessions(
          ({ key }) => key,
          ({ signal }) => (signal.aborted ? NEVER : NEVER),
          { idleTimeout: 1e6 },
        ),
      )
      .subscribe();
    for (let i = 0; i < 5; i++) source.next({ key: {} });
    subscription.unsubscribe();
  });
  expect(growth).toBeLessThan(64 * 1024);
  expect(source.observed).toBe(false);
});
