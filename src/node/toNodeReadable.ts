import { Readable } from 'node:stream';
import { from, noop, type Observable, type ObservableInput } from 'rxjs';
import { booleanOf, optionalFunction, optionsObject, shown } from '../internal/arguments.js';
import type { IteratorSettings } from '../internal/ObservableIterator.js';
import { reportUnhandled } from '../internal/reportUnhandled.js';
import { StreamFeed } from '../internal/StreamFeed.js';
import { readCleanupOptions, type CleanupOptions } from '../options/cleanup.js';
import { readName, type NameOptions } from '../options/name.js';
import { readQueueOptions, type DropReason, type QueueOptions } from '../options/queue.js';

/**
 * Options of `toNodeReadable`.
 * @public
 */
export interface ToNodeReadableOptions<T> extends QueueOptions, CleanupOptions, NameOptions {
  /** Whether each value is a chunk of its own; `false` makes a stream of bytes, of strings and `Uint8Array`s. Default: `true`. */
  objectMode?: boolean;
  /** How many values sources that can wait may emit ahead of the reader. Default: 0, nothing is emitted unasked. */
  highWaterMark?: number;
  /** Called with each value that is dropped, and why. */
  onDrop?: (value: T, reason: DropReason) => void;
}

/**
 * Gives the values of an observable as a Node `Readable`, at the pace of its reader.
 *
 * It subscribes when it is first read, and once: the source of a stream that nobody reads never starts. What the reader has not
 * asked for waits here, and not in the buffer of the stream, which an error would empty; both marks count values, so a chunk of
 * bytes counts as one.
 *
 * - **Completes**: it ends when the source has completed, all values have been read, and the clean-up has settled.
 * - **Errors**: it is destroyed with the error of the source, after the values that came before it; with a `BufferOverflowError`,
 *   after the values that wait; with a `TypeError`, after what came before, for a value that it cannot give: `null`, which
 *   would end it, and `undefined`, or in a stream of bytes what is neither.
 * - **Unsubscribed** by `destroy()` (which `break` in a loop calls, and a pipeline whose other end fails), at once; `'close'`
 *   waits for the clean-up. If that fails, or with a `CleanupTimeoutError` hangs, this is an `'error'`, in an `AggregateError` if it was
 *   destroyed with another one. An error that nobody has read by then is forgotten with the values.
 * - **Backpressure**: the source is asked for a value each time that the stream is read and empty, and `highWaterMark` ahead. An
 *   iterable or a stream as `source` cannot be asked, because RxJS goes through it at its own pace: wrap it in `fromPull`.
 * - **Drops** by `overflow`, a value that it cannot give, and what waits on `destroy()`: `onDrop` sees each. What had been asked for
 *   it does not see, read by then or not. An empty chunk of bytes is nothing to read, and skipped.
 *   With `objectMode: false` each string becomes bytes by itself, so one must not end within a surrogate pair.
 * - **Rather** `toReadableStream` for web streams, `toAsyncIterable` for a loop.
 *
 * @throws RangeError if called with an option out of range
 * @throws TypeError if the options are of another type
 *
 * @example
 * ```ts
 * import { createWriteStream } from 'node:fs';
 * import { pipeline } from 'node:stream/promises';
 * import { createGzip } from 'node:zlib';
 * import { formatJsonLines, fromPull } from 'rxjs-flow-control';
 * import { toNodeReadable } from 'rxjs-flow-control/node';
 *
 * function* rows() {
 *   for (let id = 1; id <= 3; id++) yield { id };
 * }
 * const lines = toNodeReadable(fromPull(rows).pipe(formatJsonLines()));
 * await pipeline(lines, createGzip(), createWriteStream('rows.jsonl.gz'));
 * ```
 * @public
 */
export function toNodeReadable<T>(source: ObservableInput<T>, options: ToNodeReadableOptions<T> = {}): Readable {
  const { objectMode = true } = optionsObject(options);
  const settings: ReadableSettings<T> = {
    ...readQueueOptions(options, 0),
    patience: readCleanupOptions(options),
    objectMode: booleanOf('objectMode', objectMode),
    onDrop: optionalFunction('onDrop', options.onDrop) ?? noop,
    where: readName('toNodeReadable', options),
  };
  return new ObservableReadable(from(source), settings);
}

interface ReadableSettings<T> extends IteratorSettings<T> {
  readonly objectMode: boolean;
  readonly onDrop: (value: T, reason: DropReason) => void;
}

class ObservableReadable<T> extends Readable {
  private readonly feed: StreamFeed<T>;
  private failure: { readonly error: unknown } | undefined;

  constructor(
    source: Observable<T>,
    private readonly settings: ReadableSettings<T>,
  ) {
    super({ objectMode: settings.objectMode, highWaterMark: 0 });
    this.feed = new StreamFeed(source, settings, {
      onValue: (value) => {
        this.give(value);
      },
      onEnd: () => {
        this.push(null);
      },
      onError: (error) => {
        this.fail(error);
      },
    });
  }

  /** All who take something out come by here. */
  override read(size?: number): unknown {
    const chunk: unknown = super.read(size);
    const wantsMore = chunk === null && size !== undefined && size > this.readableLength;
    if (wantsMore || this.readableLength === 0) this.failNow();
    return chunk;
  }

  /** Not called again before something was given: so not after a failure. */
  override _read(): void {
    this.feed.ask();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.feed.stop(error, (failure) => {
      const failed = failure?.error as Error | undefined;
      if (failure && error)
        callback(new AggregateError([error, failed], 'destroyed with an error, and the clean-up has failed'));
      else callback(failure ? named(failed) : error);
    });
  }

  private give(value: T): void {
    const { objectMode, where, onDrop } = this.settings;
    const isBytes = typeof value === 'string' || value instanceof Uint8Array;
    if (objectMode ? value !== null && value !== undefined : isBytes) {
      if (isBytes && !objectMode && value.length === 0) this.feed.ask();
      else this.hand(value);
      return;
    }
    const takes = objectMode
      ? 'null ends a stream, and undefined is no value'
      : 'it takes strings and bytes (Uint8Array)';
    try {
      onDrop(value, 'error');
    } catch (thrown) {
      reportUnhandled(thrown);
    }
    this.fail(new TypeError(`${where}: ${takes}, got ${shown(value)}`));
  }

  private hand(value: T): void {
    const { readableEncoding, readableFlowing, readableLength } = this;
    try {
      this.push(value);
      if (readableEncoding && this.readableLength === readableLength) this.askOn(readableFlowing);
    } catch (thrown) {
      this.destroy(named(thrown)); // by a listener of 'data': Node would never ask again
    }
  }

  /** Part of a character may have been no text yet, after which Node does not ask again with a mark of 0. */
  private askOn(wasFlowing: boolean | null): void {
    if (!wasFlowing) this.feed.ask();
    else
      process.nextTick(() => {
        if (this.readableFlowing) this.feed.ask();
      });
  }

  private fail(error: unknown): void {
    this.failure = { error };
    if (this.readableLength === 0) this.failNow();
    else process.nextTick(() => this.emit('readable')); // who waits for more than there is asks again
  }

  private failNow(): void {
    if (this.failure) this.destroy(named(this.failure.error));
  }
}

/** A stream that is destroyed with nothing has not failed. */
const named = (error: unknown): Error =>
  error ? (error as Error) : new Error(`failed with ${shown(error)}`, { cause: error });
