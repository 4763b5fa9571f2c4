/**
 * More values had to wait than `bufferSize` allows, and `overflow` is `'error'`.
 * @public
 */
export class BufferOverflowError extends Error {
  override readonly name = 'BufferOverflowError';

  constructor(
    /** Who was full: the operator, with its `name` if it has one. */
    readonly where: string,
    /** What had to wait: `'values'` of the source, `'values of a key'`, or `'results'` of inner sources. */
    readonly what: 'values' | 'values of a key' | 'results',
    /** How many waited already. */
    readonly waiting: number,
  ) {
    super(
      `${where}: ${String(waiting)} ${what} wait already, and what emits them cannot be suspended. ` +
        (what === 'results'
          ? 'Make the inner source one that can (fromPull), or use a larger or infinite bufferSize.'
          : 'Use a source that can (fromPull), a larger or infinite ' +
            `${what === 'values' ? 'bufferSize' : 'maxPerKey'}, ` +
            "or a policy that drops (overflow: 'drop-oldest', 'drop-newest' or 'drop-buffer')."),
    );
  }
}
