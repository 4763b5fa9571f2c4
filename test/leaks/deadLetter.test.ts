import { NEVER, Observable, Subject, throwError, type Subscriber } from 'rxjs';
import { expect, it } from 'vitest';
import type { DeadLetter } from '../../src/errors/DeadLetterError.js';
import { deadLetter } from '../../src/operators/deadLetter.js';
import { heapGrowth, isCollected } from './support.js';

it('nothing is kept of 100 000 values that were given up', { timeout: 60_000 }, async () => {
  const letters = new Subject<DeadLetter<number>>();
  let seen = 0;
  letters.subscribe(() => seen++);
  const fails = throwError(() => 'fails');
  let id = 0;
  const growth = await heapGrowth(() => {
    fails.pipe(deadLetter(id++, { to: letters })).subscribe();
  }, 25_000);
  expect(growth).toBeLessThan(64 * 1024);
  expect(seen).toBe(id);
});

it('no error of an attempt, and no value, is held when it was unsubscribed, also by a producer that keeps its subscriber', async () => {
  const kept: Subscriber<never>[] = [];
  for (const held of ['error', 'value'] as const) {
    const isLetGo = await isCollected(() => {
      const errors: object[] = [new Error('first attempt')];
      const object = { value: {}, error: errors[0] as object }[held];
      runAndKeep(held === 'value' ? object : 'value', errors, kept);
      return object;
    });
    expect(isLetGo, held).toBe(true);
  }
  expect(kept.map(({ closed }) => closed)).toEqual([true, true]);
});

/** Fails with the errors, which are taken out, and then goes on until it is unsubscribed. */
function runAndKeep(value: unknown, errors: object[], kept: Subscriber<never>[]): void {
  failing(errors, kept)
    .pipe(deadLetter(value, { to: () => NEVER }))
    .subscribe()
    .unsubscribe();
}

const failing = (errors: object[], kept: Subscriber<never>[]) =>
  new Observable<never>((subscriber) => {
    const error = errors.pop();
    if (error) subscriber.error(error);
    else kept.push(subscriber);
  });

it('a letter is let go when it has been delivered', async () => {
  const source = new Subject<never>();
  let kept: unknown;
  const isLetGo = await isCollected(() => {
    const value = {};
    kept = source.pipe(deadLetter(value, { attempts: 1, to: () => undefined })).subscribe();
    source.error('fails');
    return value;
  });
  expect(isLetGo).toBe(true);
  expect(kept).toBeDefined();
});
