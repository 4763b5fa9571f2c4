import type { Subscriber } from 'rxjs';
import { ShutdownError, type ShutdownReport } from '../../errors/ShutdownError.js';
import { reportUnhandled } from '../reportUnhandled.js';
import type { GracefulSettings } from './GracefulSettings.js';

/** Tells of a pipeline that was stopped, and then of its end. */
export function endWithReport(
  destination: Subscriber<never>,
  { onReport, onTimeout, where }: Pick<GracefulSettings<never, never>, 'onReport' | 'onTimeout' | 'where'>,
  report: ShutdownReport,
): void {
  const { outcome, cleanup, error } = report;
  try {
    onReport?.(report);
  } catch (thrown) {
    reportUnhandled(thrown);
  }
  if (outcome === 'failed') destination.error(error);
  else if ((outcome === 'drained' && cleanup === 'done') || onTimeout === 'complete') destination.complete();
  else destination.error(new ShutdownError(where, report));
}

/** Clean-up that has failed is told of, and be it here: where there is no report, and no error that has it. */
export function answerForCleanup(
  { onReport, onTimeout }: Pick<GracefulSettings<never, never>, 'onReport' | 'onTimeout'>,
  { outcome, cleanupError }: ShutdownReport,
): void {
  const isInError = outcome !== 'failed' && onTimeout === 'error';
  if (cleanupError !== undefined && !onReport && !isInError) reportUnhandled(cleanupError);
}
