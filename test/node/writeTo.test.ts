import { createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, get, type Server } from 'node:http';
import { connect, createServer as createSocketServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex, PassThrough, pipeline, Transform, Writable } from 'node:stream';
import { createGunzip, createGzip } from 'node:zlib';
import {
  concat,
  config,
  EMPTY,
  from,
  lastValueFrom,
  map,
  NEVER,
  Observable,
  of,
  repeat,
  Subject,
  throwError,
  toArray,
} from 'rxjs';
import { describe, expect, expectTypeOf, it, onTestFinished } from 'vitest';
import {
  bufferedMergeMap,
  BufferOverflowError,
  formatJsonLines,
  fromPull,
  toAsyncIterable,
  type DropReason,
} from '../../src/index.js';
import { fromReadable, readJsonLines, WritableEndedError, writeTo } from '../../src/node/index.js';
import { settle, turn } from '../support/settle.js';
import { collectUnhandled } from '../support/unhandled.js';

/** A stream that takes one chunk at a time, each when the test lets it. */
function held({
  highWaterMark = 2,
  emitClose = true,
  closes = (callback: (error?: Error | null) => void) => {
    callback();
  },
} = {}) {
  const chunks: unknown[] = [];
  let release: ((error?: Error | null) => void) | undefined;
  const stream = new Writable({
    objectMode: true,
    highWaterMark,
    emitClose,
    write(chunk, _, callback) {
      chunks.push(chunk);
      release = callback;
    },
    destroy(error, callback) {
      closes((failed) => {
        callback(failed ?? error);
      });
    },
  });
  return {
    stream,
    chunks,
    /** Takes the chunk under way, and so the next one. */
    take: async (count = 1) => {
      for (let i = 0; i < count; i++) {
        const callback = release;
        release = undefined;
        callback?.();
        await turn();
      }
    },
    fail: (error: Error) => release?.(error),
  };
}

const listeners = (stream: Writable) => stream.eventNames().reduce((sum, name) => sum + stream.listenerCount(name), 0);

function record(source: Observable<unknown>) {
  const log: unknown[] = [];
  const subscription = source.subscribe({
    next: (value) => log.push(value),
    error: (error: unknown) => log.push(error),
    complete: () => log.push('|'),
  });
  return { log, subscription };
}

/** Numbers, and how many of them have been asked for. */
function counter(limit: number) {
  const pulled = { count: 0 };
  const source = fromPull(function* () {
    for (let i = 0; i < limit; i++) {
      pulled.count++;
      yield i;
    }
  });
  return { source, pulled };
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);

describe('writeTo', () => {
  const unhandled = collectUnhandled();

  it('writes a file, and tells how many values it has written when that is closed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'writeTo-'));
    onTestFinished(() => {
      rmSync(folder, { recursive: true });
    });
    const path = join(folder, 'out.jsonl');
    const stream = createWriteStream(path);
    const values = numbers(20_000).map((id) => ({ id, text: 'ä'.repeat(id % 40) }));
    const written = await lastValueFrom(fromPull(values).pipe(formatJsonLines(), writeTo(stream)));
    expect(written).toBe(20_000);
    expect(stream.closed).toBe(true);
    expect(readFileSync(path, 'utf8')).toBe(values.map((value) => `${JSON.stringify(value)}\n`).join(''));
    const copied = await lastValueFrom(
      readJsonLines(path).pipe(formatJsonLines(), writeTo(createWriteStream(`${path}.copy`))),
    );
    expect(copied).toBe(20_000);
    expect(readFileSync(`${path}.copy`).equals(readFileSync(path))).toBe(true);
  });

  it('tells of a file that cannot be opened', async () => {
    const stream = createWriteStream(join(tmpdir(), 'missing', 'folder', 'file'));
    await expect(lastValueFrom(NEVER.pipe(writeTo(stream)))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('takes strings and bytes, and other values by name', () => {
    const stream = new PassThrough();
    expectTypeOf(writeTo(stream)).toEqualTypeOf<(source: Observable<string | Uint8Array>) => Observable<number>>();
    expectTypeOf(writeTo<Date>(stream)).toEqualTypeOf<(source: Observable<Date>) => Observable<number>>();
    // @ts-expect-error an object is no chunk
    void of({ id: 1 }).pipe(writeTo(stream));
    void of('a', Buffer.from('b')).pipe(writeTo(stream));
  });

  it('refuses wrong arguments', () => {
    const stream = new PassThrough();
    expect(() => writeTo({} as never)).toThrow(
      new TypeError('writeTo takes a Writable or a function that opens one, got an object'),
    );
    expect(() => writeTo(undefined as never)).toThrow(TypeError);
    expect(() => writeTo({ write() {}, end() {}, on() {} } as never)).toThrow(TypeError);
    expect(() => writeTo(stream, 1 as never)).toThrow(new TypeError('options must be an object, got 1'));
    expect(() => writeTo(stream, { end: 1 as never })).toThrow(new TypeError('end must be a boolean, got 1'));
    expect(() => writeTo(stream, { bufferSize: -1 })).toThrow(RangeError);
    expect(() => writeTo(stream, { onDrop: 1 as never })).toThrow(new TypeError('onDrop must be a function, got 1'));
  });

  it('opens a stream for each subscription where it is given a function', async () => {
    const opened: ReturnType<typeof held>[] = [];
    const open = () => {
      opened.push(held());
      return opened[opened.length - 1]?.stream as Writable;
    };
    const written = EMPTY.pipe(writeTo<number>(open), repeat(2), toArray());
    expect(opened).toEqual([]);
    expect(await lastValueFrom(written)).toEqual([0, 0]);
    expect(opened.map(({ stream }) => stream.writableFinished)).toEqual([true, true]);
    const nothing = (() => {}) as unknown as () => Writable;
    await expect(lastValueFrom(EMPTY.pipe(writeTo(nothing)))).rejects.toThrow(/got undefined/);
  });

  it('completes with an empty source', async () => {
    const { stream } = held();
    expect(await lastValueFrom(EMPTY.pipe(writeTo(stream)))).toBe(0);
    expect(stream.closed).toBe(true);
    expect(record(EMPTY.pipe(writeTo(held().stream, { end: false }))).log).toEqual([0, '|']);
  });

  describe('while the stream is full', () => {
    it('asks for nothing, and drops and repeats nothing', async () => {
      const { stream, chunks, take } = held();
      const { source, pulled } = counter(7);
      const { log } = record(source.pipe(writeTo<number>(stream)));
      const steps: number[] = [];
      for (let i = 0; i < 8; i++) {
        await turn();
        steps.push(pulled.count);
        await take();
      }
      // Two fill the stream, which asks for more when it is empty.
      expect(steps).toEqual([2, 2, 4, 4, 6, 6, 7, 7]);
      expect(chunks).toEqual(numbers(7));
      await turn();
      expect(log).toEqual([7, '|']);
    });

    it('lets highWaterMark values wait', async () => {
      const { stream, chunks, take } = held();
      const { source, pulled } = counter(7);
      record(source.pipe(writeTo<number>(stream, { highWaterMark: 3 })));
      await turn();
      expect(pulled.count).toBe(5);
      await take(10);
      expect(chunks).toEqual(numbers(7));
    });

    it('does not ask when the stream is full from the beginning', async () => {
      const { stream, chunks, take } = held();
      stream.write('x');
      stream.write('y');
      const { source, pulled } = counter(1);
      const { log } = record(source.pipe(writeTo<number>(stream)));
      await turn();
      expect(pulled.count).toBe(0);
      await take(3);
      expect(chunks).toEqual(['x', 'y', 0]);
      expect(log).toEqual([1, '|']);
    });

    it('keeps what a source that cannot wait emits, in order', async () => {
      const { stream, chunks, take } = held();
      const { log } = record(from(numbers(9)).pipe(writeTo<number>(stream)));
      await take(12);
      expect(chunks).toEqual(numbers(9));
      expect(log).toEqual([9, '|']);
    });

    it('keeps the order of what the stream itself brings about', async () => {
      const source = new Subject<number>();
      const seen: number[] = [];
      const stream = new Writable({
        objectMode: true,
        highWaterMark: 2,
        write(chunk: number, _, callback) {
          if (chunk % 10 === 0) for (let i = 1; i < 4; i++) source.next(chunk + i);
          seen.push(chunk);
          setImmediate(callback);
        },
      });
      const { log } = record(source.pipe(writeTo<number>(stream)));
      source.next(0);
      source.next(10);
      source.next(20);
      while (seen.length < 12) await turn();
      source.complete();
      while (log.length === 0) await turn();
      // What comes while 0 is written goes behind it, and what comes while 10 is written behind the 20 that waited.
      expect(seen).toEqual([0, 1, 2, 3, 10, 20, 11, 12, 13, 21, 22, 23]);
      expect(log).toEqual([12, '|']);
    });

    const overflowing: ['drop-oldest' | 'drop-newest' | 'drop-buffer', number[], number[]][] = [
      ['drop-oldest', [0, 1, 4, 5], [2, 3]],
      ['drop-newest', [0, 1, 2, 3], [4, 5]],
      ['drop-buffer', [0, 1, 4, 5], [2, 3]],
    ];
    it.each(overflowing)('drops what is too much by %s', async (overflow, written, expected) => {
      const { stream, chunks, take } = held();
      const dropped: [number, DropReason][] = [];
      const onDrop = (value: number, reason: DropReason) => dropped.push([value, reason]);
      const { log } = record(from(numbers(6)).pipe(writeTo<number>(stream, { bufferSize: 2, overflow, onDrop })));
      await take(8);
      expect(chunks).toEqual(written);
      expect(dropped).toEqual(expected.map((value) => [value, 'overflow']));
      expect(log).toEqual([4, '|']);
    });

    it('errors when too much waits, after that is written', async () => {
      const { stream, chunks, take } = held();
      const dropped: unknown[] = [];
      const source = new Subject<number>();
      const { log } = record(
        source.pipe(writeTo<number>(stream, { bufferSize: 1, name: 'out', onDrop: (...drop) => dropped.push(drop) })),
      );
      for (const value of numbers(6)) source.next(value);
      expect(source.observed).toBe(false);
      expect(dropped).toEqual([[3, 'overflow']]);
      expect(log).toEqual([]);
      await take(4);
      expect(chunks).toEqual([0, 1, 2]);
      expect(log).toEqual([new BufferOverflowError("writeTo 'out'", 'values', 1)]);
      expect(stream.destroyed).toBe(true);
    });

    it('errors with what onDrop throws, after what waits is written', async () => {
      const { stream, chunks, take } = held();
      const error = new Error('onDrop');
      const onDrop = () => {
        throw error;
      };
      const source = concat(from(numbers(4)), NEVER);
      const { log } = record(source.pipe(writeTo<number>(stream, { bufferSize: 1, overflow: 'drop-newest', onDrop })));
      await take(4);
      expect(chunks).toEqual([0, 1, 2]);
      expect(log).toEqual([error]);
    });

    it('outlives the completion of the source', async () => {
      const { stream, chunks, take } = held();
      const { log } = record(from(numbers(5)).pipe(writeTo<number>(stream)));
      await take(4);
      expect(log).toEqual([]);
      await take(2);
      expect(chunks).toEqual(numbers(5));
      expect(log).toEqual([5, '|']);
    });

    it('outlives an error of the source: what came before is written, then it passes', async () => {
      const { stream, chunks, take } = held();
      const error = new Error('source');
      const errors: unknown[] = [];
      stream.on('error', (each) => errors.push(each));
      const source = concat(
        from(numbers(5)),
        throwError(() => error),
      );
      const { log } = record(source.pipe(writeTo<number>(stream)));
      await take(4);
      expect(log).toEqual([]);
      await take(2);
      expect(chunks).toEqual(numbers(5));
      expect(log).toEqual([error]);
      expect([stream.destroyed, stream.writableEnded, stream.errored]).toEqual([true, false, error]);
      await turn();
      expect(errors).toEqual([error]);
    });

    it.each([
      ['with an error', new Error('destroyed')],
      ['without one', undefined],
    ])('errors when the stream is destroyed %s, and shows what was not written', async (_, error) => {
      const { stream } = held();
      const dropped: unknown[] = [];
      const source = new Subject<number>();
      const before = listeners(stream);
      const { log } = record(source.pipe(writeTo<number>(stream, { onDrop: (...drop) => dropped.push(drop) })));
      for (const value of numbers(4)) source.next(value);
      stream.destroy(error);
      await turn();
      expect(log).toEqual([error ?? expect.objectContaining({ code: 'ERR_STREAM_PREMATURE_CLOSE' })]);
      expect(dropped).toEqual([
        [2, 'error'],
        [3, 'error'],
      ]);
      expect(source.observed).toBe(false);
      await turn();
      expect(listeners(stream)).toBe(before);
    });

    it('errors when the stream is destroyed after the source has completed', async () => {
      const { stream } = held();
      const { log } = record(from(numbers(4)).pipe(writeTo<number>(stream)));
      stream.destroy();
      await turn();
      expect(log).toEqual([expect.objectContaining({ code: 'ERR_STREAM_PREMATURE_CLOSE' })]);
    });

    it('errors with the source when the stream fails after that', async () => {
      const { stream } = held();
      const error = new Error('source');
      const dropped: unknown[] = [];
      const source = concat(
        from(numbers(3)),
        throwError(() => error),
      );
      const { log } = record(source.pipe(writeTo<number>(stream, { onDrop: (...drop) => dropped.push(drop) })));
      stream.destroy(new Error('stream'));
      await turn();
      expect(log).toEqual([error]);
      expect(dropped).toEqual([[2, 'error']]);
    });

    it('errors with the stream', async () => {
      const { stream, fail } = held();
      const error = new Error('disk full');
      const { log } = record(concat(from(numbers(4)), NEVER).pipe(writeTo<number>(stream)));
      fail(error);
      await turn();
      expect(log).toEqual([error]);
    });

    it.each([true, false])('hangs on nothing when it is unsubscribed (end: %s)', async (end) => {
      const { stream, chunks, take } = held();
      const dropped: unknown[] = [];
      const before = listeners(stream);
      const source = new Subject<number>();
      const { log, subscription } = record(
        source.pipe(writeTo<number>(stream, { end, onDrop: (...drop) => dropped.push(drop) })),
      );
      for (const value of numbers(4)) source.next(value);
      subscription.unsubscribe();
      expect(dropped).toEqual([
        [2, 'unsubscribe'],
        [3, 'unsubscribe'],
      ]);
      expect(source.observed).toBe(false);
      expect(stream.destroyed).toBe(end);
      await turn();
      expect(listeners(stream)).toBe(before);
      await take(3);
      expect(chunks).toEqual(end ? [0] : [0, 1]);
      expect(log).toEqual([]);
    });

    it.each([true, false])('has nothing more to say when it is unsubscribed (end: %s)', async (end) => {
      const said: unknown[] = [];
      config.onStoppedNotification = (notification) => said.push(notification);
      onTestFinished(() => {
        config.onStoppedNotification = null;
      });
      const { stream, take } = held();
      const source = new Subject<number>();
      const { subscription } = record(source.pipe(writeTo<number>(stream, { end })));
      for (const value of numbers(2)) source.next(value);
      source.error(new Error('source'));
      subscription.unsubscribe();
      await take(3);
      await turn();
      expect(said).toEqual([]);
    });

    it('errors with the source, too, when a value that waits cannot be written', async () => {
      const { stream, chunks, take } = held();
      stream.write('x');
      stream.write('y');
      const error = new Error('source');
      const dropped: unknown[] = [];
      const source = concat(
        of<number>(null as never),
        throwError(() => error),
      );
      const { log } = record(source.pipe(writeTo<number>(stream, { onDrop: (...drop) => dropped.push(drop) })));
      await take(3);
      expect([chunks, dropped, log]).toEqual([['x', 'y'], [[null, 'error']], [error]]);
      await turn();
      expect(unhandled.splice(0)).toEqual([expect.objectContaining({ code: 'ERR_STREAM_NULL_VALUES' })]);
    });

    it('reports what onDrop throws when it is unsubscribed', async () => {
      const { stream } = held();
      const error = new Error('onDrop');
      const onDrop = () => {
        throw error;
      };
      record(concat(from(numbers(4)), NEVER).pipe(writeTo<number>(stream, { onDrop }))).subscription.unsubscribe();
      await turn();
      await turn();
      expect(unhandled.splice(0)).toEqual([error, error]);
    });
  });

  describe('destroyed by somebody else', () => {
    const destroyed = expect.objectContaining({
      code: expect.stringMatching(/^ERR_STREAM_(PREMATURE_CLOSE|DESTROYED)$/) as string,
    }) as unknown;
    const slowly = (closes: () => void) => ({
      closes: (callback: () => void) => {
        setTimeout(() => {
          closes();
          callback();
        }, 5);
      },
    });

    it.each(['before', 'after'])('is no success when the source completes %s that', async (when) => {
      let closed = false;
      const { stream, chunks } = held({ highWaterMark: 9, ...slowly(() => (closed = true)) });
      const source = new Subject<number>();
      const { log } = record(source.pipe(writeTo<number>(stream)));
      for (const value of numbers(3)) source.next(value);
      if (when === 'before') source.complete();
      stream.destroy();
      if (when === 'after') source.complete();
      while (!closed) await turn();
      await turn();
      expect([chunks, log]).toEqual([[0], [destroyed]]);
      expect(stream.writableEnded).toBe(when === 'before');
    });

    it('is no success when everything is written but the stream has not finished', async () => {
      const stream = new Writable({
        write(_, __, callback) {
          callback();
        },
        final() {}, // takes for ever
      });
      const { log } = record(of('a').pipe(writeTo(stream)));
      await turn();
      stream.destroy();
      await turn();
      expect(log).toEqual([destroyed]);
    });

    it('is no success when a value is written while it closes', async () => {
      const { stream, take } = held(slowly(() => {}));
      const source = new Subject<number>();
      const { log } = record(source.pipe(writeTo<number>(stream)));
      source.next(0);
      await take();
      stream.destroy();
      source.next(1);
      source.complete();
      await turn();
      await turn();
      expect(log).toEqual([destroyed]);
      expect(stream.writableEnded).toBe(false);
      while (!stream.closed) await turn();
    });

    it('is a success with end: false, if everything has been written', async () => {
      const { stream, take } = held();
      const { log } = record(of(0).pipe(writeTo<number>(stream, { end: false })));
      await take();
      stream.destroy();
      await turn();
      expect(log).toEqual([1, '|']);
    });
  });

  describe("that emits no 'close'", () => {
    it.each([true, false])('errors when it is destroyed while values wait (end: %s)', async (end) => {
      const { stream, take } = held({ highWaterMark: 1, emitClose: false });
      const before = listeners(stream);
      const dropped: unknown[] = [];
      const { log } = record(
        from(numbers(3)).pipe(writeTo<number>(stream, { end, onDrop: (...drop) => dropped.push(drop) })),
      );
      stream.destroy();
      await take();
      await turn();
      expect(log).toEqual([expect.objectContaining({ code: 'ERR_STREAM_PREMATURE_CLOSE' })]);
      expect(dropped).toEqual([
        [1, 'error'],
        [2, 'error'],
      ]);
      await turn();
      expect(listeners(stream)).toBe(before);
    });

    it('errors when more is written after it was destroyed', async () => {
      const { stream } = held({ emitClose: false });
      const source = new Subject<number>();
      const { log } = record(source.pipe(writeTo<number>(stream)));
      stream.destroy();
      source.next(1);
      await turn();
      await turn();
      expect(log).toEqual([expect.objectContaining({ code: 'ERR_STREAM_DESTROYED' })]);
    });
    it('lets nobody wait for that', async () => {
      const { stream } = held({ emitClose: false });
      const before = listeners(stream);
      const iterator = toAsyncIterable(concat(of('x'), NEVER.pipe(writeTo(stream))))[Symbol.asyncIterator]();
      await iterator.next();
      await iterator.return?.();
      expect(stream.destroyed).toBe(true);
      expect(listeners(stream)).toBe(before);
    });

    it('completes, and leaves no listener behind', async () => {
      const { stream, take } = held({ emitClose: false });
      const before = listeners(stream);
      const { log } = record(of(0).pipe(writeTo<number>(stream)));
      await take(3);
      expect(log).toEqual([1, '|']);
      expect(listeners(stream)).toBe(before);
    });
  });

  it('errors with what a stream says that goes on after it could not write', async () => {
    const error = new Error('no space');
    const stream = Object.assign(new PassThrough(), {
      write: (_: unknown, callback: (error: Error) => void) => {
        setImmediate(callback, error);
        return true;
      },
    });
    const { log } = record(concat(of('a'), NEVER).pipe(writeTo(stream as Writable)));
    while (log.length === 0) await turn();
    expect(log).toEqual([error]);
    expect(stream.destroyed).toBe(true);
  });

  it('destroys a stream that fails and does not destroy itself', async () => {
    const error = new Error('disk full');
    const stream = new Writable({
      autoDestroy: false,
      write(_, __, callback) {
        setImmediate(callback, error);
      },
    });
    const { log } = record(of('a').pipe(writeTo(stream)));
    while (log.length === 0) await turn();
    expect(log).toEqual([error]);
    expect(stream.destroyed).toBe(true);
  });

  it('ends the stream once', async () => {
    let ends = 0;
    class Footed extends PassThrough {
      override end(): this {
        ends++;
        this.write('footer');
        return super.end();
      }
    }
    const stream = new Footed();
    const source = of('a', 'b', 'c');
    expect(await lastValueFrom(source.pipe(writeTo(stream)))).toBe(3);
    expect([ends, String(stream.read())]).toEqual([1, 'abcfooter']);
  });

  describe('that is a socket', () => {
    /** A socket of a server whose client goes away without a word when `reset` is called. */
    const open = async () => {
      const server = createSocketServer({ allowHalfOpen: true });
      const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
      client.pause().on('error', () => {});
      const socket = await accepted;
      onTestFinished(() => {
        client.destroy();
        socket.destroy();
        server.close();
      });
      return { socket, reset: () => client.resetAndDestroy() };
    };

    it('does not end the process when it fails after everything is written', async () => {
      const { socket, reset } = await open();
      const before = listeners(socket);
      expect(await lastValueFrom(of('a').pipe(writeTo(socket)))).toBe(1);
      reset();
      while (!socket.closed) await turn();
      expect(socket.errored).toMatchObject({ code: 'ECONNRESET' });
      expect(listeners(socket)).toBeLessThanOrEqual(before);
    });
  });

  it('leaves the errors of a stream that it does not end to others, once it has completed', async () => {
    const { stream, take } = held();
    const error = new Error('later');
    const errors: unknown[] = [];
    record(of(0).pipe(writeTo<number>(stream, { end: false })));
    await take();
    expect(stream.listenerCount('error')).toBe(0);
    stream.on('error', (each) => errors.push(each));
    stream.destroy(error);
    await turn();
    expect(errors).toEqual([error]);
  });

  it('hears the errors of a stream that can be read too, until it has closed', async () => {
    const stream = new Duplex({
      read() {},
      write(_, __, callback) {
        callback();
      },
    });
    const before = listeners(stream);
    expect(await lastValueFrom(of('a').pipe(writeTo(stream)))).toBe(1);
    stream.destroy(new Error('late'));
    await turn();
    expect(listeners(stream)).toBe(before);
  });

  describe('when a teardown of the source throws', () => {
    const error = new Error('source');
    const teardown = new Error('teardown');
    const throwing = () => {
      throw teardown;
    };

    it('reports it, and writes what came before', async () => {
      const { stream, chunks, take } = held();
      const source = new Observable<number>((subscriber) => {
        subscriber.add(throwing);
        for (const value of numbers(4)) subscriber.next(value);
        setTimeout(() => {
          subscriber.error(error);
        });
      });
      const { log } = record(source.pipe(writeTo<number>(stream)));
      await turn();
      await take(5);
      expect([chunks, log]).toEqual([numbers(4), [error]]);
      expect(unhandled.splice(0)).toEqual([expect.objectContaining({ errors: [teardown] })]);
    });

    it.each(['error', 'complete'] as const)('while it is subscribed to, too (%s)', async (end) => {
      const { stream, chunks, take } = held();
      const source = new Observable<number>((subscriber) => {
        for (const value of numbers(4)) subscriber.next(value);
        subscriber[end](error);
        return throwing;
      });
      const { log } = record(source.pipe(writeTo<number>(stream)));
      await take(5);
      expect([chunks, log]).toEqual([numbers(4), end === 'error' ? [error] : [4, '|']]);
      expect(unhandled.splice(0)).toEqual([teardown]);
    });
  });

  it('errors when the source cannot be subscribed to', () => {
    const error = new Error('subscribe');
    const source = Object.assign(new Observable<number>(), {
      subscribe: () => {
        throw error;
      },
    });
    expect(record(source.pipe(writeTo<number>(held().stream))).log).toEqual([error]);
  });

  describe('with end: false', () => {
    it('leaves the stream open, and completes when everything is written', async () => {
      const { stream, chunks, take } = held();
      const before = listeners(stream);
      const { log } = record(from(numbers(2)).pipe(writeTo<number>(stream, { end: false })));
      await take();
      expect(log).toEqual([]);
      await take();
      expect(log).toEqual([2, '|']);
      expect([stream.writableEnded, stream.destroyed]).toEqual([false, false]);
      expect(listeners(stream)).toBe(before);
      const { log: second } = record(of(2).pipe(writeTo<number>(stream, { end: false })));
      await take();
      expect([chunks, second]).toEqual([numbers(3), [1, '|']]);
    });

    it('errors when the last value cannot be written', async () => {
      const { stream, fail } = held();
      const error = new Error('disk full');
      const { log } = record(of(0).pipe(writeTo<number>(stream, { end: false })));
      fail(error);
      await turn();
      expect(log).toEqual([error]);
    });

    it('leaves it open when the source errors', async () => {
      const { stream, chunks, take } = held();
      const error = new Error('source');
      const source = concat(
        of(0),
        throwError(() => error),
      );
      const { log } = record(source.pipe(writeTo<number>(stream, { end: false })));
      await take();
      expect([chunks, log, stream.destroyed]).toEqual([[0], [error], false]);
    });

    it('takes turns with others who write', async () => {
      const { stream, chunks, take } = held();
      const { source, pulled } = counter(2);
      record(source.pipe(writeTo<number>(stream, { end: false })));
      stream.write('other');
      await take(2);
      expect(pulled.count).toBe(2);
      await take(3);
      expect(chunks).toEqual([0, 1, 'other']);
    });
  });

  it.each(['ended', 'destroyed', 'failed'])('errors when the stream has %s before', async (how) => {
    const { stream } = held();
    const error = new Error('before');
    stream.on('error', () => {});
    if (how === 'ended') stream.end();
    else stream.destroy(how === 'failed' ? error : undefined);
    const { source, pulled } = counter(1);
    const { log } = record(source.pipe(writeTo<number>(stream)));
    expect(log).toEqual([expect.any(WritableEndedError)]);
    expect(log[0]).toMatchObject({ name: 'WritableEndedError', where: 'writeTo' });
    expect((log[0] as Error).message).toMatch(/^writeTo: the stream has been ended.*writeTo\(\(\) => \.\.\.\)\.$/);
    expect(pulled.count).toBe(0);
    expect((log[0] as Error).cause).toBe(how === 'failed' ? error : undefined);
    await turn();
  });

  it('errors when somebody else ends the stream', async () => {
    const { stream, take } = held();
    const source = new Subject<number>();
    const { log } = record(source.pipe(writeTo<number>(stream, { name: 'out' })));
    source.next(0);
    stream.end();
    await take();
    expect(log).toEqual([new WritableEndedError("writeTo 'out'")]);
    expect(source.observed).toBe(false);
  });

  it('errors when somebody else ends the stream while values wait', async () => {
    const { stream, take } = held();
    const dropped: unknown[] = [];
    const { log } = record(from(numbers(3)).pipe(writeTo<number>(stream, { onDrop: (...drop) => dropped.push(drop) })));
    stream.end();
    await take(3);
    expect(log).toEqual([expect.any(WritableEndedError)]);
    expect(dropped).toEqual([[2, 'error']]);
  });

  it('completes when a stream that can be read too has taken everything, read or not', async () => {
    const stream = new PassThrough();
    expect(await lastValueFrom(of('a').pipe(writeTo(stream)))).toBe(1);
    expect([stream.writableFinished, stream.readableEnded]).toEqual([true, false]);
  });

  it('errors when somebody else has ended the stream and more is written', async () => {
    const { stream } = held();
    const source = new Subject<number>();
    const { log } = record(source.pipe(writeTo<number>(stream)));
    stream.end();
    source.next(0);
    await turn();
    expect(log).toEqual([expect.objectContaining({ code: 'ERR_STREAM_WRITE_AFTER_END' })]);
  });

  it('errors for a value that the stream does not take, after those before', async () => {
    const chunks: string[] = [];
    const stream = new Writable({
      write(chunk: Buffer, _, callback) {
        chunks.push(String(chunk));
        setImmediate(callback);
      },
    });
    const source = new Subject<string>();
    const { log } = record(source.pipe(writeTo(stream)));
    source.next('a');
    source.next(5 as never);
    expect(source.observed).toBe(false);
    while (log.length === 0) await turn();
    expect(log).toEqual([expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' })]);
    expect(chunks).toEqual(['a']);
  });

  it.each([
    ['and the source has completed', EMPTY],
    ['and the source goes on', NEVER],
  ])('errors for a value that the stream does not take, when its turn comes %s', async (_, rest) => {
    const chunks: string[] = [];
    const dropped: unknown[] = [];
    const stream = new Writable({
      highWaterMark: 1,
      write(chunk: Buffer, _, callback) {
        chunks.push(String(chunk));
        setImmediate(callback);
      },
    });
    const values = ['a', 'b', null, 'c'] as string[];
    const { log } = record(
      concat(from(values), rest).pipe(writeTo(stream, { onDrop: (...drop) => dropped.push(drop) })),
    );
    while (log.length === 0) await turn();
    expect(log).toEqual([expect.objectContaining({ code: 'ERR_STREAM_NULL_VALUES' })]);
    expect(chunks).toEqual(['a', 'b']);
    expect(dropped).toEqual([
      [null, 'error'],
      ['c', 'error'],
    ]);
    expect(stream.destroyed).toBe(true);
  });

  it('leaves no listener behind when it has completed', async () => {
    const { stream, take } = held();
    const before = listeners(stream);
    const { log } = record(of(1).pipe(writeTo<number>(stream)));
    await take(2);
    expect(log).toEqual([1, '|']);
    expect(listeners(stream)).toBe(before);
  });

  describe('that closes slowly', () => {
    const slowly = (error?: Error) =>
      held({
        closes: (callback) => {
          setTimeout(callback, 5, error);
        },
      });

    it('completes when it has closed', async () => {
      const { stream, take } = slowly();
      const result = lastValueFrom(of(1).pipe(writeTo<number>(stream)));
      await take();
      expect(await result).toBe(1);
      expect(stream.closed).toBe(true);
    });

    it('lets those wait that wait for clean-up', async () => {
      const streams: Writable[] = [];
      const iterator = toAsyncIterable(
        of(1).pipe(
          bufferedMergeMap(() => {
            const { stream } = slowly();
            streams.push(stream);
            return concat(of('x'), NEVER.pipe(writeTo(stream)));
          }),
        ),
      )[Symbol.asyncIterator]();
      await iterator.next();
      await settle();
      await iterator.return?.();
      expect(streams.map((stream) => stream.closed)).toEqual([true]);
    });

    it('tells those of a failure to close', async () => {
      const error = new Error('close');
      const { stream } = slowly(error);
      const written = concat(of('x'), NEVER.pipe(writeTo(stream)));
      const iterator = toAsyncIterable(written)[Symbol.asyncIterator]();
      await iterator.next();
      await expect(iterator.return?.()).rejects.toBe(error);
    });

    it('reports a failure to close that nobody waits for', async () => {
      const error = new Error('close');
      const { stream } = slowly(error);
      record(NEVER.pipe(writeTo(stream))).subscription.unsubscribe();
      while (!stream.closed) await turn();
      await turn();
      expect(unhandled.splice(0)).toEqual([error]);
    });
  });

  it('goes on through transforms', async () => {
    const gzip = createGzip();
    const collected: Buffer[] = [];
    const out = pipeline(
      gzip,
      createGunzip(),
      new Transform({
        transform: (chunk, _, done) => {
          done(null, chunk);
        },
      }),
      () => {},
    );
    const read = fromReadable(() => out).forEach((chunk) => collected.push(chunk));
    const text = 'abcdefghij'.repeat(5_000);
    const chunks = Array.from({ length: 100 }, (_, i) => `${i}${text}`);
    expect(await lastValueFrom(fromPull(chunks).pipe(writeTo(gzip)))).toBe(100);
    await read;
    expect(Buffer.concat(collected).toString()).toBe(chunks.join(''));
  });

  describe('to a response of an HTTP server', () => {
    const serve = async (answer: () => Observable<string>) => {
      const results: unknown[] = [];
      const server: Server = createServer((_, response) => {
        answer()
          .pipe(writeTo(response))
          .subscribe({
            next: (written) => results.push(written),
            error: (error: unknown) => results.push(error),
          });
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      onTestFinished(() => {
        server.closeAllConnections();
        server.close();
      });
      return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, results };
    };

    it('sends everything', async () => {
      const text = 'x'.repeat(10_000);
      const { url, results } = await serve(() => fromPull(Array.from({ length: 200 }, () => text)));
      expect(await (await fetch(url)).text()).toBe(text.repeat(200));
      while (results.length === 0) await turn();
      expect(results).toEqual([200]);
    });

    it('does not end as if it were whole when the source errors', async () => {
      const error = new Error('source');
      const { url, results } = await serve(() =>
        concat(
          of('half'),
          throwError(() => error),
        ),
      );
      await expect(fetch(url).then((response) => response.text())).rejects.toThrow();
      expect(results).toEqual([error]);
    });

    it('errors when the client goes away while it is blocked', async () => {
      const { source } = counter(Infinity);
      const { url, results } = await serve(() => source.pipe(map(() => 'x'.repeat(10_000))));
      const request = get(url, (response) => {
        response.once('data', () => {
          response.pause();
          setTimeout(() => request.destroy(), 20);
        });
      });
      request.on('error', () => {});
      while (results.length === 0) await turn();
      expect(results).toEqual([expect.any(Error)]);
    });
  });
});
