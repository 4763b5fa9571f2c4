/**
 * Clean-up that had to be waited for has not settled in time, and goes on; `cause` is why everything was to stop.
 * @public
 */
export class CleanupTimeoutError extends Error {
  override readonly name = 'CleanupTimeoutError';

  constructor(
    /** Who waited: the operator, with its `name` if it has one. */
    readonly where: string,
    /** How long it waited, in ms. */
    readonly cleanupTimeout: number,
    /** The reason of the abort. */
    override readonly cause: unknown,
    /** What other clean-up has failed with meanwhile: an `AggregateError` where several have. */
    readonly cleanupError?: unknown,
  ) {
    super(
      `${where}: the clean-up has not settled within ${String(cleanupTimeout)} ms, and goes on. ` +
        'Let it come to an end when its signal is aborted, or use a larger or infinite cleanupTimeout.',
    );
  }
}
