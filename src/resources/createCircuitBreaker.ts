import { Observable } from 'rxjs';
import { subscribeWorkWith } from '../internal/abortableWork.js';
import { functionOf } from '../internal/arguments.js';
import { Breaker } from '../internal/breaker/Breaker.js';
import { withBreaker } from '../internal/breaker/breakerOf.js';
import { passCall } from '../internal/breaker/passCall.js';
import type { CircuitBreaker } from '../internal/breaker/CircuitBreaker.js';
import { readBreakerOptions, type CircuitBreakerOptions } from '../options/breaker.js';

/**
 * A circuit breaker that pipelines (`circuitBreaker`) and calls (`run`) share: it refuses calls for a while when too many have failed.
 *
 * It spares a server that does not work the calls, and the callers the wait. Closed, it lets calls pass and counts: failures in
 * a row, or their share in a window. Open, it refuses them with a `CircuitOpenError`. After `openFor` it is half-open: `probes` calls may run
 * at a time, and the others are refused; when `successes` have succeeded, it is closed and all is forgotten; when one fails, it is open again.
 *
 * - **A call** is a subscription. It succeeds when it completes, or when it is unsubscribed inside of `next` by who has enough. An error is a
 *   failure; where `isFailure` denies that, a success; where `isIgnored` says so, or if it is unsubscribed, it does not count.
 * - **In-flight**: only calls that were let pass in the present state change it. Those that fail late, when it is open already, do not open it
 *   anew or for longer, and those that succeed late do not close it.
 * - **On trial**, a call that is unsubscribed gives its place back. One that hangs keeps it: give calls a timeout, or set
 *   `slowAfter`; then it counts as a failure as soon as it has taken so long, and not first when it ends.
 * - **Time**: nothing is scheduled. What is due is made up for at the next call, as of when it was due. Only while somebody is subscribed to
 *   `state$` there is a timer, one for all, so that it tells on time.
 * - **By hand**: `open()` isolates it until `close()`.
 * - **Rather** `rateLimit` for a server that says how much it can take.
 *
 * After Nygard, "Release It!"; trials in place of a flood, and slow calls, as in resilience4j; the sampling in parts of a window as in Polly.
 *
 * @throws RangeError if called with an option out of range
 * @throws TypeError if an option is of another type, or `threshold` is not of one kind
 *
 * @example
 * ```ts
 * import { lastValueFrom } from 'rxjs';
 * import { createCircuitBreaker } from 'rxjs-flow-control';
 *
 * const breaker = createCircuitBreaker({ threshold: { ratio: 0.5, calls: 2, minimum: 2 }, openFor: (openings) => 1000 * 2 ** openings });
 * breaker.state$.subscribe(({ status }) => console.log(status)).unsubscribe();
 *
 * for (const answer of ['fine', 'broken', 'fine']) {
 *   const call = breaker.run(async () => {
 *     if (answer === 'broken') throw new Error('broken');
 *     return answer;
 *   });
 *   await lastValueFrom(call).then(console.log, (error: Error) => console.log(error.name));
 * }
 * console.log(breaker.state.status, breaker.statistics().refused);
 * // prints: closed, fine, Error, CircuitOpenError, open 1
 * ```
 * @public
 */
export function createCircuitBreaker(options: CircuitBreakerOptions = {}): CircuitBreaker {
  const breaker = new Breaker(readBreakerOptions('createCircuitBreaker', options));
  const shared: CircuitBreaker = {
    get state() {
      return breaker.state;
    },
    state$: breaker.state$,
    run(work) {
      functionOf('work', work);
      return new Observable((destination) => {
        passCall(breaker, destination, (subscriber) => {
          subscribeWorkWith(work as never, subscriber);
        });
      });
    },
    open() {
      breaker.open();
    },
    close() {
      breaker.close();
    },
    statistics: () => breaker.statistics,
  };
  return withBreaker(shared, breaker);
}
