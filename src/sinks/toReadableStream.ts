import { from, noop, type ObservableInput } from 'rxjs';
import { optionalFunction, optionsObject } from '../internal/arguments.js';
import type { IteratorSettings } from '../internal/ObservableIterator.js';
import { StreamFeed } from '../internal/StreamFeed.js';
import { readCleanupOptions, type CleanupOptions } from '../options/cleanup.js';
import { readName, type NameOptions } from '../options/name.js';
import { readQueueOptions, type QueueOptions } from '../options/queue.js';

/**
 * Options of `toReadableStream`.
 * @public
 */
export interface ToReadableStreamOptions<T> extends QueueOptions, CleanupOptions, NameOptions {
  /** How many values sources that can wait may emit ahead of the reader. Default: 0, nothing is emitted unasked. */
  highWaterMark?: number;
  /** Called with each value that is dropped, and why. */
  onDrop?: (value: T, reason: 'overflow' | 'unsubscribe') => void;
}

/**
 * Gives the values of an observable as a web `ReadableStream`, at the pace of its reader.
 *
 * ```marble
 * source                                                            -abc------|
 * for await (const value of toReadableStream(source)) await work()  -a--b--c--|
 * ```
 *
 * It subscribes once, when it is first read, but not before the microtask in which a new stream starts: the source of a stream that
 * nobody reads never does. What the reader has not
 * asked for waits here, and not in the queue of the stream, which an error would empty; both marks count values, so a chunk of
 * bytes counts as one. Its chunks are the values as they are: `Response` and `CompressionStream` take bytes (`Uint8Array`). It is
 * no byte stream, from which a reader with `mode: 'byob'` could read.
 *
 * - **Completes**: it closes when the source has completed, all values have been read, and the clean-up has settled.
 * - **Errors** with the source, after the values that came before it; or with a `BufferOverflowError`, after the values that
 *   wait.
 * - **Unsubscribed** by `cancel()` (which `break` in a loop calls, and a pipe whose other end fails), at once; its promise
 *   waits for the clean-up, and rejects if that fails, or with a `CleanupTimeoutError`. An error that nobody has read by then is
 *   forgotten with the values.
 * - **Backpressure**: the source is asked for one value for each `read()` that waits, and `highWaterMark` ahead. An iterable or
 *   a stream as `source` cannot be asked, because RxJS goes through it at its own pace: wrap it in `fromPull`.
 * - **Drops** by `overflow`, and what waits on `cancel()`: `onDrop` sees each. What has been read, by a pipe or a `tee()` for
 *   example, it does not see.
 * - **Rather** `toAsyncIterable` for a loop, `toNodeReadable` of `rxjs-flow-control/node` for Node's streams.
 *
 * @throws RangeError if called with an option out of range
 * @throws TypeError if the options are of another type
 *
 * @example
 * ```ts
 * import { formatJsonLines, fromPull, toReadableStream } from 'rxjs-flow-control';
 *
 * function* rows() {
 *   for (let id = 1; id <= 2; id++) yield { id };
 * }
 * const lines = toReadableStream(fromPull(rows).pipe(formatJsonLines()));
 * const response = new Response(lines.pipeThrough(new TextEncoderStream()));
 * console.log(JSON.stringify(await response.text())); // prints: "{\"id\":1}\n{\"id\":2}\n"
 * ```
 * @public
 */
export function toReadableStream<T>(
  source: ObservableInput<T>,
  options: ToReadableStreamOptions<T> = {},
): ReadableStream<T> {
  optionsObject(options);
  const settings: IteratorSettings<T> = {
    ...readQueueOptions(options, 0),
    patience: readCleanupOptions(options),
    onDrop: optionalFunction('onDrop', options.onDrop) ?? noop,
    where: readName('toReadableStream', options),
  };
  const values$ = from(source);
  let feed: StreamFeed<T>;
  return new ReadableStream<T>(
    {
      start: (controller) => {
        feed = new StreamFeed(values$, settings, {
          onValue: (value) => {
            controller.enqueue(value);
          },
          onEnd: () => {
            controller.close();
          },
          onError: (error) => {
            controller.error(error);
          },
        });
      },
      pull: () => {
        feed.ask();
      },
      cancel: (reason) =>
        new Promise((resolve, reject) => {
          feed.stop(reason, (failure) => {
            if (failure) reject(failure.error);
            else resolve();
          });
        }),
    },
    { highWaterMark: 0 },
  );
}
