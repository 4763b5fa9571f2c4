/**
 * A queue has been closed: it takes no more values, and those that it had are gone.
 * @public
 */
export class QueueClosedError extends Error {
  override readonly name = 'QueueClosedError';

  constructor(
    /** Which queue: `'BoundedQueue'`, with its `name` if it has one. */
    readonly where: string,
    /** What was asked of it. */
    readonly operation: 'put' | 'take',
  ) {
    super(
      operation === 'put'
        ? `${where} is closed and takes no more values. Close it when those who put have ended.`
        : `${where} is closed, and no value is left to take.`,
    );
  }
}
