import { createReadStream } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { catchError, type Observable } from 'rxjs';
import { optionsObject, shown } from '../internal/arguments.js';
import {
  parseJsonLines,
  type EmitInvalidLines,
  type JsonLine,
  type ParseJsonLinesOptions,
  type SkipInvalidLines,
  type ThrowInvalidLines,
} from '../operators/parseJsonLines.js';
import { fromReadable } from './fromReadable.js';

/**
 * Reads a file of JSON lines (NDJSON) into values, at the pace of the consumer below.
 *
 * `fromReadable` and `parseJsonLines` in one; each subscription opens the file anew. In messages it is named by its path, if
 * no `name` is given.
 *
 * - **Completes** after the last line; at once if the file is empty.
 * - **Errors** with what the file system says, for example `ENOENT` for a missing file and `EISDIR` for a directory, and as
 *   `parseJsonLines`, each after the values before.
 * - **Unsubscribed**, it closes the file, and hands the promise of that to the nearest consumer below that waits for such.
 * - **Backpressure**: parses no more than the consumer can take; of the file a few chunks of 64 KiB are read ahead.
 * - **Drops** invalid lines if `onError` is `'skip'`: `onSkip` sees each; and on unsubscription what was read and not emitted.
 * - **Rather** `JSON.parse` of the whole file if it is a document that is not lines.
 *
 * @throws TypeError if called with what is no path, or with options of another type
 * @throws RangeError if called with an option out of range
 *
 * @example
 * ```ts
 * import { bufferedMergeMap } from 'rxjs-flow-control';
 * import { readJsonLines } from 'rxjs-flow-control/node';
 *
 * readJsonLines<{ id: string }>('orders.jsonl')
 *   .pipe(bufferedMergeMap(async ({ id }) => fetch(`http://localhost:8080/${id}`), { concurrent: 4 }))
 *   .subscribe({ error: console.error });
 * ```
 * @public
 */
export function readJsonLines<T = unknown>(
  path: string | Buffer | URL,
  options?: ThrowInvalidLines | SkipInvalidLines,
): Observable<T>;
export function readJsonLines<T = unknown>(
  path: string | Buffer | URL,
  options: EmitInvalidLines,
): Observable<JsonLine<T>>;
export function readJsonLines<T = unknown>(
  path: string | Buffer | URL,
  options: ParseJsonLinesOptions,
): Observable<T | JsonLine<T>>;
export function readJsonLines<T>(
  path: string | Buffer | URL,
  options: ParseJsonLinesOptions = {},
): Observable<T | JsonLine<T>> {
  const file = pathOf(path);
  const { name = String(file) } = optionsObject(options);
  return fromReadable(() => createReadStream(file)).pipe(
    catchError((error: unknown) => {
      throw withPath(error, String(file));
    }),
    parseJsonLines<T>({ ...options, name }),
  );
}

function pathOf(path: string | Buffer | URL): string | Buffer {
  if (path instanceof URL) return fileURLToPath(path);
  if (typeof path === 'string' && /^file:\/\//i.test(path))
    throw new TypeError(`path must be a URL object if it is a URL: pass new URL(${shown(path)})`);
  if (Buffer.isBuffer(path) || (typeof path === 'string' && path !== '' && !path.includes('\0'))) return path;
  throw new TypeError(`path must be the path of a file, as a string, a Buffer or a file: URL, got ${shown(path)}`);
}

/** What Node says of a failed read names no file, not even that it is a directory. */
function withPath(error: unknown, path: string): unknown {
  const failure = error as NodeJS.ErrnoException;
  if (failure.syscall === 'read') {
    failure.message += ` '${path}'`;
    failure.path = path;
  }
  return failure;
}
