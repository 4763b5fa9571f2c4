import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { nonNegativeDurationOrInfinity, schedulerOf } from '../internal/arguments.js';
import type { CleanupPatience } from '../link/Cleanups.js';

/**
 * Options of everything that waits for clean-up.
 * @public
 */
export interface CleanupOptions {
  /** How long the end waits for clean-up that has not settled, in ms; `Infinity`: until it has. Default: 5000. */
  cleanupTimeout?: number;
  /** Source of time. Default: `asyncScheduler`. */
  scheduler?: SchedulerLike;
}

export function readCleanupOptions({
  cleanupTimeout = 5000,
  scheduler = asyncScheduler,
}: CleanupOptions): CleanupPatience {
  return {
    cleanupTimeout: nonNegativeDurationOrInfinity('cleanupTimeout', cleanupTimeout),
    scheduler: schedulerOf('scheduler', scheduler),
  };
}
