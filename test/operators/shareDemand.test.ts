import {
  concat,
  defer,
  finalize,
  map,
  merge,
  NEVER,
  Observable,
  of,
  retry,
  share,
  Subject,
  Subscription,
  take,
  tap,
  throwError,
  timer,
  zip,
  type MonoTypeOperatorFunction,
} from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import {
  bufferedMergeMap,
  BufferOverflowError,
  findCleanupScope,
  findGate,
  fromPull,
  gatedBy,
  toAsyncIterable,
  ungated,
  type Gate,
} from '../../src/index.js';
import { operate } from '../../src/internal/operate.js';
import { shareDemand, type ShareDemandOptions } from '../../src/operators/shareDemand.js';
import { AnsweredIterator } from '../support/AnsweredIterator.js';
import { ManualGate } from '../support/ManualGate.js';
import { marbles } from '../support/marbles.js';
import { record } from '../support/record.js';
import { deferred, settle } from '../support/settle.js';
import { collectUnhandled, reported } from '../support/unhandled.js';

const policies = ['all', 'any'] as const;

/** Gives what it is asked for, and counts. */
function counting(end = Infinity) {
  const counter = { pulled: 0, opened: 0, closed: 0 };
  const source = fromPull(function* () {
    counter.opened++;
    try {
      for (let i = 0; i < end; i++) {
        counter.pulled++;
        yield i;
      }
    } finally {
      counter.closed++;
    }
  });
  return { counter, source };
}

/** A consumer that takes one value each time that its gate opens, and notices when it gets one while it is closed. */
function oneByOne<T>(source: Observable<T>, open = false) {
  const gate = new ManualGate(open);
  const { log, subscription } = record(
    source.pipe(
      gatedBy(gate),
      tap(() => {
        if (!gate.ready) log.push('not ready');
        gate.ready = false;
      }),
    ),
  );
  const take = () => {
    gate.ready = true;
    return [...log];
  };
  return { gate, log, subscription, take };
}

const drops = () => {
  const dropped: unknown[] = [];
  return { dropped, onDrop: (...args: unknown[]) => void dropped.push(args) };
};

describe('shareDemand', () => {
  const unhandled = collectUnhandled();

  it.each<[unknown, unknown, string]>([
    ['both', {}, "policy must be one of 'all', 'any', got 'both'"],
    [undefined, {}, "policy must be one of 'all', 'any', got undefined"],
    ['all', 5, 'options must be an object, got 5'],
    ['all', { highWaterMark: -1 }, 'highWaterMark must be a non-negative integer or Infinity, got -1'],
    ['all', { bufferSize: 1.5 }, 'bufferSize must be a non-negative integer or Infinity, got 1.5'],
    ['all', { onDrop: 5 }, 'onDrop must be a function, got 5'],
    ['all', { name: 5 }, 'name must be a string, got 5'],
    ['all', { resetOnError: 5 }, 'resetOnError must be a boolean or a function, got 5'],
    ['all', { resetOnComplete: null }, 'resetOnComplete must be a boolean or a function, got null'],
    ['all', { resetOnRefCountZero: 'no' }, "resetOnRefCountZero must be a boolean or a function, got 'no'"],
  ])('refuses %o with %o', (policy, options, message) => {
    expect(() => shareDemand(policy as 'all', options as ShareDemandOptions<never>)).toThrow(message);
  });

  describe("'all'", () => {
    it('asks when all can take, and each gets each value', () => {
      const { counter, source } = counting();
      const shared = source.pipe(shareDemand('all'));
      const a = oneByOne(shared);
      const b = oneByOne(shared);
      a.take();
      expect(counter.pulled).toBe(0);
      b.take();
      expect([counter.pulled, a.log, b.log]).toEqual([1, [0], [0]]);
      b.take();
      expect(counter.pulled).toBe(1);
      a.take();
      expect([counter.pulled, a.log, b.log]).toEqual([2, [0, 1], [0, 1]]);
    });

    it('does not wait for those who are always ready', () => {
      const { source } = counting(3);
      const shared = source.pipe(shareDemand('all'));
      const slow = oneByOne(shared);
      const { log: ungatedLog } = record(shared.pipe(ungated(), gatedBy(new ManualGate()), ungated()));
      const { log } = record(shared);
      for (let i = 0; i < 4; i++) slow.take();
      expect([slow.log, log, ungatedLog]).toEqual(Array(3).fill([0, 1, 2, 'complete']));
    });

    it('goes on at once when the one leaves for whom all have waited', () => {
      const { source } = counting(3);
      const shared = source.pipe(shareDemand('all'));
      const slow = oneByOne(shared);
      const { log } = record(shared);
      expect(log).toEqual([]);
      slow.subscription.unsubscribe();
      expect([log, slow.gate.waiters.size]).toEqual([[0, 1, 2, 'complete'], 0]);
    });

    it('lets nothing be asked for while one who has come late cannot take', () => {
      const { counter, source } = counting();
      const shared = source.pipe(shareDemand('all'));
      const a = oneByOne(shared);
      a.take();
      const late = oneByOne(shared);
      a.take();
      expect([counter.pulled, late.log]).toEqual([1, []]);
      late.take();
      expect([counter.pulled, late.log]).toEqual([2, [1]]);
    });

    it('keeps a value for one who has closed while it was on its way, and asks for no other', () => {
      const { counter, source } = counting();
      const shared = source.pipe(shareDemand('all'));
      const gate = new ManualGate();
      // Two subscribers before one consumer, which takes one value at a time.
      const branches = merge(shared.pipe(map((i) => `a${String(i)}`)), shared.pipe(map((i) => `b${String(i)}`)));
      const seen: unknown[] = [];
      branches
        .pipe(
          gatedBy(gate),
          tap(() => {
            seen.push(gate.ready);
            gate.ready = false;
          }),
        )
        .subscribe((value) => seen.push(value));
      const steps = [];
      for (let i = 0; i < 4; i++) {
        gate.ready = true;
        steps.push([...seen.splice(0), counter.pulled]);
      }
      expect(steps).toEqual([
        [true, 'a0', 1],
        [true, 'b0', 1],
        [true, 'a1', 2],
        [true, 'b1', 2],
      ]);
    });

    it('bounds what a source brings that cannot wait, for each subscriber', () => {
      const { dropped, onDrop } = drops();
      const source = new Subject<number>();
      const shared = source.pipe(shareDemand('all', { bufferSize: 2, overflow: 'drop-oldest', onDrop }));
      const slow = oneByOne(shared);
      const { log } = record(shared);
      for (let i = 0; i < 4; i++) source.next(i);
      expect([log, slow.log, dropped]).toEqual([
        [0, 1, 2, 3],
        [],
        [
          [0, 'overflow'],
          [1, 'overflow'],
        ],
      ]);
      slow.take();
      source.complete();
      expect(slow.take()).toEqual([2, 3, 'complete']);
    });

    it('paces a pipeline at the slower of two', async () => {
      const { counter, source } = counting();
      const shared = source.pipe(shareDemand('all'));
      const work = Array.from({ length: 3 }, () => deferred());
      let started = 0;
      const slow = shared
        .pipe(bufferedMergeMap(() => work[started++]?.promise ?? NEVER, { concurrent: 1, highWaterMark: 0 }))
        .subscribe();
      const fast = record(shared.pipe(bufferedMergeMap((i) => of(i), { concurrent: 1 })));
      expect([counter.pulled, fast.log]).toEqual([1, []]);
      work[0]?.resolve();
      await settle();
      expect([counter.pulled, started, fast.log]).toEqual([2, 2, [1]]);
      slow.unsubscribe();
      fast.subscription.unsubscribe();
      expect(counter).toEqual({ pulled: counter.pulled, opened: 1, closed: 1 });
    });
  });

  describe("'any'", () => {
    it('asks when one can take; what the others cannot waits for them', () => {
      const { counter, source } = counting();
      const shared = source.pipe(shareDemand('any'));
      const a = oneByOne(shared);
      const b = oneByOne(shared);
      expect(counter.pulled).toBe(0);
      a.take();
      a.take();
      expect([counter.pulled, a.log, b.log]).toEqual([2, [0, 1], []]);
      b.take();
      expect([counter.pulled, b.log]).toEqual([2, [0]]);
      b.take();
      expect([counter.pulled, b.log]).toEqual([2, [0, 1]]);
      b.take();
      expect([counter.pulled, a.log, b.log]).toEqual([3, [0, 1], [0, 1, 2]]);
      expect(a.take()).toEqual([0, 1, 2]);
    });

    it('delivers what waits before completion, to each at its own pace', () => {
      const { source } = counting(2);
      const shared = source.pipe(shareDemand('any'));
      const slow = oneByOne(shared);
      const { log } = record(shared);
      expect([log, slow.log]).toEqual([[0, 1, 'complete'], []]);
      expect(slow.take()).toEqual([0]);
      expect(slow.take()).toEqual([0, 1, 'complete']);
      expect(slow.gate.waiters.size).toBe(0);
    });

    it('lets an error pass what waits', () => {
      const { dropped, onDrop } = drops();
      const shared = concat(
        [1, 2],
        throwError(() => 'error'),
      ).pipe(shareDemand('any', { onDrop }));
      const slow = oneByOne(shared);
      expect([slow.log, dropped]).toEqual([
        [['error', 'error']],
        [
          [1, 'error'],
          [2, 'error'],
        ],
      ]);
      expect(slow.gate.waiters.size).toBe(0);
    });

    it('fails the one for whom too many would wait, and no other', () => {
      const { dropped, onDrop } = drops();
      const { source } = counting(3);
      const shared = source.pipe(shareDemand('any', { bufferSize: 1, name: 'prices', onDrop }));
      const slow = oneByOne(shared);
      const { log } = record(shared);
      expect(log).toEqual([0, 1, 2, 'complete']);
      expect(slow.log).toEqual([['error', new BufferOverflowError("shareDemand('any') 'prices'", 'values', 1)]]);
      expect(dropped).toEqual([
        [0, 'error'],
        [1, 'overflow'],
      ]);
    });

    it('lets 1000 values wait by default', () => {
      const source = new Subject<number>();
      const slow = oneByOne(source.pipe(shareDemand('any')));
      for (let i = 0; i < 1000; i++) source.next(i);
      expect(slow.log).toEqual([]);
      source.next(1000);
      expect(slow.log).toEqual([['error', new BufferOverflowError("shareDemand('any')", 'values', 1000)]]);
    });

    it('drops what a slow one cannot take at once, if that is wanted', () => {
      const { dropped, onDrop } = drops();
      const shared = counting(3).source.pipe(shareDemand('any', { bufferSize: 0, overflow: 'drop-newest', onDrop }));
      const slow = oneByOne(shared);
      record(shared.pipe(take(2)));
      expect([slow.log, dropped]).toEqual([
        [],
        [
          [0, 'overflow'],
          [1, 'overflow'],
        ],
      ]);
      expect(slow.take()).toEqual([2]);
    });
  });

  describe('with a high-water mark', () => {
    it.each(policies)('asks ahead, and lets so many values wait for each (%s)', (policy) => {
      const { counter, source } = counting();
      const shared = source.pipe(shareDemand(policy, { highWaterMark: 2 }));
      const a = oneByOne(shared);
      expect(counter.pulled).toBe(2);
      const b = oneByOne(shared);
      expect(counter.pulled).toBe(policy === 'all' ? 2 : 4);
      a.take();
      b.take();
      expect([counter.pulled, a.log, b.log]).toEqual(policy === 'all' ? [3, [0], [2]] : [5, [0], [2]]);
    });

    it('passes a value at once to one who can take it', () => {
      const shared = counting(2).source.pipe(shareDemand('all', { highWaterMark: 1 }));
      const { log, gate } = oneByOne(shared, true);
      expect([log, gate.waiters.size]).toEqual([[0], 1]);
    });
  });

  describe('shares like share', () => {
    it.each(policies)('one subscription, while somebody is there (%s)', (policy) => {
      const { counter, source } = counting();
      const shared = source.pipe(shareDemand(policy));
      const a = oneByOne(shared);
      const b = oneByOne(shared);
      expect(counter.opened).toBe(0);
      a.take();
      b.take();
      a.subscription.unsubscribe();
      expect(counter).toMatchObject({ opened: 1, closed: 0 });
      b.subscription.unsubscribe();
      expect(counter).toMatchObject({ opened: 1, closed: 1 });
      oneByOne(shared).take();
      expect(counter).toMatchObject({ opened: 2, closed: 1 });
    });

    it('gives the first all of a synchronous source, if nothing holds it back', () => {
      const shared = of(1, 2).pipe(shareDemand('all'));
      expect([record(shared).log, record(shared).log]).toEqual([
        [1, 2, 'complete'],
        [1, 2, 'complete'],
      ]);
    });

    it(
      'at the same time, whatever is reset',
      marbles((m) => {
        const makes: (<T>(options: object) => MonoTypeOperatorFunction<T>)[] = [
          (options) => share(options),
          (options) => shareDemand('all', options),
          (options) => shareDemand('any', options),
        ];
        const soon = () => timer(3, m.scheduler);
        const options = [
          {},
          { resetOnRefCountZero: false },
          { resetOnRefCountZero: soon },
          { resetOnComplete: false },
          { resetOnComplete: soon },
          { resetOnError: false },
          { resetOnError: soon },
        ];
        const sources = ['-a-b-c-d-e-f-g-|', '-a-b|', '-a-b#', '|', '#'];
        const subscriptions = ['^------!', '---^!', '----------^---', '-------------------^----------!'];
        for (const source of sources) {
          for (const each of options) {
            const results = makes.map((make) => {
              const shared = m.cold(source).pipe(make(each));
              return subscriptions.map((when) => {
                const log: unknown[] = [];
                const write = (what: unknown) => () => log.push([m.scheduler.frame, what]);
                const [from, to] = [when.indexOf('^'), when.indexOf('!')];
                m.scheduler.schedule(() => {
                  const subscription = shared.subscribe({
                    next: (value) => log.push([m.scheduler.frame, value]),
                    error: write('error'),
                    complete: write('complete'),
                  });
                  if (to >= 0)
                    m.scheduler.schedule(() => {
                      subscription.unsubscribe();
                    }, to - from);
                }, from);
                return log;
              });
            });
            m.scheduler.schedule(() => {
              for (const result of results) expect(result).toEqual(results[0]);
            }, 100);
          }
        }
        m.expect(of(1)).toBeObservable('(a|)', { a: 1 } as object as Record<string, number>);
      }),
    );

    it('lets those who still wait for their values have no part in the next subscription to the source', () => {
      const { counter, source } = counting(2);
      const endless = concat(source, NEVER);
      let opened = 0;
      const shared = defer(() => (opened++ === 0 ? source : endless)).pipe(shareDemand('any'));
      const slow = oneByOne(shared);
      record(shared);
      const next = record(shared);
      expect([counter.opened, next.log]).toEqual([2, [0, 1]]);
      next.subscription.unsubscribe();
      expect(counter.closed).toBe(2);
      record(shared);
      expect(counter.opened).toBe(3);
      slow.take();
      expect(slow.take()).toEqual([0, 1, 'complete']);
    });

    it('asks for nothing while nobody is there, and goes on with who comes next', () => {
      for (const policy of policies) {
        const { counter, source } = counting();
        const shared = source.pipe(shareDemand(policy, { resetOnRefCountZero: false }));
        record(shared.pipe(take(2)));
        expect(counter).toEqual({ pulled: 2, opened: 1, closed: 0 });
        expect(record(shared.pipe(take(2))).log).toEqual([2, 3, 'complete']);
        expect(counter).toEqual({ pulled: 4, opened: 1, closed: 0 });
      }
    });

    it('ends anew for those who come after an end for which nothing is reset', () => {
      const failed = throwError(() => 'error').pipe(shareDemand('all', { resetOnError: false }));
      expect([record(failed).log, record(failed).log]).toEqual([[['error', 'error']], [['error', 'error']]]);
      const { counter, source } = counting(1);
      const completed = source.pipe(shareDemand('all', { resetOnComplete: false }));
      expect([record(completed).log, record(completed).log]).toEqual([[0, 'complete'], ['complete']]);
      expect(counter.opened).toBe(1);
    });

    it('takes promises and other inputs as what resets', async () => {
      const { counter, source } = counting(1);
      const shared = source.pipe(shareDemand('all', { resetOnComplete: () => Promise.resolve() }));
      expect([record(shared).log, record(shared).log]).toEqual([[0, 'complete'], ['complete']]);
      await settle();
      expect(record(shared).log).toEqual([0, 'complete']);
      expect(counter.opened).toBe(2);
    });

    it('tells resetOnError of the error', () => {
      const resetOnError = vi.fn(() => NEVER);
      record(throwError(() => 'error').pipe(shareDemand('all', { resetOnError })));
      expect(resetOnError.mock.calls).toEqual([['error']]);
    });

    it('ends for all though what should reset throws, which is reported', async () => {
      const fails = () => {
        throw new Error('reset');
      };
      for (const end of ['error', 'complete'] as const) {
        const source = new Subject<number>();
        const shared = source.pipe(shareDemand('all', { resetOnError: fails, resetOnComplete: fails }));
        const logs = [record(shared).log, record(shared).log];
        source[end]('error');
        const expected = end === 'error' ? [['error', 'error']] : ['complete'];
        expect(logs).toEqual([expected, expected]);
        expect(await reported(unhandled)).toEqual(new Error('reset'));
      }
    });

    it('lets a retry subscribe anew while others are still to be told of the error', () => {
      let opened = 0;
      const source = defer(() => (opened++ === 0 ? throwError(() => 'error') : counting(2).source));
      for (const policy of policies) {
        opened = 0;
        const starting = new Subject<number>();
        const shared = merge(starting.pipe(map(() => 0)), source).pipe(shareDemand(policy));
        expect(record(shared.pipe(retry(1))).log).toEqual([0, 1]);
      }
    });

    it('does not let those of an old subscription to the source have a say in the new one', () => {
      for (const policy of policies) {
        const subjects: Subject<number>[] = [];
        const { source: pulled } = counting(2);
        const source = defer(() => {
          if (subjects.length > 0) return pulled;
          const subject = new Subject<number>();
          subjects.push(subject);
          return subject;
        });
        const shared = source.pipe(shareDemand(policy, { bufferSize: 1 }));
        const gate = new ManualGate();
        const first = record(shared.pipe(retry(1), gatedBy(gate)));
        const second = record(shared);
        subjects[0]?.error('error');
        expect([first.log, second.log]).toEqual([[], [['error', 'error']]]);
        gate.ready = true;
        expect(first.log).toEqual([0, 1, 'complete']);
      }
    });
  });

  describe('inside of next', () => {
    it('gives everybody every value in order, when one of them pushes into the source', () => {
      const source = new Subject<number>();
      const shared = source.pipe(shareDemand('all'));
      const logs: number[][] = [[], [], []];
      shared.subscribe((i) => logs[0]?.push(i));
      shared.subscribe((i) => {
        logs[1]?.push(i);
        if (i < 3) source.next(i + 1);
      });
      shared.subscribe((i) => logs[2]?.push(i));
      source.next(0);
      expect(logs).toEqual(Array(3).fill([0, 1, 2, 3]));
    });

    it('keeps the order, too, when another pushes while those behind get what came before', () => {
      const source = new Subject<number>();
      const shared = source.pipe(shareDemand('all'));
      const logs: number[][] = [[], [], []];
      const pushing = (index: number, at: number, value: number) =>
        shared.subscribe((i) => {
          logs[index]?.push(i);
          if (i === at) source.next(value);
        });
      pushing(0, 0, 1);
      pushing(1, 0, 2);
      pushing(2, 1, 3);
      source.next(0);
      expect(logs).toEqual(Array(3).fill([0, 1, 2, 3]));
    });

    it.each(['error', 'complete'] as const)('brings the value to all before the %s that one of them causes', (end) => {
      const source = new Subject<number>();
      const shared = source.pipe(shareDemand('all'));
      shared.subscribe({
        next: () => {
          source[end]('error');
        },
        error: () => undefined,
      });
      const { log } = record(shared);
      source.next(0);
      expect(log).toEqual([0, end === 'error' ? ['error', 'error'] : 'complete']);
    });

    it('lets one who leaves get no more, and one who comes get the next', () => {
      const source = new Subject<number>();
      const shared = source.pipe(shareDemand('all'));
      const late: unknown[] = [];
      const leaving = new Subscription();
      shared.pipe(take(1)).subscribe(() => {
        leaving.unsubscribe();
        shared.subscribe((i) => late.push(i));
      });
      const left: unknown[] = [];
      leaving.add(shared.subscribe((i) => left.push(i)));
      const { log } = record(shared);
      source.next(0);
      source.next(1);
      expect([left, late, log]).toEqual([[], [1], [0, 1]]);
    });

    it.each([
      ['that leaves nobody who cannot take', true, [0, 'pushed', 'pulled']],
      ['unless one cannot take any more then', false, [0, 'pushed']],
    ])('asks those who have waited when the value has come to all, %s', (_, opens, expected) => {
      const gate = new ManualGate();
      const pushed = new Subject<unknown>();
      const pulled = fromPull(['pulled']);
      const shared = merge(pushed, pulled).pipe(shareDemand('all'));
      const other = new ManualGate();
      shared.pipe(gatedBy(other)).subscribe(() => (gate.ready = true)); // it would be asked now
      const log: unknown[] = [];
      shared.pipe(gatedBy(gate)).subscribe((value) => {
        gate.ready = false;
        log.push(value);
        gate.ready = opens;
      });
      other.ready = true;
      log.push(log.length);
      pushed.next('pushed');
      expect(log).toEqual(expected);
    });

    it('grows no stack when the consumer pushes while what waits is delivered', () => {
      const source = new Subject<number>();
      const gate = new ManualGate();
      let seen = 0;
      source.pipe(shareDemand('any'), gatedBy(gate)).subscribe((i) => {
        seen++;
        if (i < 100_000) source.next(i + 2);
      });
      source.next(0);
      source.next(1);
      gate.ready = true;
      expect(seen).toBe(100_002);
    });

    it('takes what the consumer pushes while what waits is delivered', () => {
      const source = new Subject<number>();
      const gate = new ManualGate();
      const seen: unknown[] = [];
      source.pipe(shareDemand('any'), gatedBy(gate)).subscribe({
        next: (i) => {
          seen.push(i);
          if (i === 0) source.next(2);
          if (i === 2) source.complete();
        },
        complete: () => seen.push('complete'),
      });
      source.next(0);
      source.next(1);
      gate.ready = true;
      expect(seen).toEqual([0, 1, 2, 'complete']);
    });

    it('delivers nothing more of what waits when it is unsubscribed', () => {
      const { dropped, onDrop } = drops();
      const gate = new ManualGate();
      const seen: unknown[] = [];
      const subscription = concat([0, 1, 2], NEVER)
        .pipe(shareDemand('any', { onDrop }), gatedBy(gate))
        .subscribe((i) => {
          seen.push(i);
          subscription.unsubscribe();
        });
      gate.ready = true;
      expect([seen, dropped]).toEqual([
        [0],
        [
          [1, 'unsubscribe'],
          [2, 'unsubscribe'],
        ],
      ]);
    });
  });

  describe('hands clean-up', () => {
    const loopOver = <T>(source: Observable<T>) =>
      toAsyncIterable(source)[Symbol.asyncIterator]() as Required<AsyncIterator<T>>;
    const tracking = (onTrack: (cleanup: PromiseLike<unknown>) => void) =>
      operate<unknown, never>({ cleanupScope: { track: onTrack } });

    it('to the last who leaves', async () => {
      const cleanup = deferred();
      const iterator = new AnsweredIterator<number>(cleanup.promise);
      const shared = fromPull(iterator).pipe(shareDemand('all'));
      const loops = [loopOver(shared), loopOver(shared)];
      for (const loop of loops) void loop.next();
      const over: number[] = [];
      loops.forEach((loop, i) => {
        void loop.return().then(() => over.push(i));
      });
      await settle();
      expect([over, iterator.calls]).toEqual([[0], ['next', 'return']]);
      cleanup.resolve();
      await settle();
      expect(over).toEqual([0, 1]);
    });

    it.each(['complete', 'error'] as const)('to all who are there when the source ends by %s', async (end) => {
      const cleanup = deferred();
      const source = new Subject<number>();
      const cleaning = new Observable<number>((subscriber) => {
        source.subscribe(subscriber);
        const scope = findCleanupScope(subscriber);
        subscriber.add(() => {
          scope?.track(cleanup.promise);
        });
      });
      const shared = cleaning.pipe(shareDemand('all'));
      const over: number[] = [];
      const reads = [loopOver(shared), loopOver(shared)].map((loop) => loop.next());
      reads.forEach((read, i) => {
        read.then(
          () => over.push(i),
          () => over.push(i),
        );
      });
      source[end]('error');
      await settle();
      expect(over).toEqual([]);
      cleanup.resolve();
      await settle();
      expect(over).toEqual([0, 1]);
    });

    it('once to each', () => {
      const tracked: unknown[] = [];
      const scope = { track: (cleanup: unknown) => tracked.push(cleanup) };
      const iterator = new AnsweredIterator<number>();
      const shared = fromPull(iterator).pipe(shareDemand('all'));
      const consumers = merge(shared, shared, shared);
      const subscriber = operate<number, never>({ cleanupScope: scope });
      consumers.subscribe(subscriber);
      subscriber.unsubscribe();
      expect(tracked).toHaveLength(1);
    });

    it('and its failure with it', async () => {
      const iterator = new AnsweredIterator<number>(Promise.reject(new Error('clean-up')));
      const loop = loopOver(fromPull(iterator).pipe(shareDemand('all')));
      void loop.next();
      await expect(loop.return()).rejects.toThrow('clean-up');
    });

    it('to nobody who has left before', () => {
      const iterator = new AnsweredIterator<number>();
      const shared = fromPull(iterator).pipe(shareDemand('all'));
      const tracked: string[] = [];
      const [first, second] = ['first', 'second'].map((name) => tracking(() => tracked.push(name)));
      if (!first || !second) throw new Error();
      shared.subscribe(first);
      shared.subscribe(second);
      first.unsubscribe();
      second.unsubscribe();
      expect(tracked).toEqual(['second']);
    });

    it('to nobody, and reports its failure, where nobody waits', async () => {
      const iterator = new AnsweredIterator<number>(Promise.reject(new Error('clean-up')));
      record(fromPull(iterator).pipe(shareDemand('all'))).subscription.unsubscribe();
      expect(await reported(unhandled)).toEqual(new Error('clean-up'));
    });
  });

  describe('at the end of one subscriber', () => {
    it('leaves the source, then hands over what waits', () => {
      const { dropped, onDrop } = drops();
      const source = concat([1, 2], NEVER).pipe(finalize(() => dropped.push('teardown')));
      const slow = oneByOne(source.pipe(shareDemand('any', { onDrop })));
      slow.subscription.unsubscribe();
      expect(dropped).toEqual(['teardown', [1, 'unsubscribe'], [2, 'unsubscribe']]);
      expect(slow.gate.waiters.size).toBe(0);
    });

    it('hands over what waits though a teardown throws', () => {
      const { dropped, onDrop } = drops();
      const source = new Observable<number>((subscriber) => {
        subscriber.next(1);
        return () => {
          throw new Error('teardown');
        };
      });
      const slow = oneByOne(source.pipe(shareDemand('any', { onDrop })));
      expect(() => {
        slow.subscription.unsubscribe();
      }).toThrow('teardown');
      expect(dropped).toEqual([[1, 'unsubscribe']]);
    });

    it('hands over what waits after the source has completed', () => {
      const { dropped, onDrop } = drops();
      const slow = oneByOne(of(1).pipe(shareDemand('any', { onDrop })));
      slow.subscription.unsubscribe();
      expect([slow.log, dropped, slow.gate.waiters.size]).toEqual([[], [[1, 'unsubscribe']], 0]);
    });

    it('fails one whose onDrop throws', () => {
      const onDrop = (value: number) => {
        if (value === 1) throw new Error('onDrop');
      };
      const source = new Subject<number>();
      const shared = source.pipe(shareDemand('any', { bufferSize: 1, overflow: 'drop-newest', onDrop }));
      const slow = oneByOne(shared);
      const { log } = record(shared);
      for (let i = 0; i < 3; i++) source.next(i);
      expect([slow.log, log]).toEqual([[['error', new Error('onDrop')]], [0, 1, 2]]);
    });

    it('reports what onDrop throws when it is over', async () => {
      const onDrop = () => {
        throw new Error('onDrop');
      };
      oneByOne(concat([0], NEVER).pipe(shareDemand('any', { onDrop }))).subscription.unsubscribe();
      expect(await reported(unhandled)).toEqual(new Error('onDrop'));
    });
  });

  it('takes its turn below no longer when what waited has left another way', () => {
    const gate = new ManualGate();
    const source = new Subject<number>();
    const { log } = record(source.pipe(shareDemand('any', { bufferSize: 1 }), gatedBy(gate)));
    source.next(0);
    const [waiter] = gate.waiters;
    gate.waiters.clear(); // its turn has not come yet, though the gate is open
    gate.ready = true;
    if (waiter) gate.waiters.add(waiter);
    source.next(1);
    expect([log, gate.waiters.size]).toEqual([[0, 1], 0]);
    gate.ready = false;
    source.next(2);
    gate.ready = true;
    expect(log).toEqual([0, 1, 2]);
  });

  it('keeps its place below when a value comes that was not asked for', () => {
    const gate = new ManualGate();
    const source = new Subject<string>();
    const shared = merge(source, fromPull(['first'])).pipe(shareDemand('all'));
    const { log } = record(
      merge(shared, fromPull(['second'])).pipe(
        gatedBy(gate),
        tap(() => (gate.ready = false)),
      ),
    );
    const waiters = [...gate.waiters];
    gate.waiters.clear(); // their turn has not come yet, though the gate is open
    gate.ready = true;
    for (const waiter of waiters) gate.waiters.add(waiter);
    source.next('pushed');
    expect(log).toEqual(['pushed']);
    gate.ready = true;
    expect(log).toEqual(['pushed', 'first']);
    gate.ready = true;
    expect(log).toEqual(['pushed', 'first', 'second']);
  });

  it('drops what comes when what waited before it ends the subscription', () => {
    const gate = new ManualGate();
    const { dropped, onDrop } = drops();
    const source = new Subject<number>();
    const { log } = record(source.pipe(shareDemand('any', { onDrop }), gatedBy(gate), take(1)));
    source.next(0);
    gate.waiters.clear(); // its turn does not come
    gate.ready = true;
    source.next(1);
    expect([log, dropped]).toEqual([[0, 'complete'], [[1, 'unsubscribe']]]);
  });

  it('is found by the source as one gate', () => {
    const gates: (Gate | undefined)[] = [];
    const looking = new Observable<number>((subscriber) => {
      gates.push(findGate(subscriber));
    });
    const shared = looking.pipe(
      map((i) => i),
      shareDemand('all'),
    );
    const a = new ManualGate(true);
    const b = new ManualGate(true);
    record(shared.pipe(gatedBy(a)));
    record(shared.pipe(gatedBy(b)));
    expect(gates[0]?.ready).toBe(true);
    b.ready = false;
    expect(gates).toEqual([expect.objectContaining({ ready: false })]);
  });

  it("lets branches of 'any' that take unequally meet again", () => {
    const { source } = counting(6);
    const shared = source.pipe(shareDemand('any'));
    const { log } = record(zip(shared, shared.pipe(map((i) => -i))).pipe(gatedBy(new ManualGate(true))));
    expect(log.length).toBeGreaterThan(0);
  });

  it('goes through a million values, and as many that wait, with a flat stack', () => {
    const count = 1_000_000;
    const source = fromPull(
      function* () {
        for (let i = 0; i < count; i++) yield i;
      },
      { slice: Infinity },
    );
    const shared = source.pipe(shareDemand('any', { bufferSize: Infinity }));
    const gate = new ManualGate();
    let slow = 0;
    shared.pipe(gatedBy(gate)).subscribe(() => slow++);
    let fast = 0;
    shared.subscribe(() => fast++);
    expect([fast, slow]).toEqual([count, 0]);
    gate.ready = true;
    expect(slow).toBe(count);
  });

  it('serves ten thousand subscribers who come and go', () => {
    const { counter, source } = counting();
    const shared = source.pipe(shareDemand('all'));
    const all = Array.from({ length: 10_000 }, () => oneByOne(shared));
    for (const each of all) each.take();
    expect(counter.pulled).toBe(1);
    for (const each of all) each.subscription.unsubscribe();
    expect(counter.closed).toBe(1);
  });
});

describe('shareDemand and a value on its way to a subscriber who leaves', () => {
  const unhandled = collectUnhandled();

  /** The first subscriber ends the second before the value has reached that. */
  const leaveUnderWay = (onDrop: (value: number, reason: unknown) => void) => {
    const source = new Subject<number>();
    const shared = source.pipe(shareDemand<number>('all', { onDrop }));
    const second = new Subscription();
    const seen: number[] = [];
    shared.subscribe(() => {
      second.unsubscribe();
    });
    second.add(shared.subscribe((value) => seen.push(value)));
    source.next(1);
    source.next(2);
    return seen;
  };

  it('tells of it, once', () => {
    const { dropped, onDrop } = drops();
    const seen = leaveUnderWay(onDrop);
    expect(seen).toEqual([]);
    expect(dropped).toEqual([[1, 'unsubscribe']]); // and not what came when it had left
  });

  it('reports what onDrop throws then, and goes on', async () => {
    const failure = new Error('onDrop');
    leaveUnderWay(() => {
      throw failure;
    });
    expect(await reported(unhandled)).toBe(failure);
  });
});
