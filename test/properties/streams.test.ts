import fc from 'fast-check';
import { finished } from 'node:stream/promises';
import { concat, concatMap, from, NEVER, Observable, of, tap, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { findCleanupScope, fromPull } from '../../src/index.js';
import { toNodeReadable } from '../../src/node/toNodeReadable.js';
import { toReadableStream } from '../../src/sinks/toReadableStream.js';
import { writeToStream } from '../../src/sinks/writeToStream.js';
import { turn } from '../support/settle.js';
import { collectUnhandled } from '../support/unhandled.js';

/** How long somebody takes. */
const paces = {
  none: () => undefined,
  microtask: () => Promise.resolve(),
  tick: () =>
    new Promise<void>((resolve) => {
      process.nextTick(resolve);
    }),
  immediate: () =>
    new Promise<void>((resolve) => {
      setImmediate(resolve);
    }),
};
const pace = fc.constantFrom(...(Object.keys(paces) as (keyof typeof paces)[]));
const pacing = fc.array(pace, { minLength: 1, maxLength: 5 });
type Pacing = (keyof typeof paces)[];
const take = (steps: Pacing, i: number) => paces[steps[i % steps.length] ?? 'none']();

const values = (count: number) => Array.from({ length: count }, (_, i) => i);
const kinds = {
  pull: (count: number) => fromPull(values(count)),
  push: (count: number) => from(values(count)),
  asynchronous: (count: number, steps: Pacing) =>
    fromPull(async function* () {
      for (const value of values(count)) {
        await take(steps, value);
        yield value;
      }
    }),
  'pushed later': (count: number) =>
    from(values(count)).pipe(concatMap((value) => (value % 3 === 0 ? Promise.resolve(value) : of(value)))),
};
const source = fc.record({
  kind: fc.constantFrom(...(Object.keys(kinds) as (keyof typeof kinds)[])),
  count: fc.nat(25),
  steps: pacing,
  end: fc.constantFrom('complete', 'error', 'never'),
  cleanup: pace,
});
type Source = typeof source extends fc.Arbitrary<infer S> ? S : never;

const failure = new Error('source');

/** Follows what a source does, and cleans it up. */
function follow({ kind, count, steps, end, cleanup }: Source) {
  const seen = { emitted: 0, torndown: 0, cleaned: 0 };
  const ends: Record<string, Observable<never>> = { error: throwError(() => failure), never: NEVER };
  const all = ends[end];
  const source$ = new Observable<number>((subscriber) => {
    const scope = findCleanupScope(subscriber);
    subscriber.add(() => {
      seen.torndown++;
      const cleaning = Promise.resolve(paces[cleanup]()).then(() => {
        seen.cleaned++;
      });
      scope?.track(cleaning);
    });
    return (all ? concat(kinds[kind](count, steps), all) : kinds[kind](count, steps))
      .pipe(tap(() => seen.emitted++))
      .subscribe(subscriber);
  });
  return { seen, source$ };
}

const reading = fc.record({
  source,
  highWaterMark: fc.nat(4),
  steps: pacing,
  cancelAfter: fc.option(fc.nat(25), { nil: undefined }),
});
/** One that never ends has to be cancelled. */
const ends = ({ source: { end, count }, cancelAfter }: typeof reading extends fc.Arbitrary<infer R> ? R : never) =>
  end !== 'never' || (cancelAfter !== undefined && cancelAfter <= count);

describe('whatever the speeds, errors and cancellations', () => {
  collectUnhandled();

  it('toReadableStream loses nothing, keeps the order, ends once and cleans up once, before that is told', async () => {
    await fc.assert(
      fc.asyncProperty(reading.filter(ends), async (program) => {
        const { seen, source$ } = follow(program.source);
        const dropped: number[] = [];
        const got: number[] = [];
        let most = 0;
        const stream = toReadableStream(source$, {
          highWaterMark: program.highWaterMark,
          onDrop: (value) => dropped.push(value),
        });
        const reader = stream.getReader();
        let told: unknown;
        try {
          for (;;) {
            if (program.cancelAfter !== undefined && got.length >= program.cancelAfter) {
              await reader.cancel();
              told = 'cancelled';
              break;
            }
            const read = await reader.read();
            if (read.done) {
              told = 'complete';
              break;
            }
            got.push(read.value);
            most = Math.max(most, seen.emitted - got.length);
            await take(program.steps, got.length);
          }
        } catch (error) {
          told = error;
        }
        expect([...got, ...dropped]).toEqual(values(seen.emitted));
        expect(seen.torndown).toBe(program.cancelAfter === 0 ? 0 : 1); // then it was never read
        expect(seen.cleaned).toBe(seen.torndown);
        if (told !== 'cancelled') {
          expect(got).toHaveLength(program.source.count);
          expect(told).toBe(program.source.end === 'error' ? failure : 'complete');
        }
        const isPulled = program.source.kind === 'pull' || program.source.kind === 'asynchronous';
        if (isPulled) expect(most).toBeLessThanOrEqual(program.highWaterMark);
      }),
      { numRuns: 300 },
    );
  });

  it('toNodeReadable loses nothing, keeps the order, ends once and cleans up once, before it closes', async () => {
    await fc.assert(
      fc.asyncProperty(reading.filter(ends), fc.boolean(), async (program, flowing) => {
        const { seen, source$ } = follow(program.source);
        const dropped: number[] = [];
        const got: number[] = [];
        const log: unknown[] = [];
        const stream = toNodeReadable(source$, {
          highWaterMark: program.highWaterMark,
          onDrop: (value) => dropped.push(value),
        });
        let most = 0;
        const enough = () => program.cancelAfter !== undefined && got.length >= program.cancelAfter;
        const receive = (value: number) => {
          got.push(value);
          most = Math.max(most, seen.emitted - got.length);
        };
        stream.on('end', () => log.push('end'));
        stream.on('error', (error) => log.push(error));
        stream.on('close', () => log.push('close', seen.cleaned));
        const over = finished(stream).catch(() => undefined);
        if (enough()) stream.destroy();
        else if (flowing) {
          stream.on('data', (value: number) => {
            receive(value);
            if (enough()) stream.destroy();
          });
        } else {
          let busy = false;
          const readOn = async () => {
            if (busy) return;
            busy = true;
            for (let value: unknown; !stream.destroyed && (value = stream.read()) !== null;) {
              receive(value as number);
              if (enough()) stream.destroy();
              else await take(program.steps, got.length);
            }
            busy = false;
          };
          stream.on('readable', () => void readOn());
        }
        await over;
        await turn();
        const cancelled = enough();
        // One that had been asked for may have been on its way to the reader.
        const handed = [...got, ...dropped];
        expect(handed).toEqual([...handed].sort((a, b) => a - b));
        expect(seen.emitted - handed.length).toBeLessThanOrEqual(cancelled ? 1 : 0);
        expect(seen.torndown).toBeLessThanOrEqual(1);
        expect(log.filter((event) => event !== 'end')).toEqual(
          (program.source.end === 'error' && !cancelled) || log.includes(failure)
            ? [failure, 'close', 1]
            : ['close', seen.torndown],
        );
        expect(seen.cleaned).toBe(seen.torndown);
        if (!cancelled) {
          expect(got).toHaveLength(program.source.count);
          expect(log.includes('end')).toBe(program.source.end === 'complete');
        }
        const isPulled = program.source.kind === 'pull' || program.source.kind === 'asynchronous';
        if (isPulled) expect(most).toBeLessThanOrEqual(program.highWaterMark + 1);
      }),
      { numRuns: 300 },
    );
  });

  it('writeToStream loses nothing, keeps the order, has one end and gives the stream one', async () => {
    const writing = fc.record({
      source: source,
      highWaterMark: fc.nat(4),
      streamMark: fc.integer({ min: 1, max: 5 }),
      steps: pacing,
      end: fc.boolean(),
      stopAfter: fc.option(fc.nat(25), { nil: undefined }),
      stop: fc.constantFrom('unsubscribe', 'fail'),
    });
    const terminates = ({ source: { end, count }, stopAfter }: { source: Source; stopAfter?: number | undefined }) =>
      end !== 'never' || (stopAfter !== undefined && stopAfter < count);
    await fc.assert(
      fc.asyncProperty(writing.filter(terminates), async (program) => {
        const { seen, source$ } = follow(program.source);
        const dropped: number[] = [];
        const chunks: number[] = [];
        const log: unknown[] = [];
        const ended: string[] = [];
        let most = 0;
        let isOver!: () => void;
        const over = new Promise<void>((resolve) => {
          isOver = resolve;
        });
        const stream = new WritableStream<number>(
          {
            write: async (chunk) => {
              chunks.push(chunk);
              most = Math.max(most, seen.emitted - chunks.length + 1);
              await take(program.steps, chunk);
              if (chunk !== program.stopAfter) return;
              if (program.stop === 'fail') throw new Error('stream');
              subscription.unsubscribe();
              isOver();
            },
            close: () => {
              ended.push('close');
            },
            abort: () => {
              ended.push('abort');
            },
          },
          { highWaterMark: program.streamMark },
        );
        const written = source$.pipe(
          writeToStream(stream, {
            highWaterMark: program.highWaterMark,
            end: program.end,
            onDrop: (value) => dropped.push(value),
          }),
        );
        const subscription = written.subscribe({
          next: (count) => log.push(count),
          error: (error: unknown) => {
            log.push(error);
            isOver();
          },
          complete: () => {
            log.push('complete');
            isOver();
          },
        });
        await over;
        await turn();
        await turn();
        expect(stream.locked).toBe(false);
        const { count, end } = program.source;
        const stopped = program.stopAfter !== undefined && program.stopAfter < count;
        const handed = seen.emitted - dropped.length;
        expect(dropped).toEqual(values(seen.emitted).slice(handed));
        expect(chunks).toEqual(values(chunks.length));
        expect(chunks.length).toBeLessThanOrEqual(handed);
        expect([seen.torndown, seen.cleaned]).toEqual([1, 1]);
        const sourceFailed = end === 'error' && seen.emitted === count;
        if (!stopped) {
          expect(chunks).toEqual(values(count));
          expect(log).toEqual(end === 'error' ? [failure] : [count, 'complete']);
          expect(ended).toEqual(!program.end ? [] : end === 'error' ? ['abort'] : ['close']);
        } else if (program.stop === 'fail') {
          expect(log).toHaveLength(1);
          expect(log[0]).toEqual(sourceFailed && log[0] === failure ? failure : new Error('stream'));
          expect(ended).toEqual([]);
        } else {
          // It may have had its end before, with what was written last.
          expect(log.length).toBeLessThanOrEqual(2);
          if (program.end) expect(ended).toHaveLength(1);
          if (log.length === 0 && program.end) expect(['abort', 'close']).toContain(ended[0]);
        }
        if (program.source.kind === 'pull' || program.source.kind === 'asynchronous')
          expect(most).toBeLessThanOrEqual(program.streamMark + program.highWaterMark);
      }),
      { numRuns: 300 },
    );
  });
});
