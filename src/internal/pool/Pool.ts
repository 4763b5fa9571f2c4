import type { Observable, ObservableInput, ObservedValueOf } from 'rxjs';
import type { SignalOptions } from '../../options/signal.js';
import type { WorkContext } from '../workContext.js';

/**
 * A resource that somebody has for himself until it is returned; the first call of `release` or `destroy` counts.
 * @public
 */
export interface Lease<R> {
  /** What was lent. */
  readonly resource: R;
  /** Returns it, for others to use. */
  release(): void;
  /** Returns it as broken: it is destroyed. */
  destroy(): void;
}

/**
 * What a `Pool` has at the moment.
 * @public
 */
export interface PoolStatistics {
  /** How many resources there are, those included that are being created or destroyed: never more than `max`. */
  readonly size: number;
  /** How many are free. */
  readonly idle: number;
  /** How many are in use. */
  readonly inUse: number;
  /** How many are being created. */
  readonly creating: number;
  /** How many are being validated. */
  readonly validating: number;
  /** How many are being destroyed, or wait for a `create` that was given up. */
  readonly destroying: number;
  /** How many calls and subscriptions wait for one. */
  readonly waiting: number;
}

/**
 * What `createPool` gives.
 * @public
 */
export interface Pool<R> {
  /** How many resources there may be. */
  readonly max: number;
  /**
   * Gives an Observable that, for each subscription, acquires a resource, emits what `work` gives for it, and returns it before it ends.
   * Unsubscribing gives up the wait, or cancels the work; the resource is returned when that has cleaned up.
   */
  use<O extends ObservableInput<unknown>>(
    work: (resource: R, context: WorkContext) => O,
  ): Observable<ObservedValueOf<O>>;
  /** Acquires a resource that has to be returned by hand. When its `signal` is aborted before, none is taken. */
  acquire(options?: SignalOptions): Promise<Lease<R>>;
  /**
   * Takes no more who want one, serves those who wait, and destroys all that is returned. Settles when nothing is left; rejects then if
   * some could not be destroyed.
   */
  drain(): Promise<void>;
  /** What it has at the moment. */
  statistics(): PoolStatistics;
}
