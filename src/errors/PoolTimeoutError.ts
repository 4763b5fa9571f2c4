/**
 * Something of a pool has taken longer than it may.
 * @public
 */
export class PoolTimeoutError extends Error {
  override readonly name = 'PoolTimeoutError';

  constructor(
    /** Which pool: `'createPool'`, with its `name` if it has one. */
    readonly where: string,
    /** What took too long: to wait for a resource, to create one, or to destroy one. */
    readonly operation: 'acquire' | 'create' | 'destroy',
    /** How long it may take, in ms. */
    readonly timeout: number,
    /** How many resources were in use. */
    readonly inUse: number,
    /** How many waited for one, this one included. */
    readonly waiting: number,
  ) {
    super(`${where}: ${sentences[operation](String(timeout))} (${String(inUse)} in use, ${String(waiting)} waiting)`);
  }
}

const sentences = {
  acquire: (ms: string) =>
    `no resource became free within ${ms} ms. Use them for a shorter time, return each, or allow more (max) or longer (acquireTimeout)`,
  create: (ms: string) =>
    `create has not given a resource within ${ms} ms. Its signal has been aborted; allow longer with createTimeout`,
  destroy: (ms: string) =>
    `destroy has not settled within ${ms} ms. Its place is free again, so that there may be one more than max; allow longer with cleanupTimeout`,
};
