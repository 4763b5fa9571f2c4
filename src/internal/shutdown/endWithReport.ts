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

/** Clean-up that has failed is told of, and be it here: where there is no report, and no error that has it. Nor is there where nobody was `told`. */
export function answerForCleanup(
  told: Pick<GracefulSettings<never, never>, 'onReport' | 'onTimeout'> | undefined,
  { outcome, cleanupError }: ShutdownReport,
): void {
  const isInError = outcome !== 'failed' && told?.onTimeout === 'error';
  if (cleanupError !== undefined && !told?.onReport && !isInError) reportUnhandled(cleanupError);
}
