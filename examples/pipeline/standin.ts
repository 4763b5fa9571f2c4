import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { createInterface } from 'node:readline';
import { Observable, map, identity, type MonoTypeOperatorFunction, type OperatorFunction } from 'rxjs';
import { fromPull, toAsyncIterable } from 'rxjs-flow-control';

export const fromReadable = (r: Readable): Observable<string> =>
  fromPull<string>(() => createInterface({ input: r, crlfDelay: Infinity }));
export const splitLines = (): MonoTypeOperatorFunction<string> => identity;
export const formatJsonLines = (): OperatorFunction<unknown, string> => map((v) => `${JSON.stringify(v)}\n`);
export const writeTo =
  (w: Writable): OperatorFunction<string, never> =>
  (source) =>
    new Observable((sub) => {
      void (async () => {
        for await (const s of toAsyncIterable(source)) if (!w.write(s)) await once(w, 'drain');
        if (w !== process.stdout) {
          w.end();
          await finished(w);
        }
      })().then(
        () => {
          sub.complete();
        },
        (e: unknown) => {
          sub.error(e);
        },
      );
    });
