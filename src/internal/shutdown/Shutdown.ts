import type { Observable } from 'rxjs';
import type { ShutdownReport } from '../../errors/ShutdownError.js';

/**
 * What is told to those who take part in the drain.
 * @public
 */
export interface DrainContext {
  /** What the shutdown was stopped with. */
  readonly reason: unknown;
  /** Aborted when the time for the drain is over, or `abort` was called: stop working. */
  readonly signal: AbortSignal;
}

/**
 * What is told to those who close a resource.
 * @public
 */
export interface CloseContext {
  /** What the shutdown was stopped with. */
  readonly reason: unknown;
}

/**
 * What has become of one who took part in the drain.
 * @public
 */
export interface DrainReport {
  /** As registered. */
  readonly name: string;
  /** `'aborted'`: it ended only after it was told to stop working; `'timed-out'`: not even then, and it goes on. */
  readonly state: 'drained' | 'failed' | 'aborted' | 'timed-out';
  /** What it has failed with. */
  readonly error?: unknown;
  /** How long it took from the stop, or was waited for, in milliseconds. */
  readonly ms: number;
}

/**
 * What has become of a resource.
 * @public
 */
export interface ResourceReport {
  /** As registered. */
  readonly name: string;
  /** `'timed-out'`: it was not closed when the shutdown ended, and goes on. */
  readonly state: 'closed' | 'failed' | 'timed-out';
  /** What it has failed with. */
  readonly error?: unknown;
  /** How long it took to close, or was waited for, in milliseconds. */
  readonly ms: number;
}

/**
 * What has become of all that took part in a shutdown.
 * @public
 */
export interface ShutdownSummary {
  /** What it was stopped with. */
  readonly reason: unknown;
  /** Whether everything came to its end in time and nothing has failed. */
  readonly clean: boolean;
  /** Whether `drainTimeout` was reached. */
  readonly timedOut: boolean;
  /** How much work of the pipelines was cut off. */
  readonly aborted: number;
  /** How many values of the pipelines were given up that had to wait. */
  readonly dropped: number;
  /** Of each `gracefulShutdown`, in the order in which they ended. */
  readonly pipelines: readonly ShutdownReport[];
  /** Of each `drain`, in the order in which they ended. */
  readonly drains: readonly DrainReport[];
  /** Of each `add`, in the order in which they were closed. */
  readonly resources: readonly ResourceReport[];
  /** How long it took, in milliseconds. */
  readonly ms: number;
}

/**
 * Stops pipelines and then closes resources, once. `createShutdown` makes one; its functions need no `this`.
 * @public
 */
export interface Shutdown {
  /** Begins: nothing new is taken, what runs comes to its end. From the second call on it only gives the same promise. */
  stop(this: void, reason?: unknown): Promise<ShutdownSummary>;
  /** Skips what is left of the drain: the rest takes at most `cleanupTimeout`. Stops first, with `reason`, if nobody has. */
  abort(this: void, reason?: unknown): Promise<ShutdownSummary>;
  /** Settles when it is over; never rejects. */
  readonly done: Promise<ShutdownSummary>;
  /** Take nothing new: emits the reason of the stop and completes, also for those who come later. */
  readonly stopping$: Observable<unknown>;
  /** Stop working: aborted when the time for the drain is over, or by `abort`; not by `stop`, because what runs is to end well. */
  readonly signal: AbortSignal;
  /**
   * Takes part in the drain, beside all others: a promise or an Observable that `drain` gives is waited for. Returns the
   * leave, which does nothing once the drain has begun.
   */
  drain(this: void, name: string, drain: (context: DrainContext) => unknown): () => void;
  /**
   * A resource, to be closed after the drain: the last that was added first, one after the other. What is added while it is
   * stopping is closed too. Returns the leave, which does nothing once it is being closed.
   */
  add(this: void, name: string, close: (context: CloseContext) => unknown): () => void;
}
