/**
 * A line is longer than `maxLineLength` allows.
 * @public
 */
export class LineTooLongError extends Error {
  override readonly name = 'LineTooLongError';

  constructor(
    /** Who read it: the operator, with its `name` if it has one. */
    readonly where: string,
    /** The number of the line, from 1. */
    readonly line: number,
    /** Where the line begins, in bytes of UTF-8 from the very beginning. */
    readonly byteOffset: number,
    /** How the line begins: at most 80 characters, and `…` if more had come when it became too long. */
    readonly excerpt: string,
    /** How many bytes it may have. */
    readonly limit: number,
  ) {
    super(
      `${where}: line ${String(line)}, at byte ${String(byteOffset)}, is longer than ${String(limit)} bytes: ` +
        `${JSON.stringify(excerpt)}. Pass a larger or infinite maxLineLength if lines may be so long.`,
    );
  }
}
