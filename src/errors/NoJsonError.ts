/**
 * A value has no JSON: it is `undefined`, a function, a symbol, a BigInt, refers to itself, or its `toJSON` or the `replacer`
 * throws or gives nothing.
 * @public
 */
export class NoJsonError extends Error {
  override readonly name = 'NoJsonError';

  constructor(
    /** Who met it: the operator, with its `name` if it has one. */
    readonly where: string,
    /** Which of the values it is, from 0. */
    readonly index: number,
    /** What was wrong. */
    reason: string,
    options?: ErrorOptions,
  ) {
    super(
      `${where}: value ${String(index)} has no JSON: ${reason}. Map it to something that has, or filter it out.`,
      options,
    );
  }
}
