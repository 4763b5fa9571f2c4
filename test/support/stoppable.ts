import { Observable, Subscription } from 'rxjs';
import { findCanceller } from '../../src/link/walk.js';

/**
 * Work that can stop by itself: it is `values$` until it is asked to stop, and from then on what `whenAsked` gives. It leaves the
 * canceller when it is torn down.
 */
export function stoppable<T>(values$: Observable<T>, whenAsked: (reason: unknown) => Observable<T>): Observable<T> {
  return new Observable((subscriber) => {
    let current = new Subscription();
    let isAsked = false;
    let leave: (() => void) | undefined = undefined as (() => void) | undefined;
    const change = (to$: Observable<T>) => {
      current.unsubscribe();
      current = new Subscription();
      if (subscriber.closed) return;
      current.add(
        to$.subscribe({
          next: (value) => {
            subscriber.next(value);
          },
          error: (error: unknown) => {
            subscriber.error(error);
          },
          complete: () => {
            subscriber.complete();
          },
        }),
      );
    };
    subscriber.add(() => {
      current.unsubscribe();
      leave?.();
    });
    leave = findCanceller(subscriber)?.onCancel((reason) => {
      isAsked = true;
      change(whenAsked(reason));
    });
    if (subscriber.closed) leave?.();
    else if (!isAsked) change(values$);
  });
}
