import { Subscription, type Subscriber } from 'rxjs';
import type { TimeoutWithCleanupInfo } from '../../errors/TimeoutWithCleanupError.js';
import { Cleanups, type CleanupPatience, type CleanupResult } from '../../link/Cleanups.js';
import { findCanceller, findCleanupScope } from '../../link/walk.js';
import { Completion } from '../Completion.js';
import { isCancellation } from '../isCancellation.js';
import { reportUnhandled } from '../reportUnhandled.js';
import { runCleanup } from '../runCleanup.js';
import { Cancellation } from './Cancellation.js';

export interface GivingUpSettings<T> {
  readonly isCooperative: boolean;
  readonly cleanup: ((info: TimeoutWithCleanupInfo<T>) => unknown) | undefined;
  readonly patience: CleanupPatience;
  /** Who limits the time, for messages. */
  readonly where: string;
}

/** What it was given up for, and how that has gone. */
export interface Surrender<T> {
  readonly info: TimeoutWithCleanupInfo<T>;
  readonly result: CleanupResult;
  /** What the work has failed with that was asked to stop, unless just with that. */
  readonly cause: { readonly error: unknown } | undefined;
}

export interface GivingUpEvents<T> {
  /** Somebody below asks all work to stop. */
  readonly onAskedBelow: () => void;
  /** The source is to be unsubscribed. */
  readonly onStop: () => void;
  /** The clean-up has ended, or time is up for that as well. */
  readonly onOver: (surrender: Surrender<T>) => void;
}

/**
 * How a source is given up: the work is asked to stop; when that has ended without an end of the source, it is stopped, as it
 * is at once where nobody can be asked; then all clean-up is waited for. There is one time limit for all of that.
 */
export class GivingUp<T> {
  readonly cleanups: Cleanups;
  readonly cancellation: Cancellation | undefined;
  private phase: 'idle' | 'asked' | 'stopped' | 'over' = 'idle';
  private info: TimeoutWithCleanupInfo<T> | undefined;
  private reason: unknown;
  private failure: { readonly error: unknown } | undefined;
  private readonly scope;
  /** Keeps the wait from ending before everything is tracked that is to be waited for. */
  private readonly hold = new Completion();
  private waiting = Subscription.EMPTY;

  constructor(
    destination: Subscriber<never>,
    private readonly settings: GivingUpSettings<T>,
    private readonly events: GivingUpEvents<T>,
  ) {
    this.scope = findCleanupScope(destination);
    this.cleanups = new Cleanups(this.scope, (error) => {
      this.tellBelow(error);
    });
    const stop = () => {
      this.stop();
    };
    if (!settings.isCooperative) return;
    this.cancellation = new Cancellation(findCanceller(destination), {
      onAskedBelow: events.onAskedBelow,
      onAllLeft: () => {
        // Work leaves before operators in between have passed its end on.
        this.waiting.add(settings.patience.scheduler.schedule(stop));
      },
      onStartedAnew: stop,
    });
  }

  begin(info: TimeoutWithCleanupInfo<T>): void {
    const { cleanups, settings } = this;
    this.phase = 'asked';
    this.info = info;
    this.reason = new DOMException(`${settings.where}: time is up`, 'TimeoutError');
    cleanups.track(this.hold);
    this.waiting = cleanups.answerWhenSettled(settings.patience, (result) => {
      this.stop(); // unless it is: then time is up for that as well
      this.finish(result);
    });
    if (!this.cancellation?.ask(this.reason)) this.stop();
  }

  /** The source has failed. Gives whether that was to be expected. */
  takes(error: unknown): boolean {
    if (this.phase !== 'asked') return false;
    if (!isCancellation(error, this.reason)) this.failure = { error };
    this.stop();
    return true;
  }

  /** To be called when the consumer has got the end, or wants no more. */
  end(): void {
    const { failure } = this;
    this.waiting.unsubscribe(); // what has failed meanwhile is told below
    if (failure) this.tellBelow(failure.error);
    this.forget();
    this.hold.resolve();
    this.leave();
  }

  /** To be called when nothing can be asked to stop any more. */
  leave(): void {
    this.cancellation?.leave();
  }

  /** What nobody else can be told of. */
  tellBelow(error: unknown): void {
    const failed = new Completion();
    failed.reject(error);
    if (this.scope) this.scope.track(failed);
    else reportUnhandled(error);
  }

  private stop(): void {
    const { info, settings, events } = this;
    if (this.phase !== 'asked' || !info) return;
    this.phase = 'stopped';
    this.attempt(events.onStop);
    this.attempt(() => settings.cleanup?.(info));
    this.hold.resolve();
  }

  private attempt(cleanup: () => unknown): void {
    const cleaning = runCleanup(cleanup);
    if (cleaning) this.cleanups.track(cleaning);
  }

  private finish(result: CleanupResult): void {
    const { info, failure: cause, events } = this;
    this.forget();
    if (info) events.onOver({ info, result, cause });
    else if ('cleanupError' in result) this.tellBelow(result.cleanupError); // unsubscribed when it was stopped
  }

  private forget(): void {
    this.phase = 'over';
    this.info = undefined;
    this.reason = undefined;
    this.failure = undefined;
    this.waiting = Subscription.EMPTY;
  }
}
