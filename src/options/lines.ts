import { optionsObject, positiveIntegerOrInfinity } from '../internal/arguments.js';

/**
 * Options of everything that reads lines.
 * @public
 */
export interface LineOptions {
  /** How long a line may be, in bytes of UTF-8 without its end; `Infinity`: as long as memory lasts. Default: 1 048 576 (1 MiB). */
  maxLineLength?: number;
  /** Names the operator in messages. */
  name?: string;
}

export interface LineSettings {
  readonly maxLineLength: number;
  /** Who reads, for messages. */
  readonly where: string;
}

export function readLineOptions(operator: string, options: LineOptions): LineSettings {
  const { maxLineLength = 1_048_576, name } = optionsObject(options);
  return {
    maxLineLength: positiveIntegerOrInfinity('maxLineLength', maxLineLength),
    where: name === undefined ? operator : `${operator} '${name}'`,
  };
}
