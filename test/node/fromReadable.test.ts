import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex, PassThrough, Readable } from 'node:stream';
import {
  catchError,
  concatMap,
  delay,
  firstValueFrom,
  lastValueFrom,
  of,
  repeat,
  retry,
  take,
  toArray,
  type Observable,
} from 'rxjs';
import { afterAll, beforeAll, describe, expect, expectTypeOf, it, vi } from 'vitest';
import { bufferedMergeMap, gatedBy, SourceConsumedError, splitLines, toAsyncIterable } from '../../src/index.js';
import { fromReadable } from '../../src/node/index.js';
import { ManualGate } from '../support/ManualGate.js';
import { record } from '../support/record.js';
import { turn } from '../support/settle.js';
import { collectUnhandled } from '../support/unhandled.js';

let folder: string;
let file: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fromReadable-'));
  file = join(folder, 'numbers.txt');
  writeFileSync(file, Array.from({ length: 10_000 }, (_, i) => `${i}\n`).join(''));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const allOf = <T>(source: Observable<T>) => lastValueFrom(source.pipe(toArray()));

/** How many listeners of others than the stream itself there are. */
const listeners = (stream: Readable) => stream.eventNames().reduce((sum, name) => sum + stream.listenerCount(name), 0);

/** A stream that gives a number whenever it is read, and tells how far it has come. */
function counting({ limit = Infinity, highWaterMark = 1 } = {}) {
  let given = 0;
  const stream = new Readable({
    objectMode: true,
    highWaterMark,
    read() {
      this.push(given < limit ? given++ : null);
    },
  });
  return { stream, given: () => given };
}

describe('fromReadable', () => {
  const unhandled = collectUnhandled();

  it('gives the chunks of a stream, and opens it anew for each subscription', async () => {
    const lines = fromReadable(() => createReadStream(file, { highWaterMark: 1000 })).pipe(splitLines());
    const expected = Array.from({ length: 10_000 }, (_, i) => String(i));
    expect(await allOf(lines)).toEqual(expected);
    expect(await allOf(lines)).toEqual(expected);
  });

  it('gives strings and objects as the stream does', async () => {
    const { stream } = counting({ limit: 3 });
    expect(await allOf(fromReadable<number>(stream))).toEqual([0, 1, 2]);
    expect(await allOf(fromReadable<string>(() => Readable.from(['a']).setEncoding('utf8')))).toEqual(['a']);
    expectTypeOf(fromReadable(() => stream)).toEqualTypeOf<Observable<Buffer>>();
  });

  it('completes with an empty stream', async () => {
    expect(await allOf(fromReadable(() => Readable.from([])))).toEqual([]);
  });

  it('refuses what is no stream', async () => {
    expect(() => fromReadable({} as never)).toThrow(
      new TypeError('fromReadable takes a Readable or a function that opens one, got an object'),
    );
    expect(() => fromReadable(null as never)).toThrow(TypeError);
    expect(() => fromReadable({ read() {}, on() {} } as never)).toThrow(TypeError);
    await expect(firstValueFrom(fromReadable(() => 'path' as never))).rejects.toThrow(/got 'path'/);
    const opening = new Error('opening');
    const open = () => {
      throw opening;
    };
    await expect(firstValueFrom(fromReadable(open))).rejects.toBe(opening);
  });

  it('passes an error of the stream on, after the chunks before', async () => {
    const error = new Error('broken');
    async function* chunks() {
      yield 'a';
      await turn();
      throw error;
    }
    const stream = Readable.from(chunks());
    const seen = fromReadable<string>(stream).pipe(catchError((caught: unknown) => of(caught)));
    expect(await allOf(seen)).toEqual(['a', error]);
    expect(stream.destroyed).toBe(true);
  });

  it('can be retried where it is opened by a function', async () => {
    let attempts = 0;
    const open = () => createReadStream(++attempts < 3 ? join(folder, 'missing') : file, { end: 3 });
    const [chunk] = await allOf(fromReadable(open).pipe(retry(5)));
    expect([attempts, String(chunk)]).toEqual([3, '0\n1\n']);
  });

  it('errors when the stream closes before its end', async () => {
    const stream = new PassThrough();
    const result = lastValueFrom(fromReadable(stream));
    stream.write('a');
    await turn();
    stream.destroy();
    await expect(result).rejects.toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE' });
    expect(listeners(stream)).toBe(listeners(new PassThrough()));
  });

  it('gives nothing more when others destroy the stream, also of what it has read ahead', async () => {
    const { stream, given } = counting({ highWaterMark: 3 });
    const gate = new ManualGate(false);
    const { log } = record(fromReadable(stream).pipe(gatedBy(gate)));
    await turn();
    expect(given()).toBe(3);
    const error = new Error('destroyed');
    stream.destroy(error);
    await turn();
    gate.ready = true;
    await turn();
    expect(log).toEqual([['error', error]]);
  });

  it('errors when the stream has been destroyed before', async () => {
    const stream = new PassThrough().destroy();
    await turn();
    await expect(firstValueFrom(fromReadable(stream))).rejects.toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE' });
  });

  it('errors when a stream that can be read once is subscribed to again', async () => {
    const source = fromReadable<number>(counting({ limit: 2 }).stream).pipe(repeat(2));
    const log: unknown[] = [];
    await source.forEach((value) => log.push(value)).catch((error: unknown) => log.push(error));
    expect(log).toEqual([0, 1, new SourceConsumedError('fromReadable')]);
    expect((log[2] as Error).message).toMatch(
      /^fromReadable: this source can be gone through only once.*fromReadable\(\(\) => \.\.\.\)/,
    );
  });

  it('errors when a stream that can be read once is subscribed to while it is read, or after that', async () => {
    const source = fromReadable(new PassThrough());
    const subscription = source.subscribe();
    await expect(firstValueFrom(source)).rejects.toMatchObject({ name: 'SourceConsumedError', where: 'fromReadable' });
    subscription.unsubscribe();
    await expect(firstValueFrom(source)).rejects.toThrow(SourceConsumedError);
  });

  it('completes when a stream that can be written too has no more to read', async () => {
    const stream = new Duplex({
      read() {
        this.push('a');
        this.push(null);
      },
    });
    expect(String(await allOf(fromReadable(stream)))).toBe('a');
    expect([stream.destroyed, stream.writable]).toEqual([false, true]);
  });

  it('hears the errors of a stream that can be written too, until it has closed', async () => {
    const stream = new Duplex({
      read() {
        this.push(null);
      },
      write(_, __, callback) {
        setImmediate(callback, new Error('late'));
      },
    });
    const before = listeners(stream);
    await allOf(fromReadable(stream));
    stream.write('a');
    while (!stream.closed) await turn();
    expect(listeners(stream)).toBe(before);
  });

  it('gives all that the stream has read ahead as one chunk', async () => {
    const stream = new PassThrough({ encoding: 'utf8' });
    stream.write('a');
    stream.write('b');
    stream.end('c');
    expect(await allOf(fromReadable<string>(stream))).toEqual(['abc']);
  });

  it('errors when others have read the stream to its end', async () => {
    const { stream } = counting({ limit: 2 });
    await stream.toArray();
    await expect(firstValueFrom(fromReadable(stream))).rejects.toThrow(SourceConsumedError);
  });

  it('completes when the file has been closed', async () => {
    const stream = createReadStream(file);
    await allOf(fromReadable(stream));
    expect(stream.closed).toBe(true);
  });

  it('leaves no listener behind at the end', async () => {
    const { stream } = counting({ limit: 3 });
    const before = listeners(stream);
    await allOf(fromReadable(stream));
    expect(listeners(stream)).toBe(before);
  });

  describe('above a consumer that can be full', () => {
    it('reads only what the consumer takes', async () => {
      const { stream, given } = counting();
      const gate = new ManualGate();
      const seen: number[] = [];
      const subscription = fromReadable<number>(stream)
        .pipe(gatedBy(gate))
        .subscribe((value) => {
          seen.push(value);
          gate.ready = false;
        });
      for (let i = 0; i < 5; i++) {
        await turn();
        expect(seen).toHaveLength(i);
        expect(given()).toBeLessThanOrEqual(i + 2); // one is under way in the stream itself, and one in its buffer
        gate.ready = true;
      }
      subscription.unsubscribe();
      await turn();
      expect(gate.waiters.size).toBe(0);
    });

    it('reads at the pace of slow work', async () => {
      const { stream, given } = counting({ limit: 50 });
      let done = 0;
      let most = 0;
      const work = async () => {
        await turn();
        most = Math.max(most, given() - ++done);
      };
      await lastValueFrom(fromReadable(stream).pipe(bufferedMergeMap(work, { concurrent: 2, highWaterMark: 2 })));
      expect(done).toBe(50);
      expect(most).toBeLessThanOrEqual(7);
    });
  });

  describe('unsubscribed', () => {
    it('destroys the stream, also while it waits for data, and leaves no listener behind', async () => {
      const stream = new PassThrough();
      const before = listeners(stream);
      const subscription = fromReadable(stream).subscribe();
      await turn();
      subscription.unsubscribe();
      expect(stream.destroyed).toBe(true);
      await turn();
      expect(listeners(stream)).toBe(before);
    });

    it('destroys a stream that it has not read yet', async () => {
      const stream = createReadStream(file);
      const before = listeners(stream);
      fromReadable(stream).pipe(gatedBy(new ManualGate())).subscribe().unsubscribe();
      expect(stream.destroyed).toBe(true);
      while (!stream.closed) await turn();
      await turn();
      expect(listeners(stream)).toBe(before);
    });

    it('destroys the stream inside next', async () => {
      const { stream } = counting();
      expect(await allOf(fromReadable<number>(stream).pipe(take(2)))).toEqual([0, 1]);
      expect(stream.destroyed).toBe(true);
    });

    /** A stream that takes its time to close. */
    const closing = (error: Error | null = null) =>
      new Readable({
        read() {
          this.push('a');
        },
        destroy(_, callback) {
          setTimeout(() => {
            callback(error);
          }, 5);
        },
      });

    it('lets those wait that wait for clean-up', async () => {
      const streams: Readable[] = [];
      const open = () => {
        const stream = closing();
        streams.push(stream);
        return stream;
      };
      const opened = of(1, 2).pipe(
        bufferedMergeMap(
          () => {
            expect(streams.every((stream) => stream.closed)).toBe(true);
            return fromReadable(open).pipe(take(1));
          },
          { concurrent: 1 },
        ),
      );
      expect(await allOf(opened)).toHaveLength(2);
      expect(streams.map((stream) => stream.closed)).toEqual([true, true]);
    });

    it('tells those of a failure to close', async () => {
      const error = new Error('close');
      const iterator = toAsyncIterable(fromReadable(() => closing(error)))[Symbol.asyncIterator]();
      await iterator.next();
      await expect(iterator.return?.()).rejects.toBe(error);
    });

    it.each([
      ['at once', 0],
      ['slowly', 5],
    ])("lets nobody wait for a stream that emits no 'close' (it closes %s)", async (_, ms) => {
      const stream = new Readable({
        emitClose: false,
        read() {},
        destroy(_, callback) {
          if (ms === 0) callback(null);
          else setTimeout(callback, ms, null);
        },
      });
      const before = listeners(stream);
      stream.push('a');
      const iterator = toAsyncIterable(fromReadable(stream))[Symbol.asyncIterator]();
      await iterator.next();
      await iterator.return?.();
      expect(stream.destroyed).toBe(true);
      if (ms === 0) expect(listeners(stream)).toBe(before);
    });

    it('reports what destroy throws', async () => {
      const error = new Error('destroy');
      const stream = new PassThrough();
      stream.destroy = () => {
        throw error;
      };
      fromReadable(stream).subscribe().unsubscribe();
      await turn();
      await turn();
      expect(unhandled.splice(0)).toEqual([error]);
    });

    it('reports a failure to close that nobody waits for', async () => {
      const error = new Error('close');
      const stream = closing(error);
      await lastValueFrom(fromReadable(stream).pipe(take(1)));
      while (!stream.closed) await turn();
      await turn();
      expect(unhandled.splice(0)).toEqual([error]);
    });

    it('forgets an error that it was not asked for', async () => {
      const stream = new PassThrough();
      const before = listeners(stream);
      const subscription = fromReadable(stream).pipe(gatedBy(new ManualGate())).subscribe();
      stream.destroy(new Error('unseen'));
      await turn();
      subscription.unsubscribe();
      await turn();
      expect(listeners(stream)).toBe(before);
    });

    it('has nothing to wait for when the stream has failed before', async () => {
      const stream = new PassThrough();
      stream.write('a');
      const iterator = toAsyncIterable(fromReadable(stream), { cleanupTimeout: Infinity })[Symbol.asyncIterator]();
      await iterator.next();
      stream.destroy(new Error('unseen'));
      await turn();
      const returned = vi.fn();
      void iterator.return?.().then(returned);
      await turn();
      expect(returned).toHaveBeenCalledWith({ done: true, value: undefined });
    });

    it('has nothing to wait for when the stream has ended', async () => {
      const { stream } = counting({ limit: 1 });
      const held = fromReadable(stream).pipe(concatMap((value) => of(value).pipe(delay(20))));
      const iterator = toAsyncIterable(held)[Symbol.asyncIterator]();
      void iterator.next();
      while (!stream.closed) await turn();
      await expect(iterator.return?.()).resolves.toEqual({ done: true, value: undefined });
    });
  });
});
