import { Subscription, type Observable, type Subscriber } from 'rxjs';
import { DeadLetterError, type DeadLetter, type FailedAttempt } from '../../errors/DeadLetterError.js';
import { Cleanups, type CleanupPatience } from '../../link/Cleanups.js';
import { findCleanupScope } from '../../link/walk.js';
import { booleanOf, nonNegativeDurationOrInfinity } from '../arguments.js';
import { Completion } from '../Completion.js';
import { drainLoop } from '../drainLoop.js';
import { operate } from '../operate.js';
import { reportUnhandled } from '../reportUnhandled.js';
import { resolveOnce } from '../resolveOnce.js';
import { beginAttempt, endAttempt, waitForNext } from '../retry/attempt.js';
import { runCleanup } from '../runCleanup.js';
import { StopRequest } from '../StopRequest.js';

export interface LetterSettings<V> {
  readonly attempts: number;
  readonly shouldRetry: ((error: unknown, attempt: number) => boolean) | undefined;
  readonly delayFor: ((error: unknown, attempt: number) => number | undefined) | undefined;
  readonly to: (letter: DeadLetter<V>) => unknown;
  readonly patience: CleanupPatience;
  /** Who gives up, for messages. */
  readonly where: string;
}

/** The work for one value: attempts one after the other, and then, if need be, its letter. */
export class LetterOperation<T, V> {
  /** `'failed'`: what is to be done about it has not been decided yet. */
  private phase: 'due' | 'running' | 'failed' | 'waiting' | 'delivering' | 'over' = 'due';
  private failures: FailedAttempt[] = [];
  /** Those of the last attempt. */
  private cleanups: Cleanups;
  private waiting = Subscription.EMPTY;
  private readonly scope;
  private readonly stopRequest: StopRequest;
  private readonly drain: () => void;
  /** The rest of the delivery, for the scope below, once it is unsubscribed. */
  private readonly remainder = new Completion();

  constructor(
    private readonly destination: Subscriber<T>,
    private readonly source: Observable<T>,
    private value: V | undefined,
    private readonly settings: LetterSettings<V>,
  ) {
    this.scope = findCleanupScope(destination);
    this.cleanups = new Cleanups(this.scope);
    this.stopRequest = new StopRequest(destination, () => {
      if (this.phase === 'waiting') this.destination.error(this.lastError);
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
      if (this.phase === 'delivering') this.handOver();
      this.failures = [];
      this.value = undefined;
    });
    this.stopRequest.join();
    this.drain();
  }

  private get lastError(): unknown {
    return this.failures.at(-1)?.error;
  }

  private subscribe(): void {
    const { destination, settings } = this;
    const cleanups = new Cleanups(this.scope);
    this.cleanups = cleanups;
    this.phase = 'running';
    const subscriber = operate<T, T>({
      destination,
      cleanupScope: cleanups,
      error: (error) => {
        this.failures.push({ error, at: settings.patience.scheduler.now() });
        this.phase = 'failed';
        endAttempt(subscriber, cleanups);
        this.drain();
      },
    });
    beginAttempt(this.source, subscriber, cleanups);
  }

  private decide(): void {
    const delay = this.stopRequest.isMade ? Infinity : this.delayOfNext();
    if (this.destination.closed) return; // by one of the callbacks
    if (this.stopRequest.isMade) this.destination.error(this.lastError);
    else if (delay === Infinity) this.deliver();
    else this.wait(delay);
  }

  /** `Infinity`: there is none. */
  private delayOfNext(): number {
    const { attempts, shouldRetry, delayFor, where } = this.settings;
    const { lastError } = this;
    const { length } = this.failures;
    if (length >= attempts) return Infinity;
    if (shouldRetry && !booleanOf(`${where}: what shouldRetry gives`, shouldRetry(lastError, length))) return Infinity;
    return nonNegativeDurationOrInfinity(`${where}: what delayFor gives`, delayFor?.(lastError, length) ?? 0);
  }

  private wait(delay: number): void {
    this.phase = 'waiting';
    this.waiting = new Subscription();
    waitForNext(this.waiting, delay, this.cleanups, this.settings.patience, () => {
      this.phase = 'due';
      this.drain();
    });
  }

  private deliver(): void {
    const { failures, lastError, settings } = this;
    const letter = Object.freeze({
      value: this.value as V,
      error: lastError,
      attempts: failures.length,
      firstFailedAt: (failures[0] as FailedAttempt).at,
      failures,
    });
    this.phase = 'delivering';
    const delivery = runCleanup(() => settings.to(letter));
    const finish = () => {
      this.finish(undefined);
    };
    if (!delivery) finish();
    else
      resolveOnce(delivery, finish, (cause) => {
        this.finish(new DeadLetterError(settings.where, letter, cause));
      });
  }

  private finish(error: DeadLetterError<V> | undefined): void {
    const { destination, remainder } = this;
    this.phase = 'over';
    if (error) remainder.reject(error);
    else remainder.resolve();
    if (error) destination.error(error);
    else destination.complete();
  }

  private handOver(): void {
    if (this.scope) this.scope.track(this.remainder);
    else void this.remainder.then(undefined, reportUnhandled);
  }
}
