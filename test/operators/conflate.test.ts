import {
  interval,
  merge,
  NEVER,
  Observable,
  of,
  range,
  Subject,
  take,
  tap,
  throwError,
  VirtualTimeScheduler,
} from 'rxjs';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { findCleanupScope, findGate, fromPull, gatedBy, toAsyncIterable } from '../../src/index.js';
import { operate } from '../../src/internal/operate.js';
import { conflate, type ConflateOptions } from '../../src/operators/conflate.js';
import { ManualGate } from '../support/ManualGate.js';
import { record } from '../support/record.js';
import { collectUnhandled, reported } from '../support/unhandled.js';

const unhandled = collectUnhandled();

const list = (value: number) => [value];
const append = (waiting: number[], value: number) => [...waiting, value];

/** Pushes by hand; the consumer closes its gate with each value, unless it is told not to. */
function pushing(
  options: ConflateOptions<number[]> & { merge?: typeof append; seed?: typeof list } = {},
  gate = new ManualGate(),
) {
  const source = new Subject<number>();
  const dropped: unknown[] = [];
  const { merge = append, seed = list, ...rest } = options;
  const { log, subscription } = record(
    source.pipe(
      conflate(seed, merge, { onDrop: (merged, reason) => dropped.push([merged, reason]), ...rest }),
      gatedBy(gate),
      tap(() => (gate.ready = false)),
    ),
  );
  const push = (...values: number[]) => {
    for (const value of values) source.next(value);
  };
  return { source, push, log, dropped, gate, subscription };
}

describe('the arguments of conflate', () => {
  it.each<[unknown[], Error]>([
    [[], new TypeError('merge must be a function, got undefined')],
    [[5], new TypeError('merge must be a function, got 5')],
    [[append, 5], new TypeError('options must be an object, got 5')],
    [[5, append], new TypeError('seed must be a function, got 5')],
    [[list, append, 5], new TypeError('options must be an object, got 5')],
    [[append, { onDrop: 5 }], new TypeError('onDrop must be a function, got 5')],
    [[list, append, { onDrop: 5 }], new TypeError('onDrop must be a function, got 5')],
  ])('%o are refused', (args, error) => {
    expect(() => (conflate as (...args: unknown[]) => unknown)(...args)).toThrow(error);
  });

  it('are inferred', () => {
    const sum = of(1).pipe(conflate((a, b) => a + b));
    const lists = of('a').pipe(
      conflate(
        (value) => [value],
        (values, value) => [...values, value],
        { onDrop: (values) => values.length },
      ),
    );
    expectTypeOf(sum).toEqualTypeOf<Observable<number>>();
    expectTypeOf(lists).toEqualTypeOf<Observable<string[]>>();
  });
});

describe('conflate', () => {
  it('lets each value pass where nothing below can be full', () => {
    expect(record(of(1, 2, 3).pipe(conflate((a, b) => a + b))).log).toEqual([1, 2, 3, 'complete']);
    expect(record(of(1, 2, 3).pipe(conflate(list, append))).log).toEqual([[1], [2], [3], 'complete']);
  });

  it('merges what comes while the gate below is closed, and emits once each time that it opens', () => {
    const { push, log, gate } = pushing();
    push(1, 2, 3);
    expect(log).toEqual([]);
    gate.ready = true;
    expect(log).toEqual([[1, 2, 3]]);
    gate.ready = true;
    expect(log).toEqual([[1, 2, 3]]);
    push(4, 5);
    gate.ready = true;
    expect(log).toEqual([[1, 2, 3], [4], [5]]);
    expect(gate.waiters.size).toBe(0);
  });

  it('begins with the first value where there is no seed', () => {
    const gate = new ManualGate();
    const source = new Subject<number>();
    const { log } = record(
      source.pipe(
        conflate((a, b) => a + b, {}),
        gatedBy(gate),
      ),
    );
    for (const value of [1, 2, 3]) source.next(value);
    gate.ready = true;
    source.next(4);
    expect(log).toEqual([6, 4]);
  });

  it('emits merged values that are undefined or falsy', () => {
    const gate = new ManualGate();
    const source = new Subject<number>();
    const { log } = record(
      source.pipe(
        conflate(
          () => undefined,
          () => undefined,
        ),
        gatedBy(gate),
      ),
    );
    source.next(1);
    source.next(2);
    gate.ready = true;
    source.complete();
    expect(log).toEqual([undefined, 'complete']);
  });

  it('completes after what waits', () => {
    const { push, source, log, gate } = pushing();
    push(1, 2);
    source.complete();
    expect(log).toEqual([]);
    gate.ready = true;
    expect(log).toEqual([[1, 2], 'complete']);
    expect(gate.waiters.size).toBe(0);
  });

  it('completes at once when nothing waits, though the gate is closed', () => {
    const { source, log } = pushing();
    source.complete();
    expect(log).toEqual(['complete']);
  });

  it('errors at once, and hands over what waits', () => {
    const { push, source, log, dropped, gate } = pushing();
    push(1, 2);
    source.error('oops');
    expect(log).toEqual([['error', 'oops']]);
    expect(dropped).toEqual([[[1, 2], 'error']]);
    expect(gate.waiters.size).toBe(0);
  });

  it('hands over what waits when it is unsubscribed, after the source was told', () => {
    const { push, source, dropped, subscription, gate } = pushing({
      onDrop: (merged, reason) => dropped.push([merged, reason, source.observed]),
    });
    push(1, 2);
    subscription.unsubscribe();
    expect(dropped).toEqual([[[1, 2], 'unsubscribe', false]]);
    expect(gate.waiters.size).toBe(0);
  });

  it('reports what onDrop throws after the end', async () => {
    const { push, subscription } = pushing({
      onDrop: () => {
        throw 'oops';
      },
    });
    push(1);
    subscription.unsubscribe();
    expect(await reported(unhandled)).toBe('oops');
  });

  it.each(['seed', 'merge'] as const)('passes on what %s throws, and hands over what had waited', (which) => {
    const { push, log, dropped, gate } = pushing({
      [which]: () => {
        throw 'oops';
      },
    });
    push(1, 2);
    expect(log).toEqual([['error', 'oops']]);
    expect(dropped).toEqual(which === 'merge' ? [[[1], 'error']] : []);
    expect(gate.waiters.size).toBe(0);
  });

  it('loses nothing when it is unsubscribed within merge', () => {
    const { push, dropped, gate, subscription } = pushing({
      merge: (waiting, value) => {
        subscription.unsubscribe();
        return [...waiting, value];
      },
    });
    push(1, 2);
    expect(dropped).toEqual([[[1, 2], 'unsubscribe']]);
    expect(gate.waiters.size).toBe(0);
  });

  it('loses nothing when it is unsubscribed within merge, which throws', async () => {
    const { push, dropped, subscription } = pushing({
      merge: () => {
        subscription.unsubscribe();
        throw 'oops';
      },
    });
    push(1, 2);
    expect(dropped).toEqual([[[1], 'unsubscribe']]);
    expect(await reported(unhandled)).toBe('oops');
  });

  it('loses nothing when merge pushes into the source', () => {
    const { push, log, gate } = pushing({
      merge: (waiting, value) => {
        if (value === 2) push(3);
        return [...waiting, value];
      },
    });
    push(1, 2);
    gate.ready = true;
    expect(log).toEqual([[1, 2, 3]]);
  });

  it('emits by itself what is pushed in next while the gate stays open', () => {
    const source = new Subject<number>();
    const seen: unknown[] = [];
    source.pipe(conflate(list, append)).subscribe((values) => {
      seen.push(values);
      if (values[0] === 1) for (const value of [2, 3]) source.next(value);
    });
    source.next(1);
    expect(seen).toEqual([[1], [2], [3]]);
  });

  it('merges what is pushed in next when that has closed the gate', () => {
    const { push, source, log, gate } = pushing({}, new ManualGate(true));
    const subscription = source.subscribe((value) => {
      if (value === 1) push(2, 3);
    });
    push(1);
    expect(log).toEqual([[1]]);
    gate.ready = true;
    expect(log).toEqual([[1], [2, 3]]);
    subscription.unsubscribe();
  });

  it('hands over what was pushed in next before that has unsubscribed', () => {
    const source = new Subject<number>();
    const dropped: unknown[] = [];
    const seen: unknown[] = [];
    const subscription = source
      .pipe(conflate(list, append, { onDrop: (merged) => dropped.push(merged) }))
      .subscribe((values) => {
        seen.push(values);
        for (const value of [2, 3]) source.next(value);
        subscription.unsubscribe();
      });
    source.next(1);
    expect(seen).toEqual([[1]]);
    expect(dropped).toEqual([[2, 3]]);
  });

  it('does not grow the stack with a consumer that pushes into the source', () => {
    const source = new Subject<number>();
    let last = 0;
    source.pipe(conflate((a, b) => a + b)).subscribe((value) => {
      last = value;
      if (value < 100_000) source.next(value + 1);
    });
    source.next(1);
    expect(last).toBe(100_000);
  });

  it('merges a million values', () => {
    const gate = new ManualGate();
    const { log } = record(
      range(0, 1_000_000).pipe(
        conflate(
          () => 1,
          (count) => count + 1,
        ),
        gatedBy(gate),
      ),
    );
    gate.ready = true;
    expect(log).toEqual([1_000_000, 'complete']);
  });

  it('emits when the gate is seen open though its turn has not come, and leaves its place', () => {
    const gate = new ManualGate();
    const source = new Subject<number>();
    const { log } = record(source.pipe(conflate(list, append), gatedBy(gate)));
    source.next(1);
    const [waiter] = gate.waiters;
    gate.waiters.clear();
    gate.ready = true; // tells nobody
    if (waiter) gate.waiters.add(waiter);
    source.next(2);
    expect(log).toEqual([[1], [2]]);
    expect(gate.waiters.size).toBe(0);
  });

  it('takes its place below again when the gate has closed before its turn', () => {
    const { push, log, gate } = pushing();
    push(1);
    const [waiter] = gate.waiters;
    gate.waiters.clear();
    waiter?.();
    expect(log).toEqual([]);
    expect(gate.waiters.size).toBe(1);
    gate.ready = true;
    expect(log).toEqual([[1]]);
  });

  it('does without a turn where a foreign gate calls back at once', () => {
    let opened = false;
    const gate = {
      get ready() {
        return opened;
      },
      onReady: (callback: () => void) => {
        opened = true;
        callback();
        return () => undefined;
      },
    };
    expect(record(of(1, 2).pipe(conflate(list, append), gatedBy(gate))).log).toEqual([[1], [2], 'complete']);
  });

  it('lets sources above run at their own pace', () => {
    const gate = new ManualGate();
    const found: unknown[] = [];
    const looking = new Observable<number>((subscriber) => {
      found.push(findGate(subscriber), findCleanupScope(subscriber));
    });
    const scope = { track: () => undefined };
    merge(fromPull([1, 2, 3]), looking)
      .pipe(conflate(list, append), gatedBy(gate))
      .subscribe(operate({ cleanupScope: scope, next: (merged) => found.push(merged) }));
    gate.ready = true;
    expect(found).toEqual([undefined, scope, [1, 2, 3]]);
  });

  it('gives a busy loop what it has missed', async () => {
    const scheduler = new VirtualTimeScheduler();
    const ticks = interval(10, scheduler).pipe(take(5), conflate(list, append));
    const iterator = toAsyncIterable(ticks)[Symbol.asyncIterator]();
    const results = [iterator.next()];
    scheduler.flush();
    results.push(iterator.next(), iterator.next());
    expect(await Promise.all(results)).toEqual([
      { done: false, value: [0] },
      { done: false, value: [1, 2, 3, 4] },
      { done: true, value: undefined },
    ]);
  });

  it('keeps what waits for two subscribers apart', () => {
    const gate = new ManualGate();
    const source = new Subject<number>();
    const merged = source.pipe(conflate(list, append), gatedBy(gate));
    const first = record(merged);
    source.next(1);
    const second = record(merged);
    source.next(2);
    gate.ready = true;
    expect([first.log, second.log]).toEqual([[[1, 2]], [[2]]]);
  });

  it('says nothing with a silent source', () => {
    expect(record(merge(NEVER, NEVER).pipe(conflate(list, append))).log).toEqual([]);
    expect(
      record(
        throwError(() => 'oops').pipe(
          conflate(
            () => 1,
            (waiting) => waiting,
          ),
        ),
      ).log,
    ).toEqual([['error', 'oops']]);
  });
});
