import { optionalString } from '../internal/arguments.js';

/**
 * Options of everything that has something to say.
 * @public
 */
export interface NameOptions {
  /** Stands in messages, to tell several of the same kind apart. Default: none. */
  name?: string;
}

/** Who speaks, in messages. */
export function readName(operator: string, { name }: NameOptions): string {
  return optionalString('name', name) === undefined ? operator : `${operator} '${name as string}'`;
}
