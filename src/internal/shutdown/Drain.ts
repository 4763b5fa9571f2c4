import type { SchedulerLike } from 'rxjs';
import { isCancellation } from '../isCancellation.js';
import { reportUnhandled } from '../reportUnhandled.js';
import type { Participant } from './participation.js';
import { runUntilOver, type Failure } from './runUntilOver.js';
import type { DrainContext, DrainReport } from './Shutdown.js';

/** A function that takes part in the drain. */
export class Drain implements Participant {
  private state: 'registered' | 'draining' | 'ended' = 'registered';
  private startedAt = 0;

  constructor(
    private readonly name: string,
    private readonly drain: (context: DrainContext) => unknown,
    private readonly signal: AbortSignal,
    private readonly scheduler: SchedulerLike,
    private readonly onEnd: (report: DrainReport) => void,
  ) {}

  get hasBegun(): boolean {
    return this.state !== 'registered';
  }

  stop(reason: unknown): void {
    if (this.hasBegun) return;
    const { drain, signal } = this;
    this.state = 'draining';
    this.startedAt = this.scheduler.now();
    runUntilOver(
      () => drain({ reason, signal }),
      (failure) => {
        if (!failure || (signal.aborted && isCancellation(failure.error, signal.reason)))
          this.end(signal.aborted ? 'aborted' : 'drained');
        else if (this.state === 'ended') reportUnhandled(failure.error);
        else this.end('failed', failure);
      },
    );
  }

  abort(): void {
    // It has the signal.
  }

  giveUp(): void {
    this.end('timed-out');
  }

  private end(state: DrainReport['state'], failure?: Failure): void {
    if (this.state === 'ended') return;
    this.state = 'ended';
    this.onEnd({ name: this.name, state, ...failure, ms: this.scheduler.now() - this.startedAt });
  }
}
