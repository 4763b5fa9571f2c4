/**
 * More values had to wait than `bufferSize` allows, and `overflow` is `'error'`.
 * @public
 */
export class BufferOverflowError extends Error {
  override readonly name = 'BufferOverflowError';

  constructor(
    /** Who was full: the operator, with its `name` if it has one. */
    readonly where: string,
    /** What had to wait: `'values'` of the source, of a key or of a session, `'results'` of inner sources, or `'tasks'` of a scope. */
    readonly what: 'values' | 'values of a key' | 'values of a session' | 'results' | 'tasks',
    /** How many waited already. */
    readonly waiting: number,
  ) {
    super(
      what === 'tasks'
        ? `${where}: ${String(waiting)} tasks wait already. Run the next when one has ended, or use a larger or infinite bufferSize.`
        : `${where}: ${String(waiting)} ${what} wait already, and what emits them cannot be suspended. ` +
            (what === 'results'
              ? 'Make the inner source one that can (fromPull), or use a larger or infinite bufferSize.'
              : 'Use a source that can (fromPull), a larger or infinite ' +
                `${what === 'values' ? 'bufferSize' : what === 'values of a key' ? 'maxPerKey' : 'bufferSizePerKey'}, ` +
                "or a policy that drops (overflow: 'drop-oldest', 'drop-newest' or 'drop-buffer')."),
    );
  }
}
