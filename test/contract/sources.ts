import { of, type Observable } from 'rxjs';
import { abortable, fromPull, usingAsync, whileOnline, whileVisible, zipPull } from '../../src/index.js';

/** Every source, under the name of its export: it gives a value at once. */
export const sources: Readonly<Record<string, Readonly<Record<string, () => Observable<unknown>>>>> = {
  abortable: { 'of values': () => abortable(() => of(1, 2, 3)) },
  fromPull: {
    'of an array': () => fromPull([1, 2, 3], { slice: Infinity }),
    'of a generator': () =>
      fromPull(
        function* () {
          yield* [1, 2, 3];
        },
        { slice: Infinity },
      ),
  },
  usingAsync: { 'of values': () => usingAsync({ acquire: () => 1, use: () => of(1, 2, 3), release: () => undefined }) },
  whileOnline: { 'as it is': () => whileOnline() },
  whileVisible: { 'as it is': () => whileVisible() },
  zipPull: { 'of two': () => zipPull([of(1, 2, 3), of(1, 2, 3)]) },
};
