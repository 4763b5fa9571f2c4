// Checked by `npm run typecheck`.
import { map, NEVER, of, Subject, type Observable } from 'rxjs';
import { describe, expectTypeOf, it } from 'vitest';
import type { ShutdownReport } from '../../src/errors/ShutdownError.js';
import type { DrainContext, Shutdown, ShutdownSummary } from '../../src/internal/shutdown/Shutdown.js';
import { bufferedMergeMap } from '../../src/index.js';
import { gracefulShutdown } from '../../src/operators/gracefulShutdown.js';
import { createShutdown } from '../../src/resources/createShutdown.js';

const shutdown = createShutdown();

describe('gracefulShutdown', () => {
  it('infers the values of the source for the pipeline, and gives its results', () => {
    const result = of(1, 2).pipe(
      gracefulShutdown(
        (work$) => {
          expectTypeOf(work$).toEqualTypeOf<Observable<number>>();
          return work$.pipe(bufferedMergeMap(async (n) => String(n)));
        },
        { on: shutdown },
      ),
    );
    expectTypeOf(result).toEqualTypeOf<Observable<string>>();
  });

  it('takes whatever stops, but not nothing', () => {
    const pipeline = map((n: number) => n);
    gracefulShutdown(pipeline, { on: shutdown });
    gracefulShutdown(pipeline, { on: new AbortController().signal });
    gracefulShutdown(pipeline, { on: new Subject<void>() });
    gracefulShutdown(pipeline, { on: Promise.resolve('now') });
    // @ts-expect-error: what stops it is missing
    gracefulShutdown(pipeline, {});
    // @ts-expect-error: a number stops nothing
    gracefulShutdown(pipeline, { on: 7 });
  });

  it('tells the report its type', () => {
    gracefulShutdown(map(String), {
      on: NEVER,
      onReport: (report) => {
        expectTypeOf(report).toEqualTypeOf<ShutdownReport>();
      },
    });
  });
});

describe('createShutdown', () => {
  it('gives the summary', () => {
    expectTypeOf(shutdown).toEqualTypeOf<Shutdown>();
    expectTypeOf(shutdown.stop('SIGTERM')).toEqualTypeOf<Promise<ShutdownSummary>>();
    expectTypeOf(shutdown.signal).toEqualTypeOf<AbortSignal>();
  });

  it('takes what gives a promise, an Observable or nothing', () => {
    shutdown.drain('a', (context) => {
      expectTypeOf(context).toEqualTypeOf<DrainContext>();
    });
    shutdown.drain('b', async ({ signal }) => (await fetch('/', { signal })).text());
    shutdown.add('c', () => of(1));
    expectTypeOf(shutdown.add('d', () => undefined)).toEqualTypeOf<() => void>();
  });
});
