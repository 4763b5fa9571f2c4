import { concat, defer, NEVER, of, type Observable } from 'rxjs';
import { pausedWhile, type EventSource } from '../internal/pausedWhile.js';

interface Connected extends Partial<EventSource> {
  readonly navigator?: { readonly onLine?: boolean };
}

/**
 * Says when the browser is offline, for `pausableBackpressure`: `false` while it is online, `true` (paused) while it is not.
 *
 * ```marble
 * network        ---x--o---
 * whileOnline()  f--t--f---
 * ```
 *
 * Here `x` is the loss of the network and `o` its return. It says how it is at once, then each change: after `offline` and
 * `online`, as `navigator.onLine` is; in workers too. Where there is no such thing (Node), it is always online. A browser that
 * is online has a network, which need not reach your server.
 *
 * - **Completes** never.
 * - **Errors** never.
 * - **Unsubscribed**, it takes its listeners off.
 * - **Backpressure**: none is needed, `pausableBackpressure` takes it at once.
 * - **Drops** nothing.
 * - **Rather** a `paused$` of your own where a server has to answer, and not only a network to be there.
 *
 * @example
 * ```ts
 * import { interval } from 'rxjs';
 * import { bufferedMergeMap, pausableBackpressure, whileOnline } from 'rxjs-flow-control';
 *
 * interval(1000)
 *   .pipe(
 *     pausableBackpressure(whileOnline(), { bufferSize: 100, overflow: 'drop-oldest' }),
 *     bufferedMergeMap((n) => fetch(`http://localhost:8080/${n}`, { method: 'POST' })),
 *   )
 *   .subscribe();
 * ```
 * @public
 */
export function whileOnline(): Observable<boolean> {
  return defer(() => {
    const { navigator, addEventListener, removeEventListener } = globalThis as Connected;
    if (navigator?.onLine === undefined || !addEventListener || !removeEventListener) return concat(of(false), NEVER);
    return pausedWhile(globalThis, ['offline', 'online'], () => navigator.onLine === false);
  });
}
