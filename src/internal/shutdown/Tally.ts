import type { ShutdownReport } from '../../errors/ShutdownError.js';
import type { CleanupResult } from '../../link/Cleanups.js';
import type { LossCounter } from '../../link/protocol.js';

interface Stop {
  readonly reason: unknown;
  readonly at: number;
}

/** Counts and notes what becomes of a pipeline, from its stop on. */
export class Tally implements LossCounter {
  private stopped: Stop | undefined;
  private outcome: ShutdownReport['outcome'] = 'drained';
  private timedOut = false;
  private failure: { readonly error: unknown } | undefined;
  private drained = 0;
  private readonly losses = { waiting: 0, running: 0 };

  /** `below` counts too: what is lost here may be lost to a shutdown around this one. */
  constructor(
    private readonly name: string | undefined,
    private readonly below: LossCounter | undefined,
  ) {}

  stop(reason: unknown, now: number): void {
    this.stopped = { reason, at: now };
  }

  pass(): void {
    if (this.stopped) this.drained++;
  }

  lost(what: 'waiting' | 'running', count: number): void {
    if (this.stopped) this.losses[what] += count;
    this.below?.lost(what, count);
  }

  cutOff(timedOut: boolean): void {
    this.outcome = 'cut-off';
    this.timedOut = timedOut;
  }

  fail(error: unknown): void {
    this.outcome = 'failed';
    this.failure = { error };
  }

  /** A source that keeps its subscriber is not to keep the reason and the error. */
  forget(): void {
    this.stopped = undefined;
    this.failure = undefined;
  }

  reportWith(result: CleanupResult, now: number): ShutdownReport {
    const { name, stopped } = this;
    return {
      ...(name !== undefined && { name }),
      reason: stopped?.reason,
      outcome: this.outcome,
      drained: this.drained,
      aborted: this.losses.running,
      dropped: this.losses.waiting,
      ...result,
      timedOut: this.timedOut,
      ...this.failure,
      ms: now - (stopped?.at ?? now),
    };
  }
}
