import fc from 'fast-check';
import { Writable } from 'node:stream';
import { concatMap, from, lastValueFrom, of, tap, type Observable } from 'rxjs';
import { expect, it } from 'vitest';
import { fromPull } from '../../src/index.js';
import { writeTo } from '../../src/node/index.js';

/** How a stream may confirm a chunk. */
const ways = {
  sync: (callback: () => void) => {
    callback();
  },
  microtask: (callback: () => void) => {
    queueMicrotask(callback);
  },
  tick: (callback: () => void) => {
    process.nextTick(callback);
  },
  immediate: (callback: () => void) => {
    setImmediate(callback);
  },
};
type Way = keyof typeof ways;
const way = fc.constantFrom<Way[]>('sync', 'microtask', 'tick', 'immediate');

const sources = {
  pull: (values: number[]) => fromPull(values),
  push: (values: number[]) => from(values),
  asynchronous: (values: number[]) =>
    from(values).pipe(concatMap((value) => (value % 3 === 0 ? Promise.resolve(value) : of(value)))),
} satisfies Record<string, (values: number[]) => Observable<number>>;

it('writeTo writes each value once and in order, and pulls no more than it may', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        count: fc.nat(30),
        source: fc.constantFrom<(keyof typeof sources)[]>('pull', 'push', 'asynchronous'),
        steps: fc.array(way, { minLength: 1, maxLength: 5 }),
        streamMark: fc.integer({ min: 1, max: 5 }),
        highWaterMark: fc.nat(4),
        writev: fc.boolean(),
        end: fc.boolean(),
      }),
      async ({ count, source, steps, streamMark, highWaterMark, writev, end }) => {
        const chunks: number[] = [];
        let emitted = 0;
        let most = 0;
        const take = (taken: number[], callback: () => void) => {
          ways[steps[chunks.length % steps.length] as Way](() => {
            chunks.push(...taken);
            callback();
          });
        };
        const stream = new Writable({
          objectMode: true,
          highWaterMark: streamMark,
          write: (chunk: number, _, callback) => {
            take([chunk], callback);
          },
          ...(writev && {
            writev: (batch: { chunk: number }[], callback: () => void) => {
              take(
                batch.map(({ chunk }) => chunk),
                callback,
              );
            },
          }),
        });
        const values = Array.from({ length: count }, (_, i) => i);
        const written = await lastValueFrom(
          sources[source](values).pipe(
            tap(() => {
              emitted++;
              most = Math.max(most, emitted - chunks.length);
            }),
            writeTo<number>(stream, { highWaterMark, end }),
          ),
        );
        expect(written).toBe(count);
        expect(chunks).toEqual(values);
        expect([stream.writableFinished, stream.listenerCount('drain'), stream.listenerCount('error')]).toEqual([
          end,
          0,
          0,
        ]);
        if (source === 'pull') expect(most).toBeLessThanOrEqual(streamMark + highWaterMark);
      },
    ),
    { numRuns: 200 },
  );
});
