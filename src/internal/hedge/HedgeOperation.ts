import { Subscription, type Observable, type Subscriber } from 'rxjs';
import { Cleanups } from '../../link/Cleanups.js';
import { findCleanupScope, findGate } from '../../link/walk.js';
import { drainLoop } from '../drainLoop.js';
import { operate } from '../operate.js';
import { beginAttempt, endAttempt } from '../retry/attempt.js';
import { blameFirstFailure, isConsumed } from '../retry/consumed.js';
import { StopRequest } from '../StopRequest.js';
import type { HedgeSettings } from './HedgeSettings.js';
import { HedgeTimer } from './HedgeTimer.js';

interface Failure {
  readonly error: unknown;
}

/** One subscription, and those to the source that race for it. */
export class HedgeOperation<T> {
  private attempts = 0;
  /** Those that have given nothing yet. */
  private readonly racing = new Set<Subscriber<T>>();
  private winner: Subscriber<T> | undefined;
  /** The next one may begin; with an error if another one has failed. */
  private due: Partial<Failure> | undefined = {};
  /** Of the last that has failed. */
  private failure: Failure | undefined;
  /** With an error, if that is the end. */
  private end: Partial<Failure> | undefined;
  /** For clean-up, in the end. */
  private waiting = Subscription.EMPTY;
  private readonly cleanups: Cleanups;
  private readonly timer: HedgeTimer;
  private readonly stopRequest: StopRequest;
  private readonly drain: () => void;

  constructor(
    private readonly destination: Subscriber<T>,
    private readonly source: Observable<T>,
    private readonly settings: HedgeSettings,
  ) {
    this.cleanups = new Cleanups(findCleanupScope(destination));
    this.drain = drainLoop(
      destination,
      () => {
        this.step();
      },
      (thrown) => {
        destination.error(thrown);
      },
    );
    this.timer = new HedgeTimer(settings.patience.scheduler, findGate(destination), {
      onDue: () => {
        this.due = {};
        this.drain();
      },
      onOpen: this.drain,
    });
    this.stopRequest = new StopRequest(destination, () => {
      this.timer.cancel();
    });
  }

  start(): void {
    this.destination.add(() => {
      this.timer.cancel();
      this.waiting.unsubscribe();
      this.stopRequest.leave();
      this.racing.clear();
      this.winner = this.due = this.failure = this.end = undefined;
    });
    this.stopRequest.join();
    this.drain();
  }

  private step(): void {
    const { racing, due, failure } = this;
    const mayBegin = this.attempts === 0 || (this.attempts < this.settings.max && !this.stopRequest.isMade);
    if (this.end) this.finish(this.end);
    else if (this.winner) return;
    else if (due && mayBegin) this.begin(due);
    else if (racing.size === 0 && failure) this.finish(failure);
    else if (mayBegin) this.setTimer();
  }

  private begin(reason: Partial<Failure>): void {
    const { destination, cleanups, settings } = this;
    const attempt = ++this.attempts;
    this.due = undefined;
    if (attempt > 1) {
      settings.onHedge?.({ attempt, ...reason });
      if (destination.closed || this.stopRequest.isMade) {
        this.drain(); // what is left may be the end
        return;
      }
    }
    const subscriber = operate<T, T>({
      destination,
      cleanupScope: cleanups,
      next: (value) => {
        if (!this.wants(subscriber)) return;
        const isFirst = !this.winner;
        this.winner = subscriber;
        destination.next(value);
        if (isFirst) this.giveUpOthers();
      },
      error: (error) => {
        if (this.wants(subscriber)) this.fail(subscriber, attempt, error);
      },
      complete: () => {
        if (this.wants(subscriber)) this.complete(subscriber);
      },
    });
    this.racing.add(subscriber);
    beginAttempt(this.source, subscriber, cleanups);
    this.drain();
  }

  /** From the first that gives something on, only that one counts. */
  private wants(subscriber: Subscriber<T>): boolean {
    return !this.end && (this.winner ?? subscriber) === subscriber;
  }

  private complete(subscriber: Subscriber<T>): void {
    this.winner = subscriber;
    this.end = {};
    this.giveUpOthers();
    endAttempt(subscriber, this.cleanups);
    this.drain();
  }

  private fail(subscriber: Subscriber<T>, attempt: number, error: unknown): void {
    if (isConsumed(error) && this.failure) blameFirstFailure(error, this.failure.error);
    this.racing.delete(subscriber);
    endAttempt(subscriber, this.cleanups);
    if (this.destination.closed) return;
    if (!this.winner && this.settings.shouldHedge(error, attempt)) {
      this.timer.cancel();
      this.failure = this.due = { error };
    } else {
      this.end = { error };
      this.giveUpOthers();
    }
    this.drain();
  }

  private giveUpOthers(): void {
    const { racing, winner, cleanups } = this;
    const others = [...racing].filter((each) => each !== winner);
    racing.clear();
    this.due = this.failure = undefined;
    this.timer.cancel();
    for (const other of others) endAttempt(other, cleanups);
  }

  private finish(end: Partial<Failure>): void {
    this.waiting = this.cleanups.whenSettled(this.settings.patience, () => {
      if ('error' in end) this.destination.error(end.error);
      else this.destination.complete();
    });
  }

  private setTimer(): void {
    const ms = this.settings.after(this.attempts);
    if (!this.destination.closed) this.timer.set(ms);
  }
}
