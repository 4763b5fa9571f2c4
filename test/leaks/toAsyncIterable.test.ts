import { Observable, Subject, type Subscriber } from 'rxjs';
import { expect, it } from 'vitest';
import { fromPull, toAsyncIterable } from '../../src/index.js';
import { settle } from '../support/settle.js';
import { heapGrowth, isCollected } from './support.js';

type Iterates<T> = Required<AsyncIterator<T>>;
const open = <T>(source: Observable<T>) => toAsyncIterable(source)[Symbol.asyncIterator]() as Iterates<T>;

/** A source that does not let its subscribers go. */
function keeping() {
  const kept: Subscriber<object>[] = [];
  const source = new Observable<object>((subscriber) => {
    kept.push(subscriber);
  });
  return { kept, source };
}

it('lets the values go that wait, on return()', async () => {
  const { kept, source } = keeping();
  const iterator = open(source);
  const collected = await isCollected(async () => {
    void iterator.next();
    kept[0]?.next({});
    const value = {};
    kept[0]?.next(value);
    await iterator.return();
    return value;
  });
  expect(collected).toBe(true);
  expect(kept).toHaveLength(1);
});

it('is a check that can fail', async () => {
  const { kept, source } = keeping();
  const iterator = open(source);
  const collected = await isCollected(() => {
    void iterator.next();
    kept[0]?.next({});
    const value = {};
    kept[0]?.next(value);
    return value;
  });
  expect(collected).toBe(false);
  await iterator.return();
});

it('keeps no value that has been read', async () => {
  const { kept, source } = keeping();
  const iterator = open(source);
  for (const order of ['asked first', 'given first']) {
    const collected = await isCollected(async () => {
      const value = {};
      const early = order === 'asked first' ? iterator.next() : undefined;
      if (kept.length === 0) await settle();
      kept[0]?.next(value);
      await (early ?? iterator.next());
      return value;
    });
    expect(collected, order).toBe(true);
  }
  await iterator.return();
});

it('keeps no error that has been told', async () => {
  const { kept, source } = keeping();
  const iterator = open(source);
  const collected = await isCollected(async () => {
    const error = new Error();
    const next = iterator.next();
    kept[0]?.error(error);
    await next.catch(() => undefined);
    return error;
  });
  expect(collected).toBe(true);
  await iterator.return();
});

it('lets those go who waited for a value', async () => {
  const { kept, source } = keeping();
  const iterator = open(source);
  const collected = await isCollected(async () => {
    const reader = { seen: false };
    const reading = iterator.next().then(() => (reader.seen = true));
    await iterator.return();
    await reading;
    return reader;
  });
  expect(collected).toBe(true);
  expect(kept).toHaveLength(1);
});

it('does not grow with loops that come and go', async () => {
  const source = new Subject<number>();
  const growth = await heapGrowth(async () => {
    const iterator = open(source);
    const next = iterator.next();
    source.next(1);
    source.next(2);
    await next;
    await iterator.return();
  });
  expect(growth).toBeLessThan(64 * 1024);
  expect(source.observed).toBe(false);
});

it('does not grow with the values of one loop', async () => {
  const iterator = open(
    fromPull(function* () {
      for (let i = 0; ; i++) yield { i };
    }),
  );
  const growth = await heapGrowth(async () => {
    await iterator.next();
  }, 100_000);
  expect(growth).toBeLessThan(64 * 1024);
  await iterator.return();
});
