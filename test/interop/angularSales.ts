import { Component, inject, InjectionToken } from '@angular/core';
import { toSignal } from '@angular/core/rxjs-interop';
import { concat, ignoreElements, NEVER, timer, type MonoTypeOperatorFunction, type Observable } from 'rxjs';
import { bufferedMergeMap, conflate } from '../../src/index.js';

/** What comes from the server, thousands a second: the amounts that are sold. */
export const SALES = new InjectionToken<Observable<number>>('SALES', { factory: () => NEVER });

/** Passes a value, and is full for so many ms: a consumer for those that never are. */
export const atMostEvery = <T>(ms: number): MonoTypeOperatorFunction<T> =>
  bufferedMergeMap((value: T) => concat([value], timer(ms).pipe(ignoreElements())), {
    concurrent: 1,
    highWaterMark: 0,
  });

@Component({ selector: 'app-sales', template: 'sold just now: {{ sold() }}' })
export class Sales {
  readonly sold = toSignal(
    inject(SALES).pipe(
      conflate((sum, amount) => sum + amount),
      atMostEvery(250),
    ),
    { initialValue: 0 },
  );
}
