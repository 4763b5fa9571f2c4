import { finished, type Writable } from 'node:stream';
import { noop, Observable, type OperatorFunction, type Subscriber } from 'rxjs';
import { BufferOverflowError } from '../errors/BufferOverflowError.js';
import { WritableEndedError } from '../errors/WritableEndedError.js';
import { booleanOf, optionalFunction, optionsObject } from '../internal/arguments.js';
import { streamOf } from '../internal/nodeStream.js';
import { operate } from '../internal/operate.js';
import { reportUnhandled } from '../internal/reportUnhandled.js';
import { StreamWriter } from '../internal/StreamWriter.js';
import { LevelGate } from '../link/LevelGate.js';
import { findCleanupScope } from '../link/walk.js';
import { BoundedBuffer } from '../machines/BoundedBuffer.js';
import { readQueueOptions, type DropReason, type QueueOptions } from '../options/queue.js';

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
 *   range(1, 3).pipe(formatJsonLines(), writeTo(() => createWriteStream('/tmp/numbers.jsonl'))),
 * );
 * console.log(written); // prints: 3
 * ```
 * @public
 */
export function writeTo<T = string | Uint8Array>(
  writable: Writable | (() => Writable),
  options: WriteToOptions<NoInfer<T>> = {},
): OperatorFunction<NoInfer<T>, number> {
  const settings = readOptions(options);
  if (typeof writable !== 'function') writableOf(writable);
  const open = typeof writable === 'function' ? writable : () => writable;

  return (source) =>
    new Observable((destination) => {
      writeAll(source, destination, writableOf(open()), settings);
    });
}

function readOptions<T>(options: WriteToOptions<T>) {
  const { end = true, name } = optionsObject(options);
  return {
    ...readQueueOptions(options, 0),
    end: booleanOf('end', end),
    onDrop: optionalFunction('onDrop', options.onDrop) ?? noop,
    where: name === undefined ? 'writeTo' : `writeTo '${name}'`,
  };
}

const writableOf = (writable: Writable) => streamOf('writeTo', 'Writable', ['write', 'end', 'on', 'destroy'], writable);

function writeAll<T>(
  source: Observable<T>,
  destination: Subscriber<number>,
  writable: Writable,
  settings: ReturnType<typeof readOptions<T>>,
): void {
  const { end, onDrop, where, bufferSize, highWaterMark, overflow } = settings;
  if (writable.destroyed || writable.writableEnded) throw new WritableEndedError(where, writable.errored);
  const scope = findCleanupScope(destination);
  const waiting = new BoundedBuffer<T>(bufferSize, overflow);
  let sourceEnded = false;
  let failure: { readonly error: unknown } | undefined;
  let streamIsOver = false;

  const write = (value: T) => {
    try {
      writer.write(value);
    } catch (thrown) {
      const unwritten = [value, ...waiting.takeAll()]; // to write on would leave a gap
      fail(thrown);
      for (const each of unwritten) drop(each, 'error');
    }
  };

  const drop = (value: T, reason: DropReason) => {
    try {
      onDrop(value, reason);
    } catch (thrown) {
      fail(thrown);
    }
  };

  /** Leaves the source; what came before is written first. */
  const fail = (error: unknown) => {
    if (failure || destination.closed) reportUnhandled(error);
    else {
      sourceEnded = true;
      failure = { error };
      try {
        subscriber.unsubscribe();
      } catch (thrown) {
        reportUnhandled(thrown);
      }
      settle();
    }
  };

  const settle = () => {
    if (destination.closed) return;
    const allHandedOver = sourceEnded && waiting.size === 0;
    if (allHandedOver && writer.isIdle && failure) destination.error(failure.error);
    else if (allHandedOver && writer.isIdle && !end) succeed();
    else if (writer.hasFailed) writer.expectOver();
    else if (allHandedOver && end && !failure) writer.end();
  };

  const succeed = () => {
    destination.next(writer.count);
    destination.complete();
  };

  const writer = new StreamWriter<T>(writable, (tell) => finished(writable, { readable: false }, tell), {
    onDrain: () => {
      while (waiting.size > 0 && !writer.full) write(waiting.shift());
      gate.wake();
      settle();
    },
    onConfirm: settle,
    onOver: (error) => {
      if (destination.closed) return;
      streamIsOver = true;
      if (!error && !failure && sourceEnded && waiting.size === 0) succeed();
      else {
        failure ??= { error: error ?? new WritableEndedError(where) };
        destination.error(failure.error);
      }
    },
  });

  const stop = () => {
    for (const value of waiting.takeAll()) drop(value, streamIsOver ? 'error' : 'unsubscribe');
    if (!end) {
      writer.leave();
      return;
    }
    const closing = writer.close(failure);
    if (scope && closing) scope.track(closing);
    else closing?.catch(reportUnhandled);
  };

  const gate = new LevelGate(
    () => !sourceEnded && (waiting.size < highWaterMark || (waiting.size === 0 && !writer.full)),
  );

  const subscriber = operate<T, number>({
    destination,
    gate,
    next: (value) => {
      if (!writer.full && waiting.size === 0) write(value);
      else {
        const dropped = waiting.offer(value);
        if (!dropped) fail(new BufferOverflowError(where, 'values', waiting.size));
        for (const each of dropped ?? [value]) drop(each, 'overflow');
      }
    },
    error: fail,
    complete: () => {
      sourceEnded = true;
      settle();
    },
  });

  destination.add(stop);
  try {
    source.subscribe(subscriber);
  } catch (thrown) {
    // After its end only a teardown of the source can have thrown: what came before is written all the same.
    if (sourceEnded) reportUnhandled(thrown);
    else fail(thrown);
  }
}
