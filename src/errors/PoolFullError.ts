/**
 * A pool has all its resources in use, and as many wait for one as may.
 * @public
 */
export class PoolFullError extends Error {
  override readonly name = 'PoolFullError';

  constructor(
    /** Which pool: `'createPool'`, with its `name` if it has one. */
    readonly where: string,
    /** How many resources it may have. */
    readonly max: number,
    /** How many wait already. */
    readonly waiting: number,
  ) {
    super(
      `${where}: all ${String(max)} resources are in use and ${String(waiting)} wait already. ` +
        'Ask for fewer at a time (usePool does), or allow more with max or maxWaiting.',
    );
  }
}
