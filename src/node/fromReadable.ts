import { finished, type Readable } from 'node:stream';
import { noop, Observable } from 'rxjs';
import { SourceConsumedError } from '../errors/SourceConsumedError.js';
import { subscribeByPull } from '../internal/innerPull.js';
import { StreamEnd, streamOf } from '../internal/nodeStream.js';

/**
 * Emits the chunks of a Node stream, at the pace of the consumer below.
 *
 * It reads only what the nearest consumer below can take; the stream itself reads ahead as far as its `highWaterMark`, and
 * gives all of that as one chunk, unless it is in object mode. Pass a function to open a stream for each subscription. Without
 * an encoding the chunks are `Buffer`s: name their type where they are not, `fromReadable<Row>(...)`.
 *
 * - **Completes** when the stream has ended and, if it closes itself and cannot be written too, has closed.
 * - **Errors** with the stream, with Node's `ERR_STREAM_PREMATURE_CLOSE` when it closes before its end (of which one that is
 *   made with `emitClose: false` tells nobody), and with a `SourceConsumedError` when a stream that was passed itself is
 *   subscribed to a second time, or has been read by others.
 * - **Unsubscribed**, it destroys the stream, and hands the promise of its closing to the nearest consumer below that waits for
 *   such.
 * - **Backpressure**: reads nothing while the consumer is full.
 * - **Drops** a chunk that was under way, and what the stream had read ahead, when it is unsubscribed.
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
    if (opened || readable.readableEnded) throw new SourceConsumedError('fromReadable');
    opened = true;
    return readable;
  };
}

/** Unlike that of the stream itself, its `return()` does not wait for a pending `next()` before it destroys the stream. */
class ChunkIterator<T> implements AsyncIterator<T, undefined> {
  private end: { readonly error: unknown } | undefined;
  private onChange = noop;
  private readonly streamEnd: StreamEnd;

  constructor(private readonly readable: Readable) {
    const change = () => {
      this.onChange();
    };
    readable.on('readable', change);
    this.streamEnd = new StreamEnd(
      readable,
      (tell) => finished(readable, { writable: false }, tell),
      (error) => {
        this.end = { error };
        readable.off('readable', change);
        this.streamEnd.leaveClosed();
        this.onChange();
      },
    );
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
    if (!this.end) await this.streamEnd.close();
    return done;
  }
}

const done: IteratorResult<never, undefined> = { done: true, value: undefined };
