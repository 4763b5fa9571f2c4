/**
 * A resource has been acquired and used, and the clean-up after that has failed or did not end in time.
 * @public
 */
export class ReleaseError extends Error {
  override readonly name = 'ReleaseError';

  constructor(
    /** Who released it: `'usingAsync'`, or `'createPool'` for a use of a pool; with its `name` if it has one. */
    readonly where: string,
    /** How the use of the resource had ended. */
    readonly outcome: 'complete' | 'error' | 'cancel',
    /** What went wrong: `'release'` itself, or only the `'clean-up'` of what had used the resource; then that has been released. */
    readonly what: 'release' | 'clean-up',
    /** `'timed-out'`: some of it had not settled when `cleanupTimeout` was over, and goes on. */
    readonly reason: 'failed' | 'timed-out',
    /** What it has failed with: an `AggregateError` where several have; `undefined` where nothing has failed yet. */
    override readonly cause: unknown,
    /** The error with which the use had ended, which this one stands for too; `undefined` if it had ended without one. */
    readonly useError: unknown,
  ) {
    const subject = what === 'release' ? 'release' : 'the clean-up of what had used the resource';
    const ending = { complete: 'had completed', error: 'had failed', cancel: 'was cancelled' }[outcome];
    super(
      `${where}: ${subject} ${reason === 'failed' ? 'has failed' : 'did not end in time'} after the use ${ending}.` +
        (reason === 'timed-out' ? " It goes on: let it end sooner, or raise 'cleanupTimeout'." : '') +
        (cause === undefined ? '' : " What has failed is the 'cause'.") +
        (outcome === 'error' ? " 'useError' is the error of the use." : ''),
    );
  }
}
