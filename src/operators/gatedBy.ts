import { Observable, type MonoTypeOperatorFunction } from 'rxjs';
import { gateOf } from '../internal/arguments.js';
import { operate } from '../internal/operate.js';
import type { Gate } from '../link/protocol.js';

/**
 * Puts a gate of your own before the sources above: they emit only while it is open.
 *
 * ```marble
 * source         --a-b-c-d-|
 * gate           o----x------o----
 * gatedBy(gate)  --a-b-------c-d-|
 * ```
 *
 * Here `o` opens the gate and `x` closes it. It holds nothing back itself: only sources that can wait (`fromPull`, operators
 * of this package) heed the gate. For consumers that the link does not know, and for whoever writes a demand-aware operator.
 *
 * - **Completes**, **errors** and is **unsubscribed** with the source.
 * - **Backpressure**: the sources above see this gate instead of those below.
 * - **Drops** nothing.
 * - **Rather** `bufferedMergeMap` when the consumer is a function: it brings its own gate.
 *
 * @throws TypeError if called with what is no gate
 * @public
 */
export function gatedBy<T>(gate: Gate): MonoTypeOperatorFunction<T> {
  gateOf('gate', gate);
  return (source) =>
    new Observable((destination) => {
      source.subscribe(operate({ destination, gate }));
    });
}
