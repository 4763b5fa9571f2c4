import {
  concat,
  EMPTY,
  from,
  lastValueFrom,
  NEVER,
  Observable,
  of,
  range,
  repeat,
  Subject,
  take,
  throwError,
  toArray,
  VirtualTimeScheduler,
} from 'rxjs';
import { describe, expect, expectTypeOf, it, vi } from 'vitest';
import {
  bufferedMergeMap,
  BufferOverflowError,
  formatJsonLines,
  fromPull,
  parseJsonLines,
  type DropReason,
  type Overflow,
} from '../../src/index.js';
import { WritableEndedError } from '../../src/errors/WritableEndedError.js';
import { operate } from '../../src/internal/operate.js';
import type { PushStream } from '../../src/internal/WebStreamWriter.js';
import { Cleanups } from '../../src/link/Cleanups.js';
import { writeToStream, type WriteToStreamOptions } from '../../src/sinks/writeToStream.js';
import { record } from '../support/record.js';
import { deferred, settle, turn, type Deferred } from '../support/settle.js';
import { counted, numbers, outcomes, readAll } from '../support/streams.js';
import { collectUnhandled, reported } from '../support/unhandled.js';

/** A stream that takes one chunk at a time, each when the test lets it. */
function held(highWaterMark = 2) {
  const chunks: unknown[] = [];
  const ends: unknown[] = [];
  let under: Deferred<void> | undefined;
  let abort: () => void | Promise<void> = () => {};
  let close: () => void | Promise<void> = () => {};
  let controller!: WritableStreamDefaultController;
  const stream = new WritableStream<number>(
    {
      start: (given) => {
        controller = given;
      },
      write: (chunk) => {
        chunks.push(chunk);
        under = deferred();
        return under.promise;
      },
      close: () => {
        ends.push('close');
        return close();
      },
      abort: (reason: unknown) => {
        ends.push(['abort', reason]);
        return abort();
      },
    },
    { highWaterMark },
  );
  return {
    stream,
    chunks,
    /** How it was ended. */
    ends,
    onAbort: (given: typeof abort) => {
      abort = given;
    },
    onClose: (given: typeof close) => {
      close = given;
    },
    error: (error: unknown) => {
      controller.error(error);
    },
    /** Takes the chunk under way, and so the next one. */
    take: async (count = 1) => {
      for (let i = 0; i < count; i++) {
        under?.resolve();
        await settle();
      }
    },
    fail: (error: unknown) => under?.reject(error),
  };
}

/** Subscribes with a scope that waits for clean-up. */
function scoped(source: Observable<unknown>) {
  const cleanups = new Cleanups(undefined);
  const subscriber = operate<unknown, never>({ cleanupScope: cleanups, next: () => {}, error: () => {} });
  source.subscribe(subscriber);
  return { cleanups, subscriber };
}

const writes = (stream: WritableStream<number>, options?: WriteToStreamOptions<number>) =>
  writeToStream(stream, options);

describe('writeToStream', () => {
  const unhandled = collectUnhandled();

  it('refuses wrong arguments', () => {
    const stream = new WritableStream();
    expect(() => writeToStream({} as never)).toThrow(
      new TypeError('writeToStream takes a WritableStream or a function that opens one, got an object'),
    );
    expect(() => writeToStream(undefined as never)).toThrow(TypeError);
    expect(() => writeToStream(stream, 1 as never)).toThrow(new TypeError('options must be an object, got 1'));
    expect(() => writeToStream(stream, { end: 1 as never })).toThrow(new TypeError('end must be a boolean, got 1'));
    expect(() => writeToStream(stream, { bufferSize: -1 })).toThrow(RangeError);
    expect(() => writeToStream(stream, { name: 1 as never })).toThrow(new TypeError('name must be a string, got 1'));
    expect(() => writeToStream(stream, { onDrop: 1 as never })).toThrow(
      new TypeError('onDrop must be a function, got 1'),
    );
  });

  it('takes what the stream takes', () => {
    const operator = writeToStream(new WritableStream<Date>());
    expectTypeOf(operator).toEqualTypeOf<(source: Observable<Date>) => Observable<number>>();
    // @ts-expect-error a number is no date
    void of(1).pipe(writeToStream(new WritableStream<Date>()));
  });

  it('writes, closes, and tells how many it has written when the stream has closed', async () => {
    const { stream, chunks, ends, take: taking, onClose } = held();
    const closing = deferred();
    onClose(() => closing.promise);
    const { log } = record(of(1, 2, 3).pipe(writes(stream)));
    await taking(5);
    expect(chunks).toEqual([1, 2, 3]);
    expect(ends).toEqual(['close']);
    expect(log).toEqual([]);
    closing.resolve();
    await settle();
    expect(log).toEqual([3, 'complete']);
    expect(stream.locked).toBe(false);
  });

  it('completes with an empty source', async () => {
    const { stream, ends } = held();
    expect(await lastValueFrom(EMPTY.pipe(writes(stream)))).toBe(0);
    expect(ends).toEqual(['close']);
    const open = held();
    expect(record(EMPTY.pipe(writes(open.stream, { end: false }))).log).toEqual([0, 'complete']);
    expect([open.stream.locked, open.ends]).toEqual([false, []]);
  });

  it('opens a stream for each subscription where it is given a function', async () => {
    const opened: ReturnType<typeof held>[] = [];
    const open = () => {
      const each = held();
      opened.push(each);
      return each.stream;
    };
    const written = EMPTY.pipe(writeToStream(open), repeat(2), toArray());
    expect(opened).toEqual([]);
    expect(await lastValueFrom(written)).toEqual([0, 0]);
    expect(opened.map(({ ends }) => ends)).toEqual([['close'], ['close']]);
    const nothing = (() => {}) as unknown as () => WritableStream<number>;
    await expect(lastValueFrom(of(1).pipe(writeToStream(nothing)))).rejects.toThrow(/got undefined/);
    const failing = () => {
      throw new Error('open');
    };
    await expect(lastValueFrom(of(1).pipe(writeToStream(failing)))).rejects.toThrow('open');
  });

  describe('a stream that cannot be written', () => {
    it('because somebody else does, is an error, and left alone', async () => {
      const { stream, ends } = held();
      const other = stream.getWriter();
      const source = new Subject<number>();
      const { log } = record(source.pipe(writes(stream, { name: 'out' })));
      expect(log).toEqual([
        ['error', new TypeError("writeToStream 'out': the stream is locked, someone else writes to it")],
      ]);
      expect(source.observed).toBe(false);
      expect(ends).toEqual([]);
      other.releaseLock();
    });

    it.each([true, false])('because it is closed, is an error, whatever the source does (end: %s)', async (end) => {
      for (const source of [of(1), NEVER]) {
        const { stream } = held();
        await stream.close();
        const { log } = record(source.pipe(writes(stream, { end })));
        await settle();
        expect(log).toEqual([['error', new WritableEndedError('writeToStream')]]);
        expect((log[0] as [unknown, Error])[1].message).toContain('writeToStream(() => ...)');
        expect(stream.locked).toBe(false);
      }
    });

    it('because it is closed, is an error with an empty source, too', async () => {
      const { stream } = held();
      await stream.close();
      const { log } = record(EMPTY.pipe(writes(stream)));
      await settle();
      expect(log).toEqual([['error', new WritableEndedError('writeToStream')]]);
    });

    it('because it was subscribed to before, is an error', async () => {
      const { stream } = held();
      const written = EMPTY.pipe(writes(stream));
      await lastValueFrom(written);
      await expect(lastValueFrom(written)).rejects.toThrow(WritableEndedError);
    });

    it('because it has failed, is its error', async () => {
      const { stream, error } = held();
      await settle();
      error('failed');
      const onDrop = vi.fn();
      const { log } = record(of(1).pipe(writes(stream, { onDrop })));
      await settle();
      expect(log).toEqual([['error', 'failed']]);
      expect(onDrop.mock.calls).toEqual([[1, 'error']]);
    });
  });

  describe('while the stream is full', () => {
    it('asks for nothing, and drops and repeats nothing', async () => {
      const { stream, chunks, take: taking } = held(2);
      const { source, pulled } = counted(7);
      const { log } = record(source.pipe(writes(stream)));
      const steps: number[] = [];
      for (let i = 0; i < 8; i++) {
        await turn();
        steps.push(pulled.length);
        await taking();
      }
      expect(steps).toEqual([2, 3, 4, 5, 6, 7, 7, 7]);
      expect(chunks).toEqual(numbers(7));
      await turn();
      expect(log).toEqual([7, 'complete']);
    });

    it('lets highWaterMark values wait', async () => {
      const { stream, chunks, take: taking } = held(2);
      const { source, pulled } = counted(7);
      record(source.pipe(writes(stream, { highWaterMark: 3 })));
      await turn();
      expect(pulled).toHaveLength(5);
      await taking(10);
      expect(chunks).toEqual(numbers(7));
    });

    it('does not ask when the stream is full from the beginning', async () => {
      const { stream, chunks, take: taking } = held(1);
      const writer = stream.getWriter();
      void writer.write(10);
      void writer.write(11);
      writer.releaseLock();
      const { source, pulled } = counted(1);
      const { log } = record(source.pipe(writes(stream)));
      await turn();
      expect(pulled).toHaveLength(0);
      await taking(5);
      expect(chunks).toEqual([10, 11, 0]);
      expect(log).toEqual([1, 'complete']);
    });

    it('keeps what a source that cannot wait emits, in order', async () => {
      const { stream, chunks, take: taking } = held();
      const { log } = record(from(numbers(9)).pipe(writes(stream)));
      await taking(12);
      expect(chunks).toEqual(numbers(9));
      expect(log).toEqual([9, 'complete']);
    });

    it('counts as the stream counts, bytes for example', async () => {
      const stream = new WritableStream<Uint8Array>(
        { write: () => new Promise(() => {}) },
        new ByteLengthQueuingStrategy({ highWaterMark: 100 }),
      );
      let pulled = 0;
      const source = fromPull(function* () {
        for (;;) {
          pulled++;
          yield new Uint8Array(30);
        }
      });
      const { subscription } = record(source.pipe(writeToStream(stream)));
      await turn();
      expect(pulled).toBe(4);
      subscription.unsubscribe();
    });

    it('is asked through operators: bufferedMergeMap holds its results', async () => {
      const { stream, take: taking } = held(1);
      const { source, pulled } = counted();
      const { subscription } = record(
        source.pipe(
          bufferedMergeMap((i) => of(i), { concurrent: 2, highWaterMark: 1 }),
          writes(stream),
        ),
      );
      await turn();
      expect(pulled).toHaveLength(4); // one written, two results wait in their slots, one waits for a slot
      await taking();
      await turn();
      expect(pulled).toHaveLength(5);
      subscription.unsubscribe();
    });

    it.each([
      ['drop-oldest', [0, 1, 4, 5], [2, 3]],
      ['drop-newest', [0, 1, 2, 3], [4, 5]],
      ['drop-buffer', [0, 1, 4, 5], [2, 3]],
    ] as [Overflow, number[], number[]][])('drops what is too much by %s', async (overflow, written, gone) => {
      const { stream, chunks, take: taking } = held();
      const dropped: [number, DropReason][] = [];
      const onDrop = (value: number, reason: DropReason) => dropped.push([value, reason]);
      const { log } = record(range(0, 6).pipe(writes(stream, { bufferSize: 2, overflow, onDrop })));
      await taking(8);
      expect(chunks).toEqual(written);
      expect(dropped).toEqual(gone.map((value) => [value, 'overflow']));
      expect(log).toEqual([4, 'complete']);
    });

    it('errors when too much waits, after that is written', async () => {
      const { stream, chunks, ends, take: taking } = held();
      const source = new Subject<number>();
      const { log } = record(source.pipe(writes(stream, { bufferSize: 1, name: 'out' })));
      for (const value of numbers(6)) source.next(value);
      expect(source.observed).toBe(false);
      expect(log).toEqual([]);
      await taking(4);
      expect(chunks).toEqual([0, 1, 2]);
      const error = new BufferOverflowError("writeToStream 'out'", 'values', 1);
      expect(log).toEqual([['error', error]]);
      expect(ends).toEqual([['abort', error]]);
    });

    it('outlives an error of the source: what came before is written, then it passes, and the stream is aborted with it', async () => {
      const { stream, chunks, ends, take: taking } = held();
      const error = new Error('source');
      const source = concat(
        from(numbers(5)),
        throwError(() => error),
      );
      const { log } = record(source.pipe(writes(stream)));
      await settle();
      await taking(4);
      expect([log, ends]).toEqual([[], []]);
      await taking();
      expect(chunks).toEqual(numbers(5));
      expect(log).toEqual([['error', error]]);
      expect(ends).toEqual([['abort', error]]);
      await settle();
      expect(stream.locked).toBe(false);
    });
  });

  describe('a stream that fails', () => {
    it('is the error, when it has done with the chunk that it is in the middle of', async () => {
      const { stream, error, take: taking } = held(1);
      const { log } = record(concat(of(1), NEVER).pipe(writes(stream)));
      await settle();
      error('stream');
      await settle();
      expect(log).toEqual([]);
      await taking();
      expect(log).toEqual([['error', 'stream']]);
    });

    it('while it writes is the error', async () => {
      const { stream, ends, fail } = held(1);
      const onDrop = vi.fn();
      const source = new Subject<number>();
      const { log } = record(source.pipe(writes(stream, { onDrop })));
      await settle();
      for (const value of numbers(3)) source.next(value);
      const failure = new Error('stream');
      fail(failure);
      await settle();
      expect(log).toEqual([['error', failure]]);
      expect(source.observed).toBe(false);
      expect(onDrop.mock.calls).toEqual([
        [1, 'error'],
        [2, 'error'],
      ]);
      expect(ends).toEqual([]);
      expect(stream.locked).toBe(false);
    });

    it.each([undefined, null, 0, ''])('with %j is no success', async (failure) => {
      const { stream, fail } = held(1);
      const { log } = record(of(1).pipe(writes(stream)));
      await settle();
      fail(failure);
      await settle();
      expect(log).toEqual([['error', failure]]);
    });

    it('while it closes is the error', async () => {
      const { stream, onClose } = held();
      onClose(() => Promise.reject(new Error('close')));
      const { log } = record(EMPTY.pipe(writes(stream)));
      await settle();
      expect(log).toEqual([['error', new Error('close')]]);
      expect(stream.locked).toBe(false);
    });

    it('after the source has failed, is not told: the source came first', async () => {
      const { stream, fail } = held(1);
      const { log } = record(
        concat(
          of(1),
          throwError(() => 'source'),
        ).pipe(writes(stream)),
      );
      await settle();
      fail('stream');
      await settle();
      expect(log).toEqual([['error', 'source']]);
    });

    it('because its size() throws, too', async () => {
      const stream = new WritableStream<number>(
        {},
        {
          size: () => {
            throw new Error('size');
          },
        },
      );
      const { log } = record(concat(of(1), NEVER).pipe(writes(stream)));
      await settle();
      expect(log).toEqual([['error', new Error('size')]]);
    });
  });

  describe('unsubscribed', () => {
    it('aborts the stream with an AbortError at once, drops what waits, and releases the lock', async () => {
      const { stream, ends, take: taking } = held(1);
      const onDrop = vi.fn();
      const { log, subscription } = record(concat(of(0, 1, 2), NEVER).pipe(writes(stream, { onDrop, name: 'out' })));
      await settle();
      subscription.unsubscribe();
      expect(onDrop.mock.calls).toEqual([
        [1, 'unsubscribe'],
        [2, 'unsubscribe'],
      ]);
      await taking();
      expect(ends).toEqual([['abort', expect.objectContaining({ name: 'AbortError' })]]);
      expect((ends[0] as [string, Error])[1].message).toBe("writeToStream 'out' was unsubscribed");
      expect(stream.locked).toBe(false);
      expect(log).toEqual([]);
    });

    it('hands the promise of that to who waits below', async () => {
      const { stream, onAbort } = held();
      const aborting = deferred();
      onAbort(() => aborting.promise);
      const { cleanups, subscriber } = scoped(NEVER.pipe(writes(stream)));
      await settle();
      subscriber.unsubscribe();
      const settled = vi.fn();
      const scheduler = new VirtualTimeScheduler();
      cleanups.whenSettled({ cleanupTimeout: Infinity, scheduler }, settled);
      await settle();
      expect(settled).not.toHaveBeenCalled();
      expect(stream.locked).toBe(true);
      aborting.resolve();
      await settle();
      expect(settled).toHaveBeenCalledTimes(1);
      expect(stream.locked).toBe(false);
    });

    it('reports it where nobody waits, if that fails', async () => {
      const { stream, onAbort } = held();
      onAbort(() => Promise.reject(new Error('abort')));
      const { subscription } = record(NEVER.pipe(writes(stream)));
      await settle();
      subscription.unsubscribe();
      expect(await reported(unhandled)).toEqual(new Error('abort'));
      expect(stream.locked).toBe(false);
    });

    it('counts what waits for whoever asks', async () => {
      const lost = vi.fn();
      const counting = (source: Observable<number>) =>
        new Observable<number>((destination) => {
          source.subscribe(operate<number, number>({ destination, lossCounter: { lost } }));
        });
      const { stream } = held(1);
      const { subscription } = record(concat(of(0, 1, 2), NEVER).pipe(writes(stream, { end: false }), counting));
      subscription.unsubscribe();
      expect(lost.mock.calls).toEqual([
        ['waiting', 1],
        ['waiting', 1],
      ]);
      const full = held(1);
      record(range(0, 9).pipe(writes(full.stream, { bufferSize: 1, overflow: 'drop-newest' }), counting));
      expect(lost).toHaveBeenCalledTimes(2); // by overflow is not by an end
    });

    it('leaves the stream alone with end: false, and to others', async () => {
      const { stream, chunks, ends, take: taking } = held(1);
      const source = new Subject<number>();
      const { subscription } = record(source.pipe(writes(stream, { end: false })));
      await settle();
      source.next(0);
      subscription.unsubscribe();
      expect(source.observed).toBe(false);
      expect(stream.locked).toBe(false);
      const { log } = record(of(1).pipe(writes(stream)));
      await taking(4);
      expect(chunks).toEqual([0, 1]);
      expect(ends).toEqual(['close']);
      expect(log).toEqual([1, 'complete']);
    });

    it('within a write of the stream, breaks nothing', async () => {
      for (const end of [true, false]) {
        const source = new Subject<number>();
        const stream = new WritableStream<number>({
          write: () => {
            subscription.unsubscribe();
          },
        });
        const { log, subscription } = record(source.pipe(writes(stream, { end })));
        await settle();
        source.next(1);
        source.next(2);
        await settle();
        expect(log).toEqual([]);
        expect(stream.locked).toBe(false);
      }
    });

    it('while it closes, waits for that', async () => {
      const { stream, ends, onClose } = held();
      const closing = deferred();
      onClose(() => closing.promise);
      const { cleanups, subscriber } = scoped(EMPTY.pipe(writes(stream)));
      await settle();
      expect(ends).toEqual(['close']);
      subscriber.unsubscribe();
      const settled = vi.fn();
      cleanups.whenSettled({ cleanupTimeout: Infinity, scheduler: new VirtualTimeScheduler() }, settled);
      await settle();
      expect(settled).not.toHaveBeenCalled();
      closing.resolve();
      await settle();
      expect(settled).toHaveBeenCalledTimes(1);
      expect(ends).toEqual(['close']);
    });

    it('by take(), when it has told its count', async () => {
      const { stream, ends } = held();
      expect(await lastValueFrom(EMPTY.pipe(writes(stream), take(1)))).toBe(0);
      expect(ends).toEqual(['close']);
      await settle();
      expect(stream.locked).toBe(false);
    });
  });

  describe('with end: false', () => {
    it('completes when everything is written, and leaves the stream open', async () => {
      const { stream, chunks, ends, take: taking } = held();
      const { log } = record(of(1, 2).pipe(writes(stream, { end: false })));
      await settle();
      await taking();
      expect(log).toEqual([]);
      await taking();
      expect(log).toEqual([2, 'complete']);
      expect([chunks, ends, stream.locked]).toEqual([[1, 2], [], false]);
    });

    it('passes the error of the source on, and leaves the stream open', async () => {
      const { stream, ends } = held();
      const { log } = record(throwError(() => 'source').pipe(writes(stream, { end: false })));
      expect(log).toEqual([['error', 'source']]);
      await settle();
      expect([ends, stream.locked]).toEqual([[], false]);
    });
  });

  it('writes what the stream brings about while it writes, in order', async () => {
    const source = new Subject<number>();
    const seen: number[] = [];
    const stream = new WritableStream<number>({
      write: (chunk) => {
        if (chunk % 10 === 0) for (let i = 1; i < 4; i++) source.next(chunk + i);
        seen.push(chunk);
      },
    });
    const { log } = record(source.pipe(writes(stream)));
    await settle();
    source.next(0);
    source.next(10);
    await turn();
    source.complete();
    await turn();
    expect(seen).toEqual([0, 1, 2, 3, 10, 11, 12, 13]);
    expect(log).toEqual([8, 'complete']);
  });

  it('writes no more than the stream wants after it was filled from within a write', async () => {
    const source = new Subject<number>();
    const chunks: number[] = [];
    const takes: (() => void)[] = [];
    const stream = new WritableStream<number>({
      write: (chunk) => {
        chunks.push(chunk);
        if (chunk === 0) for (const i of [1, 2, 3]) source.next(i);
        return new Promise<void>((resolve) => {
          takes.push(resolve);
        });
      },
    });
    const onDrop = vi.fn();
    const { subscription } = record(source.pipe(writes(stream, { onDrop, end: false })));
    await settle();
    source.next(0);
    for (let i = 0; i < 2; i++) {
      takes.shift()?.();
      await settle();
    }
    expect(chunks).toEqual([0, 1, 2]);
    subscription.unsubscribe();
    expect(onDrop.mock.calls).toEqual([[3, 'unsubscribe']]);
    takes.shift()?.();
  });

  it('closes the stream once, and is content with one that tells of its closing before close() does', async () => {
    const closed = deferred();
    const closing = deferred();
    const written = [deferred(), deferred()];
    const calls: unknown[] = [];
    const stream = {
      locked: false,
      getWriter: () => ({
        desiredSize: 5,
        ready: Promise.resolve(),
        closed: closed.promise,
        write: (chunk: number) => {
          calls.push(chunk);
          return (written[chunk] as Deferred<void>).promise;
        },
        close: () => {
          calls.push('close');
          return closing.promise;
        },
        abort: () => Promise.resolve(calls.push('abort')),
        releaseLock: () => calls.push('release'),
      }),
    };
    const { log } = record(of(0, 1).pipe(writeToStream<number>(stream as PushStream<number>)));
    for (const each of written) {
      each.resolve();
      await settle();
    }
    closed.resolve();
    await settle();
    expect(log).toEqual([]);
    closing.resolve();
    await settle();
    expect(log).toEqual([2, 'complete']);
    expect(calls).toEqual([0, 1, 'close', 'release']);
  });

  it('writes a million', async () => {
    let sum = 0;
    const stream = new WritableStream<number>(
      {
        write: (chunk) => {
          sum += chunk;
        },
      },
      { highWaterMark: 16 },
    );
    expect(await lastValueFrom(counted(1_000_000).source.pipe(writes(stream)))).toBe(1_000_000);
    expect(sum).toBe((1_000_000 * 999_999) / 2);
  }, 60_000);

  describe('with the streams of the platform', () => {
    const rows = numbers(2000).map((id) => ({ id, text: `ä ${'x'.repeat(id % 50)}` }));
    const text = rows.map((row) => `${JSON.stringify(row)}\n`).join('');

    it('encodes and compresses, and what comes out is the same', async () => {
      const encoder = new TextEncoderStream();
      const back = encoder.readable
        .pipeThrough(new CompressionStream('gzip') as TransformStream<Uint8Array, Uint8Array>)
        .pipeThrough(new DecompressionStream('gzip') as TransformStream<Uint8Array, Uint8Array>);
      const [written, read] = await Promise.all([
        lastValueFrom(fromPull(rows).pipe(formatJsonLines(), writeToStream(encoder.writable))),
        lastValueFrom(fromPull<Uint8Array>(back).pipe(parseJsonLines(), toArray())),
      ]);
      expect(written).toBe(rows.length);
      expect(read).toEqual(rows);
    });

    it('goes at the pace of who reads at the other end', async () => {
      const { readable, writable } = new TransformStream<number, number>();
      const { source, pulled } = counted(20);
      const written = outcomes(lastValueFrom(source.pipe(writeToStream(writable))));
      const reader = readable.getReader();
      for (let reads = 1; reads < 6; reads++) {
        expect(await reader.read()).toEqual({ done: false, value: reads - 1 });
        await turn();
        expect(pulled).toHaveLength(reads + 1);
      }
      reader.releaseLock();
      await readAll(readable);
      await written;
    });

    it('a reader at the other end that cancels is the error', async () => {
      const { readable, writable } = new TransformStream<number, number>();
      const { log } = record(concat(of(1), NEVER).pipe(writeToStream(writable)));
      await readable.cancel(new Error('enough'));
      await settle();
      expect(log).toEqual([['error', new Error('enough')]]);
    });

    it('a value that a stream does not take is the error', async () => {
      const transform = (chunk: unknown) => {
        if (typeof chunk === 'string') throw new TypeError('no text');
      };
      const { readable, writable } = new TransformStream<unknown, unknown>({ transform });
      const reading = readAll(readable).catch((error: unknown) => error);
      await expect(lastValueFrom(of(1, 'text', 2).pipe(writeToStream(writable)))).rejects.toThrow('no text');
      expect(await reading).toMatchObject({ message: 'no text' });
    });

    it('hashes what comes through, on its way to another stream', async () => {
      const { readable, writable } = new TextEncoderStream();
      const digested = new Response(readable as BodyInit)
        .arrayBuffer()
        .then((bytes) => crypto.subtle.digest('SHA-256', bytes));
      await lastValueFrom(fromPull(rows).pipe(formatJsonLines(), writeToStream(writable)));
      const expected = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
      expect(new Uint8Array(await digested)).toEqual(new Uint8Array(expected));
    });
  });
});
