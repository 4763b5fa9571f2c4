import {
  concat,
  EMPTY,
  lastValueFrom,
  NEVER,
  type Observable,
  of,
  retry,
  type SchedulerLike,
  Subject,
  Subscription,
  take,
  throwError,
  timer,
  tap,
} from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { operate } from '../../src/internal/operate.js';
import { gatedBy } from '../../src/operators/gatedBy.js';
import { bufferedMergeMap } from '../../src/operators/bufferedMergeMap.js';
import { fromPull } from '../../src/sources/fromPull.js';
import { createPool, type CreatePoolOptions } from '../../src/resources/createPool.js';
import type { Lease } from '../../src/internal/pool/Pool.js';
import { CountedSignal } from '../support/CountedSignal.js';
import { Clock, Later } from '../support/Later.js';
import { ManualGate } from '../support/ManualGate.js';
import { record } from '../support/record.js';
import { settle } from '../support/settle.js';
import { collectUnhandled, reported } from '../support/unhandled.js';

const unhandled = collectUnhandled();

interface Resource {
  readonly id: number;
}

/** A pool of numbered resources that keeps account of them. */
function pooled(options: Partial<CreatePoolOptions<Resource>> = {}) {
  const clock = new Clock();
  const created: number[] = [];
  const destroyed: number[] = [];
  const { create = () => ({ id: created.length }), destroy, ...rest } = options;
  const pool = createPool<Resource>({
    scheduler: clock,
    ...rest,
    create: (context) => {
      created.push(created.length + 1);
      return create(context);
    },
    destroy: (resource) => {
      destroyed.push(resource.id);
      return destroy?.(resource);
    },
  });
  const ids = (work?: (resource: Resource) => Observable<unknown>) =>
    record(pool.use((resource) => concat(of(resource.id), work?.(resource) ?? EMPTY)));
  /** Holds one until it is told to end. */
  const hold = () => {
    const end = new Subject<never>();
    return { ...ids(() => end), end };
  };
  return { pool, clock, created, destroyed, ids, hold };
}

/** Creates that the test settles. */
function heldCreates(options: Partial<CreatePoolOptions<Resource>> = {}) {
  const creates: Later<Resource>[] = [];
  const signals: AbortSignal[] = [];
  const rest = pooled({
    ...options,
    create: ({ signal }) => {
      const create = new Later<Resource>();
      creates.push(create);
      signals.push(signal);
      return create;
    },
  });
  return { ...rest, creates, signals };
}

const none = { size: 0, idle: 0, inUse: 0, creating: 0, validating: 0, destroying: 0, waiting: 0 };

describe('createPool', () => {
  it('creates when somebody needs one, and uses it again', () => {
    const { created, ids, pool } = pooled();
    expect(created).toEqual([]);
    expect(ids().log).toEqual([1, 'complete']);
    expect(ids().log).toEqual([1, 'complete']);
    expect(created).toEqual([1]);
    expect(pool.statistics()).toEqual({ ...none, size: 1, idle: 1 });
  });

  it('acquires for each subscription', () => {
    const { pool } = pooled();
    const log: number[] = [];
    const use = pool.use(({ id }) => concat(of(id), NEVER));
    expect(pool.statistics()).toEqual(none);
    use.subscribe((id) => log.push(id));
    use.subscribe((id) => log.push(id));
    expect(log).toEqual([1, 2]);
  });

  it('has never more than max, and serves who waits in the order of arrival', () => {
    const { created, hold, pool } = pooled({ max: 2 });
    const holds = Array.from({ length: 5 }, hold);
    expect(holds.map(({ log }) => log)).toEqual([[1], [2], [], [], []]);
    expect(pool.statistics()).toEqual({ ...none, size: 2, inUse: 2, waiting: 3 });
    holds[1]?.end.complete();
    holds[0]?.end.complete();
    expect(holds.map(({ log }) => log)).toEqual([[1, 'complete'], [2, 'complete'], [2], [1], []]);
    expect(created).toEqual([1, 2]);
  });

  it('has returned it when the end is told, and tells the end before the next has its turn', () => {
    const { pool, hold } = pooled({ max: 1 });
    const first = hold();
    const order: unknown[] = [];
    pool.use(({ id }) => of(id)).subscribe({ next: (id) => order.push(id), complete: () => order.push('second') });
    first.subscription.add(() => order.push(['first', pool.statistics().inUse]));
    pool.use(({ id }) => of(id)).subscribe({ complete: () => order.push('third') });
    first.end.complete();
    expect(order).toEqual([['first', 0], 1, 'second', 'third']);
  });

  it('serves 100 000 who wait and work synchronously, in a flat stack and in order', () => {
    const { pool, hold } = pooled({ max: 1, maxWaiting: Infinity });
    const first = hold();
    let served = 0;
    let inOrder = true;
    for (let i = 0; i < 100_000; i++) pool.use(() => EMPTY).subscribe({ complete: () => (inOrder &&= served++ === i) });
    first.end.complete();
    expect([served, inOrder]).toEqual([100_000, true]);
  });

  it('keeps the gate below: inner iterables are pulled as they are wanted', () => {
    const { pool } = pooled();
    const gate = new ManualGate();
    const log: number[] = [];
    pool
      .use(() => [1, 2, 3])
      .pipe(gatedBy(gate))
      .subscribe((value) => {
        gate.ready = false;
        log.push(value);
      });
    expect([...log]).toEqual([]);
    gate.ready = true;
    expect([...log]).toEqual([1]);
    gate.ready = true;
    expect(log).toEqual([1, 2]);
  });

  describe('idle ones', () => {
    const two = (order: 'lifo' | 'fifo') => {
      const { hold, ids } = pooled({ order });
      const [first, second] = [hold(), hold()];
      first.end.complete();
      second.end.complete();
      return ids().log[0];
    };
    it("are used in 'lifo' order", () => {
      expect(two('lifo')).toBe(2);
    });
    it("are used in 'fifo' order", () => {
      expect(two('fifo')).toBe(1);
    });

    it('end after maxIdle, those that were idle for the longest time first, and min are kept', () => {
      const { hold, destroyed, clock, pool } = pooled({ min: 1, maxIdle: 10 });
      const holds = [hold(), hold(), hold()];
      holds[1]?.end.complete();
      clock.advance(1);
      holds[0]?.end.complete();
      clock.advance(1);
      holds[2]?.end.complete();
      clock.advance(7);
      expect(destroyed).toEqual([]);
      clock.advance(1);
      expect(destroyed).toEqual([2]);
      clock.advance(1);
      expect(destroyed).toEqual([2, 1]);
      clock.advance(100);
      expect(destroyed).toEqual([2, 1]);
      expect(pool.statistics()).toEqual({ ...none, size: 1, idle: 1 });
      expect(clock.actions).toEqual([]);
    });

    it('that were kept for min end when there are others', () => {
      const { hold, destroyed, clock, pool } = pooled({ min: 1, maxIdle: 10, order: 'fifo' });
      clock.advance(100);
      expect(pool.statistics()).toEqual({ ...none, size: 1, idle: 1 });
      const [first, second] = [hold(), hold()];
      first.end.complete();
      clock.advance(10);
      expect(destroyed).toEqual([1]);
      second.end.complete();
      clock.advance(50);
      expect(destroyed).toEqual([1]);
    });

    it('end after maxIdle also when the others that make up min are in use for ever', () => {
      const { hold, destroyed, clock } = pooled({ min: 2, maxIdle: 10 });
      hold();
      clock.advance(50);
      expect(destroyed).toEqual([]);
      const second = hold();
      hold();
      second.end.complete();
      clock.advance(10);
      expect(destroyed).toEqual([1]); // 2 was lent first: lifo
    });
  });

  describe('a lifetime', () => {
    afterEach(() => {
      vi.restoreAllMocks();
    });

    it('ends an idle one, and min are created anew', () => {
      vi.spyOn(Math, 'random').mockReturnValue(0);
      const { created, destroyed, clock } = pooled({ min: 1, maxLifetime: 10 });
      clock.advance(9);
      expect(destroyed).toEqual([]);
      clock.advance(1);
      expect([created, destroyed]).toEqual([[1, 2], [1]]);
    });

    it('lets a use come to its end, and counts from the creation', () => {
      vi.spyOn(Math, 'random').mockReturnValue(0);
      const { hold, destroyed, clock } = pooled({ maxLifetime: 10 });
      const { end } = hold();
      clock.advance(50);
      expect(destroyed).toEqual([]);
      end.complete();
      expect(destroyed).toEqual([1]);
    });

    it('differs from one to the other by lifetimeVariance, so that not all end at once', () => {
      const random = vi.spyOn(Math, 'random').mockReturnValueOnce(0.5).mockReturnValueOnce(0).mockReturnValueOnce(1);
      const { destroyed, clock, hold } = pooled({ maxLifetime: 100, lifetimeVariance: 0.2 });
      for (const { end } of [hold(), hold(), hold()]) end.complete();
      expect(random).toHaveBeenCalledTimes(3);
      clock.advance(79);
      expect(destroyed).toEqual([]);
      clock.advance(1);
      expect(destroyed).toEqual([3]);
      clock.advance(10);
      expect(destroyed).toEqual([3, 1]);
      clock.advance(10);
      expect(destroyed).toEqual([3, 1, 2]);
      expect(clock.actions).toEqual([]);
    });
  });

  it('of resources that fail to be destroyed, drain tells all', async () => {
    let id = 0;
    const pool = createPool({
      create: () => ++id,
      min: 2,
      destroy: (resource) => Promise.reject(new Error(`stuck ${String(resource)}`)),
    });
    await expect(pool.drain()).rejects.toMatchObject({
      name: 'AggregateError',
      message: 'createPool: drain',
      errors: [{ message: 'stuck 1' }, { message: 'stuck 2' }],
    });
  });

  it.each([0, 1])('takes a lifetimeVariance of %s', (lifetimeVariance) => {
    expect(() => createPool({ create: () => 1, maxLifetime: 10, lifetimeVariance })).not.toThrow();
  });

  it('creates min at once, and keeps them', () => {
    const { created, pool, ids } = pooled({ min: 2, shouldDestroy: () => true });
    expect(created).toEqual([1, 2]);
    ids(() => throwError(() => 'broken'));
    expect(created).toEqual([1, 2, 3]);
    expect(pool.statistics()).toEqual({ ...none, size: 2, idle: 2 });
  });

  it('does not try min again and again when create fails, but when somebody asks', () => {
    let works = false;
    const create = vi.fn(() => {
      if (!works) throw new Error('refused');
      return { id: 0 };
    });
    const { pool, ids } = pooled({ min: 2, create });
    expect(create).toHaveBeenCalledTimes(1);
    expect(ids().log).toEqual([['error', new Error('refused')]]);
    works = true;
    ids();
    expect(pool.statistics()).toEqual({ ...none, size: 2, idle: 2 });
  });

  describe('acquire', () => {
    it('gives a lease; only the first call of release or destroy counts', async () => {
      const { pool, destroyed } = pooled();
      const lease = await pool.acquire();
      expect(lease.resource).toEqual({ id: 1 });
      lease.release();
      const again = await pool.acquire();
      lease.release();
      lease.destroy();
      expect(pool.statistics()).toEqual({ ...none, size: 1, inUse: 1 });
      again.destroy();
      again.release();
      expect(destroyed).toEqual([1]);
      expect(pool.statistics()).toEqual(none);
    });

    it('waits beside subscriptions, in one line', async () => {
      const { pool, hold } = pooled({ max: 1 });
      const first = hold();
      const order: string[] = [];
      const lease = pool.acquire().then((lease) => {
        order.push('acquire');
        lease.release();
      });
      pool.use(() => EMPTY).subscribe({ complete: () => order.push('use') });
      first.end.complete();
      await lease;
      expect(order).toEqual(['acquire', 'use']);
    });

    it('rejects with the reason of its signal, also when that was aborted before', async () => {
      const { pool, hold, created } = pooled({ max: 1 });
      await expect(pool.acquire({ signal: AbortSignal.abort('before') })).rejects.toBe('before');
      expect(created).toEqual([]);
      hold();
      const controller = new AbortController();
      const waiting = pool.acquire({ signal: controller.signal });
      controller.abort('while');
      await expect(waiting).rejects.toBe('while');
      expect(pool.statistics().waiting).toBe(0);
    });

    it('cancelled leaks nothing and lets the next have its turn (reactor-pool 124, 127)', async () => {
      const { pool, creates, created } = heldCreates({ max: 1 });
      const controller = new AbortController();
      const first = pool.acquire({ signal: controller.signal });
      const second = pool.acquire();
      controller.abort('gone');
      await expect(first).rejects.toBe('gone');
      creates[0]?.resolve({ id: 1 });
      (await second).release();
      expect(created).toEqual([1]);
      expect(pool.statistics()).toEqual({ ...none, size: 1, idle: 1 });
    });

    it('passes over those whose signal is aborted, but who have not been told yet', async () => {
      const { pool, hold } = pooled({ max: 1 });
      const held = hold();
      const controller = new AbortController();
      controller.signal.addEventListener('abort', () => {
        held.end.complete(); // before the pool hears of it
      });
      const first = pool.acquire({ signal: controller.signal });
      const second = pool.acquire();
      controller.abort('gone');
      await expect(first).rejects.toBe('gone');
      expect((await second).resource).toEqual({ id: 1 });
    });

    it('keeps no listener at the signal and no timer, 100 000 times', async () => {
      const { pool, clock, hold } = pooled({ max: 1 });
      const { signal, ...counted } = new CountedSignal();
      const counts = new CountedSignal();
      for (let i = 0; i < 50_000; i++) {
        (await pool.acquire({ signal: counts.signal })).release();
        const held = hold();
        const waiting = pool.acquire({ signal: counts.signal });
        held.end.complete();
        (await waiting).release();
      }
      expect([counts.listeners, signal.aborted, counted.listeners]).toEqual([0, false, 0]);
      expect(clock.actions).toEqual([]);
    });
  });

  describe('who waits too long', () => {
    it('gets a PoolTimeoutError after acquireTimeout, and is not served any more', () => {
      const { hold, ids, clock, pool } = pooled({ max: 1, acquireTimeout: 10, name: 'db' });
      const held = hold();
      const first = ids();
      clock.advance(4);
      const second = ids();
      clock.advance(5);
      expect(first.log).toEqual([]);
      clock.advance(1);
      expect(first.log).toEqual([
        [
          'error',
          expect.objectContaining({
            name: 'PoolTimeoutError',
            operation: 'acquire',
            timeout: 10,
            inUse: 1,
            waiting: 2,
            where: "createPool 'db'",
          }),
        ],
      ]);
      expect((first.log as [[string, Error]])[0][1].message).toContain(
        "createPool 'db': no resource became free within 10 ms",
      );
      held.end.complete();
      expect(second.log).toEqual([1, 'complete']);
      clock.advance(100);
      expect(second.log).toHaveLength(2);
      expect(clock.actions).toEqual([]);
      expect(pool.statistics()).toEqual({ ...none, size: 1, idle: 1 });
    });

    it('does not wait for what the clock was set back by (trap: Date is no steady clock)', () => {
      const clock = new Clock();
      let setBackBy = 0;
      const scheduler: SchedulerLike = {
        now: () => clock.now() - setBackBy,
        schedule: (work, delay, state) => clock.schedule(work as never, delay, state as never),
      };
      const { hold, ids } = pooled({ max: 1, acquireTimeout: 10, scheduler });
      hold();
      const { log } = ids();
      setBackBy = 3_600_000;
      clock.advance(20);
      expect(log).toEqual([['error', expect.objectContaining({ name: 'PoolTimeoutError', operation: 'acquire' })]]);
      expect(clock.actions).toEqual([]);
    });

    it('a timeout never fires after success (reactor-pool 331)', () => {
      const { hold, clock } = pooled({ max: 1, acquireTimeout: 10 });
      const held = hold();
      const waiting = hold();
      clock.advance(10 - 1);
      held.end.complete();
      clock.advance(100);
      expect(waiting.log).toEqual([1]);
    });

    it('waits for ever with acquireTimeout Infinity, without a timer', () => {
      const { hold, clock } = pooled({ max: 1, acquireTimeout: Infinity });
      hold();
      const waiting = hold();
      expect(clock.actions).toEqual([]);
      clock.advance(1e9);
      expect(waiting.log).toEqual([]);
    });

    it('is told at once with acquireTimeout 0 and none free', () => {
      const { hold, ids, clock } = pooled({ max: 1, acquireTimeout: 0 });
      hold();
      const { log } = ids();
      clock.advance(0);
      expect(log).toEqual([['error', expect.objectContaining({ name: 'PoolTimeoutError' })]]);
    });

    it('with acquireTimeout 0 and retry lets others do something in between', () => {
      let ring = () => {};
      const schedule = (work: () => void) => {
        ring = work;
        return Subscription.EMPTY;
      };
      const { hold, pool } = pooled({ max: 1, acquireTimeout: 0, scheduler: { now: () => 0, schedule } as never });
      const held = hold();
      const { log } = record(pool.use(() => of('served')).pipe(retry(10)));
      ring();
      ring();
      expect(log).toEqual([]);
      held.end.complete();
      expect(log).toEqual(['served', 'complete']);
    });

    it('leaves no timer when it is unsubscribed or aborted', async () => {
      const { hold, clock, pool } = pooled({ max: 1 });
      hold();
      hold().subscription.unsubscribe();
      expect(clock.actions).toEqual([]);
      const controller = new AbortController();
      const waiting = pool.acquire({ signal: controller.signal });
      expect(clock.actions).toHaveLength(1);
      controller.abort('enough');
      await expect(waiting).rejects.toBe('enough');
      expect(clock.actions).toEqual([]);
    });
  });

  describe('maxWaiting', () => {
    it('is the most that may wait; one more is told at once', async () => {
      const { hold, pool } = pooled({ max: 2, maxWaiting: 1, name: 'db' });
      const holds = [hold(), hold(), hold(), hold()];
      expect(holds[3]?.log).toEqual([
        ['error', expect.objectContaining({ name: 'PoolFullError', max: 2, waiting: 1 })],
      ]);
      await expect(pool.acquire()).rejects.toThrow("createPool 'db': all 2 resources are in use and 1 wait already");
      holds[2]?.subscription.unsubscribe();
      expect(hold().log).toEqual([]);
    });

    it('0 lets them wait for what is created for them', () => {
      const { hold, creates } = heldCreates({ max: 2, maxWaiting: 0 });
      const holds = [hold(), hold(), hold()];
      expect(holds.map(({ log }) => log.length)).toEqual([0, 0, 1]);
      creates[1]?.resolve({ id: 2 });
      creates[0]?.resolve({ id: 1 });
      expect(holds.map(({ log }) => log[0])).toEqual([2, 1, ['error', expect.anything()]]);
    });
  });

  describe('create', () => {
    it('that fails is told to the first who waits; for the next it is tried again', () => {
      const { hold, creates, pool } = heldCreates({ max: 1 });
      const holds = [hold(), hold(), hold()];
      expect(creates).toHaveLength(1);
      creates[0]?.reject('refused');
      expect(holds.map(({ log }) => log)).toEqual([[['error', 'refused']], [], []]);
      expect(creates).toHaveLength(2);
      creates[1]?.resolve({ id: 2 });
      expect(holds[1]?.log).toEqual([2]);
      expect(pool.statistics()).toEqual({ ...none, size: 1, inUse: 1, waiting: 1 });
    });

    it('that throws is the same, for all who wait, in a flat stack', () => {
      const { ids, hold, pool } = pooled({
        max: 1,
        maxWaiting: Infinity,
        create: () => {
          if (fails) throw new Error('no');
          return { id: 1 };
        },
        shouldDestroy: () => true,
      });
      let fails = false;
      const { end } = hold();
      fails = true;
      const logs = Array.from({ length: 20_000 }, () => ids().log);
      end.error('broken');
      expect(logs.every(([first]) => (first as [string, Error])[1].message === 'no')).toBe(true);
      expect(pool.statistics()).toEqual(none);
    });

    it('that fails is told to nobody who will be served by what is on its way', () => {
      const { hold, creates } = heldCreates({ max: 2 });
      const [first, second] = [hold(), hold()];
      first.subscription.unsubscribe();
      creates[0]?.reject('refused');
      expect(second.log).toEqual([]);
      creates[1]?.resolve({ id: 2 });
      expect(second.log).toEqual([2]);
    });

    it('that nobody waits for any more is kept', () => {
      const { hold, creates, pool, signals } = heldCreates();
      hold().subscription.unsubscribe();
      expect(signals[0]?.aborted).toBe(false);
      creates[0]?.resolve({ id: 1 });
      expect(pool.statistics()).toEqual({ ...none, size: 1, idle: 1 });
    });

    it('serves whoever is first, and what was returned meanwhile is not waited for', () => {
      const { hold, creates, pool } = heldCreates({ max: 2 });
      const first = hold();
      creates[0]?.resolve({ id: 1 });
      const second = hold();
      first.end.complete();
      expect(second.log).toEqual([1]);
      creates[1]?.resolve({ id: 2 });
      expect(pool.statistics()).toEqual({ ...none, size: 2, idle: 1, inUse: 1 });
    });

    it('that hangs is given up after createTimeout: its signal is aborted, what comes late is destroyed', () => {
      const { hold, creates, signals, clock, pool, destroyed } = heldCreates({
        max: 1,
        createTimeout: 10,
        cleanupTimeout: 5,
      });
      const [first, second] = [hold(), hold()];
      clock.advance(10);
      expect(signals[0]?.aborted).toBe(true);
      expect(first.log).toEqual([
        ['error', expect.objectContaining({ name: 'PoolTimeoutError', operation: 'create', timeout: 10 })],
      ]);
      expect(creates).toHaveLength(1); // it may still come: never more than max
      expect(pool.statistics()).toEqual({ ...none, size: 1, destroying: 1, waiting: 1 });
      creates[0]?.resolve({ id: 1 });
      expect(destroyed).toEqual([1]);
      expect(creates).toHaveLength(2);
      creates[1]?.resolve({ id: 2 });
      expect(second.log).toEqual([2]);
    });

    it('that rejects when its signal is aborted frees its place at once', () => {
      const { hold, creates, clock } = heldCreates({ max: 1, createTimeout: 10 });
      hold();
      hold();
      clock.advance(10);
      creates[0]?.reject(new Error('aborted'));
      expect(creates).toHaveLength(2);
    });

    it('that hangs for ever frees its place after cleanupTimeout; what comes even then is destroyed', () => {
      const { hold, creates, clock, destroyed, pool } = heldCreates({ max: 1, createTimeout: 10, cleanupTimeout: 5 });
      hold();
      const second = hold();
      clock.advance(14);
      expect(creates).toHaveLength(1);
      clock.advance(1);
      expect(creates).toHaveLength(2);
      creates[1]?.resolve({ id: 2 });
      creates[0]?.resolve({ id: 1 });
      expect(destroyed).toEqual([1]);
      expect(second.log).toEqual([2]);
      expect(pool.statistics()).toEqual({ ...none, size: 1, inUse: 1 });
    });

    it('takes acquireTimeout as createTimeout, so that a pool whose server hangs recovers', () => {
      const { hold, creates, signals, clock } = heldCreates({ max: 1, acquireTimeout: 10 });
      const { log } = hold();
      clock.advance(10);
      expect(log).toEqual([['error', expect.objectContaining({ operation: 'create' })]]);
      expect([creates.length, signals[0]?.aborted]).toEqual([1, true]);
    });

    it('may call back twice, and throw afterwards', () => {
      const { ids, pool } = pooled({
        create: () =>
          ({
            then: (resolve: (resource: Resource) => void, reject: (error: unknown) => void) => {
              resolve({ id: 7 });
              resolve({ id: 8 });
              reject('late');
              throw new Error('later');
            },
          }) as unknown as PromiseLike<Resource>,
      });
      expect(ids().log).toEqual([7, 'complete']);
      expect(pool.statistics()).toEqual({ ...none, size: 1, idle: 1 });
    });

    it('may use the pool', () => {
      const inner: unknown[] = [];
      const { ids, pool } = pooled({
        max: 2,
        create: () => {
          if (inner.length === 0) {
            inner.push('asked');
            pool.use(({ id }) => [id]).subscribe((id) => inner.push(id));
          }
          return { id: 5 };
        },
      });
      expect(ids().log).toEqual([5, 'complete']);
      expect(inner).toEqual(['asked', 5]);
    });
  });

  describe('validate', () => {
    it('is asked before a resource is used again, not when it is new', () => {
      const validate = vi.fn(() => true);
      const { ids } = pooled({ validate });
      ids();
      expect(validate).not.toHaveBeenCalled();
      expect(ids().log).toEqual([1, 'complete']);
      expect(validate.mock.calls).toEqual([[{ id: 1 }]]);
    });

    it.each([
      ['false', () => false],
      [
        'throws',
        () => {
          throw new Error('dead');
        },
      ],
      ['promises false', () => Object.assign(new Later<boolean>(), { settled: { value: false } })],
      ['rejects', () => Object.assign(new Later<boolean>(), { settled: { error: 'dead' } })],
    ])('that %s: it is destroyed, and another is tried, until a new one is created', (_, validate) => {
      const { hold, ids, destroyed } = pooled({ max: 3, validate });
      for (const { end } of [hold(), hold(), hold()]) end.complete();
      expect(ids().log).toEqual([4, 'complete']);
      expect(destroyed).toEqual([3, 2, 1]);
    });

    it('bounds a storm: with destroys that take their time, an acquire ends after max broken ones', () => {
      const { hold, ids, destroyed, clock, pool } = pooled({
        max: 3,
        validate: () => false,
        destroy: () => clock.in(1, undefined),
      });
      for (const { end } of [hold(), hold(), hold()]) end.complete();
      const { log } = ids();
      clock.advance(3);
      expect(log).toEqual([4, 'complete']);
      expect(destroyed).toEqual([3, 2, 1]);
      expect(pool.statistics().size).toBe(1);
    });

    it('gives what is valid to the first who waits, or keeps it', () => {
      const checks: Later<boolean>[] = [];
      const validate = () => {
        const check = new Later<boolean>();
        checks.push(check);
        return check;
      };
      const { hold, ids, pool } = pooled({ validate });
      for (const { end } of [hold(), hold()]) end.complete();
      const [first, second] = [hold(), hold()];
      expect(pool.statistics()).toEqual({ ...none, size: 2, validating: 2, waiting: 2 });
      checks[1]?.resolve(true);
      expect([first.log, second.log]).toEqual([[1], []]);
      second.subscription.unsubscribe();
      checks[0]?.resolve(true);
      expect(pool.statistics()).toEqual({ ...none, size: 2, idle: 1, inUse: 1 });
      ids();
      expect(checks).toHaveLength(3);
    });

    it('that hangs is no longer waited for after validateTimeout', () => {
      const check = new Later<boolean>();
      const { ids, destroyed, clock, pool } = pooled({ max: 1, validate: () => check, validateTimeout: 10 });
      ids();
      const { log } = ids();
      clock.advance(9);
      expect(log).toEqual([]);
      clock.advance(1);
      expect(log).toEqual([2, 'complete']);
      expect(destroyed).toEqual([1]);
      check.resolve(true);
      expect(pool.statistics()).toEqual({ ...none, size: 1, idle: 1 });
    });
  });

  describe('a use that fails', () => {
    const fail = (options: Partial<CreatePoolOptions<Resource>>) => {
      const { ids, destroyed } = pooled(options);
      const { log } = ids(() => throwError(() => 'broken'));
      expect(log).toEqual([1, ['error', 'broken']]);
      return destroyed;
    };
    it('destroys the resource', () => {
      expect(fail({})).toEqual([1]);
    });
    it('keeps it where validate decides', () => {
      expect(fail({ validate: () => true })).toEqual([]);
    });
    it('asks shouldDestroy', () => {
      const shouldDestroy = vi.fn(() => false);
      expect(fail({ shouldDestroy })).toEqual([]);
      expect(shouldDestroy.mock.calls).toEqual([['broken', { id: 1 }]]);
      expect(fail({ shouldDestroy: () => true, validate: () => true })).toEqual([1]);
    });
    it('destroys it when shouldDestroy throws, and reports that', async () => {
      const thrown = new Error('shouldDestroy');
      const shouldDestroy = () => {
        throw thrown;
      };
      expect(fail({ shouldDestroy })).toEqual([1]);
      expect(await reported(unhandled)).toBe(thrown);
    });
    it('also when work throws, or rejects', async () => {
      const { pool, destroyed } = pooled();
      const work = () => {
        throw new Error('work');
      };
      expect(record(pool.use(work)).log).toEqual([['error', new Error('work')]]);
      await expect(lastValueFrom(pool.use(() => Promise.reject(new Error('later'))))).rejects.toThrow('later');
      expect(destroyed).toEqual([1, 2]);
    });
  });

  describe('a use that is cancelled', () => {
    it('keeps the resource', () => {
      const { hold, destroyed, pool } = pooled();
      const { subscription } = hold();
      subscription.unsubscribe();
      expect(destroyed).toEqual([]);
      expect(pool.statistics()).toEqual({ ...none, size: 1, idle: 1 });
    });

    it('aborts the signal, and returns the resource when the work has cleaned up', async () => {
      const { pool, ids } = pooled({ max: 1 });
      const steps: string[] = [];
      const cleanup = new Later<string>();
      const subscription = pool
        .use(async (_, { signal }) => {
          signal.addEventListener('abort', () => steps.push('aborted'));
          await cleanup;
          steps.push('cleaned up');
        })
        .subscribe();
      const next = ids();
      subscription.unsubscribe();
      await settle();
      expect([steps, next.log]).toEqual([['aborted'], []]);
      cleanup.resolve('done');
      await settle();
      expect([steps, next.log]).toEqual([
        ['aborted', 'cleaned up'],
        [1, 'complete'],
      ]);
    });

    it('is part of the clean-up of the scope below', async () => {
      const { pool } = pooled({ max: 1 });
      const cleanup = new Later<string>();
      const stop = new Subject<number>();
      const started: number[] = [];
      const { log } = record(
        concat(of(1), stop).pipe(
          bufferedMergeMap(() => {
            started.push(1);
            return pool.use(async () => cleanup);
          }),
        ),
      );
      stop.error('stop');
      await settle();
      expect(log).toEqual([]);
      cleanup.resolve('done');
      await settle();
      expect(log).toEqual([['error', 'stop']]);
      expect(pool.statistics()).toEqual({ ...none, size: 1, idle: 1 });
    });

    it('after it has failed, while that is cleaned up, is told nothing', async () => {
      const { pool, destroyed } = pooled();
      const closing = new Later<string>();
      async function* rows() {
        try {
          yield 1;
          yield 2;
        } finally {
          await closing;
        }
      }
      const { log, subscription } = record(
        pool.use(() =>
          concat(
            fromPull(rows()).pipe(take(1)),
            throwError(() => 'broken'),
          ),
        ),
      );
      await settle();
      expect([log, destroyed]).toEqual([[1], []]);
      subscription.unsubscribe();
      closing.resolve('closed');
      await settle();
      expect([log, destroyed]).toEqual([[1], [1]]);
    });

    it('is handed to the scope below until the resource is returned, with what its clean-up fails with', async () => {
      const { pool } = pooled();
      const settled: unknown[] = [];
      let tracked = 0;
      const cleanupScope = {
        track: (cleanup: PromiseLike<unknown>) => {
          tracked++;
          cleanup.then(
            () => settled.push(pool.statistics().inUse),
            (error: unknown) => settled.push(error),
          );
        },
      };
      const cancel = () => {
        const work = new Later<string>();
        const subscriber = operate<string, never>({ cleanupScope });
        pool.use(async () => work).subscribe(subscriber);
        subscriber.unsubscribe();
        return work;
      };
      cancel().resolve('done');
      await settle();
      expect([tracked, settled.splice(0)]).toEqual([2, [1, 0]]);
      cancel().reject('rollback');
      await settle();
      expect(settled.splice(0)).toEqual([1, expect.objectContaining({ name: 'ReleaseError', cause: 'rollback' })]);
      tracked = 0;
      pool.use(() => EMPTY).subscribe(operate<never, never>({ cleanupScope }));
      expect(tracked).toBe(0);
    });

    it('destroys the resource when its clean-up is not over after cleanupTimeout: it may be in use still', async () => {
      const { pool, ids, clock, destroyed } = pooled({ max: 1, cleanupTimeout: 10 });
      const subscription = pool.use(() => new Promise(() => undefined)).subscribe();
      const next = ids();
      subscription.unsubscribe();
      clock.advance(9);
      expect(next.log).toEqual([]);
      clock.advance(1);
      expect(destroyed).toEqual([1]);
      expect(next.log).toEqual([2, 'complete']);
      expect(await reported(unhandled)).toMatchObject({
        name: 'ReleaseError',
        outcome: 'cancel',
        reason: 'timed-out',
        where: 'createPool',
      });
    });

    it('destroys the resource when its clean-up fails, and reports that', async () => {
      const { pool, destroyed } = pooled();
      const work = new Later<string>();
      const subscription = pool.use(async () => work).subscribe();
      subscription.unsubscribe();
      work.reject('rollback');
      expect(await reported(unhandled)).toMatchObject({ name: 'ReleaseError', cause: 'rollback', reason: 'failed' });
      expect(destroyed).toEqual([1]);
    });

    it('inside of work is torn down when work has come back', () => {
      const { pool, hold } = pooled({ max: 1 });
      const held = hold();
      const seen: unknown[] = [];
      const subscription = pool
        .use((_, { signal }) => {
          subscription.unsubscribe();
          seen.push(signal.aborted, pool.statistics().inUse);
          return NEVER;
        })
        .subscribe();
      held.end.complete();
      expect(seen).toEqual([true, 1]);
      expect(pool.statistics()).toEqual({ ...none, size: 1, idle: 1 });
    });

    it('by somebody below who asks it to stop, and lets it, keeps the resource too', async () => {
      const { pool, destroyed } = pooled();
      const askToStop: ((reason: unknown) => void)[] = [];
      const leave = vi.fn();
      const canceller = {
        onCancel: (cancel: (reason: unknown) => void) => {
          askToStop.push(cancel);
          return leave;
        },
      };
      const errors: unknown[] = [];
      const error = (thrown: unknown) => errors.push(thrown);
      const work = (fails: boolean) =>
        pool
          .use((_, { signal }) =>
            fails
              ? Promise.reject(new Error('broken'))
              : new Promise((_, reject) => {
                  signal.addEventListener('abort', () => {
                    reject(signal.reason as Error);
                  });
                }),
          )
          .subscribe(operate({ canceller, error }));
      work(false);
      for (const ask of askToStop.splice(0)) ask('stop');
      await settle();
      expect([errors.splice(0), destroyed]).toEqual([['stop'], []]);
      work(true);
      for (const ask of askToStop.splice(0)) ask('stop');
      await settle();
      expect([errors, destroyed]).toEqual([[new Error('broken')], [1]]);
      expect(leave).toHaveBeenCalledTimes(4); // the work, and who lends it the resource
    });

    it('tells a consumer that is still there of clean-up that fails', async () => {
      const { pool, destroyed } = pooled();
      async function* rows() {
        try {
          yield 1;
          yield 2;
        } finally {
          await Promise.reject(new Error('close'));
        }
      }
      const { log } = record(pool.use(() => fromPull(rows()).pipe(take(1))));
      await settle(40);
      expect(log).toEqual([
        1,
        ['error', expect.objectContaining({ name: 'ReleaseError', outcome: 'complete', cause: new Error('close') })],
      ]);
      expect(destroyed).toEqual([1]);
    });

    it('that fails behind work that has failed is told with the error of the work', async () => {
      const { pool } = pooled();
      async function* rows() {
        try {
          yield 1;
        } finally {
          await Promise.reject(new Error('close'));
        }
      }
      const errors: unknown[] = [];
      const broken = tap<number>(() => {
        throw new Error('broken');
      });
      pool.use(() => fromPull(rows()).pipe(broken)).subscribe({ error: (error: unknown) => errors.push(error) });
      await settle(40);
      expect(errors).toEqual([
        expect.objectContaining({
          name: 'ReleaseError',
          outcome: 'error',
          what: 'clean-up',
          reason: 'failed',
          cause: new Error('close'),
          useError: new Error('broken'),
        }),
      ]);
    });
  });

  describe('destroy', () => {
    const used = (options: Partial<CreatePoolOptions<Resource>>) => {
      const result = pooled({ max: 1, shouldDestroy: () => true, ...options });
      result.ids(() => throwError(() => 'broken'));
      return { ...result, next: result.ids() };
    };

    it('holds the place until it is over', () => {
      const destroying = new Later<void>();
      const { next, pool } = used({ destroy: () => destroying });
      expect(pool.statistics()).toEqual({ ...none, size: 1, destroying: 1, waiting: 1 });
      destroying.resolve();
      expect(next.log).toEqual([2, 'complete']);
    });

    it('may give an Observable', () => {
      const clock = new Clock();
      const { next } = used({ scheduler: clock, destroy: () => timer(3, clock) });
      clock.advance(2);
      expect(next.log).toEqual([]);
      clock.advance(1);
      expect(next.log).toEqual([2, 'complete']);
    });

    it.each([
      [
        'throws',
        () => {
          throw new Error('destroy');
        },
      ],
      ['rejects', () => Promise.reject(new Error('destroy'))],
    ])('that %s is reported, and its place is free', async (_, destroy) => {
      const { next } = used({ destroy });
      await settle();
      expect(next.log).toEqual([2, 'complete']);
      expect(await reported(unhandled)).toEqual(new Error('destroy'));
    });

    it('that hangs frees its place after cleanupTimeout, and is reported', async () => {
      const { next, clock, pool } = used({ destroy: () => NEVER, cleanupTimeout: 10 });
      clock.advance(9);
      expect(next.log).toEqual([]);
      clock.advance(1);
      expect(next.log).toEqual([2, 'complete']);
      expect(await reported(unhandled)).toMatchObject({ name: 'PoolTimeoutError', operation: 'destroy', timeout: 10 });
      expect(pool.statistics()).toEqual({ ...none, size: 1, idle: 1 });
    });

    it('may use the pool while idle ones are evicted', () => {
      const { hold, pool, destroyed, clock } = pooled({
        maxIdle: 10,
        destroy: () => {
          pool.use(({ id }) => [id]).subscribe((id) => lent.push(id));
        },
      });
      const lent: number[] = [];
      for (const { end } of [hold(), hold()]) end.complete();
      clock.advance(10);
      expect(destroyed).toEqual([1, 2]);
      expect(lent).toEqual([3, 3]); // not one that is being destroyed
    });
  });

  describe('drain', () => {
    it('destroys what is idle, and settles', async () => {
      const { pool, ids, destroyed, clock } = pooled({ maxIdle: 10 });
      ids();
      await pool.drain();
      expect(destroyed).toEqual([1]);
      expect(pool.statistics()).toEqual(none);
      expect(clock.actions).toEqual([]);
      await pooled().pool.drain();
    });

    it('takes nobody any more', async () => {
      const { pool, ids, created } = pooled({ name: 'db' });
      const draining = pool.drain();
      expect(pool.drain()).toBe(draining);
      await draining;
      expect(ids().log).toEqual([['error', expect.objectContaining({ name: 'PoolClosedError' })]]);
      await expect(pool.acquire()).rejects.toThrow("createPool 'db' has been drained");
      expect(created).toEqual([]);
    });

    it('waits for what is in use, and for what waits already', async () => {
      const { pool, hold, destroyed } = pooled({ max: 1, min: 1 });
      const [first, second] = [hold(), hold()];
      const drained = vi.fn();
      const draining = pool.drain().then(drained);
      first.end.complete();
      expect(second.log).toEqual([1]);
      await settle();
      expect(drained).not.toHaveBeenCalled();
      second.end.complete();
      await draining;
      expect(destroyed).toEqual([1]);
    });

    it('gives up what is being created for nobody', async () => {
      const { pool, hold, creates, signals, destroyed } = heldCreates();
      const { subscription } = hold();
      const draining = pool.drain();
      expect(signals[0]?.aborted).toBe(false);
      subscription.unsubscribe();
      expect(signals[0]?.aborted).toBe(true);
      creates[0]?.resolve({ id: 1 });
      await draining;
      expect(destroyed).toEqual([1]);
    });

    it('does not wait for ever for a create or a destroy that hangs, and tells of it', async () => {
      const { pool, hold, clock } = pooled({ cleanupTimeout: 10, destroy: ({ id }) => (id === 1 ? NEVER : undefined) });
      for (const { end } of [hold(), hold()]) end.complete();
      const drained = vi.fn();
      pool.drain().catch(drained);
      clock.advance(9);
      await settle();
      expect(drained).not.toHaveBeenCalled();
      clock.advance(1);
      await settle();
      expect(drained.mock.calls).toEqual([
        [expect.objectContaining({ name: 'PoolTimeoutError', operation: 'destroy' })],
      ]);
    });

    it('reports what fails after it has ended', async () => {
      const destroying = new Later<never>();
      const { pool, ids, clock } = pooled({ cleanupTimeout: 10, destroy: () => destroying });
      ids();
      const draining = pool.drain();
      clock.advance(10);
      await expect(draining).rejects.toMatchObject({ operation: 'destroy' });
      destroying.reject('late');
      expect(await reported(unhandled)).toBe('late');
    });

    it('rejects with what could not be destroyed', async () => {
      const { pool, hold } = pooled({ destroy: ({ id }) => Promise.reject(new Error(String(id))) });
      for (const { end } of [hold(), hold()]) end.complete();
      await expect(pool.drain()).rejects.toMatchObject({ errors: [new Error('1'), new Error('2')] });
      const one = pooled({ destroy: () => Promise.reject(new Error('one')) });
      one.ids();
      await expect(one.pool.drain()).rejects.toEqual(new Error('one'));
    });

    it('is not held up by a lease that was returned twice', async () => {
      const { pool } = pooled();
      const lease = await pool.acquire();
      const draining = pool.drain();
      lease.release();
      lease.release();
      await draining;
      expect(pool.statistics()).toEqual(none);
    });
  });

  it('survives a consumer whose teardown throws', async () => {
    const { pool, ids } = pooled({ max: 1 });
    const error = new Error('teardown');
    const work = new Subject<never>();
    const subscription = pool.use(() => work).subscribe();
    subscription.add(() => {
      throw error;
    });
    const next = ids();
    work.complete();
    expect(next.log).toEqual([1, 'complete']);
    expect(await reported(unhandled)).toMatchObject({ name: 'UnsubscriptionError' });
  });

  it('does not start when it was unsubscribed before', () => {
    const { pool, created } = pooled();
    const subscriber = operate<never, never>({});
    subscriber.unsubscribe();
    pool.use(() => NEVER).subscribe(subscriber);
    expect(created).toEqual([]);
  });

  describe('refuses at the call', () => {
    let lease: Lease<Resource> | undefined;
    beforeEach(() => {
      lease = undefined;
    });
    const create = () => ({ id: 1 });
    it.each([
      [{ max: 0 }, 'max must be a positive integer or Infinity, got 0'],
      [{ min: -1 }, 'min must be a non-negative integer, got -1'],
      [{ min: 1.5 }, 'min must be a non-negative integer, got 1.5'],
      [{ min: 3, max: 2 }, 'min must be at most max (2), got 3'],
      [{ maxWaiting: -1 }, 'maxWaiting must be a non-negative integer or Infinity, got -1'],
      [{ acquireTimeout: -1 }, 'acquireTimeout must be'],
      [{ createTimeout: NaN }, 'createTimeout must be'],
      [{ validateTimeout: 2 ** 31 }, 'validateTimeout must be'],
      [{ cleanupTimeout: -1 }, 'cleanupTimeout must be'],
      [{ maxIdle: -1 }, 'maxIdle must be'],
      [{ maxLifetime: -1 }, 'maxLifetime must be'],
      [{ lifetimeVariance: 2 }, 'lifetimeVariance must be a number from 0 to 1, got 2'],
      [{ lifetimeVariance: -0.1 }, 'lifetimeVariance must be a number from 0 to 1, got -0.1'],
      [{ lifetimeVariance: '1' as never }, "lifetimeVariance must be a number from 0 to 1, got '1'"],
      [{ order: 'random' as never }, "order must be one of 'lifo', 'fifo', got 'random'"],
    ])('%o', (options, message) => {
      expect(() => createPool({ create, ...options })).toThrow(RangeError);
      expect(() => createPool({ create, ...options })).toThrow(message);
    });
    it('what is of another type', () => {
      expect(() => createPool(null as never)).toThrow('options must be an object, got null');
      expect(() => createPool({} as never)).toThrow('create must be a function, got undefined');
      for (const name of ['destroy', 'validate', 'shouldDestroy'])
        expect(() => createPool({ create, [name]: 1 })).toThrow(`${name} must be a function, got 1`);
      expect(() => createPool({ create }).use(1 as never)).toThrow('work must be a function, got 1');
      expect(() => createPool({ create }).acquire({ signal: 1 as never })).toThrow('signal must be an AbortSignal');
      expect(() => createPool({ create }).acquire(5000 as never)).toThrow('options must be an object, got 5000');
      expect(lease).toBeUndefined();
    });
  });
});
