import type { Observable, SchedulerLike } from 'rxjs';
import type { ShutdownReport } from '../../errors/ShutdownError.js';
import type { StopListening } from './stopSource.js';

/** The arguments of `gracefulShutdown`, checked and with their defaults. */
export interface GracefulSettings<T, R> {
  readonly pipeline: (work$: Observable<T>) => Observable<R>;
  readonly on: StopListening;
  readonly drainTimeout: number;
  readonly cleanupTimeout: number;
  readonly onTimeout: 'error' | 'complete';
  readonly onReport: ((report: ShutdownReport) => void) | undefined;
  readonly scheduler: SchedulerLike;
  readonly name: string | undefined;
  /** The operator's name, for messages. */
  readonly where: string;
}
