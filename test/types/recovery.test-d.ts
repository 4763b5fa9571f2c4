import { of, type Observable } from 'rxjs';
import { expectTypeOf, it } from 'vitest';
import { bufferedMergeMap } from '../../src/index.js';
import type { DeadLetter } from '../../src/errors/DeadLetterError.js';
import type { CircuitState } from '../../src/machines/Circuit.js';
import type { CircuitBreaker } from '../../src/internal/breaker/CircuitBreaker.js';
import { circuitBreaker } from '../../src/operators/circuitBreaker.js';
import { deadLetter } from '../../src/operators/deadLetter.js';
import type { CircuitBreakerOptions } from '../../src/options/breaker.js';
import { createCircuitBreaker } from '../../src/resources/createCircuitBreaker.js';

it('circuitBreaker passes the type of the source on, with a breaker and with options', () => {
  const breaker = createCircuitBreaker();
  expectTypeOf(breaker).toEqualTypeOf<CircuitBreaker>();
  expectTypeOf(of({ id: 1 }).pipe(circuitBreaker(breaker))).toEqualTypeOf<Observable<{ id: number }>>();
  expectTypeOf(of('a').pipe(circuitBreaker({ probes: 2 }))).toEqualTypeOf<Observable<string>>();
  expectTypeOf(of('a').pipe(circuitBreaker())).toEqualTypeOf<Observable<string>>();
});

it('the state is told apart by its status', () => {
  const { state, state$ } = createCircuitBreaker();
  expectTypeOf(state).toEqualTypeOf<CircuitState>();
  expectTypeOf(state$).toEqualTypeOf<Observable<CircuitState>>();
  expectTypeOf(state.status).toEqualTypeOf<'closed' | 'open' | 'half-open'>();
  if (state.status === 'open') expectTypeOf(state.until).toEqualTypeOf<number>();
  // @ts-expect-error only an open one knows until when
  expectTypeOf(state.until).toBeNever();
});

it('run gives what its work gives', () => {
  const breaker = createCircuitBreaker();
  expectTypeOf(breaker.run(() => Promise.resolve(1))).toEqualTypeOf<Observable<number>>();
  expectTypeOf(breaker.run(({ signal }) => of(signal.aborted))).toEqualTypeOf<Observable<boolean>>();
  expectTypeOf(breaker.run(() => ['a'])).toEqualTypeOf<Observable<string>>();
});

it('a threshold is of one kind', () => {
  expectTypeOf<{ consecutive: 3 }>().toExtend<CircuitBreakerOptions['threshold']>();
  expectTypeOf<{ ratio: 0.5; window: 1000 }>().toExtend<CircuitBreakerOptions['threshold']>();
  expectTypeOf<{ ratio: 0.5; calls: 10; minimum: 5 }>().toExtend<CircuitBreakerOptions['threshold']>();
  // @ts-expect-error a share of which calls?
  createCircuitBreaker({ threshold: { ratio: 0.5 } });
  // @ts-expect-error two kinds at once
  createCircuitBreaker({ threshold: { ratio: 0.5, window: 1, calls: 1 } });
  // @ts-expect-error two kinds at once
  createCircuitBreaker({ threshold: { consecutive: 1, ratio: 0.5, calls: 1 } });
});

it('deadLetter passes the type of the work on, and that of the value into the letter', () => {
  const result = of({ id: 1 }).pipe(
    bufferedMergeMap((order) =>
      of('sent').pipe(
        deadLetter(order, {
          to: (letter) => {
            expectTypeOf(letter).toEqualTypeOf<DeadLetter<{ id: number }>>();
          },
          shouldRetry: (error) => error !== 'poison',
          delayFor: (_, attempt) => attempt * 10,
        }),
      ),
    ),
  );
  expectTypeOf(result).toEqualTypeOf<Observable<string>>();
});

it('deadLetter needs a receiver, which takes the letters of that value', () => {
  // @ts-expect-error nobody takes the letter
  deadLetter(1, { attempts: 3 });
  // @ts-expect-error it gets letters of a number
  deadLetter(1, { to: (letter: DeadLetter<string>) => letter });
  deadLetter(1, { to: { next: (letter: DeadLetter<number>) => letter } });
  deadLetter(1, { to: (letter: DeadLetter<unknown>) => letter });
});
