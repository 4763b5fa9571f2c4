/**
 * The values of a session were subscribed while another subscriber was there: each value goes to one.
 * @public
 */
export class SessionInUseError extends Error {
  override readonly name = 'SessionInUseError';

  constructor(
    /** Whose session: the operator, with its `name` if it has one. */
    readonly where: string,
  ) {
    super(
      `${where}: the values of a session have a subscriber already. To use them twice, share them (values.pipe(connect(...))).`,
    );
  }
}
