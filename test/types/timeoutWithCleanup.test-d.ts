// Checked by `npm run typecheck`.
import { of, type Observable } from 'rxjs';
import { describe, expectTypeOf, it } from 'vitest';
import type { TimeoutWithCleanupError, TimeoutWithCleanupInfo } from '../../src/errors/TimeoutWithCleanupError.js';
import { timeoutWithCleanup, type TimeoutWithCleanupOptions } from '../../src/operators/timeoutWithCleanup.js';

const numbers = of(1, 2);

describe('timeoutWithCleanup', () => {
  it('keeps the type of the values', () => {
    expectTypeOf(numbers.pipe(timeoutWithCleanup({ each: 5 }))).toEqualTypeOf<Observable<number>>();
    expectTypeOf(
      numbers.pipe(timeoutWithCleanup({ each: 5, cleanup: () => Promise.resolve('anything') })),
    ).toEqualTypeOf<Observable<number>>();
    const options: TimeoutWithCleanupOptions<number> = { first: 1, total: 5, strategy: 'aggressive', name: 'orders' };
    expectTypeOf(numbers.pipe(timeoutWithCleanup(options))).toEqualTypeOf<Observable<number>>();
  });

  it('adds the type of what it goes on with', () => {
    expectTypeOf(numbers.pipe(timeoutWithCleanup({ each: 5, with: () => of('a') }))).toEqualTypeOf<
      Observable<number | string>
    >();
    expectTypeOf(numbers.pipe(timeoutWithCleanup({ each: 5, with: async () => [true] }))).toEqualTypeOf<
      Observable<number | boolean[]>
    >();
    expectTypeOf(numbers.pipe(timeoutWithCleanup({ each: 5, with: () => ['a'] }))).toEqualTypeOf<
      Observable<number | string>
    >();
  });

  it('tells callbacks what has happened', () => {
    void numbers.pipe(
      timeoutWithCleanup({
        each: 5,
        cleanup: (info) => {
          expectTypeOf(info).toEqualTypeOf<TimeoutWithCleanupInfo<number>>();
          expectTypeOf(info.limit).toEqualTypeOf<'first' | 'each' | 'total'>();
          expectTypeOf(info.lastValue).toEqualTypeOf<number | undefined>();
        },
        with: ({ seen }) => of(seen),
      }),
    );
    expectTypeOf<TimeoutWithCleanupError['cleanup']>().toEqualTypeOf<'done' | 'timed-out' | 'failed'>();
    expectTypeOf<TimeoutWithCleanupError['info']>().toEqualTypeOf<TimeoutWithCleanupInfo>();
  });

  it('refuses what it cannot take', () => {
    // @ts-expect-error a limit is a number of milliseconds
    timeoutWithCleanup({ first: new Date() });
    // @ts-expect-error a strategy is one of two
    timeoutWithCleanup({ each: 5, strategy: 'kind' });
    // @ts-expect-error `with` is a function
    timeoutWithCleanup({ each: 5, with: of(1) });
    // @ts-expect-error `with` gives a source
    timeoutWithCleanup({ each: 5, with: () => 5 });
    // @ts-expect-error options are one object
    timeoutWithCleanup(5);
  });
});
