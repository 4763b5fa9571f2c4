import { concat, EMPTY, from, map, NEVER, of, Subject, take, throwError, timer, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { usePool } from '../../src/operators/usePool.js';
import { createPool } from '../../src/resources/createPool.js';
import { fromPull } from '../../src/sources/fromPull.js';
import { gatedBy } from '../../src/operators/gatedBy.js';
import { Clock } from '../support/Later.js';
import { ManualGate } from '../support/ManualGate.js';
import { marbles } from '../support/marbles.js';
import { record } from '../support/record.js';
import { deferred, settle } from '../support/settle.js';
import { collectUnhandled, reported } from '../support/unhandled.js';

const unhandled = collectUnhandled();

function numbered(max = 2) {
  let count = 0;
  return createPool({ create: () => ({ id: ++count }), max });
}

describe('usePool', () => {
  it(
    'runs as many as the pool has resources, in the order of arrival',
    marbles((m) => {
      const pool = numbered();
      const used: string[] = [];
      const source = m.hot<string>('abc-------|');
      const result = source.pipe(
        usePool(pool, (value, { id }) => {
          used.push(`${value}${String(id)}`);
          return timer(3, m.scheduler).pipe(map(() => value));
        }),
      );
      m.expect(result).toBeObservable('---ab-c---|');
      m.scheduler.flush();
      expect(used).toEqual(['a1', 'b2', 'c1']);
    }),
  );

  it(
    'shares the pool with others: each waits for his turn',
    marbles((m) => {
      const pool = numbered(1);
      const project = (value: string) => timer(2, m.scheduler).pipe(map(() => value));
      const [first, second] = [m.hot('ab-|'), m.hot('c--|')];
      m.expect(first.pipe(usePool(pool, project))).toBeObservable('--a---(b|)');
      m.expect(second.pipe(usePool(pool, project))).toBeObservable('----(c|)');
    }),
  );

  it('gives project the value, the resource and a signal that is aborted when it is cancelled', () => {
    const seen: unknown[] = [];
    const subscription = of('a')
      .pipe(
        usePool(numbered(), (value, resource, { signal }) => {
          seen.push(value, resource, signal);
          return NEVER;
        }),
      )
      .subscribe();
    subscription.unsubscribe();
    expect(seen).toEqual(['a', { id: 1 }, expect.objectContaining({ aborted: true })]);
  });

  it('passes results in the order of the source with ordered', async () => {
    const [slow, fast] = [deferred<string>(), deferred<string>()];
    const { log } = record(of(slow, fast).pipe(usePool(numbered(), ({ promise }) => promise, { ordered: true })));
    fast.resolve('fast');
    await settle();
    expect(log).toEqual([]);
    slow.resolve('slow');
    await settle();
    expect(log).toEqual(['slow', 'fast', 'complete']);
  });

  it('passes results as they come without', async () => {
    const [slow, fast] = [deferred<string>(), deferred<string>()];
    const { log } = record(of(slow, fast).pipe(usePool(numbered(), ({ promise }) => promise)));
    fast.resolve('fast');
    await settle();
    expect(log).toEqual(['fast']);
    slow.resolve('slow');
    await settle();
    expect(log).toEqual(['fast', 'slow', 'complete']);
  });

  it('asks the source for no more than concurrent and highWaterMark ahead', () => {
    let pulled = 0;
    function* numbers() {
      for (;;) yield ++pulled;
    }
    fromPull(numbers())
      .pipe(usePool(numbered(3), () => NEVER, { highWaterMark: 2 }))
      .subscribe();
    expect(pulled).toBe(5);
  });

  it('takes concurrent, which may be less than the pool has, or more', () => {
    const pool = numbered(2);
    const run = (concurrent: number) => {
      const { subscription } = record(from([1, 2, 3, 4]).pipe(usePool(pool, () => NEVER, { concurrent })));
      const { inUse, waiting } = pool.statistics();
      subscription.unsubscribe();
      return [inUse, waiting];
    };
    expect(run(1)).toEqual([1, 0]);
    expect(run(3)).toEqual([2, 1]);
    expect(pool.statistics()).toMatchObject({ inUse: 0, waiting: 0, idle: 2 });
  });

  it('pulls inner iterables at the pace of the consumer below, and keeps the resource meanwhile', () => {
    const gate = new ManualGate();
    const pool = numbered(1);
    const log: number[] = [];
    gate.ready = true;
    of(1)
      .pipe(
        usePool(pool, () => [1, 2]),
        gatedBy(gate),
      )
      .subscribe((value) => {
        gate.ready = false;
        log.push(value);
      });
    expect([log.length, pool.statistics().inUse]).toEqual([1, 1]);
    gate.ready = true;
    gate.ready = true;
    expect([log.length, pool.statistics().inUse]).toEqual([2, 0]);
  });

  it('passes the error of one on when the others have cleaned up and all is returned', async () => {
    const pool = numbered();
    const cleanup = deferred();
    const source = new Subject<string>();
    const { log } = record(
      source.pipe(
        usePool(pool, async (value, _, { signal }) => {
          if (value === 'bad') throw new Error('bad');
          await cleanup.promise;
          signal.throwIfAborted();
        }),
      ),
    );
    source.next('good');
    source.next('bad');
    await settle();
    expect([log, pool.statistics().inUse]).toEqual([[], 1]);
    cleanup.resolve();
    await settle(40);
    expect(log).toEqual([['error', new Error('bad')]]);
    expect(pool.statistics()).toMatchObject({ inUse: 0, waiting: 0 });
  });

  it('errors with what the pool refuses: create that fails, a wait that is too long, a pool that was drained', async () => {
    const broken = createPool({
      create: () => {
        throw new Error('refused');
      },
    });
    expect(record(of(1).pipe(usePool(broken, () => EMPTY))).log).toEqual([['error', new Error('refused')]]);
    const scheduler = new Clock();
    const busy = createPool({ create: () => ({}), max: 1, acquireTimeout: 10, scheduler });
    busy.use(() => NEVER).subscribe();
    const { log } = record(of(1).pipe(usePool(busy, () => EMPTY)));
    scheduler.advance(10);
    expect(log).toEqual([['error', expect.objectContaining({ name: 'PoolTimeoutError' })]]);
    const drained = createPool({ create: () => ({}) });
    await drained.drain();
    expect(record(of(1).pipe(usePool(drained, () => EMPTY))).log).toEqual([
      ['error', expect.objectContaining({ name: 'PoolClosedError' })],
    ]);
  });

  it('gives up its place in the line of the pool when it is unsubscribed', () => {
    const pool = numbered(1);
    pool.use(() => NEVER).subscribe();
    const subscription = concat(of(1), NEVER)
      .pipe(usePool(pool, () => EMPTY))
      .subscribe();
    expect(pool.statistics().waiting).toBe(1);
    subscription.unsubscribe();
    expect(pool.statistics().waiting).toBe(0);
  });

  it('hands what waits to onDrop, and what is too much by overflow', () => {
    const dropped: unknown[] = [];
    const onDrop = (value: number, reason: string) => dropped.push([value, reason]);
    const options = { concurrent: 1, bufferSize: 1, overflow: 'drop-newest', onDrop } as const;
    const subscription = concat(of(1, 2, 3), NEVER)
      .pipe(usePool(numbered(), () => NEVER, options))
      .subscribe();
    subscription.unsubscribe();
    expect(dropped).toEqual([
      [3, 'overflow'],
      [2, 'unsubscribe'],
    ]);
    const named = record(
      of(1, 2, 3).pipe(usePool(numbered(), () => NEVER, { ...options, overflow: 'error', name: 'db' })),
    );
    expect(named.log).toEqual([
      ['error', expect.objectContaining({ name: 'BufferOverflowError', where: "usePool 'db'" })],
    ]);
  });

  describe('hands what never had a resource to onDrop', () => {
    const dropping = () => {
      const dropped: unknown[] = [];
      return { dropped, onDrop: (value: string, reason: string) => dropped.push([value, reason]) };
    };

    it('on unsubscription: those that wait for one before those that wait for a turn, and none that has one', () => {
      const { dropped, onDrop } = dropping();
      const pool = numbered(2);
      pool.use(() => NEVER).subscribe();
      const project = vi.fn(() => NEVER);
      concat(of('has it', 'waits for it', 'waits'), NEVER)
        .pipe(usePool(pool, project, { onDrop }))
        .subscribe()
        .unsubscribe();
      expect(project).toHaveBeenCalledTimes(1); // the second has the resource of the first for a moment
      expect(dropped).toEqual([
        ['waits for it', 'unsubscribe'],
        ['waits', 'unsubscribe'],
      ]);
      expect(pool.statistics()).toMatchObject({ inUse: 1, waiting: 0 });
    });

    it('while one is being made, and project is not called later', async () => {
      const { dropped, onDrop } = dropping();
      const made = deferred<string>();
      const project = vi.fn(() => NEVER);
      concat(of('a'), NEVER)
        .pipe(usePool(createPool({ create: () => made.promise, max: 1 }), project, { onDrop }))
        .subscribe()
        .unsubscribe();
      made.resolve('a resource');
      await settle();
      expect(dropped).toEqual([['a', 'unsubscribe']]);
      expect(project).not.toHaveBeenCalled();
    });

    it('on an error: the one that the pool refused, and the others', () => {
      const { dropped, onDrop } = dropping();
      const scheduler = new VirtualTimeScheduler();
      const pool = createPool({ create: () => ({}), max: 1, acquireTimeout: 5, scheduler });
      pool.use(() => NEVER).subscribe();
      const { log } = record(
        concat(of('a', 'b', 'c'), NEVER).pipe(usePool(pool, () => NEVER, { concurrent: 2, onDrop })),
      );
      scheduler.flush();
      expect(log).toEqual([['error', expect.objectContaining({ name: 'PoolTimeoutError' })]]);
      expect(dropped).toEqual([
        ['a', 'error'],
        ['b', 'error'],
        ['c', 'error'],
      ]);
    });

    it('once, also when onDrop throws, which is reported', async () => {
      const pool = numbered(1);
      pool.use(() => NEVER).subscribe();
      const onDrop = vi.fn(() => {
        throw new Error('dropped');
      });
      concat(of('a'), NEVER)
        .pipe(usePool(pool, () => NEVER, { onDrop }))
        .subscribe()
        .unsubscribe();
      expect(onDrop).toHaveBeenCalledTimes(1);
      expect(await reported(unhandled)).toEqual(new Error('dropped'));
    });
  });

  it('hands results that waited to onDropResult', () => {
    const onDropResult = vi.fn();
    const gate = new ManualGate();
    const subscription = concat(of(1), NEVER)
      .pipe(
        usePool(numbered(), () => of('result'), { onDropResult }),
        gatedBy(gate),
      )
      .subscribe();
    subscription.unsubscribe();
    expect(onDropResult.mock.calls).toEqual([['result', 'unsubscribe']]);
  });

  it('returns the resource when the consumer has had enough', () => {
    const pool = numbered(1);
    const { log } = record(
      of(1, 2, 3).pipe(
        usePool(pool, (value) => concat(of(value), NEVER)),
        take(1),
      ),
    );
    expect(log).toEqual([1, 'complete']);
    expect(pool.statistics()).toMatchObject({ idle: 1, inUse: 0 });
  });

  it('takes many values that work synchronously, in a flat stack', () => {
    let seen = 0;
    from(Array.from({ length: 100_000 }, (_, i) => i))
      .pipe(usePool(numbered(1), (value) => of(value)))
      .subscribe(() => seen++);
    expect(seen).toBe(100_000);
  });

  it('reports nothing', async () => {
    record(of(1).pipe(usePool(numbered(), () => throwError(() => new Error('told')))));
    await settle();
    expect(unhandled).toEqual([]);
  });

  it('refuses wrong arguments at the call', () => {
    const pool = numbered();
    expect(() => usePool(1 as never, () => EMPTY)).toThrow('pool must be a pool, got 1');
    expect(() => usePool(undefined as never, () => EMPTY)).toThrow('pool must be a pool, got undefined');
    expect(() => usePool(pool, 1 as never)).toThrow('project must be a function, got 1');
    expect(() => usePool(pool, () => EMPTY, { concurrent: 0 })).toThrow(
      'concurrent must be a positive integer or Infinity',
    );
    expect(() => usePool(pool, () => EMPTY, { ordered: 1 as never })).toThrow('ordered must be a boolean, got 1');
    expect(() => usePool(pool, () => EMPTY, { onDrop: 1 as never })).toThrow('onDrop must be a function, got 1');
    expect(() => usePool(pool, () => EMPTY, { onDropResult: 1 as never })).toThrow('onDropResult must be a function');
    expect(() => usePool(pool, () => EMPTY, 4 as never)).toThrow('options must be an object, got 4');
    expect(() => usePool(pool, () => EMPTY, { bufferSize: -1 })).toThrow(RangeError);
  });
});
