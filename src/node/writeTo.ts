import { finished, type Writable } from 'node:stream';
import { noop, Observable, type OperatorFunction, type Subscriber } from 'rxjs';
import { BufferOverflowError } from '../errors/BufferOverflowError.js';
import { WritableEndedError } from '../errors/WritableEndedError.js';
import { optionalFunction, optionsObject, shown } from '../internal/arguments.js';
import { isPrematureClose, streamOf } from '../internal/nodeStream.js';
import { operate } from '../internal/operate.js';
import { reportUnhandled } from '../internal/reportUnhandled.js';
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
  /** Called with each value that was not written, and why. */
  onDrop?: (value: T, reason: DropReason) => void;
  /** Names the operator in messages. */
  name?: string;
}

/**
 * Writes each value to a Node stream, at the pace of that, and at the end emits how many values it has written.
 *
 * While the stream's buffer is full (until `'drain'`), sources that can wait are asked to; what any other source emits waits,
 * up to `bufferSize`. Pass a function to open a stream for each subscription. Values are strings and bytes; for a stream in
 * object mode name their type, `writeTo<Row>(...)`.
 *
 * - **Completes** after the source when everything is written, and the stream has finished and, if it closes itself, has closed;
 *   with `end: false` when everything is written.
 * - **Errors** with the source, after what came before is written; with the stream, at once; with Node's
 *   `ERR_STREAM_PREMATURE_CLOSE` when the stream is destroyed, with a `WritableEndedError` when somebody else ends or has ended
 *   it, and with a `BufferOverflowError`. Unless `end` is `false`, the stream is destroyed: what has come out is not whole.
 * - **Unsubscribed**, it destroys the stream, unless `end` is `false`, and hands the promise of its closing to the nearest
 *   consumer below that waits for such.
 * - **Backpressure**: asks the source for nothing while the stream needs to drain and `highWaterMark` values wait.
 * - **Drops** by `overflow`, and what waits when the stream fails or on unsubscription: `onDrop` sees each.
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
      source.subscribe(writer(destination, writableOf(open()), settings));
    });
}

type WriteSettings<T> = ReturnType<typeof readOptions<T>>;

function readOptions<T>(options: WriteToOptions<T>) {
  const { end = true, name } = optionsObject(options);
  if (typeof end !== 'boolean') throw new TypeError(`end must be a boolean, got ${shown(end)}`);
  return {
    ...readQueueOptions(options, 0),
    end,
    onDrop: optionalFunction('onDrop', options.onDrop) ?? noop,
    where: name === undefined ? 'writeTo' : `writeTo '${name}'`,
  };
}

const writableOf = (writable: Writable) => streamOf('writeTo', 'Writable', ['write', 'end', 'on'], writable);

function writer<T>(destination: Subscriber<number>, writable: Writable, settings: WriteSettings<T>): Subscriber<T> {
  const { end, onDrop, where, bufferSize, highWaterMark, overflow } = settings;
  if (writable.destroyed || writable.writableEnded) throw new WritableEndedError(where, writable.errored);
  const scope = findCleanupScope(destination);
  const waiting = new BoundedBuffer<T>(bufferSize, overflow);
  /** The stream has to drain first. */
  let full = writable.writableNeedDrain;
  let written = 0;
  /** How many of these the stream has not confirmed. */
  let underWay = 0;
  let sourceEnded = false;
  let failure: { readonly error: unknown } | undefined;
  let streamIsOver = false;
  let onClosed: ((error: Error | null | undefined) => void) | undefined;

  const write = (value: T) => {
    written++;
    underWay++;
    try {
      if (!writable.write(value, confirm)) full = true;
    } catch (thrown) {
      underWay--;
      fail(thrown);
    }
  };

  const confirm = (error?: Error | null) => {
    if (error) return; // which the stream tells in a moment
    underWay--;
    settle();
  };

  const drain = () => {
    full = false;
    while (waiting.size > 0 && !full) write(waiting.shift());
    gate.wake();
    settle();
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
    if (sourceEnded || destination.closed) reportUnhandled(error);
    else {
      sourceEnded = true;
      failure = { error };
      subscriber.unsubscribe();
      settle();
    }
  };

  const settle = () => {
    if (!sourceEnded || waiting.size > 0 || destination.closed) return;
    if (end && !failure)
      writable.end(); // a second time it does nothing
    else if (underWay === 0 && failure) destination.error(failure.error);
    else if (underWay === 0) succeed();
  };

  const succeed = () => {
    destination.next(written);
    destination.complete();
  };

  const stopListening = finished(writable, { readable: false }, (error) => {
    streamIsOver = true;
    if (onClosed) onClosed(error);
    else if (!error && sourceEnded && !failure && waiting.size === 0) succeed();
    else destination.error(failure ? failure.error : (error ?? new WritableEndedError(where)));
  });

  const stop = () => {
    for (const value of waiting.takeAll()) drop(value, streamIsOver ? 'error' : 'unsubscribe');
    writable.off('drain', drain);
    if (!end || streamIsOver) {
      stopListening();
      return;
    }
    const reason = failure?.error instanceof Error ? failure.error : undefined;
    const closing = new Promise<Error | null | undefined>((resolve) => {
      onClosed = resolve;
    }).then((error) => {
      stopListening();
      if (error && error !== reason && !isPrematureClose(error)) throw error;
    });
    writable.destroy(reason);
    if (scope) scope.track(closing);
    else closing.catch(reportUnhandled);
  };

  const gate = new LevelGate(() => !sourceEnded && (waiting.size < highWaterMark || (waiting.size === 0 && !full)));

  const subscriber = operate<T, number>({
    destination,
    gate,
    next: (value) => {
      if (!full && waiting.size === 0) {
        write(value);
        return;
      }
      const dropped = waiting.offer(value);
      if (!dropped) fail(new BufferOverflowError(where, 'values', waiting.size));
      for (const each of dropped ?? [value]) drop(each, 'overflow');
    },
    error: fail,
    complete: () => {
      sourceEnded = true;
      settle();
    },
  });

  writable.on('drain', drain);
  destination.add(stop);
  return subscriber;
}
