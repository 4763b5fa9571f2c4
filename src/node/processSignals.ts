import { constants } from 'node:os';
import { fromEventPattern, map, merge, share, type Observable } from 'rxjs';
import { check } from '../internal/arguments.js';

/**
 * Emits the name of each signal that the process gets: SIGTERM from whoever runs it, SIGINT for Ctrl-C.
 *
 * While somebody is subscribed, a signal does not end the process any more; once nobody is, Node's default is back, and it
 * does. However many subscribe, the process has one listener for each signal, so that it never warns of a leak. Listening does
 * not keep the process alive. Signals reach the main thread only, not workers.
 *
 * - **Completes** never.
 * - **Errors** never.
 * - **Unsubscribed**, it takes its listener off, if it was the last one.
 * - **Backpressure**: none, a signal cannot be held back.
 * - **Drops** nothing that Node tells. The same signal, sent again before Node has told of it, is told once.
 * - **Rather** `createShutdown` of `rxjs-flow-control/node` to stop a program with them.
 *
 * @throws TypeError if called with what is no array
 * @throws RangeError if called with a signal that this platform does not have, that cannot be handled (SIGKILL, SIGSTOP), or none
 *
 * @example
 * ```ts
 * import { processSignals } from 'rxjs-flow-control/node';
 *
 * const subscription = processSignals(['SIGHUP']).subscribe(() => console.log('reading the settings anew'));
 * process.kill(process.pid, 'SIGHUP');
 * setTimeout(() => subscription.unsubscribe(), 100);
 * // prints: reading the settings anew
 * ```
 * @public
 */
export function processSignals(signals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM']): Observable<NodeJS.Signals> {
  check(Array.isArray(signals), TypeError, 'signals', 'be an array of names of signals', signals);
  if (signals.length === 0) throw new RangeError('signals must name at least one signal, got none');
  return merge(...Array.from(new Set(signals), (signal) => listenersOf(signalOf(signal))));
}

function signalOf(signal: NodeJS.Signals): NodeJS.Signals {
  if (signal === 'SIGKILL' || signal === 'SIGSTOP')
    throw new RangeError(`signals must not have '${signal}': no process can handle it, it ends or stops at once`);
  const holds = typeof signal === 'string' && signal in constants.signals;
  return check(holds, RangeError, 'signals', "have names of signals of this platform, such as 'SIGTERM'", signal);
}

const shared = /* @__PURE__ */ new Map<NodeJS.Signals, Observable<NodeJS.Signals>>();

/** All who listen to one signal, behind one listener. */
function listenersOf(signal: NodeJS.Signals): Observable<NodeJS.Signals> {
  let listeners = shared.get(signal);
  if (!listeners) {
    listeners = fromEventPattern(
      (listener) => process.on(signal, listener),
      (listener) => process.off(signal, listener),
    ).pipe(
      map(() => signal),
      share(),
    );
    shared.set(signal, listeners);
  }
  return listeners;
}
