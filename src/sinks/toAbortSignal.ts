import { from, type ObservableInput } from 'rxjs';
import { pullsInner, subscribeByPull } from '../internal/innerPull.js';
import { operate } from '../internal/operate.js';

/**
 * Gives an `AbortSignal` that is aborted by the first value of a notifier.
 *
 * ```marble
 * notifier                 ---a--b--|
 * toAbortSignal(notifier)  ---x
 * ```
 *
 * Here `x` is the abort. It subscribes at once: with a notifier that is synchronous, the signal that it gives is aborted already.
 * An `Error` that the notifier emits is the reason of the abort; with any other value that is the platform's `AbortError`.
 *
 * - **Completes**: when the notifier completes without a value, the signal is never aborted.
 * - **Errors**: an error of the notifier aborts the signal and is its reason.
 * - **Unsubscribed** is the notifier as soon as the signal is aborted. Until then it keeps the signal alive, and all that listens to
 *   it; to let go before, end the notifier: `toAbortSignal(notifier.pipe(takeUntil(done)))`.
 * - **Backpressure**: a notifier that can wait runs at its own pace.
 * - **Drops** all values but the first.
 * - **Rather** `abortable` for work whose signal should be aborted on unsubscription.
 *
 * @throws TypeError if called with what is no `ObservableInput`
 *
 * @example
 * ```ts
 * import { Subject } from 'rxjs';
 * import { toAbortSignal } from 'rxjs-flow-control';
 *
 * const stop = new Subject<Error>();
 * const signal = toAbortSignal(stop);
 * signal.addEventListener('abort', () => console.log(signal.reason.message));
 * stop.next(new Error('enough'));
 * // prints: enough
 * ```
 * @public
 */
export function toAbortSignal(notifier: ObservableInput<unknown>): AbortSignal {
  const controller = new AbortController();
  const subscriber = operate<unknown, never>({
    next: (value) => {
      controller.abort(isError(value) ? value : undefined);
      subscriber.unsubscribe();
    },
    error: (error) => {
      controller.abort(error);
    },
  });
  if (pullsInner(notifier, false)) subscribeByPull(notifier, subscriber);
  else from(notifier).subscribe(subscriber);
  return controller.signal;
}

/** Of another realm, too; and a `DOMException`, which need not be an `Error` there. */
function isError(value: unknown): boolean {
  return value instanceof Error || /^\[object (Error|DOMException)\]$/.test(Object.prototype.toString.call(value));
}
