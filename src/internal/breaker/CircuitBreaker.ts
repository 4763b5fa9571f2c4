import type { Observable, ObservableInput, ObservedValueOf } from 'rxjs';
import type { CircuitState } from '../../machines/Circuit.js';
import type { WorkContext } from '../workContext.js';

/**
 * What a `CircuitBreaker` has seen so far.
 * @public
 */
export interface CircuitBreakerStatistics {
  /** How many calls run at the moment, those included that were let pass in an earlier state. */
  readonly running: number;
  /** How many have succeeded, in any state. */
  readonly succeeded: number;
  /** How many have failed or were too slow, in any state. */
  readonly failed: number;
  /** How many were unsubscribed or have ended with an error that is ignored. */
  readonly ignored: number;
  /** How many it has refused. */
  readonly refused: number;
  /** How often it has opened. */
  readonly openings: number;
}

/**
 * What `createCircuitBreaker` gives; several pipelines may share it.
 * @public
 */
export interface CircuitBreaker {
  /** What it does with a call that comes now. */
  readonly state: CircuitState;
  /** Emits the state, first that of the moment, then each that follows, on time. It has a timer only while it is subscribed. */
  readonly state$: Observable<CircuitState>;
  /** Gives an Observable of which each subscription is a call: it calls `work` and emits what that gives, or it is refused. */
  run<O extends ObservableInput<unknown>>(work: (context: WorkContext) => O): Observable<ObservedValueOf<O>>;
  /** Opens it until `close` is called. Calls that run go on. */
  open(): void;
  /** Closes it, and forgets what has failed. */
  close(): void;
  /** What it has seen so far. */
  statistics(): CircuitBreakerStatistics;
}
