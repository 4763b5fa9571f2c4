import { concat, defer, NEVER, of, type Observable } from 'rxjs';
import { pausedWhile, type EventSource } from '../internal/pausedWhile.js';

interface Page {
  readonly document?: EventSource & { readonly visibilityState: string };
}

/**
 * Says when the page is hidden, for `pausableBackpressure`: `false` while it is visible, `true` (paused) while it is not.
 *
 * ```marble
 * page            ---h--v---
 * whileVisible()  f--t--f---
 * ```
 *
 * Here `h` hides the page and `v` shows it. It says how it is at once, then each change: after `visibilitychange`, as
 * `document.visibilityState` is. Where there is no `document` (Node, a worker), nothing is ever hidden.
 *
 * - **Completes** never.
 * - **Errors** never.
 * - **Unsubscribed**, it takes its listener off.
 * - **Backpressure**: none is needed, `pausableBackpressure` takes it at once.
 * - **Drops** nothing.
 * - **Rather** `fromEvent(document, 'visibilitychange')` for anything else than a pause.
 *
 * @example
 * ```ts
 * import { interval } from 'rxjs';
 * import { pausableBackpressure, whileVisible } from 'rxjs-flow-control';
 *
 * interval(1000)
 *   .pipe(pausableBackpressure(whileVisible(), { mode: 'latest' }))
 *   .subscribe((seconds) => (document.title = `${seconds} s`));
 * ```
 * @public
 */
export function whileVisible(): Observable<boolean> {
  return defer(() => {
    const { document } = globalThis as Page;
    if (!document) return concat(of(false), NEVER);
    return pausedWhile(document, ['visibilitychange'], () => document.visibilityState === 'hidden');
  });
}
