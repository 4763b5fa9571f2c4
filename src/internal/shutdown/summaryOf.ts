import type { ShutdownReport } from '../../errors/ShutdownError.js';
import type { ShutdownSummary } from './Shutdown.js';

type Facts = Omit<ShutdownSummary, 'clean' | 'aborted' | 'dropped'>;

/** What has become of all, with the totals. */
export function summaryOf(facts: Facts): ShutdownSummary {
  const { reason, timedOut, pipelines, drains, resources, ms } = facts;
  const total = (what: 'aborted' | 'dropped') =>
    pipelines.reduce((sum: number, report: ShutdownReport) => sum + report[what], 0);
  return {
    reason,
    clean:
      pipelines.every(({ outcome, cleanup }) => outcome === 'drained' && cleanup === 'done') &&
      drains.every(({ state }) => state === 'drained') &&
      resources.every(({ state }) => state === 'closed'),
    timedOut,
    aborted: total('aborted'),
    dropped: total('dropped'),
    pipelines,
    drains,
    resources,
    ms,
  };
}
