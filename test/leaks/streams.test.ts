import { lastValueFrom, Observable, Subject, type Subscriber } from 'rxjs';
import { expect, it } from 'vitest';
import { fromPull } from '../../src/index.js';
import { toNodeReadable } from '../../src/node/toNodeReadable.js';
import { toReadableStream } from '../../src/sinks/toReadableStream.js';
import { writeToStream } from '../../src/sinks/writeToStream.js';
import { settle, turn } from '../support/settle.js';
import { heapGrowth, heapUsed, isCollected } from './support.js';

/** A source that does not let its subscribers go. */
function keeping() {
  const kept: Subscriber<object>[] = [];
  const source = new Observable<object>((subscriber) => {
    kept.push(subscriber);
  });
  return { kept, source };
}

const objects = function* (count = Infinity) {
  for (let i = 0; i < count; i++) yield { i };
};

it('toReadableStream lets the values go that wait, on cancel()', async () => {
  const { kept, source } = keeping();
  const reader = toReadableStream(source).getReader();
  const waiting = async () => {
    void reader.read();
    await settle();
    kept[0]?.next({});
    const value = {};
    kept[0]?.next(value);
    return value;
  };
  expect(await isCollected(waiting)).toBe(false);
  const collected = await isCollected(async () => {
    const value = {};
    kept[0]?.next(value);
    await reader.cancel();
    return value;
  });
  expect(collected).toBe(true);
  expect(kept).toHaveLength(1);
});

it('toReadableStream keeps no value that has been read', async () => {
  const { kept, source } = keeping();
  const reader = toReadableStream(source).getReader();
  const collected = await isCollected(async () => {
    const value = {};
    const read = reader.read();
    await settle();
    kept[0]?.next(value);
    await read;
    return value;
  });
  expect(collected).toBe(true);
  await reader.cancel();
});

it('toNodeReadable lets the values go that wait, on destroy()', async () => {
  const { kept, source } = keeping();
  const stream = toNodeReadable(source);
  stream.read();
  const collected = await isCollected(async () => {
    const value = {};
    kept[0]?.next({});
    kept[0]?.next(value);
    stream.destroy();
    await turn();
    return value;
  });
  expect(collected).toBe(true);
  expect(kept).toHaveLength(1);
});

it('writeToStream lets the values go that wait, on unsubscription', async () => {
  const { kept, source } = keeping();
  const stream = new WritableStream<object>({ write: () => new Promise(() => undefined) });
  const subscription = source.pipe(writeToStream(stream)).subscribe();
  await settle();
  kept[0]?.next({});
  const collected = await isCollected(() => {
    const value = {};
    kept[0]?.next(value);
    subscription.unsubscribe();
    return value;
  });
  expect(collected).toBe(true);
  expect(kept).toHaveLength(1);
});

it('nothing grows with streams that come and go', async () => {
  const source = new Subject<number>();
  const growth = await heapGrowth(async () => {
    const reader = toReadableStream(source).getReader();
    const read = reader.read();
    await settle(3);
    source.next(1);
    source.next(2);
    await read;
    await reader.cancel();
    const subscription = source.pipe(writeToStream(new WritableStream<number>())).subscribe();
    source.next(1);
    subscription.unsubscribe();
    const stream = toNodeReadable(source);
    stream.read();
    source.next(1);
    stream.destroy();
    await settle();
  }, 1_000);
  expect(growth).toBeLessThan(64 * 1024);
  expect(source.observed).toBe(false);
});

it('toReadableStream does not grow with its values', async () => {
  const reader = toReadableStream(fromPull(() => objects())).getReader();
  const growth = await heapGrowth(async () => {
    await reader.read();
  }, 100_000);
  expect(growth).toBeLessThan(64 * 1024);
  await reader.cancel();
});

it('toNodeReadable does not grow with its values', async () => {
  const values = toNodeReadable(fromPull(() => objects()))[Symbol.asyncIterator]();
  const growth = await heapGrowth(async () => {
    await values.next();
  }, 100_000);
  expect(growth).toBeLessThan(64 * 1024);
  await values.return?.();
});

it('a million values pass from one stream to another in a bounded heap', async () => {
  const before = await heapUsed();
  let most = 0;
  let seen = 0;
  const stream = new WritableStream<{ i: number }>({
    write: async () => {
      if (++seen % 250_000 === 0) most = Math.max(most, (await heapUsed()) - before);
    },
  });
  const through = toReadableStream(fromPull(() => objects(1_000_000))).pipeThrough(new TransformStream());
  expect(await lastValueFrom(fromPull<{ i: number }>(through).pipe(writeToStream(stream)))).toBe(1_000_000);
  expect(seen).toBe(1_000_000);
  expect(most).toBeLessThan(4 * 1024 * 1024);
}, 120_000);
