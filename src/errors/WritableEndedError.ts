/**
 * A Node stream that is to be written has ended or been destroyed, and not by the one who writes.
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
    super(
      `${where}: the stream has been ended, by someone else or an earlier subscription. ` +
        'Leave its end to writeTo, and pass a function that opens it anew for each subscription: writeTo(() => ...).',
      error ? { cause: error } : undefined,
    );
  }
}
