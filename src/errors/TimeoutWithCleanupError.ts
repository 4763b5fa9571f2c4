/**
 * What a time limit was exceeded by.
 * @public
 */
export interface TimeoutWithCleanupInfo<T = unknown> {
  /** Which limit. It is `'each'` also where that limits the wait for the first value. */
  readonly limit: 'first' | 'each' | 'total';
  /** How long it is, in ms. */
  readonly ms: number;
  /** How many values had passed when time was up. */
  readonly seen: number;
  /** The last one of them, if there was any. */
  readonly lastValue?: T;
}

/**
 * The source has not done in time what it should, and has been cancelled.
 * @public
 */
export class TimeoutWithCleanupError extends Error {
  override readonly name = 'TimeoutWithCleanupError';
  /**
   * How the clean-up has ended. `'timed-out'`: work or clean-up had not ended when `cleanupTimeout` was over, and may go on;
   * `'failed'`: some of the clean-up has failed.
   */
  readonly cleanup: 'done' | 'timed-out' | 'failed';
  /** What the clean-up has failed with, if it has: an `AggregateError` where several have. */
  readonly cleanupError?: unknown;

  constructor(
    /** Who has limited the time: `'timeoutWithCleanup'`, with its `name` if it has one. */
    readonly where: string,
    /** Which limit was exceeded, and what had passed. */
    readonly info: TimeoutWithCleanupInfo,
    result: { readonly cleanup: 'done' | 'timed-out' | 'failed'; readonly cleanupError?: unknown },
    /** What the work has failed with after it was told to stop, if not just with that. */
    cause?: unknown,
  ) {
    super(`${where}: ${missed(info)}. ${told[result.cleanup]}`, cause === undefined ? undefined : { cause });
    this.cleanup = result.cleanup;
    if ('cleanupError' in result) this.cleanupError = result.cleanupError;
  }
}

function missed({ limit, ms, seen }: TimeoutWithCleanupInfo): string {
  const within = `within ${String(ms)} ms`;
  if (limit === 'total') return `it has not completed ${within} (${String(seen)} values have come)`;
  return seen === 0 ? `no value has come ${within}` : `no value has come ${within} after ${String(seen)}`;
}

const told = {
  done: 'It has been cancelled and has cleaned up.',
  'timed-out':
    'It has been cancelled, and had not cleaned up when cleanupTimeout was over: ' +
    'let the work stop when its signal is aborted, or give it more time.',
  failed: 'It has been cancelled, and its clean-up has failed: see cleanupError.',
};
