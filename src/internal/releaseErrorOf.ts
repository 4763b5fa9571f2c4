import { ReleaseError } from '../errors/ReleaseError.js';
import type { CleanupResult } from '../link/Cleanups.js';

/** How a resource was let go of. */
export interface Ending {
  readonly where: string;
  readonly outcome: ReleaseError['outcome'];
  readonly useError: unknown;
  /** Of the clean-ups of its use. */
  readonly cleaned: CleanupResult;
  readonly released: CleanupResult;
}

/** What has gone wrong, or `undefined` if nothing has. */
export function releaseErrorOf({ where, outcome, useError, cleaned, released }: Ending): ReleaseError | undefined {
  const results = [cleaned, released].filter(({ cleanup }) => cleanup !== 'done');
  if (results.length === 0) return undefined;
  const causes = results.filter((result) => 'cleanupError' in result).map(({ cleanupError }) => cleanupError);
  return new ReleaseError(
    where,
    outcome,
    released.cleanup === 'done' ? 'clean-up' : 'release',
    results.some(({ cleanup }) => cleanup === 'timed-out') ? 'timed-out' : 'failed',
    causes.length < 2 ? causes[0] : new AggregateError(causes, 'the clean-up and release have failed'),
    useError,
  );
}
