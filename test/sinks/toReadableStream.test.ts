import {
  concat,
  EMPTY,
  filter,
  finalize,
  from,
  lastValueFrom,
  map,
  merge,
  NEVER,
  Observable,
  of,
  range,
  Subject,
  type Subscriber,
  tap,
  throwError,
  toArray,
} from 'rxjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  bufferedMergeMap,
  BufferOverflowError,
  CleanupTimeoutError,
  formatJsonLines,
  fromPull,
  parseJsonLines,
  type Overflow,
} from '../../src/index.js';
import { toReadableStream, type ToReadableStreamOptions } from '../../src/sinks/toReadableStream.js';
import { deferred, settle, turn } from '../support/settle.js';
import { cleaning, counted, numbers, outcomes, readAll } from '../support/streams.js';
import { collectUnhandled, reported } from '../support/unhandled.js';

const value = <T>(given: T) => ({ done: false, value: given });
const done = { done: true, value: undefined };
/** A stream is not read in the microtask in which it was made: it is older here. */
async function open<T>(source: Observable<T>, options?: ToReadableStreamOptions<T>) {
  const reader = toReadableStream(source, options).getReader();
  await settle();
  return reader;
}

describe('toReadableStream', () => {
  const unhandled = collectUnhandled();

  afterEach(() => {
    vi.useRealTimers();
  });

  it.each([
    [{ highWaterMark: -1 }, RangeError, 'highWaterMark must be a non-negative integer or Infinity, got -1'],
    [{ highWaterMark: 3, bufferSize: 2 }, RangeError, 'highWaterMark must be at most bufferSize (2), got 3'],
    [{ onDrop: 1 as never }, TypeError, 'onDrop must be a function, got 1'],
    [{ name: 1 as never }, TypeError, 'name must be a string, got 1'],
    [
      { cleanupTimeout: -1 },
      RangeError,
      'cleanupTimeout must be a number of milliseconds from 0 to 2147483647 or Infinity, got -1',
    ],
    [10 as never, TypeError, 'options must be an object, got 10'],
  ] as [ToReadableStreamOptions<number>, typeof Error, string][])('refuses %o', (options, Class, message) => {
    expect(() => toReadableStream(of(1), options)).toThrow(new Class(message));
  });

  it('refuses what is no source', () => {
    expect(() => toReadableStream(undefined as never)).toThrow(TypeError);
  });

  describe('subscribes', () => {
    it('when it is first read, and once', async () => {
      const subscribe = vi.fn();
      const reader = await open(new Observable<number>(subscribe), { highWaterMark: 5 });
      await turn();
      expect(subscribe).toHaveBeenCalledTimes(0);
      void reader.read();
      expect(subscribe).toHaveBeenCalledTimes(1);
      void reader.read();
      await turn();
      expect(subscribe).toHaveBeenCalledTimes(1);
    });

    it('in a microtask at the earliest', async () => {
      const subscribe = vi.fn();
      void toReadableStream(new Observable<number>(subscribe)).getReader().read();
      expect(subscribe).toHaveBeenCalledTimes(0);
      await settle();
      expect(subscribe).toHaveBeenCalledTimes(1);
    });

    it('never, if it is cancelled before', async () => {
      const subscribe = vi.fn();
      const reader = await open(new Observable<number>(subscribe));
      await reader.cancel();
      expect(await reader.read()).toEqual(done);
      expect(subscribe).not.toHaveBeenCalled();
    });
  });

  describe('gives', () => {
    it('the values in order, then closes', async () => {
      const reader = await open(of(1, 2));
      expect(await outcomes(reader.read(), reader.read(), reader.read(), reader.closed)).toEqual([
        value(1),
        value(2),
        done,
        undefined,
      ]);
      expect(await readAll(toReadableStream(EMPTY))).toEqual([]);
    });

    it('null and undefined as values', async () => {
      expect(await readAll(toReadableStream(of(null, undefined)))).toEqual([null, undefined]);
    });

    it('them in the microtask of a read that waits', async () => {
      const source = new Subject<number>();
      const reader = await open(source);
      const seen = vi.fn();
      void reader.read().then(seen);
      source.next(1);
      await Promise.resolve();
      expect(seen).toHaveBeenCalledWith(value(1));
    });

    it('each read that waits its own, also when they have come in one turn', async () => {
      const source = new Subject<number>();
      const reader = await open(source);
      const reads = numbers(5).map(() => reader.read());
      await settle();
      for (const i of numbers(4)) source.next(i);
      source.complete();
      expect(await outcomes(...reads)).toEqual([...numbers(4).map(value), done]);
    });

    it('a million, in order, without growing the stack', async () => {
      const count = 1_000_000;
      let next = 0;
      const stream = toReadableStream(counted(count).source);
      const reader = stream.getReader();
      for (;;) {
        const result = await reader.read();
        if (result.done) break;
        if (result.value !== next++) throw new Error(`got ${result.value}`);
      }
      expect(next).toBe(count);
    }, 60_000);

    it('what is pushed all at once, up to bufferSize', async () => {
      expect(await readAll(toReadableStream(range(0, 1001)))).toHaveLength(1001); // one is asked for
      await expect(readAll(toReadableStream(range(0, 1002)))).rejects.toThrow(
        /^toReadableStream: 1000 values wait already/,
      );
    });
  });

  describe('a slow reader', () => {
    it.each([0, 1, 3])('is what fromPull sees: one for each read and %i ahead', async (highWaterMark) => {
      const { pulled, source } = counted();
      const through = source.pipe(
        map((i) => i * 2),
        filter(() => true),
      );
      const reader = await open(through, { highWaterMark });
      await turn();
      expect(pulled).toHaveLength(0);
      for (let reads = 1; reads < 6; reads++) {
        expect(await reader.read()).toEqual(value((reads - 1) * 2));
        await turn();
        expect(pulled).toHaveLength(reads + highWaterMark);
      }
      await reader.cancel();
    });

    it('is asked for nothing twice: not one more is pulled than there are reads, however they come', async () => {
      const { pulled, source } = counted();
      const reader = await open(source);
      await Promise.all(numbers(4).map(() => reader.read()));
      await turn();
      expect(pulled).toHaveLength(4);
      await reader.cancel();
    });

    it('is given nothing that it has not asked for: what comes behind two reads waits outside, where onDrop sees it', async () => {
      const source = new Subject<number>();
      const onDrop = vi.fn();
      const reader = await open(source, { onDrop });
      const reads = [reader.read()];
      await settle();
      reads.push(reader.read());
      await settle();
      for (const i of numbers(4)) source.next(i);
      expect(await Promise.all(reads)).toEqual([value(0), value(1)]);
      await reader.cancel();
      expect(onDrop.mock.calls).toEqual([
        [2, 'unsubscribe'],
        [3, 'unsubscribe'],
      ]);
    });

    it('is seen through pipeThrough, by as much as the streams between hold', async () => {
      const { pulled, source } = counted();
      const stream = toReadableStream(source).pipeThrough(
        new TransformStream<number, number>({}, { highWaterMark: 1 }, { highWaterMark: 0 }),
      );
      await turn();
      const idle = pulled.length;
      expect(idle).toBe(1); // waits at the input of the transform
      const reader = stream.getReader();
      for (let reads = 1; reads < 5; reads++) {
        expect(await reader.read()).toEqual(value(reads - 1));
        await turn();
        expect(pulled).toHaveLength(reads + 1);
      }
      await reader.cancel();
    });

    it('is seen by merged sources: not one more is emitted', async () => {
      let emitted = 0;
      const sources = numbers(10).map(() => counted().source);
      const reader = await open(merge(...sources).pipe(tap(() => emitted++)));
      for (let reads = 1; reads < 5; reads++) {
        await reader.read();
        await turn();
        expect(emitted).toBe(reads);
      }
      await reader.cancel();
    });

    it('is seen by bufferedMergeMap', async () => {
      const { pulled, source } = counted();
      const reader = await open(source.pipe(bufferedMergeMap((i) => of(i), { concurrent: 2, highWaterMark: 1 })));
      await reader.read();
      await turn();
      expect(pulled).toEqual([0, 1, 2, 3]); // one given, two results wait in their slots, one waits for a slot
      await reader.cancel();
    });
  });

  describe('a source that cannot wait', () => {
    it.each([
      ['drop-oldest', [0, 3, 4], [1, 2]],
      ['drop-newest', [0, 1, 2], [3, 4]],
      ['drop-buffer', [0, 3, 4], [1, 2]],
    ] as [Overflow, number[], number[]][])('overflow: %s', async (overflow, kept, gone) => {
      const onDrop = vi.fn();
      expect(await readAll(toReadableStream(range(0, 5), { bufferSize: 2, overflow, onDrop }))).toEqual(kept);
      expect(onDrop.mock.calls).toEqual(gone.map((each) => [each, 'overflow']));
    });

    it('overflow: error, after the values that wait', async () => {
      const onDrop = vi.fn();
      const reader = await open(range(0, 5), { bufferSize: 2, onDrop, name: 'feed' });
      for (const i of numbers(3)) expect(await reader.read()).toEqual(value(i));
      const error: unknown = await reader.read().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(BufferOverflowError);
      expect(error).toMatchObject({ where: "toReadableStream 'feed'", waiting: 2 });
      expect(onDrop.mock.calls).toEqual([[3, 'overflow']]);
    });
  });

  describe('an error of the source', () => {
    it('comes after the values that came before it, however many the reader is behind', async () => {
      const error = new Error('source');
      const failing = concat(
        from(numbers(50)),
        throwError(() => error),
      );
      const reader = await open(failing, { highWaterMark: 10 });
      for (const i of numbers(50)) {
        expect(await reader.read()).toEqual(value(i));
        await turn();
      }
      await expect(reader.read()).rejects.toBe(error);
      await expect(reader.closed).rejects.toBe(error);
    });

    it('is whatever it is', async () => {
      await expect((await open(throwError(() => undefined))).read()).rejects.toBeUndefined();
    });

    it('aborts what it is piped to, with the error', async () => {
      const error = new Error('source');
      const abort = vi.fn();
      const failing = concat(
        of(1),
        throwError(() => error),
      );
      await expect(toReadableStream(failing).pipeTo(new WritableStream({ abort }))).rejects.toBe(error);
      expect(abort).toHaveBeenCalledWith(error);
    });

    it('waits for the clean-up', async () => {
      const cleanup = deferred();
      const reader = await open(
        cleaning(
          cleanup.promise,
          throwError(() => 'source'),
        ),
      );
      const read = reader.read();
      expect(await outcomes(read)).toEqual(['pending']);
      cleanup.resolve();
      expect(await outcomes(read)).toEqual([['error', 'source']]);
    });

    it('that nobody has read by then is forgotten on cancel()', async () => {
      const reader = await open(
        concat(
          of(1, 2),
          throwError(() => new Error('source')),
        ),
      );
      await reader.read();
      await reader.cancel();
      expect(await reader.read()).toEqual(done);
    });
  });

  describe('cancel()', () => {
    it('unsubscribes at once, and ends the reads that wait', async () => {
      const source = new Subject<number>();
      const reader = await open(source);
      const reads = [reader.read(), reader.read()];
      expect(source.observed).toBe(true);
      const cancelled = reader.cancel('reason');
      expect(source.observed).toBe(false);
      expect(await outcomes(...reads, cancelled, reader.closed)).toEqual([done, done, undefined, undefined]);
    });

    it('settles after the finally of a generator has run', async () => {
      const log: string[] = [];
      const cleanup = deferred();
      const reader = await open(
        fromPull(async function* () {
          try {
            yield* numbers(10);
          } finally {
            log.push('finally');
            await cleanup.promise;
            log.push('cleaned');
          }
        }),
      );
      await reader.read();
      const cancelled = reader.cancel();
      expect(await outcomes(cancelled)).toEqual(['pending']);
      expect(log).toEqual(['finally']);
      cleanup.resolve();
      await cancelled;
      expect(log).toEqual(['finally', 'cleaned']);
    });

    it('in the middle of a pipe leaves nothing: the other end fails, and the source is cleaned up before pipeTo settles', async () => {
      const log: string[] = [];
      const source = fromPull(async function* () {
        try {
          for (let i = 0; ; i++) yield i;
        } finally {
          await settle(5);
          log.push('cleaned');
        }
      });
      const full = new WritableStream<number>({
        write: (i) => {
          if (i === 3) throw new Error('full');
        },
      });
      await expect(toReadableStream(source).pipeTo(full)).rejects.toThrow('full');
      expect(log).toEqual(['cleaned']);
    });

    it('rejects with a clean-up that fails, when all of it has settled', async () => {
      const slow = deferred();
      const failing = deferred();
      const reader = await open(merge(cleaning(failing.promise), cleaning(slow.promise)));
      void reader.read();
      const cancelled = reader.cancel();
      failing.reject(new Error('cleanup'));
      expect(await outcomes(cancelled)).toEqual(['pending']);
      slow.resolve();
      expect(await outcomes(cancelled)).toEqual([['error', new Error('cleanup')]]);
    });

    it('rejects with what a teardown throws', async () => {
      const reader = await open(
        NEVER.pipe(
          finalize(() => {
            throw new Error('teardown');
          }),
        ),
      );
      void reader.read();
      await expect(reader.cancel()).rejects.toThrow('teardown');
    });

    it('rejects when the clean-up hangs, after cleanupTimeout, and leaves no timer', async () => {
      vi.useFakeTimers();
      const cleanup = deferred();
      const reader = await open(cleaning(cleanup.promise), { cleanupTimeout: 100, name: 'feed' });
      void reader.read();
      const cancelled = outcome(reader.cancel('why'));
      await vi.advanceTimersByTimeAsync(99);
      expect(cancelled.is).toBe('pending');
      await vi.advanceTimersByTimeAsync(1);
      expect(cancelled.is).toBeInstanceOf(CleanupTimeoutError);
      expect(cancelled.is).toMatchObject({
        where: "toReadableStream 'feed'",
        cleanupTimeout: 100,
        cause: 'why',
        cleanupError: undefined,
      });
      expect(vi.getTimerCount()).toBe(0);
      vi.useRealTimers();
      cleanup.reject(new Error('late'));
      expect(await reported(unhandled)).toEqual(new Error('late'));
    });

    it('leaves no timer when the clean-up settles in time', async () => {
      const cleanup = deferred();
      const reader = await open(cleaning(cleanup.promise));
      vi.useFakeTimers();
      void reader.read();
      const cancelled = reader.cancel();
      expect(vi.getTimerCount()).toBe(1);
      cleanup.resolve();
      await cancelled;
      expect(vi.getTimerCount()).toBe(0);
    });

    it('hands what waits to onDrop', async () => {
      const onDrop = vi.fn();
      const reader = await open(of(1, 2, 3), { onDrop });
      await reader.read();
      await reader.cancel();
      expect(onDrop.mock.calls).toEqual([
        [2, 'unsubscribe'],
        [3, 'unsubscribe'],
      ]);
    });

    it('rejects with what onDrop throws', async () => {
      const reader = await open(of(1, 2), {
        onDrop: () => {
          throw new Error('onDrop');
        },
      });
      await reader.read();
      await expect(reader.cancel()).rejects.toThrow('onDrop');
    });

    it('inside a synchronous emission of the source', async () => {
      const reader: ReadableStreamDefaultReader<number> = await open(
        range(0, 10).pipe(
          tap((i) => {
            if (i === 1) void reader.cancel();
          }),
        ),
      );
      expect(await reader.read()).toEqual(value(0));
      expect(await reader.read()).toEqual(done);
    });

    it('inside the first emission: what is on its way goes nowhere, and breaks nothing', async () => {
      const source = new Subject<number>();
      const reader: ReadableStreamDefaultReader<number> = await open(source.pipe(tap(() => void reader.cancel())));
      const read = reader.read();
      source.next(1);
      expect(await read).toEqual(done);
    });
  });

  it('reports a clean-up that fails after the source has ended by itself', async () => {
    expect(await readAll(toReadableStream(cleaning(Promise.reject(new Error('cleanup')), of(1))))).toEqual([1]);
    expect(await reported(unhandled)).toEqual(new Error('cleanup'));
  });

  describe('reports a teardown that throws after a synchronous end, and gives everything all the same', () => {
    const ending = (end: (subscriber: Subscriber<number>) => void) =>
      new Observable<number>((subscriber) => {
        for (const each of [1, 2, 3]) subscriber.next(each);
        end(subscriber);
        return () => {
          throw new Error('teardown');
        };
      });
    const teardownFailed = expect.objectContaining({ message: 'teardown' }) as unknown;

    it('when the source has completed', async () => {
      const source = ending((subscriber) => {
        subscriber.complete();
      });
      expect(await readAll(toReadableStream(source))).toEqual([1, 2, 3]);
      expect(await reported(unhandled)).toEqual(teardownFailed);
    });

    it('when the source has failed, which is the error', async () => {
      const reader = await open(
        ending((subscriber) => {
          subscriber.error(new Error('source'));
        }),
      );
      for (const each of [1, 2, 3]) expect(await reader.read()).toEqual(value(each));
      await expect(reader.read()).rejects.toThrow('source');
      expect(await reported(unhandled)).toEqual(teardownFailed);
    });
  });

  it('errors when the source cannot be subscribed to', async () => {
    const broken = Object.assign(new Observable<number>(), {
      subscribe: () => {
        throw new Error('no source');
      },
    });
    await expect((await open(broken)).read()).rejects.toThrow('no source');
  });

  it('gives the source back when the reader changes', async () => {
    const { pulled, source } = counted();
    const stream = toReadableStream(source);
    const first = stream.getReader();
    expect(await first.read()).toEqual(value(0));
    first.releaseLock();
    const second = stream.getReader();
    expect(await second.read()).toEqual(value(1));
    await second.cancel();
    expect(pulled).toEqual([0, 1]);
  });

  it('keeps a value that comes for a reader who has left, for the next', async () => {
    const source = new Subject<number>();
    const stream = toReadableStream(source);
    const first = stream.getReader();
    await settle();
    const left = outcomes(first.read());
    first.releaseLock();
    await left;
    source.next(1);
    source.next(2);
    source.error('source');
    const second = stream.getReader();
    expect(await second.read()).toEqual(value(1));
    expect(await second.read()).toEqual(value(2));
    await expect(second.read()).rejects.toBe('source');
  });

  it('is no byte stream', () => {
    expect(() => toReadableStream(of(new Uint8Array(1))).getReader({ mode: 'byob' })).toThrow(TypeError);
  });

  describe('with the streams of the platform', () => {
    const rows = numbers(3000).map((id) => ({ id, text: `ä ${'x'.repeat(id % 50)}` }));
    const bytes = () => toReadableStream(fromPull(rows).pipe(formatJsonLines())).pipeThrough(new TextEncoderStream());

    it.each(['gzip', 'deflate'] as const)('compressed with %s and back, is the same', async (format) => {
      const back = bytes()
        .pipeThrough(new CompressionStream(format) as TransformStream<Uint8Array, Uint8Array>)
        .pipeThrough(new DecompressionStream(format) as TransformStream<Uint8Array, Uint8Array>);
      expect(await lastValueFrom(fromPull<Uint8Array>(back).pipe(parseJsonLines(), toArray()))).toEqual(rows);
    });

    it('as text, decoded again', async () => {
      const text = bytes().pipeThrough(new TextDecoderStream());
      expect((await readAll(text)).join('')).toBe(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    });

    it('hashed', async () => {
      const [one, other] = bytes().tee();
      const digest = async (stream: ReadableStream<Uint8Array>) =>
        new Uint8Array(await crypto.subtle.digest('SHA-256', await new Response(stream as BodyInit).arrayBuffer()));
      const expected = new TextEncoder().encode(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
      const [first, second] = await Promise.all([digest(one), digest(other)]);
      expect(first).toEqual(new Uint8Array(await crypto.subtle.digest('SHA-256', expected)));
      expect(second).toEqual(first);
    });

    it('as the body of a Response', async () => {
      const response = new Response(bytes() as BodyInit);
      expect((await response.text()).split('\n')).toHaveLength(3001);
    });

    it('in both branches of a tee(), and both have to cancel', async () => {
      const source = new Subject<number>();
      const [left, right] = toReadableStream(source).tee();
      const readers = [left.getReader(), right.getReader()] as const;
      await settle();
      const reads = readers.map((reader) => reader.read());
      await settle();
      source.next(1);
      expect(await Promise.all(reads)).toEqual([value(1), value(1)]);
      const first = readers[0].cancel('left');
      expect(source.observed).toBe(true);
      const second = readers[1].cancel('right');
      expect(source.observed).toBe(false);
      await Promise.all([first, second]);
    });

    it('in a for await loop, of which break waits for the clean-up', async () => {
      const log: unknown[] = [];
      const source = fromPull(async function* () {
        try {
          yield* numbers(10);
        } finally {
          await settle(5);
          log.push('cleaned');
        }
      });
      for await (const each of toReadableStream(source) as unknown as AsyncIterable<number>) {
        log.push(each);
        if (each === 2) break;
      }
      log.push('after');
      expect(log).toEqual([0, 1, 2, 'cleaned', 'after']);
    });

    it('transferred to somebody else', async () => {
      const { port1, port2 } = new MessageChannel();
      const arrived = new Promise<ReadableStream<number>>((resolve) => {
        port2.onmessage = ({ data }: MessageEvent<ReadableStream<number>>) => {
          resolve(data);
        };
      });
      const stream = toReadableStream(counted(100).source);
      port1.postMessage(stream, [stream]);
      expect(await readAll(await arrived)).toEqual(numbers(100));
      port1.close();
      port2.close();
    });
  });
});

/** What a promise comes to. */
function outcome(promise: Promise<unknown>): { is: unknown } {
  const found: { is: unknown } = { is: 'pending' };
  promise.then(
    (result) => (found.is = result),
    (error: unknown) => (found.is = error),
  );
  return found;
}
