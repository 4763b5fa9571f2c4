import { isObservable, type Observable } from 'rxjs';
import { positiveIntegerOrInfinity } from '../internal/arguments.js';
import type { AdaptiveLimit } from '../machines/AdaptiveLimit.js';

/**
 * A concurrency that finds itself; `adaptiveConcurrency` makes one.
 * @public
 */
export interface AdaptiveConcurrency {
  /** A limit of its own for each subscription. */
  readonly newLimit: () => AdaptiveLimit;
}

/**
 * How many may run at a time: a number; an Observable of numbers, of which the last one counts; or what `adaptiveConcurrency` gives.
 * @public
 */
export type Concurrency = number | Observable<number> | AdaptiveConcurrency;

export function readConcurrency({ concurrent = 4 }: { readonly concurrent?: Concurrency }): Concurrency {
  if (isObservable(concurrent) || isAdaptive(concurrent)) return concurrent;
  return positiveIntegerOrInfinity('concurrent', concurrent);
}

export function isAdaptive(concurrent: Concurrency | undefined): concurrent is AdaptiveConcurrency {
  return (
    typeof concurrent === 'object' &&
    typeof (concurrent as Partial<AdaptiveConcurrency> | null)?.newLimit === 'function'
  );
}
