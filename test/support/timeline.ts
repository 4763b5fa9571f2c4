import type { Observable, Subscription, VirtualTimeScheduler } from 'rxjs';

export interface Timeline {
  /** What came, and in which frame: values as they are, errors in a list of their own, `'complete'`. */
  readonly log: [frame: number, event: unknown][];
  readonly subscription: Subscription;
}

/** Subscribes, and writes down what comes and when. */
export function timeline(source: Observable<unknown>, scheduler: VirtualTimeScheduler): Timeline {
  const log: [number, unknown][] = [];
  const note = (event: unknown) => log.push([scheduler.frame, event]);
  const subscription = source.subscribe({
    next: note,
    error: (error: unknown) => note([error]),
    complete: () => note('complete'),
  });
  return { log, subscription };
}
