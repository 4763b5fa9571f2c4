/**
 * A line is not valid JSON, or the `reviver` refused it; `cause` is what was thrown.
 * @public
 */
export class JsonLineError extends Error {
  override readonly name = 'JsonLineError';

  constructor(
    /** Who read it: the operator, with its `name` if it has one. */
    readonly where: string,
    /** The number of the line, from 1. */
    readonly line: number,
    /** Where the line begins, in bytes of UTF-8 from the very beginning. */
    readonly byteOffset: number,
    /** How the line begins: at most 80 characters, and `…` if there are more. */
    readonly excerpt: string,
    /** What is wrong. */
    reason: string,
    /** What `JSON.parse` threw: a `SyntaxError`, or whatever the `reviver` threw. */
    override readonly cause: unknown,
  ) {
    super(
      `${where}: line ${String(line)}, at byte ${String(byteOffset)}, cannot be read as JSON: ${JSON.stringify(excerpt)} ` +
        `(${reason}).`,
    );
  }
}
