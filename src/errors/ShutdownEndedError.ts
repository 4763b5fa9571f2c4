/**
 * A shutdown has come too far to take part in it.
 * @public
 */
export class ShutdownEndedError extends Error {
  override readonly name = 'ShutdownEndedError';

  constructor(
    /** Which shutdown: `'createShutdown'`, with its `name` if it has one. */
    readonly where: string,
    /** What was asked of it. */
    readonly operation: 'add' | 'drain',
    /** The name that was to be registered. */
    readonly member: string,
  ) {
    super(
      operation === 'add'
        ? `${where} is over: '${member}' has to be closed by whoever opened it.`
        : `${where} has drained already: '${member}' can no longer take part. Start nothing new once it is stopping.`,
    );
  }
}
