/**
 * A Node stream that is to be written has ended or been destroyed, and not by the one who writes.
 * @public
 */
export class WritableEndedError extends Error {
  override readonly name = 'WritableEndedError';

  constructor(
    /** Who writes: the operator, with its `name` if it has one. */
    readonly where: string,
    options?: ErrorOptions,
  ) {
    super(
      `${where}: the stream has been ended, by someone else or an earlier subscription. ` +
        'Open a stream for each subscription, and leave its end to writeTo.',
      options,
    );
  }
}
