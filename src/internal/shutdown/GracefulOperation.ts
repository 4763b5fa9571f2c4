import { Subscription, type Observable, type SchedulerLike, type Subscriber } from 'rxjs';
import { Cleanups, type CleanupResult } from '../../link/Cleanups.js';
import { findCleanupScope, findLossCounter } from '../../link/walk.js';
import { operate } from '../operate.js';
import { answerForCleanup, endWithReport } from './endWithReport.js';
import type { GracefulSettings } from './GracefulSettings.js';
import type { Participant, Participation } from './participation.js';
import { PipelineInput } from './PipelineInput.js';
import { Tally } from './Tally.js';

/** One subscription to `gracefulShutdown`. */
export class GracefulOperation<T, R> implements Participant {
  private phase: 'running' | 'draining' | 'settling' | 'ended' = 'running';
  private readonly tally: Tally;
  private readonly participation: Participation | undefined;
  private readonly scheduler: SchedulerLike;
  private readonly listening = new Subscription();
  private timer = Subscription.EMPTY;
  private answering = Subscription.EMPTY;
  private readonly cleanups: Cleanups;
  private readonly input: PipelineInput<T>;
  private readonly output: Subscriber<R>;

  constructor(
    source: Observable<T>,
    private readonly destination: Subscriber<R>,
    private readonly settings: GracefulSettings<T, R>,
  ) {
    this.participation = settings.on.join?.(this);
    this.scheduler = this.participation?.scheduler ?? settings.scheduler;
    this.cleanups = new Cleanups(findCleanupScope(destination));
    this.tally = new Tally(settings.name, findLossCounter(destination));
    this.input = new PipelineInput(source, { scope: this.cleanups, counter: this.tally });
    this.output = operate<R, R>({
      destination,
      cleanupScope: this.cleanups,
      lossCounter: this.tally,
      next: (result) => {
        this.tally.pass();
        destination.next(result);
      },
      error: (error) => {
        this.fail(error);
      },
      complete: () => {
        if (this.phase === 'draining') return; // what it has to clean up is known when it has been torn down
        this.phase = 'ended';
        destination.complete();
      },
      finalize: () => {
        this.settle();
      },
    });
  }

  start(): void {
    const { settings, participation, output, input } = this;
    if (output.closed) return;
    if (participation?.stopped) this.stop(participation.stopped.reason);
    else settings.on.listen(this, this.listening, this.cleanups);
    if (!output.closed) settings.pipeline(input.values$).subscribe(output);
    if (participation?.aborted) this.abort(participation.aborted.timedOut);
  }

  // What happens to it

  stop(reason: unknown): void {
    const { settings, scheduler } = this;
    if (this.phase !== 'running') return;
    this.phase = 'draining';
    this.tally.stop(reason, scheduler.now());
    this.answering = this.cleanups.answer();
    this.stopListening();
    if (settings.drainTimeout < Infinity) {
      this.timer = scheduler.schedule(() => {
        this.abort(true);
      }, settings.drainTimeout);
    }
    this.cleanups.attempt(() => {
      this.input.stop();
    });
  }

  abort(timedOut: boolean): void {
    if (this.phase !== 'draining') return;
    this.tally.cutOff(timedOut);
    this.cleanups.attempt(() => {
      this.output.unsubscribe();
    });
  }

  giveUp(): void {
    this.participation?.leave(this, this.tally.reportWith({ cleanup: 'timed-out' }, this.scheduler.now()));
  }

  fail(error: unknown): void {
    if (this.phase === 'running') {
      this.phase = 'ended';
      this.destination.error(error);
    } else if (this.phase === 'draining') this.tally.fail(error);
  }

  // The end

  /** The pipeline has been torn down, whoever did it. */
  private settle(): void {
    const { phase, destination, participation, settings, scheduler } = this;
    this.stopListening();
    this.timer.unsubscribe();
    if (phase !== 'draining' || (destination.closed && !participation)) {
      this.phase = 'ended';
      this.tally.forget();
      this.answering.unsubscribe();
      participation?.leave(this);
      return;
    }
    this.phase = 'settling';
    if (destination.closed) this.tally.cutOff(false);
    const cleanupTimeout = Math.min(settings.cleanupTimeout, participation?.cleanupTimeout ?? Infinity);
    const waiting = this.cleanups.answerWhenSettled({ cleanupTimeout, scheduler }, (result) => {
      this.end(result);
    });
    if (!participation) destination.add(waiting); // a shutdown waits for it, also if the consumer has left
  }

  private stopListening(): void {
    this.cleanups.attempt(() => {
      this.listening.unsubscribe();
    });
  }

  private end(result: CleanupResult): void {
    const { destination, settings, participation, tally } = this;
    const report = tally.reportWith(result, this.scheduler.now());
    const hasConsumer = !destination.closed;
    this.phase = 'ended';
    tally.forget();
    if (hasConsumer) endWithReport(destination, settings, report);
    const isInSummary = participation?.leave(this, report) ?? false;
    if (!isInSummary) answerForCleanup(hasConsumer ? settings : undefined, report);
  }
}
