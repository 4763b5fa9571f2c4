/**
 * What has become of a pipeline that was shut down.
 * @public
 */
export interface ShutdownReport {
  /** The `name` of the `gracefulShutdown`, if it has one. */
  readonly name?: string;
  /** What it was stopped with: the reason of the signal or of the shutdown, or the value of the notifier. */
  readonly reason: unknown;
  /** `'cut-off'`: it was unsubscribed from before it had completed; `'failed'`: an error came before that. */
  readonly outcome: 'drained' | 'cut-off' | 'failed';
  /** How many results have come out after the stop. */
  readonly drained: number;
  /** How much work was running, and was cut off. */
  readonly aborted: number;
  /** How many values were given up that had to wait: they were not started, or not passed on. */
  readonly dropped: number;
  /** How the asynchronous clean-up has ended; `'timed-out'`: it goes on. */
  readonly cleanup: 'done' | 'timed-out' | 'failed';
  /** What clean-up has failed with: an `AggregateError` where several have. */
  readonly cleanupError?: unknown;
  /** Whether `drainTimeout` has cut it off. */
  readonly timedOut: boolean;
  /** The error that came while it drained. */
  readonly error?: unknown;
  /** How long it took from the stop to the end, in milliseconds. */
  readonly ms: number;
}

/**
 * A pipeline was cut off by its shutdown, or its clean-up has failed or was not waited for any longer.
 * @public
 */
export class ShutdownError extends Error {
  override readonly name = 'ShutdownError';

  constructor(
    /** Who was shut down: `'gracefulShutdown'`, with its `name` if it has one. */
    readonly where: string,
    /** What has become of it. */
    readonly report: ShutdownReport,
  ) {
    super(
      `${where}: ${whatHappened(report)}. ${advice(report)}`,
      report.cleanupError === undefined ? undefined : { cause: report.cleanupError },
    );
  }
}

function whatHappened({ outcome, timedOut, aborted, dropped, cleanup }: ShutdownReport): string {
  const parts: string[] = [];
  if (outcome === 'cut-off') {
    parts.push(
      `cut off ${timedOut ? 'after drainTimeout' : 'by an abort'}, with ${String(aborted)} at work and ${String(dropped)} waiting`,
    );
  }
  if (cleanup === 'failed') parts.push('its clean-up has failed (see cause)');
  if (cleanup === 'timed-out') parts.push('its clean-up was not over after cleanupTimeout');
  return parts.join('; ');
}

function advice({ outcome, timedOut }: ShutdownReport): string {
  return outcome === 'cut-off' && timedOut
    ? "Give it a longer drainTimeout, or complete all the same (onTimeout: 'complete')."
    : "To complete all the same: onTimeout: 'complete'.";
}
