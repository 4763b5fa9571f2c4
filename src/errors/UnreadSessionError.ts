/**
 * The handler of a session has completed and has taken none of its values: each new session would end like that.
 * @public
 */
export class UnreadSessionError extends Error {
  override readonly name = 'UnreadSessionError';

  constructor(
    /** Whose session: the operator, with its `name` if it has one. */
    readonly where: string,
    /** How many values of its key wait. */
    readonly waiting: number,
  ) {
    super(
      `${where}: a handler has completed and has taken none of the values of its session, of which ${String(waiting)} wait. ` +
        'To leave them out, let it return values.pipe(ignoreElements()).',
    );
  }
}
