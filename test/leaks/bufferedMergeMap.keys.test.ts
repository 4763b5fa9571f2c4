import { BehaviorSubject, NEVER, Observable, of, Subject, VirtualTimeScheduler, type Subscriber } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { bufferedMergeMap, gatedBy, type BufferedMergeMapOptions } from '../../src/index.js';
import { ManualGate } from '../support/ManualGate.js';
import { settle } from '../support/settle.js';
import { heapGrowth, isCollected } from './support.js';

interface Value {
  readonly key: object;
}

type Options = BufferedMergeMapOptions<Value, Value>;

const key = (value: Value) => value.key;

/** A source that does not let its subscriber go, and work that ends when the test says so. */
function keeping(options: Options = {}, work?: (value: Value) => Observable<Value>) {
  const kept: Subscriber<Value>[] = [];
  const done = new Subject<void>();
  const source = new Observable<Value>((subscriber) => {
    kept.push(subscriber);
  });
  const scheduler = new VirtualTimeScheduler();
  const project = (value: Value) =>
    new Observable<Value>((subscriber) =>
      done.subscribe(() => {
        subscriber.next(value);
        subscriber.complete();
      }),
    );
  const subscription = source
    .pipe(bufferedMergeMap(work ?? project, { key, scheduler, ...options }))
    .subscribe({ error: () => undefined });
  const send = (value: Value) => kept[0]?.next(value);
  return { kept, done, subscription, scheduler, send };
}

describe('a value that waits for its key', () => {
  const ends: Record<string, (kept: ReturnType<typeof keeping>, of: Value) => void> = {
    unsubscription: ({ subscription }) => {
      subscription.unsubscribe();
    },
    'an error': ({ kept }) => {
      kept[0]?.error(new Error());
    },
    'its age': ({ scheduler }) => {
      scheduler.flush();
    },
    overflow: ({ send }, { key }) => {
      send({ key });
    },
    'its own end': ({ done }) => {
      done.next();
      done.next();
    },
  };

  it.each(Object.entries(ends))('is let go after %s', async (what, end) => {
    const state = keeping({ maxPerKey: 1, overflow: 'drop-oldest', ...(what === 'its age' && { maxAge: 10 }) });
    const collected = await isCollected(() => {
      const running = { key: {} };
      state.send(running);
      const value = { key: running.key };
      state.send(value);
      end(state, running);
      return value;
    });
    expect(collected).toBe(true);
    expect(state.kept).toHaveLength(1);
  });

  it('is a check that can fail', async () => {
    const state = keeping();
    const collected = await isCollected(() => {
      const running = { key: {} };
      state.send(running);
      const value = { key: running.key };
      state.send(value);
      return value;
    });
    expect(collected).toBe(false);
    expect(state.kept).toHaveLength(1);
  });
});

describe('a key', () => {
  it.each([
    ['started at once', 1],
    ['that have waited', 5],
  ])('is let go after the last of its values (%s)', async (_, count) => {
    const state = keeping();
    const collected = await isCollected(() => {
      const key = {};
      for (let i = 0; i < count; i++) state.send({ key });
      for (let i = 0; i < count; i++) state.done.next();
      return key;
    });
    expect(collected).toBe(true);
    expect(state.subscription.closed).toBe(false);
  });

  it('is kept while one of its values runs', async () => {
    const state = keeping();
    const collected = await isCollected(() => {
      const key = {};
      state.send({ key });
      return key;
    });
    expect(collected).toBe(false);
    expect(state.subscription.closed).toBe(false);
  });

  it('is let go when what waited of it was dropped before it could start', async () => {
    const limit = new BehaviorSubject(0);
    const state = keeping({ concurrent: limit, maxAge: 10 });
    const collected = await isCollected(() => {
      const key = {};
      state.send({ key });
      state.send({ key });
      state.scheduler.flush();
      return key;
    });
    expect(collected).toBe(true);
    expect(limit.observed).toBe(true);
  });
});

/** 25 new keys in each run: a hundred thousand keys, and more. */
const keysPerRun = 25;

const works: Record<string, (value: Value) => unknown> = {
  'synchronous inner sources': (value) => of(value),
  promises: (value) => Promise.resolve(value),
};
const variants: Record<string, Options> = {
  keys: { key },
  'keys and priorities': { key, priority: () => 1, concurrentPerKey: 2 },
  'keys in order': { key, ordered: true },
  'priorities without keys': { priority: () => 1 },
  ages: { key, maxAge: 1000 },
};

describe.each(Object.entries(variants))('%s', (_, options) => {
  it.each(Object.entries(works))(
    'do not grow with %s',
    async (_, work) => {
      const source = new Subject<Value>();
      const gate = new ManualGate(true);
      const subscription = source
        .pipe(
          bufferedMergeMap(work as (value: Value) => Observable<Value>, { ...options, concurrent: 2 }),
          gatedBy(gate),
        )
        .subscribe();
      const growth = await heapGrowth(async () => {
        gate.ready = false;
        for (let i = 0; i < keysPerRun; i++) {
          const value = { key: {} };
          source.next(value);
          source.next(value);
        }
        await settle(5);
        for (let i = 0; i < 2 * keysPerRun; i++) {
          gate.ready = true;
          await settle(3);
        }
      }, 1000);
      expect(growth).toBeLessThan(64 * 1024);
      subscription.unsubscribe();
    },
    120_000,
  );
});

it('subscriptions with keys that come and go leave nothing', async () => {
  const source = new Subject<Value>();
  const growth = await heapGrowth(() => {
    const subscription = source.pipe(bufferedMergeMap(() => NEVER, { key, maxAge: 1e6 })).subscribe();
    for (let i = 0; i < 10; i++) source.next({ key: (i % 3) as never });
    subscription.unsubscribe();
  });
  expect(growth).toBeLessThan(64 * 1024);
  expect(source.observed).toBe(false);
}, 60_000);
