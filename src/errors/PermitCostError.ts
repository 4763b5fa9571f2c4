/**
 * More permits were asked for than can ever be free at a time: nobody waits for that.
 * @public
 */
export class PermitCostError extends Error {
  override readonly name = 'PermitCostError';

  constructor(
    /** Who was asked: the operator or the limiter, with its `name` if it has one. */
    readonly where: string,
    /** How many permits were asked for. */
    readonly cost: number,
    /** How many can ever be free at a time: the `limit`, or the `burst` of a token bucket. */
    readonly capacity: number,
  ) {
    super(
      `${where}: ${String(cost)} permits are never free at a time, only ${String(capacity)}. ` +
        'Split the work, or give it a lower cost or a limiter with a higher limit (or burst).',
    );
  }
}
