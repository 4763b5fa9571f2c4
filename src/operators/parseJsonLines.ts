import { noop, Observable, type OperatorFunction } from 'rxjs';
import { JsonLineError } from '../errors/JsonLineError.js';
import { LineTooLongError } from '../errors/LineTooLongError.js';
import { oneOf, optionalFunction } from '../internal/arguments.js';
import { lineSubscriber } from '../internal/lineSubscriber.js';
import { excerpt } from '../machines/excerpt.js';
import { LineSplitter } from '../machines/LineSplitter.js';
import { reasonOf } from '../machines/reasonOf.js';
import { readLineOptions, type LineOptions } from '../options/lines.js';

/**
 * Why a line has no value: it is no JSON, or it is too long.
 * @public
 */
export type InvalidLineError = JsonLineError | LineTooLongError;

/**
 * What `parseJsonLines` emits for a line with `onError: 'emit'`: its value, or what is wrong with it, and the
 * number of the line in the source, from 1.
 * @public
 */
export type JsonLine<T> =
  | { readonly ok: true; readonly line: number; readonly value: T; readonly error?: undefined }
  | { readonly ok: false; readonly line: number; readonly error: InvalidLineError; readonly value?: undefined };

/**
 * Options of `parseJsonLines`, whatever becomes of invalid lines.
 * @public
 */
export interface JsonLineOptions extends LineOptions {
  /** Changes what is parsed, as in `JSON.parse`; a line for which it throws is invalid. */
  reviver?: (this: unknown, key: string, value: unknown) => unknown;
}

/**
 * Options of `parseJsonLines`, which ends at an invalid line.
 * @public
 */
export interface ThrowInvalidLines extends JsonLineOptions {
  /** What becomes of an invalid line: `'throw'`, the operator fails with its error. Default: `'throw'`. */
  onError?: 'throw';
}

/**
 * Options of `parseJsonLines`, which leaves invalid lines out.
 * @public
 */
export interface SkipInvalidLines extends JsonLineOptions {
  /** What becomes of an invalid line: `'skip'`, it is left out. */
  onError: 'skip';
  /** Called with the error of each line that is left out. */
  onSkip?: (error: InvalidLineError) => void;
}

/**
 * Options of `parseJsonLines`, which emits the errors of invalid lines.
 * @public
 */
export interface EmitInvalidLines extends JsonLineOptions {
  /** What becomes of an invalid line: `'emit'`, each line is emitted as a `JsonLine`, which has its value or its error. */
  onError: 'emit';
}

/**
 * Options of `parseJsonLines`.
 * @public
 */
export type ParseJsonLinesOptions = ThrowInvalidLines | SkipInvalidLines | EmitInvalidLines;

/**
 * Parses chunks of JSON lines (NDJSON), strings or UTF-8, into values, at the pace of the consumer below.
 *
 * ```marble
 * source            12;3;-;45|
 * parseJsonLines()  --x-y----(z|)
 * ```
 *
 * Here `;` stands for a line feed, and each digit for a chunk. Lines are those of `splitLines`; blank ones are left out.
 * Of an invalid line, or one that is too long, `onError` decides; after both it goes on with the next line. Their errors tell
 * the number of the line, the byte at which it begins, and how it begins.
 *
 * - **Completes** after the source and the lines that wait.
 * - **Errors** with a `JsonLineError` or a `LineTooLongError` (`onError: 'throw'`), with what `onSkip` throws, and with the source,
 *   each after the values before; of a line that the error of the source cut off nothing is given.
 * - **Unsubscribed** with the source.
 * - **Backpressure**: as in `splitLines`, exact: a line is parsed when the consumer can take it. If a source that cannot wait
 *   brings another chunk before the lines of the last are out, these are all emitted at once.
 * - **Drops** invalid lines if `onError` is `'skip'`: `onSkip` sees each; and on unsubscription what has come and was not emitted.
 * - **Rather** `JSON.parse` for a document that is not lines.
 *
 * @throws RangeError if called with an option out of range
 * @throws TypeError if `reviver`, `onSkip` or the options are of another type
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { parseJsonLines } from 'rxjs-flow-control';
 *
 * of('{"id":1}\n{"id"', ':2}\n{"id":\n').pipe(parseJsonLines<{ id: number }>({ onError: 'emit' })).subscribe((line) => {
 *   if (line.ok) console.log(line.value.id); // prints: 1, 2
 *   else console.error(line.error.message);
 * });
 * ```
 * @public
 */
export function parseJsonLines<T = unknown>(
  options?: ThrowInvalidLines | SkipInvalidLines,
): OperatorFunction<string | Uint8Array, T>;
export function parseJsonLines<T = unknown>(
  options: EmitInvalidLines,
): OperatorFunction<string | Uint8Array, JsonLine<T>>;
export function parseJsonLines<T = unknown>(
  options: ParseJsonLinesOptions,
): OperatorFunction<string | Uint8Array, T | JsonLine<T>>;
export function parseJsonLines<T>(
  options: ParseJsonLinesOptions = {},
): OperatorFunction<string | Uint8Array, T | JsonLine<T>> {
  const { where, maxLineLength } = readLineOptions('parseJsonLines', options);
  const { onError = 'throw' } = options;
  oneOf('onError', ['throw', 'skip', 'emit'], onError);
  const onSkip = options.onError === 'skip' ? (optionalFunction('onSkip', options.onSkip) ?? noop) : undefined;
  const reviver = optionalFunction('reviver', options.reviver);

  return (source) =>
    new Observable((destination) => {
      const lines = new LineSplitter({ maxLineLength, skipBlank: true });

      const refuse = (error: InvalidLineError) => {
        if (onError === 'throw') throw error;
        if (onSkip) onSkip(error);
        else destination.next({ ok: false, line: error.line, error });
      };

      source.subscribe(
        lineSubscriber({
          destination,
          lines,
          where,
          deliver: (line) => {
            if (typeof line !== 'string') {
              refuse(new LineTooLongError(where, lines.line, lines.byteOffset, line.excerpt, maxLineLength));
              return;
            }
            let value: T;
            try {
              value = JSON.parse(line, reviver) as T;
            } catch (thrown) {
              const cause = reviver && isJson(line) ? thrown : lean(thrown);
              refuse(new JsonLineError(where, lines.line, lines.byteOffset, excerpt(line), reasonOf(cause), cause));
              return;
            }
            destination.next(onError === 'emit' ? { ok: true, line: lines.line, value } : value);
          },
        }),
      );
    });
}

/** If it is, then it was the reviver that threw. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** V8's own error of `JSON.parse` keeps the text that was parsed in memory, and with it the chunk that this is a slice of. */
function lean(thrown: unknown): unknown {
  return thrown instanceof SyntaxError ? new SyntaxError(thrown.message) : thrown;
}
