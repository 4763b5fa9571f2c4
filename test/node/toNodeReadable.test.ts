import { createHash } from 'node:crypto';
import { PassThrough, Readable, Writable, type Transform } from 'node:stream';
import { text } from 'node:stream/consumers';
import { finished, pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import {
  concat,
  EMPTY,
  finalize,
  from,
  lastValueFrom,
  NEVER,
  Observable,
  of,
  range,
  Subject,
  tap,
  throwError,
  toArray,
} from 'rxjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  BufferOverflowError,
  CleanupTimeoutError,
  formatJsonLines,
  fromPull,
  parseJsonLines,
  type Overflow,
} from '../../src/index.js';
import { fromReadable, writeTo } from '../../src/node/index.js';
import { toNodeReadable, type ToNodeReadableOptions } from '../../src/node/toNodeReadable.js';
import { deferred, settle, turn } from '../support/settle.js';
import { cleaning, counted, numbers } from '../support/streams.js';
import { collectUnhandled, reported } from '../support/unhandled.js';

/** What a stream tells, in order. */
function listen(stream: Readable) {
  const log: unknown[] = [];
  stream.on('end', () => log.push('end'));
  stream.on('error', (error) => log.push(['error', error]));
  stream.on('close', () => log.push('close'));
  return log;
}

/** As many chunks as there are, taken by hand. */
function taken(stream: Readable) {
  const chunks: unknown[] = [];
  for (let chunk: unknown; (chunk = stream.read()) !== null;) chunks.push(chunk);
  return chunks;
}

/** Waits until it can be read, and reads one. */
async function readOne(stream: Readable): Promise<unknown> {
  for (;;) {
    const chunk: unknown = stream.read();
    if (chunk !== null) return chunk;
    await turn();
  }
}

const failingAfter = (count: number, error: unknown) =>
  concat(
    range(0, count),
    throwError(() => error),
  );

/** Counts what was pulled. */
function asked(values: readonly string[]) {
  let count = 0;
  const source = fromPull(function* () {
    for (const value of values) {
      count++;
      yield value;
    }
  });
  return { source, pulled: () => count };
}

/** Nobody hears of it before the stream is destroyed. */
function rejected(error: unknown): Promise<never> {
  const promise = Promise.reject(error);
  promise.catch(() => {});
  return promise;
}

describe('toNodeReadable', () => {
  const unhandled = collectUnhandled();

  afterEach(() => {
    vi.useRealTimers();
  });

  it.each([
    [{ highWaterMark: -1 }, RangeError, 'highWaterMark must be a non-negative integer or Infinity, got -1'],
    [{ objectMode: 1 as never }, TypeError, 'objectMode must be a boolean, got 1'],
    [{ onDrop: 1 as never }, TypeError, 'onDrop must be a function, got 1'],
    [{ name: 1 as never }, TypeError, 'name must be a string, got 1'],
    [
      { cleanupTimeout: -1 },
      RangeError,
      'cleanupTimeout must be a number of milliseconds from 0 to 2147483647 or Infinity, got -1',
    ],
    [10 as never, TypeError, 'options must be an object, got 10'],
  ] as [ToNodeReadableOptions<number>, typeof Error, string][])('refuses %o', (options, Class, message) => {
    expect(() => toNodeReadable(of(1), options)).toThrow(new Class(message));
  });

  it('refuses what is no source', () => {
    expect(() => toNodeReadable(undefined as never)).toThrow(TypeError);
  });

  it('subscribes when it is first read, and once', async () => {
    const subscribe = vi.fn();
    const stream = toNodeReadable(new Observable<number>(subscribe), { highWaterMark: 5 });
    await turn();
    expect(subscribe).toHaveBeenCalledTimes(0);
    stream.read();
    expect(subscribe).toHaveBeenCalledTimes(1);
    stream.read();
    await turn();
    expect(subscribe).toHaveBeenCalledTimes(1);
    stream.destroy();
  });

  it('never subscribes, if it is destroyed before', async () => {
    const subscribe = vi.fn();
    const stream = toNodeReadable(new Observable<number>(subscribe));
    const log = listen(stream);
    stream.destroy();
    await turn();
    expect(log).toEqual(['close']);
    expect(subscribe).not.toHaveBeenCalled();
  });

  describe('gives', () => {
    it('the values, then ends and closes', async () => {
      const stream = toNodeReadable(of({ id: 1 }, { id: 2 }));
      const log = listen(stream);
      stream.on('data', (chunk) => log.push(chunk));
      await turn();
      expect(log).toEqual([{ id: 1 }, { id: 2 }, 'end', 'close']);
      expect(await toNodeReadable(EMPTY).toArray()).toEqual([]);
    });

    it.each([0, false, '', NaN])('%o as a value', async (value) => {
      expect(await toNodeReadable(of(value)).toArray()).toEqual([value]);
    });

    it('what comes later', async () => {
      const source = new Subject<number>();
      const values = toNodeReadable(source).toArray();
      await turn();
      for (const value of numbers(5)) {
        source.next(value);
        if (value % 2) await turn();
      }
      source.complete();
      expect(await values).toEqual(numbers(5));
    });

    it('bytes, of strings and of Uint8Arrays', async () => {
      const bytes = toNodeReadable(of('ä', new Uint8Array([65]), Buffer.from('b')), { objectMode: false });
      expect(bytes.readableObjectMode).toBe(false);
      expect(await text(bytes)).toBe('äAb');
    });

    it('bytes of exactly the length that is asked for', async () => {
      const stream = toNodeReadable(fromPull(['ab', 'cd', 'ef', 'g']), { objectMode: false });
      const log = listen(stream);
      const parts: string[] = [];
      stream.on('readable', () => {
        for (let part: Buffer | null; (part = stream.read(3) as Buffer | null);) parts.push(part.toString());
      });
      await finished(stream);
      expect(parts).toEqual(['abc', 'def', 'g']);
      await turn();
      expect(log).toEqual(['end', 'close']);
    });

    it('nothing for an empty chunk of bytes, and goes on, a hundred thousand times', async () => {
      const chunks = function* () {
        yield '';
        yield 'a';
        for (let i = 0; i < 100_000; i++) yield i % 2 ? '' : new Uint8Array(0);
        yield 'b';
      };
      expect(await text(toNodeReadable(fromPull(chunks), { objectMode: false }))).toBe('ab');
      const pushed = from([...chunks()]);
      expect(await text(toNodeReadable(pushed, { objectMode: false, bufferSize: Infinity }))).toBe('ab');
    });

    it.each([
      ['utf8', '😀b'],
      ['base64', '8J+YgGI='],
    ] as const)('text, of bytes that end within a character: %s', async (encoding, expected) => {
      const bytes = [...Buffer.from('😀b')].map((byte) => new Uint8Array([byte]));
      const read = async (how: (stream: Readable) => Promise<string>) => {
        const stream = toNodeReadable(fromPull(bytes), { objectMode: false }).setEncoding(encoding);
        const stuck = setTimeout(() => stream.destroy(new Error('never asks again')), 1000);
        return how(stream).finally(() => {
          clearTimeout(stuck);
        });
      };
      const looped = read(async (stream) => {
        let all = '';
        for await (const part of stream) all += part as string;
        return all;
      });
      const flowing = read(async (stream) => {
        let all = '';
        stream.on('data', (part) => (all += part as string));
        await finished(stream);
        return all;
      });
      expect(await Promise.all([looped, flowing])).toEqual([expected, expected]);
    });

    it('no more text than is asked for', async () => {
      const { source, pulled } = asked(['a', 'b', 'c']);
      const stream = toNodeReadable(source, { objectMode: false }).setEncoding('utf8');
      expect(await readOne(stream)).toBe('a');
      await turn();
      expect(pulled()).toBe(1);
      stream.once('data', () => stream.pause());
      await turn();
      await turn();
      expect(pulled()).toBe(2);
    });

    it('a million, in order', async () => {
      let next = 0;
      for await (const value of toNodeReadable(counted(1_000_000).source)) {
        if (value !== next++) throw new Error(`got ${String(value)}`);
      }
      expect(next).toBe(1_000_000);
    }, 60_000);
  });

  it('is destroyed with what a listener throws that gets a value at once', async () => {
    const source = new Subject<string>();
    const stream = toNodeReadable(source);
    stream.on('data', () => {
      throw new Error('reader');
    });
    const log = listen(stream);
    await turn();
    source.next('a');
    expect(source.observed).toBe(false);
    await turn();
    expect(log).toEqual([['error', new Error('reader')], 'close']);
  });

  describe('a slow reader', () => {
    it.each([0, 1, 3])('is what fromPull sees: one for each read and %i ahead', async (highWaterMark) => {
      const { pulled, source } = counted();
      const stream = toNodeReadable(source, { highWaterMark });
      await turn();
      expect(pulled).toHaveLength(0);
      for (let reads = 1; reads < 6; reads++) {
        expect(await readOne(stream)).toBe(reads - 1);
        await turn();
        expect(pulled).toHaveLength(reads + highWaterMark);
      }
      stream.destroy();
    });

    it('is seen through a pipe, by as much as the streams between hold', async () => {
      const { pulled, source } = counted();
      const confirms: (() => void)[] = [];
      const slow = new Writable({
        objectMode: true,
        highWaterMark: 2,
        write: (_, __, confirm) => {
          confirms.push(confirm);
        },
      });
      const stream = toNodeReadable(source);
      stream.pipe(slow);
      await turn();
      const idle = pulled.length;
      expect(idle).toBe(2);
      for (let i = 0; i < 4; i++) {
        confirms.shift()?.();
        await turn();
      }
      expect(pulled.length).toBeLessThanOrEqual(6);
      stream.destroy();
    });

    it('is seen in a loop', async () => {
      const { pulled, source } = counted();
      let reads = 0;
      for await (const _ of toNodeReadable(source)) {
        await turn();
        reads++;
        expect(pulled.length).toBeLessThanOrEqual(reads + 1);
        if (reads === 5) break;
      }
    });
  });

  it.each([
    ['drop-oldest', [0, 3, 4], [1, 2]],
    ['drop-newest', [0, 1, 2], [3, 4]],
    ['drop-buffer', [0, 3, 4], [1, 2]],
  ] as [Overflow, number[], number[]][])('overflow: %s', async (overflow, kept, gone) => {
    const onDrop = vi.fn();
    expect(await toNodeReadable(range(0, 5), { bufferSize: 2, overflow, onDrop }).toArray()).toEqual(kept);
    expect(onDrop.mock.calls).toEqual(gone.map((each) => [each, 'overflow']));
  });

  it('overflow: error, after the values that wait', async () => {
    const stream = toNodeReadable(range(0, 5), { bufferSize: 2, name: 'feed' });
    for (const i of numbers(3)) expect(await readOne(stream)).toBe(i);
    const log = listen(stream);
    stream.read();
    await turn();
    expect(log).toEqual([['error', new BufferOverflowError("toNodeReadable 'feed'", 'values', 2)], 'close']);
  });

  describe('an error of the source', () => {
    const error = new Error('source');

    it.each(['data', 'readable', 'loop', 'pipeline'])(
      'comes after the values that came before it (%s)',
      async (way) => {
        const stream = toNodeReadable(failingAfter(20, error), { highWaterMark: 5 });
        const seen: unknown[] = [];
        let told: unknown;
        if (way === 'loop') {
          try {
            for await (const value of stream) {
              await turn();
              seen.push(value);
            }
          } catch (thrown) {
            told = thrown;
          }
        } else if (way === 'pipeline') {
          const slow = new Writable({
            objectMode: true,
            write: (chunk, _, confirm) => {
              seen.push(chunk);
              setImmediate(confirm);
            },
          });
          told = await pipeline(stream, slow).catch((thrown: unknown) => thrown);
          expect(seen.length).toBeGreaterThan(0); // a pipeline destroys its end with it, whatever that still holds
          expect(seen).toEqual(numbers(seen.length));
          seen.splice(0, Infinity, ...numbers(20));
        } else {
          if (way === 'data') stream.on('data', (chunk) => seen.push(chunk));
          else stream.on('readable', () => seen.push(...taken(stream)));
          told = await finished(stream).catch((thrown: unknown) => thrown);
        }
        expect(seen).toEqual(numbers(20));
        expect(told).toBe(error);
      },
    );

    it('comes after the bytes that came before it, also where less came than was asked for', async () => {
      const source = new Subject<string>();
      const stream = toNodeReadable(source, { objectMode: false });
      const log = listen(stream);
      const parts: string[] = [];
      stream.on('readable', () => {
        for (let part: Buffer | null; (part = stream.read(5) as Buffer | null);) parts.push(part.toString());
      });
      await turn();
      source.next('abcdefg');
      await turn();
      source.next('hi');
      await turn();
      source.error(error);
      await turn();
      await turn();
      expect(parts).toEqual(['abcde']);
      expect(log).toEqual([['error', error], 'close']);
    });

    it('comes when the bytes before it have been read, and not sooner', async () => {
      const source = new Subject<string>();
      const stream = toNodeReadable(source, { objectMode: false });
      const log = listen(stream);
      expect(stream.read(4)).toBeNull(); // from now on it reads ahead
      source.next('abcdefg');
      source.error(error);
      await turn();
      await turn();
      expect(log).toEqual([]);
      expect((stream.read(4) as Buffer).toString()).toBe('abcd');
      await turn();
      expect(log).toEqual([]);
      expect((stream.read() as Buffer).toString()).toBe('efg');
      await turn();
      expect(log).toEqual([['error', error], 'close']);
    });

    it.each([undefined, null, '', 0])('that is %o is an Error with it as its cause', async (nothing) => {
      const log = listen(toNodeReadable(failingAfter(0, nothing)).resume());
      await turn();
      expect(log).toEqual([['error', expect.objectContaining({ cause: nothing })], 'close']);
    });

    it('waits for the clean-up', async () => {
      const cleanup = deferred();
      const log = listen(toNodeReadable(cleaning(cleanup.promise, failingAfter(1, error))).resume());
      await turn();
      expect(log).toEqual([]);
      cleanup.resolve();
      await turn();
      expect(log).toEqual([['error', error], 'close']);
    });
  });

  describe('a value that it cannot give is an error, after what came before', () => {
    it.each([null, undefined])('%o', async (nothing) => {
      const onDrop = vi.fn();
      const source = new Subject<number | null | undefined>();
      const stream = toNodeReadable(source, { name: 'out', onDrop });
      const seen: unknown[] = [];
      stream.on('data', (chunk) => seen.push(chunk));
      const log = listen(stream);
      await turn();
      source.next(1);
      source.next(nothing);
      source.next(2);
      await turn();
      expect(seen).toEqual([1]);
      const message = `toNodeReadable 'out': null ends a stream, and undefined is no value, got ${String(nothing)}`;
      expect(log).toEqual([['error', new TypeError(message)], 'close']);
      expect(onDrop.mock.calls).toEqual([
        [nothing, 'error'],
        [2, 'unsubscribe'],
      ]);
      expect(source.observed).toBe(false);
    });

    it.each([1, { id: 1 }, null])('%o in a stream of bytes', async (value) => {
      const stream = toNodeReadable(of('a', value), { objectMode: false });
      const seen: unknown[] = [];
      stream.on('data', (chunk) => seen.push(String(chunk)));
      const log = listen(stream);
      await turn();
      expect(seen).toEqual(['a']);
      expect(log).toEqual([['error', expect.any(TypeError)], 'close']);
    });

    it('which have to be read first; what comes behind it is not given', async () => {
      const source = new Subject<unknown>();
      const onDrop = vi.fn();
      const stream = toNodeReadable(source, { objectMode: false, onDrop });
      const log = listen(stream);
      expect(stream.read(4)).toBeNull(); // from now on it reads ahead
      source.next('abcdefg');
      await turn();
      source.next(1);
      source.next('x');
      await turn();
      expect(log).toEqual([]);
      expect(String(stream.read(4))).toBe('abcd');
      expect(String(stream.read())).toBe('efg');
      await turn();
      expect(log).toEqual([['error', expect.any(TypeError)], 'close']);
      expect(onDrop.mock.calls).toEqual([
        [1, 'error'],
        ['x', 'unsubscribe'],
      ]);
    });

    it('and an onDrop that throws then is reported', async () => {
      const onDrop = () => {
        throw new Error('onDrop');
      };
      const log = listen(toNodeReadable(of(null), { onDrop }).resume());
      await turn();
      expect(log).toEqual([['error', expect.any(TypeError)], 'close']);
      expect(await reported(unhandled)).toEqual(new Error('onDrop'));
    });
  });

  describe('destroy()', () => {
    it('unsubscribes at once, and hands what waits to onDrop', async () => {
      const source = new Subject<number>();
      const onDrop = vi.fn();
      const stream = toNodeReadable(source, { onDrop });
      stream.read();
      for (const value of numbers(3)) source.next(value);
      stream.destroy();
      expect(source.observed).toBe(false);
      expect(onDrop.mock.calls).toEqual([
        [1, 'unsubscribe'],
        [2, 'unsubscribe'],
      ]);
      await finished(stream).catch(() => {});
    });

    it('closes after the finally of a generator has run, and so does a pipeline whose other end fails', async () => {
      const log: string[] = [];
      const source = fromPull(async function* () {
        try {
          for (let i = 0; ; i++) yield i;
        } finally {
          await settle(5);
          log.push('cleaned');
        }
      });
      const stream = toNodeReadable(source);
      stream.on('close', () => log.push('close'));
      const full = new Writable({
        objectMode: true,
        write: (chunk, _, confirm) => {
          confirm(chunk === 3 ? new Error('full') : null);
        },
      });
      await expect(pipeline(stream, full)).rejects.toThrow('full');
      await turn();
      expect(log).toEqual(['cleaned', 'close']);
    });

    it('ends a loop that breaks off', async () => {
      const source = new Subject<number>();
      const stream = toNodeReadable(source);
      setImmediate(() => {
        source.next(1);
        source.next(2);
      });
      for await (const _ of stream) break;
      expect(source.observed).toBe(false);
      expect(stream.destroyed).toBe(true);
    });

    it('with an error tells that', async () => {
      const stream = toNodeReadable(NEVER).resume();
      const log = listen(stream);
      stream.destroy(new Error('destroyed'));
      await turn();
      expect(log).toEqual([['error', new Error('destroyed')], 'close']);
    });

    it('tells of a clean-up that fails', async () => {
      const stream = toNodeReadable(cleaning(rejected(new Error('cleanup')))).resume();
      await turn();
      const log = listen(stream);
      stream.destroy();
      await turn();
      expect(log).toEqual([['error', new Error('cleanup')], 'close']);
    });

    it('with an error, tells both', async () => {
      const stream = toNodeReadable(cleaning(rejected(new Error('cleanup')))).resume();
      await turn();
      const log = listen(stream);
      stream.destroy(new Error('destroyed'));
      await turn();
      const [[, error]] = log as [[string, AggregateError]];
      expect(error).toBeInstanceOf(AggregateError);
      expect(error.errors).toEqual([new Error('destroyed'), new Error('cleanup')]);
    });

    it('tells of a clean-up that fails with nothing', async () => {
      const stream = toNodeReadable(cleaning(rejected(undefined))).resume();
      await turn();
      const log = listen(stream);
      stream.destroy();
      await turn();
      expect(log).toEqual([['error', expect.any(Error)], 'close']);
    });

    it('tells what a teardown throws', async () => {
      const stream = toNodeReadable(
        NEVER.pipe(
          finalize(() => {
            throw new Error('teardown');
          }),
        ),
      ).resume();
      await turn();
      const log = listen(stream);
      stream.destroy();
      await turn();
      expect(log).toEqual([['error', expect.objectContaining({ errors: [new Error('teardown')] })], 'close']);
    });

    it('closes with a CleanupTimeoutError when the clean-up hangs, and leaves no timer', async () => {
      const cleanup = deferred();
      const stream = toNodeReadable(cleaning(cleanup.promise), { cleanupTimeout: 100 }).resume();
      await turn();
      const log = listen(stream);
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] });
      stream.destroy();
      await vi.advanceTimersByTimeAsync(99);
      expect(log).toEqual([]);
      await vi.advanceTimersByTimeAsync(1);
      expect(vi.getTimerCount()).toBe(0);
      vi.useRealTimers();
      await turn();
      expect(log).toEqual([['error', expect.any(CleanupTimeoutError)], 'close']);
      cleanup.reject(new Error('late'));
      expect(await reported(unhandled)).toEqual(new Error('late'));
    });

    it('inside an emission of the source, breaks nothing', async () => {
      const source = new Subject<number>();
      const stream: Readable = toNodeReadable(source.pipe(tap(() => stream.destroy()))).resume();
      await turn();
      const log = listen(stream);
      source.next(1);
      await turn();
      expect(log).toEqual(['close']);
    });
  });

  describe('with the streams of Node', () => {
    const rows = numbers(3000).map((id) => ({ id, text: `ä ${'x'.repeat(id % 50)}` }));
    const expected = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    const lines = (options?: ToNodeReadableOptions<string>) =>
      toNodeReadable(fromPull(rows).pipe(formatJsonLines()), options);

    it.each([true, false])('compressed and back, is the same (objectMode: %s)', async (objectMode) => {
      const back = lines({ objectMode }).pipe(createGzip()).pipe(createGunzip());
      expect(await lastValueFrom(fromReadable(back).pipe(parseJsonLines(), toArray()))).toEqual(rows);
    });

    it.each([true, false])('hashed in a pipeline, is the same (objectMode: %s)', async (objectMode) => {
      const hash = createHash('sha256');
      await pipeline(lines({ objectMode }), hash);
      expect(hash.digest('hex')).toBe(createHash('sha256').update(expected).digest('hex'));
    });

    it('written again with writeTo, through any stream', async () => {
      const through: Transform = new PassThrough();
      const [written, read] = await Promise.all([
        lastValueFrom(fromReadable(lines()).pipe(writeTo(through))),
        text(through),
      ]);
      expect([written, read]).toEqual([rows.length, expected]);
    });

    it('as a web stream', async () => {
      const { source, pulled } = counted(10);
      const web = Readable.toWeb(toNodeReadable(source), { strategy: { highWaterMark: 0 } });
      const reader = web.getReader();
      expect(await reader.read()).toEqual({ done: false, value: 0 });
      await turn();
      expect(pulled.length).toBeLessThanOrEqual(3);
      await reader.cancel();
    });
  });
});
