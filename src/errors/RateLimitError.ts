/**
 * A value came that no permit was free for, and the `mode` of `rateLimit` is `'enforce'`.
 * @public
 */
export class RateLimitError extends Error {
  override readonly name = 'RateLimitError';

  constructor(
    /** Who has refused it: the operator, with its `name` if it has one. */
    readonly where: string,
    /** In how many ms a permit may be free, if nobody else takes it. */
    readonly retryAfter: number,
    /** What the store has failed with, where it has: becomes the `cause`. */
    options?: ErrorOptions,
  ) {
    super(
      `${where}: the limit is reached; a permit may be free in ${String(retryAfter)} ms. ` +
        "Try again then, or let values wait (mode: 'shape') or go (mode: 'drop').",
      options,
    );
  }
}
