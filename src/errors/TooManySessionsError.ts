/**
 * A value of a new key came while there were as many sessions as may be, and `onMaxSessions` is `'error'`.
 * @public
 */
export class TooManySessionsError extends Error {
  override readonly name = 'TooManySessionsError';

  constructor(
    /** Who has them: the operator, with its `name` if it has one. */
    readonly where: string,
    /** How many sessions there may be. */
    readonly maxSessions: number,
  ) {
    super(
      `${where}: there are ${String(maxSessions)} sessions already. Allow more with maxSessions, end them sooner with idleTimeout ` +
        "or maxAge, or choose another onMaxSessions ('close-oldest-idle', 'wait' or 'drop').",
    );
  }
}
