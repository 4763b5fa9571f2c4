import { optionsObject, positiveIntegerOrInfinity } from '../internal/arguments.js';
import { readName, type NameOptions } from './name.js';

/**
 * Options of everything that reads lines.
 * @public
 */
export interface LineOptions extends NameOptions {
  /** How long a line may be, in bytes of UTF-8 without its end; `Infinity`: as long as memory lasts. Default: 1 048 576 (1 MiB). */
  maxLineLength?: number;
}

export interface LineSettings {
  readonly maxLineLength: number;
  /** Who reads, for messages. */
  readonly where: string;
}

export function readLineOptions(operator: string, options: LineOptions): LineSettings {
  const { maxLineLength = 1_048_576 } = optionsObject(options);
  return {
    maxLineLength: positiveIntegerOrInfinity('maxLineLength', maxLineLength),
    where: readName(operator, options),
  };
}
