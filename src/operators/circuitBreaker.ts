import { Observable, type MonoTypeOperatorFunction } from 'rxjs';
import { check, optionsObject } from '../internal/arguments.js';
import { Breaker } from '../internal/breaker/Breaker.js';
import { breakerOf } from '../internal/breaker/breakerOf.js';
import { passCall } from '../internal/breaker/passCall.js';
import type { CircuitBreaker } from '../internal/breaker/CircuitBreaker.js';
import { readBreakerOptions, type CircuitBreakerOptions } from '../options/breaker.js';

/**
 * Makes each subscription a call through a circuit breaker, which refuses calls for a while when too many have failed.
 *
 * ```marble
 * call                     a-x-x-a-----a-a-|
 * circuitBreaker(breaker)  a-f-f-r-----a-a-|
 * breaker.state$           c---o----h--c
 * ```
 *
 * Here calls `x` fail (`f`), and two in a row open the breaker (`o`) for 5 frames, so that the next one is refused (`r`). Then it is half-open
 * (`h`): one call passes on trial, and closes it again (`c`). A call that is refused is not subscribed to its source: it ends at once
 * with a `CircuitOpenError`, which says when to try again.
 *
 * What many calls share is made by `createCircuitBreaker`. With options, `circuitBreaker(options)` makes a breaker of its own when it is
 * called, for all subscriptions to its result, as those of `retry` below it: inside of the `project` of `mergeMap` each value would have its own,
 * and none would ever open.
 *
 * - **Completes** with the source: that is a success. So is to be unsubscribed inside of `next`, as by `take(1)` and `firstValueFrom`.
 * - **Errors** with the source: that is a failure, if neither `isFailure` nor `isIgnored` says otherwise; with a `CircuitOpenError`; or with what
 *   those or `openFor` throw. An error after a consumer below has asked all work to stop does not count.
 * - **Unsubscribed** otherwise, the call does not count, and its place on trial is free again. How a call ends that began in an earlier
 *   state does not change the state.
 * - **Backpressure**: the source sees the consumer below. For `slowAfter` the time in which that is full counts, too.
 * - **Drops** nothing: what a source emits before it fails has passed.
 * - **Rather** `retryBackoff` for failures that pass by themselves, and this above it, so that each attempt is a call. A call that
 *   hangs is no failure, and on trial would hold its place for ever: put `timeoutWithCleanup` above, or set `slowAfter`.
 *
 * @throws RangeError if called with an option out of range
 * @throws TypeError if called with what is neither a breaker nor options, or an option is of another type
 *
 * @example
 * ```ts
 * import { catchError, concatMap, defer, of } from 'rxjs';
 * import { circuitBreaker, createCircuitBreaker } from 'rxjs-flow-control';
 *
 * const breaker = createCircuitBreaker({ threshold: { consecutive: 2 }, openFor: 1000 });
 * const ask = async (id: number) => {
 *   if (id < 3) throw new Error(`${id} failed`);
 *   return `${id} was answered`;
 * };
 * of(1, 2, 3)
 *   .pipe(
 *     concatMap((id) =>
 *       defer(() => ask(id)).pipe(
 *         circuitBreaker(breaker),
 *         catchError((error: Error) => of(error.name === 'CircuitOpenError' ? `${id} was not tried` : error.message)),
 *       ),
 *     ),
 *   )
 *   .subscribe(console.log);
 * // prints: 1 failed, 2 failed, 3 was not tried
 * ```
 * @public
 */
export function circuitBreaker<T>(breaker: CircuitBreaker | CircuitBreakerOptions = {}): MonoTypeOperatorFunction<T> {
  const shared = breakerOf(breaker) ?? new Breaker(readBreakerOptions('circuitBreaker', optionsOf(breaker)));

  return (source) =>
    new Observable((destination) => {
      passCall(shared, destination, (subscriber) => {
        source.subscribe(subscriber);
      });
    });
}

/** What only looks like a breaker would else be taken for options without any option. */
function optionsOf(given: CircuitBreaker | CircuitBreakerOptions): CircuitBreakerOptions {
  const options = optionsObject(given);
  check(!('state$' in options), TypeError, 'breaker', 'be what createCircuitBreaker gives', options);
  return options as CircuitBreakerOptions;
}
