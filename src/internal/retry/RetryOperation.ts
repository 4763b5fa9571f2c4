import { Subscription, type Observable, type Subscriber } from 'rxjs';
import { Cleanups, type CleanupPatience } from '../../link/Cleanups.js';
import { findCleanupScope } from '../../link/walk.js';
import { Backoff, type BackoffSettings } from '../../machines/Backoff.js';
import { FailureSeries } from '../../machines/FailureSeries.js';
import { SteadyTime } from '../../machines/SteadyTime.js';
import { booleanOf, check, longestDelay } from '../arguments.js';
import { drainLoop } from '../drainLoop.js';
import { operate } from '../operate.js';
import { StopRequest } from '../StopRequest.js';
import { beginAttempt, endAttempt, waitForNext } from './attempt.js';
import { blameFirstFailure, isConsumed } from './consumed.js';

export interface RetrySettings {
  readonly count: number;
  readonly maxElapsed: number;
  readonly resetAfter: number;
  readonly backoff: BackoffSettings;
  readonly shouldRetry: ((error: unknown, attempt: number) => boolean) | undefined;
  readonly delayFor: ((error: unknown, attempt: number) => number | undefined) | undefined;
  readonly onRetry: ((retry: { error: unknown; attempt: number; delay: number }) => void) | undefined;
  readonly patience: CleanupPatience;
  /** Who retries, for messages. */
  readonly where: string;
}

/** One subscription, and those to the source that it needs, one after the other. */
export class RetryOperation<T> {
  /** `'failed'`: what is to be done about it has not been decided yet. */
  private phase: 'due' | 'running' | 'failed' | 'waiting' = 'due';
  /** The last one, until a value comes. */
  private failure: { readonly error: unknown } | undefined;
  /** Those of the last attempt. */
  private cleanups: Cleanups;
  private waiting = Subscription.EMPTY;
  private readonly scope;
  private readonly backoff: Backoff;
  private readonly series: FailureSeries;
  private readonly time = new SteadyTime();
  private readonly stopRequest: StopRequest;
  private readonly drain: () => void;

  constructor(
    private readonly destination: Subscriber<T>,
    private readonly source: Observable<T>,
    private readonly settings: RetrySettings,
  ) {
    this.scope = findCleanupScope(destination);
    this.cleanups = new Cleanups(this.scope);
    this.backoff = new Backoff(settings.backoff);
    this.series = new FailureSeries(settings.resetAfter);
    this.stopRequest = new StopRequest(destination, () => {
      if (this.phase === 'waiting') this.giveUp();
    });
    // A loop, not a recursion: a source may fail at once, and so may a million attempts.
    this.drain = drainLoop(
      destination,
      () => {
        if (this.phase === 'due') this.subscribe();
        else if (this.phase === 'failed') this.decide();
      },
      (thrown) => {
        destination.error(thrown);
      },
    );
  }

  start(): void {
    this.destination.add(() => {
      this.waiting.unsubscribe();
      this.stopRequest.leave();
      this.failure = undefined;
    });
    this.stopRequest.join();
    this.drain();
  }

  private subscribe(): void {
    const { destination, series } = this;
    const cleanups = new Cleanups(this.scope);
    this.cleanups = cleanups;
    this.phase = 'running';
    const subscriber = operate<T, T>({
      destination,
      cleanupScope: cleanups,
      next: (value) => {
        if (!series.isFine) {
          series.pass(this.now());
          this.failure = undefined;
        }
        destination.next(value);
      },
      error: (error) => {
        if (isConsumed(error) && this.failure) blameFirstFailure(error, this.failure.error);
        this.failure = { error };
        this.phase = 'failed';
        endAttempt(subscriber, cleanups);
        this.drain();
      },
    });
    beginAttempt(this.source, subscriber, cleanups);
  }

  private decide(): void {
    const { destination, series, settings, stopRequest } = this;
    const error = this.failure?.error;
    if (series.fail(this.now())) this.backoff.reset();
    const attempt = series.length;
    const delay = this.allows(error, attempt) ? this.delayOf(error, attempt) : Infinity;
    const isTooLong = delay > longestDelay || series.elapsed(this.now()) + delay > settings.maxElapsed;
    if (!isTooLong && !destination.closed) settings.onRetry?.({ error, attempt, delay });
    if (isTooLong || stopRequest.isMade) this.giveUp();
    else if (!destination.closed) this.wait(delay);
  }

  private allows(error: unknown, attempt: number): boolean {
    const { count, shouldRetry, where } = this.settings;
    if (this.stopRequest.isMade || isConsumed(error) || attempt > count) return false;
    return !shouldRetry || booleanOf(`${where}: what shouldRetry gives`, shouldRetry(error, attempt));
  }

  private delayOf(error: unknown, attempt: number): number {
    const { delayFor, where } = this.settings;
    const delay = this.backoff.next(); // also where it does not count: the next one is that of its number
    const wish = delayFor?.(error, attempt);
    if (wish === undefined) return delay;
    const holds = typeof wish === 'number' && wish >= 0;
    return check(holds, RangeError, `${where}: what delayFor gives`, 'be a number of milliseconds or undefined', wish);
  }

  private wait(delay: number): void {
    this.phase = 'waiting';
    this.waiting = new Subscription();
    waitForNext(this.waiting, delay, this.cleanups, this.settings.patience, () => {
      this.phase = 'due';
      this.drain();
    });
  }

  private giveUp(): void {
    this.destination.error(this.failure?.error);
  }

  private now(): number {
    return this.time.at(this.settings.patience.scheduler.now());
  }
}
