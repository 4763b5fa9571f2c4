// Checked by `npm run typecheck`.
import { of, timer } from 'rxjs';
import { describe, expectTypeOf, it } from 'vitest';
import { gather, type GatherTask } from '../../src/sinks/gather.js';

describe('gather', () => {
  it('gives a tuple for a tuple, like Promise.all', () => {
    expectTypeOf(gather([() => of(1), async () => 'a', () => [true]])).toEqualTypeOf<
      Promise<[number, string, boolean]>
    >();
    expectTypeOf(gather([() => timer(1)], { concurrent: 1, settle: false })).toEqualTypeOf<Promise<[0]>>();
    expectTypeOf(gather([])).toEqualTypeOf<Promise<[]>>();
    const tasks = [() => of(1), () => of('a')] as const;
    expectTypeOf(gather(tasks)).toEqualTypeOf<Promise<[number, string]>>();
  });

  it('gives a tuple of outcomes with settle, like Promise.allSettled', () => {
    expectTypeOf(gather([() => of(1), async () => 'a'], { settle: true })).toEqualTypeOf<
      Promise<[PromiseSettledResult<number>, PromiseSettledResult<string>]>
    >();
  });

  it('gives an array for an array, and for any other iterable', () => {
    const tasks: (() => Promise<number>)[] = [];
    expectTypeOf(gather(tasks)).toEqualTypeOf<Promise<number[]>>();
    expectTypeOf(gather(tasks, { settle: true })).toEqualTypeOf<Promise<PromiseSettledResult<number>[]>>();
    expectTypeOf(gather(tasks.map((task) => () => task()))).toEqualTypeOf<Promise<number[]>>();
    expectTypeOf(gather(new Set(tasks))).toEqualTypeOf<Promise<number[]>>();
    expectTypeOf(gather(new Set(tasks), { settle: true })).toEqualTypeOf<Promise<PromiseSettledResult<number>[]>>();
    const mixed: GatherTask<number | string>[] = [() => of(1), async () => 'a'];
    expectTypeOf(gather(mixed)).toEqualTypeOf<Promise<(number | string)[]>>();
  });

  it('tells tasks of their cancellation', () => {
    void gather([
      ({ signal }) => {
        expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
        return of(1);
      },
    ]);
  });

  it('refuses promises, and what is no source', () => {
    // @ts-expect-error a promise runs already: pass a function
    void gather([Promise.resolve(1)]);
    // @ts-expect-error a number is no source
    void gather([() => 1]);
    // @ts-expect-error RxJS's word is concurrent
    void gather([() => of(1)], { concurrency: 4 });
  });
});
