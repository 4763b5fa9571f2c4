import { Observable, type OperatorFunction } from 'rxjs';
import { LineTooLongError } from '../errors/LineTooLongError.js';
import { lineSubscriber } from '../internal/lineSubscriber.js';
import { LineSplitter } from '../machines/LineSplitter.js';
import { readLineOptions, type LineOptions } from '../options/lines.js';

/**
 * Splits chunks of text or of UTF-8 into lines, at the pace of the consumer below.
 *
 * ```marble
 * source        ab;c--d;--;-e|
 * splitLines()  --x----y--z--(e|)
 * ```
 *
 * Here `;` stands for a line feed, and each letter for a chunk. A line ends with LF or CRLF, which it is given without, and
 * the last one also with the end of the source; a CR alone does not end a line. Chunks may be cut anywhere, also within a
 * character. A byte order mark at the very beginning is left out, and has no length; NUL stays; bytes that are no UTF-8 become U+FFFD, as in
 * `TextDecoder`.
 *
 * - **Completes** after the source and the lines that wait.
 * - **Errors** with a `LineTooLongError` as soon as more than `maxLineLength` bytes of a line have come, and with the source,
 *   both after the lines before; of a line that the error of the source cut off nothing is given.
 * - **Unsubscribed** with the source.
 * - **Backpressure**: a line is split off when the consumer can take it, and the next chunk is asked for when all have gone. If
 *   a source that cannot wait brings another chunk before, all lines of the last one are emitted at once, whatever the
 *   consumer says: so never more than one chunk is held, and it is the consumer's `overflow` that decides.
 * - **Drops** what has come and was not emitted, on unsubscription.
 * - **Rather** `parseJsonLines` if the lines are JSON.
 *
 * @throws RangeError if called with a `maxLineLength` that is out of range
 * @throws TypeError if the options are of another type
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { splitLines } from 'rxjs-flow-control';
 *
 * of('one\ntw', 'o\r\nthree').pipe(splitLines()).subscribe(console.log); // prints: one, two, three
 * ```
 * @public
 */
export function splitLines(options: LineOptions = {}): OperatorFunction<string | Uint8Array, string> {
  const { where, maxLineLength } = readLineOptions('splitLines', options);

  return (source) =>
    new Observable((destination) => {
      const lines = new LineSplitter({ maxLineLength, skipBlank: false });
      source.subscribe(
        lineSubscriber({
          destination,
          lines,
          where,
          deliver: (line) => {
            if (typeof line !== 'string')
              throw new LineTooLongError(where, lines.line, lines.byteOffset, line.excerpt, maxLineLength);
            destination.next(line);
          },
        }),
      );
    });
}
