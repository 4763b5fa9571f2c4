/**
 * A pool has been drained and gives no more resources.
 * @public
 */
export class PoolClosedError extends Error {
  override readonly name = 'PoolClosedError';

  constructor(
    /** Which pool: `'createPool'`, with its `name` if it has one. */
    readonly where: string,
  ) {
    super(`${where} has been drained and gives no more resources. Drain it when those who use it have ended.`);
  }
}
