import { Observable, type OperatorFunction } from 'rxjs';
import { NoJsonError } from '../errors/NoJsonError.js';
import { optionsObject, shown } from '../internal/arguments.js';
import { operate } from '../internal/operate.js';
import { reasonOf } from '../machines/reasonOf.js';
import { readName } from '../options/name.js';

/**
 * Options of `formatJsonLines`.
 * @public
 */
export interface FormatJsonLinesOptions {
  /** Changes or chooses what is written, as in `JSON.stringify`. */
  replacer?: ((this: unknown, key: string, value: unknown) => unknown) | readonly (string | number)[];
  /** Names the operator in messages. */
  name?: string;
}

/**
 * Writes each value as a line of JSON, which ends with a line feed.
 *
 * ```marble
 * source             -a-b-c-|
 * formatJsonLines()  -x-y-z-|
 * ```
 *
 * Where `x` is `'"a"\n'`. As in `JSON.stringify`, what has no JSON within an object is left out, and `NaN` becomes `null`.
 *
 * - **Completes** with the source.
 * - **Errors** with the source, and with a `NoJsonError` for a value that has no JSON: `undefined`, a function, a symbol, a BigInt,
 *   one that refers to itself, or one for which `toJSON` or the `replacer` throws or gives nothing. The error tells which value
 *   it is, counted from 0.
 * - **Unsubscribed** with the source.
 * - **Backpressure** goes through: one line for each value.
 * - **Drops** nothing.
 * - **Rather** `map((value) => JSON.stringify(value))` for messages that are framed otherwise.
 *
 * @throws TypeError if `replacer`, `name` or the options are of another type
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { formatJsonLines } from 'rxjs-flow-control';
 *
 * of({ id: 1 }, { id: 2 }).pipe(formatJsonLines()).subscribe((line) => process.stdout.write(line)); // prints: {"id":1}, {"id":2}
 * ```
 * @public
 */
export function formatJsonLines(options: FormatJsonLinesOptions = {}): OperatorFunction<unknown, string> {
  const { replacer } = optionsObject(options);
  if (replacer !== undefined && typeof replacer !== 'function' && !Array.isArray(replacer))
    throw new TypeError(`replacer must be a function or an array, got ${shown(replacer)}`);
  const where = readName('formatJsonLines', options);

  return (source) =>
    new Observable((destination) => {
      let index = 0;
      source.subscribe(
        operate({
          destination,
          next: (value) => {
            destination.next(`${toJson(value, replacer as Replacer, where, index++)}\n`);
          },
        }),
      );
    });
}

type Replacer = (this: unknown, key: string, value: unknown) => unknown;

function toJson(value: unknown, replacer: Replacer, where: string, index: number): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(value, replacer);
  } catch (cause) {
    throw new NoJsonError(where, index, reasonOf(cause), { cause });
  }
  if (json !== undefined) return json;
  const isNothing = ['undefined', 'function', 'symbol'].includes(typeof value);
  throw new NoJsonError(
    where,
    index,
    isNothing ? `it is ${shown(value)}` : 'toJSON or the replacer gives nothing for it',
  );
}
