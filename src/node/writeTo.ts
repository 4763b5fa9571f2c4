import { finished, type Writable } from 'node:stream';
import { Observable, type OperatorFunction } from 'rxjs';
import { WritableEndedError } from '../errors/WritableEndedError.js';
import { streamOf } from '../internal/nodeStream.js';
import { StreamWriter } from '../internal/StreamWriter.js';
import { writeAll, type WriterEvents } from '../internal/writeAll.js';
import type { DropReason, QueueOptions } from '../options/queue.js';
import { readWriteOptions } from '../options/writing.js';

/**
 * Options of `writeTo`.
 * @public
 */
export interface WriteToOptions<T> extends QueueOptions {
  /** Whether the stream ends with the source; `false` leaves it open, `process.stdout` for example. Default: `true`. */
  end?: boolean;
  /** How many values may wait, beyond the stream's own buffer, before sources that can wait are asked to. Default: 0. */
  highWaterMark?: number;
  /** Called with each value that was not handed to the stream, and why. */
  onDrop?: (value: T, reason: DropReason) => void;
  /** Names the operator in messages. */
  name?: string;
}

/**
 * Writes each value to a Node stream, at the pace of that, and at the end emits how many values it has written.
 *
 * While the stream's buffer is full (until `'drain'`), sources that can wait are asked to; what any other source emits waits,
 * up to `bufferSize`. Pass a function to open a stream for each subscription. Values are strings and bytes; for a stream in
 * object mode name their type, `writeTo<Row>(...)`. Node warns of a leak when more than ten write to one stream at a time, until
 * its `setMaxListeners` is told.
 *
 * - **Completes** after the source when everything is written, and the stream has finished and, if it closes itself and cannot
 *   be read too, has closed; with `end: false` when everything is written.
 * - **Errors** with the source, with a `BufferOverflowError`, and for a value that the stream does not take, after what came
 *   before is written; with the stream, at once; with Node's `ERR_STREAM_PREMATURE_CLOSE` or `ERR_STREAM_DESTROYED` when the
 *   stream is destroyed; and when somebody else ends it, with a `WritableEndedError`, or with Node's
 *   `ERR_STREAM_WRITE_AFTER_END` if more has been written. Unless `end` is `false`, the stream is destroyed: what has come out
 *   is not whole.
 * - **Unsubscribed**, it destroys the stream, unless `end` is `false`, and hands the promise of its closing to the nearest
 *   consumer below that waits for such.
 * - **Backpressure**: asks the source for nothing while the stream needs to drain and `highWaterMark` values wait.
 * - **Drops** by `overflow`, a value that the stream does not take with those behind it, and what waits when the stream fails or
 *   on unsubscription: `onDrop` sees each. What was handed to the stream it does not see, written or not.
 * - **Rather** `tap` with `write` for a few lines on a terminal.
 *
 * @throws TypeError if called with what is neither a writable stream nor a function, or with options of another type
 * @throws RangeError if called with an option out of range
 *
 * @example
 * ```ts
 * import { createWriteStream } from 'node:fs';
 * import { lastValueFrom, range } from 'rxjs';
 * import { formatJsonLines } from 'rxjs-flow-control';
 * import { writeTo } from 'rxjs-flow-control/node';
 *
 * const written = await lastValueFrom(
 *   range(1, 3).pipe(formatJsonLines(), writeTo(() => createWriteStream('numbers.jsonl'))),
 * );
 * console.log(written); // prints: 3
 * ```
 * @public
 */
export function writeTo<T = string | Uint8Array>(
  writable: Writable | (() => Writable),
  options: WriteToOptions<NoInfer<T>> = {},
): OperatorFunction<NoInfer<T>, number> {
  const settings = readWriteOptions('writeTo', options);
  if (typeof writable !== 'function') writableOf(writable);
  const open = typeof writable === 'function' ? writable : () => writable;

  return (source) =>
    new Observable((destination) => {
      const stream = writableOf(open());
      if (stream.destroyed || stream.writableEnded) throw new WritableEndedError(settings.where, stream.errored);
      const openWriter = (events: WriterEvents) =>
        new StreamWriter<T>(stream, (tell) => finished(stream, { readable: false }, tell), events);
      writeAll(source, destination, openWriter, settings);
    });
}

const writableOf = (writable: Writable) => streamOf('writeTo', 'Writable', ['write', 'end', 'on', 'destroy'], writable);
