import { distinctUntilChanged, fromEvent, map, merge, of, type Observable } from 'rxjs';

/** As much of an `EventTarget` as is needed: platforms have different ones, and some have none. */
export type EventSource = Pick<EventTarget, 'addEventListener' | 'removeEventListener'>;

/** What `isPaused` says, first now and then whenever one of `events` has changed it. */
export function pausedWhile(
  target: EventSource,
  events: readonly string[],
  isPaused: () => boolean,
): Observable<boolean> {
  // It listens before it says how it is now: what that leads to may change it.
  return merge(...events.map((event) => fromEvent(target, event)), of(undefined)).pipe(
    map(isPaused),
    distinctUntilChanged(),
  );
}
