// Checked by `npm run typecheck`.
import { of, timer, type Observable } from 'rxjs';
import { describe, expectTypeOf, it } from 'vitest';
import {
  bufferedMergeMap,
  fromPull,
  gatedBy,
  toAsyncIterable,
  ungated,
  type DropReason,
  type Gate,
  type Pullable,
} from '../../src/index.js';

describe('bufferedMergeMap', () => {
  it('infers value and result in pipe()', () => {
    const result = of('a').pipe(
      bufferedMergeMap(
        (value, index, { signal }) => {
          expectTypeOf(value).toEqualTypeOf<string>();
          expectTypeOf(index).toEqualTypeOf<number>();
          expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
          return Promise.resolve(value.length);
        },
        {
          concurrent: 2,
          onDrop: (value, reason) => {
            expectTypeOf(value).toEqualTypeOf<string>();
            expectTypeOf(reason).toEqualTypeOf<DropReason | 'age'>();
          },
          onDropResult: (value, reason) => {
            expectTypeOf(value).toEqualTypeOf<number>();
            expectTypeOf(reason).toEqualTypeOf<'error' | 'unsubscribe'>();
          },
        },
      ),
    );
    expectTypeOf(result).toEqualTypeOf<Observable<number>>();
  });

  it('takes any ObservableInput, and unions of them', () => {
    expectTypeOf(of(1).pipe(bufferedMergeMap(() => ['a']))).toEqualTypeOf<Observable<string>>();
    expectTypeOf(of(1).pipe(bufferedMergeMap(() => timer(1)))).toEqualTypeOf<Observable<0>>();
    expectTypeOf(of(1).pipe(bufferedMergeMap((n) => (n > 1 ? ['a'] : Promise.resolve(true))))).toEqualTypeOf<
      Observable<string | boolean>
    >();
  });

  it('takes callbacks that look at the value only', () => {
    void of(1).pipe(
      bufferedMergeMap((n) => of(n), { onDrop: (value) => value.toFixed(), onDropResult: (n) => n.toFixed() }),
    );
  });

  it('refuses what mergeMap takes and it does not', () => {
    // @ts-expect-error options are an object
    bufferedMergeMap(() => of(1), 4);
    // @ts-expect-error RxJS's word is concurrent
    bufferedMergeMap(() => of(1), { concurrency: 4 });
    // @ts-expect-error no such policy
    bufferedMergeMap(() => of(1), { overflow: 'drop' });
    // @ts-expect-error no inner source
    void of(1).pipe(bufferedMergeMap((n) => n));
  });
});

describe('fromPull', () => {
  it('infers the value of whatever can be pulled', () => {
    expectTypeOf(fromPull([1, 2])).toEqualTypeOf<Observable<number>>();
    expectTypeOf(fromPull('abc')).toEqualTypeOf<Observable<string>>();
    expectTypeOf(fromPull(new Map([['a', 1]]))).toEqualTypeOf<Observable<[string, number]>>();
    expectTypeOf(fromPull(new ReadableStream<Uint8Array>())).toEqualTypeOf<Observable<Uint8Array>>();
    expectTypeOf(
      fromPull(async function* () {
        yield await Promise.resolve(1);
      }),
    ).toEqualTypeOf<Observable<number>>();
    expectTypeOf(
      fromPull(({ signal }) => {
        expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
        return ['a'];
      }),
    ).toEqualTypeOf<Observable<string>>();
    expectTypeOf(fromPull([1] as Pullable<number>, { onDrop: (n) => n.toFixed() })).toEqualTypeOf<Observable<number>>();
  });

  it('refuses what cannot be pulled', () => {
    // @ts-expect-error an observable is not pulled
    void fromPull(of(1));
    // @ts-expect-error make it an async generator
    void fromPull(Promise.resolve([1]));
  });
});

describe('the rest', () => {
  it('passes values as they are', () => {
    const gate: Gate = { ready: true, onReady: () => () => undefined };
    expectTypeOf(of(1).pipe(gatedBy(gate), ungated())).toEqualTypeOf<Observable<number>>();
    expectTypeOf(toAsyncIterable(of(1))).toEqualTypeOf<AsyncIterable<number>>();
    // @ts-expect-error a gate waits, too
    void of(1).pipe(gatedBy({ ready: true }));
  });
});
