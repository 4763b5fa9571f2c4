import { Observable, type MonoTypeOperatorFunction } from 'rxjs';
import { operate } from '../internal/operate.js';

/**
 * Lets the sources above run at their own pace, whatever the consumers below can take.
 *
 * ```marble
 * source      --a-b-c-d-|
 * gate below  o----x------o----
 * ungated()   --a-b-c-d-|
 * ```
 *
 * Here `o` opens the gate and `x` closes it. For side inputs: `takeUntil(notifier.pipe(ungated()))`. Else a notifier that can
 * wait would wait for a busy consumer.
 *
 * - **Completes**, **errors** and is **unsubscribed** with the source.
 * - **Backpressure** ends here; clean-up is still waited for by the scope below.
 * - **Drops** nothing.
 * - **Rather** nothing at all on the main line: what overruns a consumer waits there, up to its `bufferSize`.
 *
 * @public
 */
export function ungated<T>(): MonoTypeOperatorFunction<T> {
  return (source) =>
    new Observable((destination) => {
      source.subscribe(operate({ destination, gate: null }));
    });
}
