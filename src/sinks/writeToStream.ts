import { Observable, type OperatorFunction } from 'rxjs';
import { streamOf } from '../internal/nodeStream.js';
import { WebStreamWriter, type PushStream } from '../internal/WebStreamWriter.js';
import { writeAll, type WriterEvents } from '../internal/writeAll.js';
import type { DropReason, QueueOptions } from '../options/queue.js';
import type { NameOptions } from '../options/name.js';
import { readWriteOptions } from '../options/writing.js';

/**
 * Options of `writeToStream`.
 * @public
 */
export interface WriteToStreamOptions<T> extends QueueOptions, NameOptions {
  /** Whether the stream ends with the source: is closed with it, and aborted otherwise; `false` leaves it open. Default: `true`. */
  end?: boolean;
  /** How many values may wait, beyond the stream's own queue, before sources that can wait are asked to. Default: 0. */
  highWaterMark?: number;
  /** Called with each value that was not handed to the stream, and why. */
  onDrop?: (value: T, reason: DropReason) => void;
}

/**
 * Writes each value to a web stream, at the pace of that, and at the end emits how many values it has written.
 *
 * ```marble
 * source                   -abc------|
 * writeToStream(writable)  ----------(3|)
 * ```
 *
 * Here the stream takes three frames for each value. While its queue is full, sources that can wait are asked to; what any other
 * source emits waits, up to `bufferSize`. Pass a function to open a stream for each subscription. The stream is locked meanwhile,
 * and no longer; one that is locked already is an error.
 *
 * - **Completes** after the source when everything is written and the stream has closed; with `end: false` when everything is
 *   written.
 * - **Errors** with the source and with a `BufferOverflowError`, after what came before is written; with the stream; and with a
 *   `WritableEndedError` when the stream has been closed before. Unless `end` is `false`, the stream is aborted with the error.
 * - **Unsubscribed**, it aborts the stream with an `AbortError`, unless `end` is `false`, and hands the promise of that to the
 *   nearest consumer below that waits for such.
 * - **Backpressure**: asks the source for nothing while the stream wants nothing (`desiredSize`) and `highWaterMark` values wait. A
 *   stream whose own `highWaterMark` is 0 never wants anything, as for `pipeTo`.
 * - **Drops** by `overflow`, and what waits when the stream fails or on unsubscription: `onDrop` sees each. What was handed to the
 *   stream it does not see, written or not.
 * - **Rather** `writeTo` of `rxjs-flow-control/node` for a Node stream, `toReadableStream` where the stream is to be piped.
 *
 * @throws TypeError if called with what is neither a writable stream nor a function, or with options of another type
 * @throws RangeError if called with an option out of range
 *
 * @example
 * ```ts
 * import { lastValueFrom, range } from 'rxjs';
 * import { writeToStream } from 'rxjs-flow-control';
 *
 * const squares: number[] = [];
 * const stream = new WritableStream<number>({ write: (value) => void squares.push(value * value) });
 * const written = await lastValueFrom(range(1, 3).pipe(writeToStream(stream)));
 * console.log(written, squares.join(' ')); // prints: 3 1 4 9
 * ```
 * @public
 */
export function writeToStream<T>(
  writable: PushStream<T> | (() => PushStream<T>),
  options: WriteToStreamOptions<NoInfer<T>> = {},
): OperatorFunction<NoInfer<T>, number> {
  const settings = readWriteOptions('writeToStream', options);
  if (typeof writable !== 'function') writableOf(writable);
  const open = typeof writable === 'function' ? writable : () => writable;

  return (source) =>
    new Observable((destination) => {
      const stream = writableOf(open());
      if (stream.locked) throw new TypeError(`${settings.where}: the stream is locked, someone else writes to it`);
      const openWriter = (events: WriterEvents) => new WebStreamWriter(stream.getWriter(), settings.where, events);
      writeAll(source, destination, openWriter, settings);
    });
}

const writableOf = <T>(writable: PushStream<T>) => streamOf('writeToStream', 'WritableStream', ['getWriter'], writable);
