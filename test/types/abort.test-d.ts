// Checked by `npm run typecheck`.
import { fromEvent, interval, of, timer, type Observable } from 'rxjs';
import { describe, expectTypeOf, it } from 'vitest';
import { takeUntilAborted } from '../../src/operators/takeUntilAborted.js';
import { toAbortSignal } from '../../src/sinks/toAbortSignal.js';
import { abortable } from '../../src/sources/abortable.js';

const { signal } = new AbortController();

describe('abortable', () => {
  it('infers what the work gives, of whatever kind it is', () => {
    expectTypeOf(abortable(() => of('a'))).toEqualTypeOf<Observable<string>>();
    expectTypeOf(abortable(async () => 1)).toEqualTypeOf<Observable<number>>();
    expectTypeOf(abortable(() => [true])).toEqualTypeOf<Observable<boolean>>();
    expectTypeOf(
      abortable(async function* () {
        yield 1;
      }),
    ).toEqualTypeOf<Observable<number>>();
  });

  it('takes unions', () => {
    const source = abortable((given) => (given.aborted ? ['a'] : Promise.resolve(true)));
    expectTypeOf(source).toEqualTypeOf<Observable<string | boolean>>();
  });

  it('takes the type from outside, too', () => {
    expectTypeOf(
      abortable<{ id: number }>(async () => (await fetch('user')).json() as Promise<{ id: number }>),
    ).toEqualTypeOf<Observable<{ id: number }>>();
  });

  it('gives a signal', () => {
    void abortable((given) => {
      expectTypeOf(given).toEqualTypeOf<AbortSignal>();
      return of(1);
    });
  });

  it('refuses work that gives no source, and work that runs already', () => {
    // @ts-expect-error a number is no source
    void abortable(() => 1);
    // @ts-expect-error a promise runs already: pass a function
    void abortable(Promise.resolve(1));
  });
});

describe('takeUntilAborted', () => {
  it('keeps the type of the source', () => {
    expectTypeOf(timer(1).pipe(takeUntilAborted(signal))).toEqualTypeOf<Observable<0>>();
    expectTypeOf(
      of('a').pipe(takeUntilAborted(signal, { onAbort: 'error', cleanupTimeout: Infinity, name: 'feed' })),
    ).toEqualTypeOf<Observable<string>>();
  });

  it('refuses a controller, and options that it does not have', () => {
    // @ts-expect-error the signal of it, please
    takeUntilAborted(new AbortController());
    // @ts-expect-error no such way to end
    takeUntilAborted(signal, { onAbort: 'ignore' });
    // @ts-expect-error options are an object
    takeUntilAborted(signal, 5000);
  });
});

describe('toAbortSignal', () => {
  it('takes any source and gives a signal', () => {
    expectTypeOf(toAbortSignal(interval(1))).toEqualTypeOf<AbortSignal>();
    expectTypeOf(toAbortSignal(fromEvent(new EventTarget(), 'stop'))).toEqualTypeOf<AbortSignal>();
    expectTypeOf(toAbortSignal(Promise.resolve())).toEqualTypeOf<AbortSignal>();
    // @ts-expect-error a signal is no notifier
    toAbortSignal(signal);
  });
});
