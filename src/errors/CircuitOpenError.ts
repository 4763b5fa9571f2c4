/**
 * A circuit breaker has refused a call.
 * @public
 */
export class CircuitOpenError extends Error {
  override readonly name = 'CircuitOpenError';

  constructor(
    /** Who has refused it: `'createCircuitBreaker'` or `'circuitBreaker'`, with its `name` if it has one. */
    readonly where: string,
    /** What it was: open, or half-open with as many calls on trial as may be. */
    readonly status: 'open' | 'half-open',
    /**
     * In how many ms a call may be let pass; `Infinity`: not before somebody has called `close()`. While calls are on trial, that is not
     * known: then it is for how long the breaker was open before.
     */
    readonly retryAfter: number,
  ) {
    super(
      `${where}: the call was refused, and nothing was tried: ` +
        (status === 'open'
          ? 'too much has failed, or it was opened by hand. '
          : 'after too much has failed, others are on trial. ') +
        (retryAfter === Infinity ? 'Calls pass again after close().' : `Try again in ${String(retryAfter)} ms.`),
    );
  }
}
