import { settle } from './settle.js';

/** What the promises have come to, when everything has settled: `'pending'`, the value, or `['error', error]`. */
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
