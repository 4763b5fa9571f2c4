import type { SchedulerLike } from 'rxjs';
import type { ShutdownSummary } from './Shutdown.js';

/** The options of `createShutdown`, checked and with their defaults. */
export interface CoordinatorSettings {
  readonly drainTimeout: number;
  readonly cleanupTimeout: number;
  readonly scheduler: SchedulerLike;
  readonly onReport: (summary: ShutdownSummary) => void;
  readonly where: string;
}
