import { concat, of, range, Subject, take, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { bufferedMergeMap, findCleanupScope, fromPull, gatedBy } from '../../src/index.js';
import { operate } from '../../src/internal/operate.js';
import { settle } from '../../src/operators/settle.js';
import { ManualGate } from '../support/ManualGate.js';
import { record } from '../support/record.js';

const fulfilled = (value: unknown) => ({ status: 'fulfilled', value });
const rejected = (reason: unknown) => ({ status: 'rejected', reason });
const failing = <T>(error: unknown, ...values: T[]) =>
  concat(
    of(...values),
    throwError(() => error),
  );

describe('settle', () => {
  it('completes with the source', () => {
    expect(record(of(1, undefined).pipe(settle())).log).toEqual([fulfilled(1), fulfilled(undefined), 'complete']);
  });

  it('completes after the error, whatever that is', () => {
    for (const error of [new Error('source'), undefined, 'text'])
      expect(record(failing(error, 1).pipe(settle())).log).toEqual([fulfilled(1), rejected(error), 'complete']);
  });

  it('has the shape of what Promise.allSettled gives', async () => {
    const outcomes = await Promise.allSettled([Promise.resolve(1), Promise.reject(new Error('no'))]);
    expect(record(failing(new Error('no'), 1).pipe(settle())).log).toStrictEqual([...outcomes, 'complete']);
  });

  it('has torn the source down before it completes, and emits the error before that', () => {
    const source = new Subject<number>();
    const order: unknown[] = [];
    source.pipe(settle()).subscribe({
      next: ({ status }) => order.push(status),
      complete: () => order.push('complete', source.observed),
    });
    source.error(new Error());
    expect(order).toEqual(['rejected', 'complete', false]);
  });

  it('does not complete once it was unsubscribed inside of next, by the error', () => {
    const { log } = record(failing('error').pipe(settle(), take(1)));
    expect(log).toEqual([rejected('error'), 'complete']);
    const source = new Subject<number>();
    const seen: unknown[] = [];
    const subscription = source.pipe(settle()).subscribe({
      next: (outcome) => {
        seen.push(outcome);
        subscription.unsubscribe();
      },
      complete: () => seen.push('complete'),
    });
    source.error('error');
    expect(seen).toEqual([rejected('error')]);
  });

  it('keeps an inner source from ending the others', () => {
    const work = (value: number) => (value === 2 ? throwError(() => 'two') : of(value)).pipe(settle());
    expect(record(of(1, 2, 3).pipe(bufferedMergeMap(work))).log).toEqual([
      fulfilled(1),
      rejected('two'),
      fulfilled(3),
      'complete',
    ]);
  });

  describe('passes the link', () => {
    it('of the gate: the source waits for the consumer below', () => {
      const gate = new ManualGate();
      const { log } = record(fromPull([1]).pipe(settle(), gatedBy(gate)));
      expect(log).toEqual([]);
      gate.ready = true;
      expect(log).toEqual([fulfilled(1), 'complete']);
    });

    it('of the clean-up', () => {
      const tracked: unknown[] = [];
      const endless = async function* () {
        yield 1;
      };
      const subscriber = operate({ cleanupScope: { track: (each) => tracked.push(each) } });
      fromPull(endless)
        .pipe(settle())
        .subscribe(subscriber as never);
      expect(findCleanupScope(subscriber as never)).toBeDefined();
      subscriber.unsubscribe();
      expect(tracked).toHaveLength(1);
    });
  });

  describe('an error above a consumer that is full', () => {
    it('waits until it is not', () => {
      const gate = new ManualGate();
      const { log } = record(failing('error').pipe(settle(), gatedBy(gate)));
      expect([log, gate.waiters.size]).toEqual([[], 1]);
      gate.ready = true;
      expect([log, gate.waiters.size]).toEqual([[rejected('error'), 'complete'], 0]);
    });

    it('reads the gate again when it is called', () => {
      const gate = new ManualGate();
      const { log } = record(failing('error').pipe(settle(), gatedBy(gate)));
      [...gate.waiters].forEach((waiter) => {
        gate.waiters.delete(waiter);
        waiter(); // another was before
      });
      expect([log, gate.waiters.size]).toEqual([[], 1]);
      gate.ready = true;
      expect(log).toEqual([rejected('error'), 'complete']);
    });

    it('waits no longer once it is unsubscribed', () => {
      const gate = new ManualGate();
      const { log, subscription } = record(failing('error').pipe(settle(), gatedBy(gate)));
      subscription.unsubscribe();
      expect(gate.waiters.size).toBe(0);
      gate.ready = true;
      expect(log).toEqual([]);
    });

    it('goes past values that nobody could hold back', () => {
      const gate = new ManualGate();
      expect(record(of(1).pipe(settle(), gatedBy(gate))).log).toEqual([fulfilled(1), 'complete']);
    });
  });

  it('passes a million values', () => {
    let seen = 0;
    range(0, 1_000_000)
      .pipe(settle())
      .subscribe(() => seen++);
    expect(seen).toBe(1_000_000);
  });
});
