import { Subject, type Observable } from 'rxjs';

export interface HeldInners<T> {
  readonly project: (value: T) => Observable<T>;
  /** In the order in which they were started. */
  readonly started: T[];
  /** Lets the inner source of each emit its value and complete. */
  readonly finish: (...values: T[]) => void;
  readonly inner: (value: T) => Subject<T>;
}

/** Inner sources that a test holds in its hand. */
export function heldInners<T>(): HeldInners<T> {
  const inners = new Map<T, Subject<T>>();
  const started: T[] = [];
  const inner = (value: T) => {
    const found = inners.get(value);
    if (!found) throw new Error(`${String(value)} has not been started`);
    return found;
  };
  return {
    project: (value) => {
      const made = new Subject<T>();
      started.push(value);
      inners.set(value, made);
      return made;
    },
    started,
    finish: (...values) => {
      for (const value of values) {
        inner(value).next(value);
        inner(value).complete();
      }
    },
    inner,
  };
}
