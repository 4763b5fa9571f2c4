import { EMPTY, NEVER, Observable, of, Subject, type Subscriber } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { bufferedMergeMap, findCleanupScope, fromPull, gatedBy } from '../../src/index.js';
import { ManualGate } from '../support/ManualGate.js';
import { settle } from '../support/settle.js';
import { heapGrowth, isCollected } from './support.js';

/** A source that does not let its subscribers go. */
function keeping<T>() {
  const kept: Subscriber<T>[] = [];
  const source = new Observable<T>((subscriber) => {
    kept.push(subscriber);
  });
  return { kept, source };
}

describe('lets the values go that wait', () => {
  const ends = {
    unsubscription: (_: Subscriber<object>, unsubscribe: () => void) => {
      unsubscribe();
    },
    'an error': (subscriber: Subscriber<object>) => {
      subscriber.error(new Error());
    },
  };

  it.each(Object.entries(ends))('on %s', async (_, end) => {
    const { kept, source } = keeping<object>();
    const held: unknown[] = [];
    const collected = await isCollected(() => {
      const subscription = source
        .pipe(bufferedMergeMap(() => NEVER, { concurrent: 1 }))
        .subscribe({ error: () => undefined });
      held.push(subscription);
      const value = {};
      kept[0]?.next({});
      kept[0]?.next(value);
      end(kept[0] as Subscriber<object>, () => {
        subscription.unsubscribe();
      });
      return value;
    });
    expect(collected).toBe(true);
    expect(held).toHaveLength(1);
  });

  it('is a check that can fail', async () => {
    const { kept, source } = keeping<object>();
    const collected = await isCollected(() => {
      source.pipe(bufferedMergeMap(() => NEVER, { concurrent: 1 })).subscribe();
      const value = {};
      kept[0]?.next({});
      kept[0]?.next(value);
      return value;
    });
    expect(collected).toBe(false);
    expect(kept).toHaveLength(1);
  });
});

describe.each([{ ordered: false }, { ordered: true }])('%o', (options) => {
  it('lets the results go that wait, on unsubscription', async () => {
    const { kept, source } = keeping<object>();
    const inners = keeping<object>();
    const gate = new ManualGate();
    const held: unknown[] = [gate, inners];
    const collected = await isCollected(() => {
      const subscription = source
        .pipe(
          bufferedMergeMap(() => inners.source, options),
          gatedBy(gate),
        )
        .subscribe();
      held.push(subscription);
      const result = {};
      kept[0]?.next({});
      inners.kept[0]?.next(result);
      subscription.unsubscribe();
      return result;
    });
    expect(collected).toBe(true);
    expect(held).toHaveLength(3);
  });

  it('lets the results go that have waited and been emitted', async () => {
    const { kept, source } = keeping<object>();
    const inners = keeping<object>();
    const gate = new ManualGate();
    const subscription = source
      .pipe(
        bufferedMergeMap(() => inners.source, options),
        gatedBy(gate),
      )
      .subscribe();
    const collected = await isCollected(() => {
      const result = {};
      kept[0]?.next({});
      inners.kept[0]?.next(result);
      gate.ready = true;
      return result;
    });
    expect(collected).toBe(true);
    subscription.unsubscribe();
  });

  it('lets go of what is over, while it goes on: the value, the inner source, its subscriber and its signal', async () => {
    const { kept, source } = keeping<object>();
    const made: Record<string, () => object> = {};
    const subscription = source
      .pipe(
        bufferedMergeMap((value, _, { signal }) => {
          const inner = new Observable<object>((subscriber) => {
            made['subscriber'] = () => subscriber;
            subscriber.next({});
            subscriber.complete();
          });
          made['value'] = () => value;
          made['signal'] = () => signal;
          made['inner'] = () => inner;
          return inner;
        }, options),
      )
      .subscribe();
    for (const what of ['value', 'inner', 'subscriber', 'signal']) {
      const collected = await isCollected(() => {
        kept[0]?.next({});
        const found = made[what]?.() as object;
        for (const name of Object.keys(made)) made[name] = () => ({});
        return found;
      });
      expect(collected, what).toBe(true);
    }
    subscription.unsubscribe();
  });

  const inners: Record<string, (value: object, index: number, context: { readonly signal: AbortSignal }) => unknown> = {
    'synchronous inner sources': (value) => of(value),
    promises: (value) => Promise.resolve(value),
    'promises with a signal': (value, _, { signal }) => {
      signal.addEventListener('abort', () => value);
      return Promise.resolve(value);
    },
    iterables: (value) => [value],
    'async generators': async function* (value) {
      yield value;
    },
    'inner sources that clean up': (value) =>
      new Observable((subscriber) => {
        const scope = findCleanupScope(subscriber);
        subscriber.add(() => scope?.track(Promise.resolve()));
        subscriber.next(value);
        subscriber.complete();
      }),
    'inner sources that are pulled': (value) => fromPull([value, value]),
    'inner sources without a result': () => EMPTY,
  };

  it.each(Object.entries(inners))('does not grow with %s', async (_, inner) => {
    const source = new Subject<object>();
    const gate = new ManualGate(true);
    const project = inner as (value: object) => Observable<object>;
    const subscription = source.pipe(bufferedMergeMap(project, options), gatedBy(gate)).subscribe();
    const growth = await heapGrowth(async () => {
      gate.ready = false;
      source.next({});
      source.next({});
      await settle(5);
      gate.ready = true;
      await settle(25);
    });
    expect(growth).toBeLessThan(64 * 1024);
    subscription.unsubscribe();
  });

  it('does not grow with subscriptions that come and go', async () => {
    const source = new Subject<object>();
    const gate = new ManualGate();
    const growth = await heapGrowth(() => {
      const subscription = source
        .pipe(
          bufferedMergeMap((value) => (Math.random() < 0.5 ? NEVER : of(value)), options),
          gatedBy(gate),
        )
        .subscribe();
      for (let i = 0; i < 10; i++) source.next({});
      subscription.unsubscribe();
    });
    expect(growth).toBeLessThan(64 * 1024);
    expect(gate.waiters.size).toBe(0);
    expect(source.observed).toBe(false);
  });
});
