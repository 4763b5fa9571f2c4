import { of, range, Subject, tap } from 'rxjs';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { fromPull, gatedBy } from '../../src/index.js';
import { latest, type LatestOptions } from '../../src/operators/latest.js';
import { ManualGate } from '../support/ManualGate.js';
import { record } from '../support/record.js';
import { collectUnhandled, reported } from '../support/unhandled.js';

const unhandled = collectUnhandled();

function pushing(options: LatestOptions<number> = {}) {
  const source = new Subject<number>();
  const gate = new ManualGate();
  const dropped: unknown[] = [];
  const { log, subscription } = record(
    source.pipe(
      latest({ onDrop: (value, reason) => dropped.push([value, reason]), ...options }),
      gatedBy(gate),
      tap(() => (gate.ready = false)),
    ),
  );
  const push = (...values: number[]) => {
    for (const value of values) source.next(value);
  };
  return { source, push, log, dropped, gate, subscription };
}

describe('latest', () => {
  it('refuses what are no options', () => {
    expect(() => latest(5 as never)).toThrow(new TypeError('options must be an object, got 5'));
    expect(() => latest({ onDrop: 5 as never })).toThrow(new TypeError('onDrop must be a function, got 5'));
  });

  it('passes the type on', () => {
    expectTypeOf(of(1).pipe(latest())).toEqualTypeOf(of(1));
    expectTypeOf(of(1).pipe(latest({ onDrop: (value) => value.toFixed() }))).toEqualTypeOf(of(1));
  });

  it('lets each value pass where nothing below can be full', () => {
    expect(record(of(1, 2, 3).pipe(latest())).log).toEqual([1, 2, 3, 'complete']);
  });

  it('keeps the newest, and tells of those whose place it took', () => {
    const { push, log, dropped, gate } = pushing();
    push(1, 2, 3);
    expect(dropped).toEqual([
      [1, 'overflow'],
      [2, 'overflow'],
    ]);
    gate.ready = true;
    expect(log).toEqual([3]);
    expect(dropped.length).toBe(2);
  });

  it.each([
    [
      'error',
      (source: Subject<number>) => {
        source.error('oops');
      },
    ],
    [
      'complete',
      (source: Subject<number>) => {
        source.complete();
      },
    ],
  ] as const)('at the end (%s) drops or emits what waits', (how, end) => {
    const { push, source, log, dropped, gate } = pushing();
    push(1);
    end(source);
    gate.ready = true;
    if (how === 'error') expect([log, dropped]).toEqual([[['error', 'oops']], [[1, 'error']]]);
    else expect([log, dropped]).toEqual([[1, 'complete'], []]);
  });

  it('drops what waits when it is unsubscribed', () => {
    const { push, dropped, gate, subscription } = pushing();
    push(1);
    subscription.unsubscribe();
    expect(dropped).toEqual([[1, 'unsubscribe']]);
    expect(gate.waiters.size).toBe(0);
  });

  it('makes what onDrop throws its error, and loses no value by that', async () => {
    const seen: unknown[] = [];
    const { push, log } = pushing({
      onDrop: (value, reason) => {
        seen.push([value, reason]);
        throw `oops ${value}`;
      },
    });
    push(1, 2);
    expect(log).toEqual([['error', 'oops 1']]);
    expect(seen).toEqual([
      [1, 'overflow'],
      [2, 'error'],
    ]);
    expect(await reported(unhandled)).toBe('oops 2');
  });

  it('loses no value when it is unsubscribed within onDrop', () => {
    const seen: unknown[] = [];
    const { push, subscription } = pushing({
      onDrop: (value, reason) => {
        seen.push([value, reason]);
        subscription.unsubscribe();
      },
    });
    push(1, 2);
    expect(seen).toEqual([
      [1, 'overflow'],
      [2, 'unsubscribe'],
    ]);
  });

  it('keeps the last of a million', () => {
    const gate = new ManualGate();
    let left = 0;
    const { log } = record(range(0, 1_000_000).pipe(latest({ onDrop: () => left++ }), gatedBy(gate)));
    gate.ready = true;
    expect(log).toEqual([999_999, 'complete']);
    expect(left).toBe(999_999);
  });

  it('lets sources above run at their own pace', () => {
    const gate = new ManualGate();
    const { log } = record(fromPull([1, 2, 3]).pipe(latest(), gatedBy(gate)));
    gate.ready = true;
    expect(log).toEqual([3, 'complete']);
  });
});
