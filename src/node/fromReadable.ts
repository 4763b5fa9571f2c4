import { finished, type Readable } from 'node:stream';
import { noop, Observable } from 'rxjs';
import { ReadableConsumedError } from '../errors/ReadableConsumedError.js';
import { subscribeByPull } from '../internal/innerPull.js';
import { isPrematureClose, streamOf } from '../internal/nodeStream.js';

/**
 * Emits the chunks of a Node stream, at the pace of the consumer below.
 *
 * It reads only what the nearest consumer below can take; the stream itself reads ahead as far as its `highWaterMark`. Pass a
 * function to open a stream for each subscription. Without an encoding the chunks are `Buffer`s: name their type where they
 * are not, `fromReadable<Row>(...)`.
 *
 * - **Completes** when the stream has ended and, if it closes itself, has closed.
 * - **Errors** with the stream, with Node's `ERR_STREAM_PREMATURE_CLOSE` when it closes before its end, and with a
 *   `ReadableConsumedError` when a stream that was passed itself is subscribed to a second time, or has been read by others.
 * - **Unsubscribed**, it destroys the stream, and hands the promise of its closing to the nearest consumer below that waits for
 *   such.
 * - **Backpressure**: reads nothing while the consumer is full.
 * - **Drops** nothing but a chunk that was under way, and what the stream had read ahead, when it was unsubscribed.
 * - **Rather** `fromPull` for a web `ReadableStream`.
 *
 * @throws TypeError if called with what is neither a stream nor a function
 *
 * @example
 * ```ts
 * import { createReadStream } from 'node:fs';
 * import { splitLines } from 'rxjs-flow-control';
 * import { fromReadable } from 'rxjs-flow-control/node';
 *
 * fromReadable(() => createReadStream('/etc/hosts')).pipe(splitLines()).subscribe(console.log);
 * ```
 * @public
 */
export function fromReadable<T = Buffer>(readable: Readable | (() => Readable)): Observable<T> {
  const open = typeof readable === 'function' ? () => readableOf(readable()) : opensOnce(readableOf(readable));

  return new Observable((subscriber) => {
    subscribeByPull(new ChunkIterator<T>(open()), subscriber);
  });
}

const readableOf = (readable: Readable) => streamOf('fromReadable', 'Readable', ['read', 'on', 'destroy'], readable);

function opensOnce(readable: Readable): () => Readable {
  let opened = false;
  return () => {
    if (opened || readable.readableEnded) throw new ReadableConsumedError();
    opened = true;
    return readable;
  };
}

/** Unlike that of the stream itself, its `return()` does not wait for a pending `next()` before it destroys the stream. */
class ChunkIterator<T> implements AsyncIterator<T, undefined> {
  private end: { readonly error: unknown } | undefined;
  private onChange = noop;
  private onEnd: (error: unknown) => void = noop;

  constructor(private readonly readable: Readable) {
    const change = () => {
      this.onChange();
    };
    readable.on('readable', change);
    const stopListening = finished(readable, { writable: false }, (error) => {
      stopListening();
      readable.off('readable', change);
      this.end = { error };
      this.onChange();
      this.onEnd(error);
    });
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    const { readable } = this;
    for (;;) {
      const chunk = readable.destroyed ? null : (readable.read() as T | null);
      if (chunk !== null) return { done: false, value: chunk };
      if (this.end) break;
      await new Promise<void>((resolve) => {
        this.onChange = resolve;
      });
    }
    if (this.end.error) throw this.end.error as Error;
    return done;
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    if (!this.end) {
      this.readable.destroy();
      const error = await new Promise<unknown>((resolve) => {
        this.onEnd = resolve;
      });
      if (error && !isPrematureClose(error)) throw error as Error;
    }
    return done;
  }
}

const done: IteratorResult<never, undefined> = { done: true, value: undefined };
