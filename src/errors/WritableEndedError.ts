/**
 * A stream that is to be written has ended or been destroyed, and not by the one who writes.
 * @public
 */
export class WritableEndedError extends Error {
  override readonly name = 'WritableEndedError';

  constructor(
    /** Who writes: the operator, with its `name` if it has one. */
    readonly where: string,
    /** The error of the stream, if it has one: becomes the `cause`. */
    error?: Error | null,
  ) {
    const [operator = where] = where.split(' ');
    super(
      `${where}: the stream has been ended, by someone else or an earlier subscription. ` +
        `Leave its end to ${operator}, and pass a function that opens it anew for each subscription: ${operator}(() => ...).`,
      error ? { cause: error } : undefined,
    );
  }
}
