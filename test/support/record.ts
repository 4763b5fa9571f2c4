import type { Observable, Subscription } from 'rxjs';

export interface Recording {
  /** Values as they are, `['error', error]`, `'complete'`. */
  readonly log: unknown[];
  readonly subscription: Subscription;
}

/** Subscribes, and writes down what comes. */
export function record(source: Observable<unknown>): Recording {
  const log: unknown[] = [];
  const subscription = source.subscribe({
    next: (value) => log.push(value),
    error: (error: unknown) => log.push(['error', error]),
    complete: () => log.push('complete'),
  });
  return { log, subscription };
}
