import { NEVER, Observable } from 'rxjs';
import { findCleanupScope, fromPull } from '../../src/index.js';
import { settle } from './settle.js';

/** Numbers that are pulled, and how many of them have been. */
export function counted(end = Infinity): { readonly pulled: number[]; readonly source: Observable<number> } {
  const pulled: number[] = [];
  const source = fromPull(function* () {
    for (let i = 0; i < end; i++) {
      pulled.push(i);
      yield i;
    }
  });
  return { pulled, source };
}

/** A source whose teardown hands `cleanup` to whoever waits below. */
export const cleaning = (cleanup: PromiseLike<unknown>, source: Observable<number> = NEVER): Observable<number> =>
  new Observable<number>((subscriber) => {
    const scope = findCleanupScope(subscriber);
    subscriber.add(() => scope?.track(cleanup));
    return source.subscribe(subscriber);
  });

/** What the promises have come to, when everything has settled. */
export async function outcomes(...promises: PromiseLike<unknown>[]): Promise<unknown[]> {
  const found = promises.map((): unknown => 'pending');
  promises.forEach((promise, i) => {
    promise.then(
      (result) => (found[i] = result),
      (error: unknown) => (found[i] = ['error', error]),
    );
  });
  await settle();
  return found;
}

/** Reads a web stream to its end. */
export async function readAll<T>(stream: ReadableStream<T>): Promise<T[]> {
  const values: T[] = [];
  const reader = stream.getReader();
  for (;;) {
    const result = await reader.read();
    if (result.done) return values;
    values.push(result.value);
  }
}

export const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
