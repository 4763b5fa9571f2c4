import { Readable } from 'node:stream';
import { ReadableStream as NodeReadableStream } from 'node:stream/web';
import { lastValueFrom, repeat, take, toArray } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fromPull, SourceConsumedError, toAsyncIterable } from '../../src/index.js';
import { record } from '../support/record.js';
import { turn } from '../support/settle.js';

describe('fromPull', () => {
  it('emits what a ReadableStream of node:stream/web gives', async () => {
    const stream = new NodeReadableStream<number>({
      pull: (controller) => {
        for (const value of [1, 2, 3]) controller.enqueue(value);
        controller.close();
      },
    });
    expect(await lastValueFrom(fromPull(stream).pipe(toArray()))).toEqual([1, 2, 3]);
  });

  it('emits what a stream of Node gives, and destroys it when it is unsubscribed', async () => {
    const readable = Readable.from([1, 2, 3]) as Readable & AsyncIterable<number>;
    expect(await lastValueFrom(fromPull(readable).pipe(take(2), toArray()))).toEqual([1, 2]);
    await turn();
    expect(readable.destroyed).toBe(true);
  });

  it('destroys a stream of Node at once, though a read is pending, and waits for that', async () => {
    const readable = new Readable({ read: () => undefined }) as Readable & AsyncIterable<unknown>;
    const iterator = toAsyncIterable(fromPull(readable))[Symbol.asyncIterator]();
    void iterator.next();
    await turn();
    await iterator.return?.();
    expect(readable.destroyed).toBe(true);
  });

  it('reads a stream of Node only once: a second time is an error', async () => {
    const source = fromPull(Readable.from([1, 2, 3]) as Readable & AsyncIterable<number>);
    await expect(lastValueFrom(source.pipe(repeat(2), toArray()))).rejects.toThrow(SourceConsumedError);
  });

  describe('gives the event loop a turn by setImmediate', () => {
    beforeEach(() => {
      vi.useFakeTimers();
    });
    afterEach(() => {
      vi.useRealTimers();
    });
    const numbers = Array.from({ length: 30 }, (_, i) => i);

    it('which is cancelled when it is unsubscribed', () => {
      const { subscription } = record(fromPull(numbers, { slice: 10 }));
      expect(vi.getTimerCount()).toBe(1);
      subscription.unsubscribe();
      expect(vi.getTimerCount()).toBe(0);
    });

    it('until it completes', () => {
      const { log } = record(fromPull(numbers, { slice: 10 }));
      expect(log).toHaveLength(10);
      vi.runAllTimers();
      expect(log).toEqual([...numbers, 'complete']);
      expect(vi.getTimerCount()).toBe(0);
    });
  });
});
