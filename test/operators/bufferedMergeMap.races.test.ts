// What happens when things happen inside one another, in the order in which users let them.
import {
  combineLatest,
  concat,
  finalize,
  from,
  merge,
  mergeMap,
  NEVER,
  Observable,
  of,
  range,
  Subject,
  takeUntil,
  throwError,
  type ObservableInput,
  type OperatorFunction,
} from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import {
  bufferedMergeMap,
  fromPull,
  gatedBy,
  type BufferedMergeMapOptions,
  type WorkContext,
} from '../../src/index.js';
import { operate } from '../../src/internal/operate.js';
import { findCleanupScope } from '../../src/link/walk.js';
import { ManualGate } from '../support/ManualGate.js';
import { record } from '../support/record.js';
import { deferred, settle } from '../support/settle.js';
import { collectUnhandled, reported } from '../support/unhandled.js';

/** Options that write down what is dropped. */
function noting(log: unknown[]): BufferedMergeMapOptions<string, string> {
  return {
    onDrop: (value, reason) => log.push(['value', value, reason]),
    onDropResult: (result, reason) => log.push(['result', result, reason]),
  };
}

describe('bufferedMergeMap', () => {
  const unhandled = collectUnhandled();

  describe('asks only when nothing of its own is about to leave, so that a burst then finds the way free', () => {
    const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);
    const burst = () => concat(fromPull([0, 1, 2, 3, 4, 5]), range(6, 100));

    it.each([{ ordered: true }, {}, { ordered: true, key: (value: number) => value % 2, highWaterMark: 2 }])(
      'of the source: %o',
      (options) => {
        const gate = new ManualGate();
        const { log } = record(
          burst().pipe(
            bufferedMergeMap((value) => of(value), { concurrent: 2, bufferSize: 2, ...options }),
            gatedBy(gate),
          ),
        );
        gate.ready = true;
        expect(log).toEqual([...numbers(106), 'complete']);
      },
    );

    it.each([{ ordered: true }, {}])('of an inner source: %o', (options) => {
      const gate = new ManualGate();
      const { log } = record(
        of('a').pipe(bufferedMergeMap(burst, { concurrent: 2, bufferSize: 0, ...options }), gatedBy(gate)),
      );
      gate.ready = true;
      expect(log).toEqual([...numbers(106), 'complete']);
    });
  });

  describe('loses no result that waits', () => {
    const completesWhenAborted = (signal: AbortSignal) =>
      new Observable<string>((inner) => {
        signal.addEventListener('abort', () => {
          inner.complete();
        });
      });

    it('behind an inner source that completes because it is aborted, on unsubscription', () => {
      const source = new Subject<string>();
      const dropped: unknown[] = [];
      const { log, subscription } = record(
        source.pipe(
          bufferedMergeMap((value, _, { signal }) => (value === 'a' ? completesWhenAborted(signal) : of(value)), {
            ...noting(dropped),
            ordered: true,
          }),
        ),
      );
      source.next('a');
      source.next('b');
      subscription.unsubscribe();
      expect([log, dropped]).toEqual([[], [['result', 'b', 'unsubscribe']]]);
    });

    it('nor on the error of another', () => {
      const source = new Subject<string>();
      const failing = new Subject<string>();
      const dropped: unknown[] = [];
      const { log } = record(
        source.pipe(
          bufferedMergeMap(
            (value, _, { signal }) =>
              value === 'a' ? completesWhenAborted(signal) : value === 'c' ? failing : of(value),
            { ...noting(dropped), ordered: true },
          ),
        ),
      );
      for (const value of ['a', 'b', 'c']) source.next(value);
      failing.error('c');
      expect([log, dropped]).toEqual([[['error', 'c']], [['result', 'b', 'error']]]);
    });

    it('where the teardown of the source completes what runs; nor is anything started', () => {
      const source = new Subject<string>();
      const stop = new Subject<void>();
      const started: string[] = [];
      const dropped: unknown[] = [];
      const project = (value: string) => {
        started.push(value);
        return value === 'a' ? NEVER.pipe(takeUntil(stop)) : of(value);
      };
      const { log, subscription } = record(
        source.pipe(
          finalize(() => {
            stop.next();
          }),
          bufferedMergeMap(project, { ...noting(dropped), ordered: true, concurrent: 2 }),
        ),
      );
      for (const value of ['a', 'b', 'c', 'd']) source.next(value);
      subscription.unsubscribe();
      expect([log, started]).toEqual([[], ['a', 'b']]);
      expect(dropped).toEqual([
        ['result', 'b', 'unsubscribe'],
        ['value', 'c', 'unsubscribe'],
        ['value', 'd', 'unsubscribe'],
      ]);
    });

    it('where the consumer below becomes free while it is told the error', () => {
      const source = new Subject<string>();
      const slot = new Subject<string>();
      const dropped: unknown[] = [];
      const started: string[] = [];
      const failing = (value: string) => (value === 'bad' ? throwError(() => 'bad') : of(value));
      source
        .pipe(
          bufferedMergeMap(failing, noting(dropped)),
          bufferedMergeMap((value) => (started.push(value), slot), { concurrent: 1, highWaterMark: 0, bufferSize: 0 }),
        )
        .subscribe({
          error: () => {
            slot.complete();
          },
        });
      for (const value of ['a', 'b', 'c', 'bad']) source.next(value);
      expect(started).toEqual(['a']);
      expect(dropped).toEqual([
        ['result', 'b', 'error'],
        ['result', 'c', 'error'],
      ]);
    });
  });

  describe('ordered keeps the order of the source', () => {
    it('where project brings in the next value', () => {
      const source = new Subject<number>();
      const { log } = record(
        source.pipe(
          bufferedMergeMap(
            (value) => {
              if (value === 1) source.next(2);
              return [value * 10];
            },
            { ordered: true },
          ),
        ),
      );
      source.next(1);
      source.next(3);
      expect(log).toEqual([10, 20, 30]);
    });

    it('and where it is asynchronous', async () => {
      const source = new Subject<number>();
      const { log } = record(
        source.pipe(
          bufferedMergeMap(
            async (value) => {
              if (value < 3) source.next(value + 1);
              await Promise.resolve();
              return value * 10;
            },
            { ordered: true },
          ),
        ),
      );
      source.next(1);
      await settle();
      expect(log).toEqual([10, 20, 30]);
    });
  });

  describe('with slots without number, above a consumer', () => {
    it('goes on when the last inner source that waited for the consumer waits no more', async () => {
      const started: string[] = [];
      const done: string[] = [];
      const finished: (() => void)[] = [];
      fromPull(['a', 'b', 'c'])
        .pipe(
          bufferedMergeMap((key) => (started.push(key), concat(fromPull([`${key}1`, `${key}2`]), NEVER)), {
            concurrent: Infinity,
          }),
          bufferedMergeMap(
            async (result) => {
              await new Promise<void>((resolve) => finished.push(resolve));
              done.push(result);
              return result;
            },
            { concurrent: 1, highWaterMark: 0 },
          ),
        )
        .subscribe();
      for (let i = 0; i < 10; i++) {
        finished.shift()?.();
        await settle();
      }
      expect(started).toEqual(['a', 'b', 'c']);
      expect(done).toEqual(['a1', 'a2', 'b1', 'b2', 'c1', 'c2']);
    });

    it('in order, what waits for its turn holds nobody back', async () => {
      let started = 0;
      const project = () => (started++, started === 1 ? NEVER : of(started));
      record(
        fromPull(
          Array.from({ length: 20 }, (_, i) => i),
          { slice: Infinity },
        ).pipe(
          bufferedMergeMap(project, { ordered: true, concurrent: Infinity }),
          bufferedMergeMap((value) => of(value), { concurrent: 100 }),
        ),
      );
      await settle();
      expect(started).toBe(20);
    });
  });

  it('asks for more as soon as drop-buffer has made room', () => {
    const pushed = new Subject<string>();
    const pulled: number[] = [];
    function* endless() {
      for (let i = 0; ; i++) {
        pulled.push(i);
        yield i;
      }
    }
    const dropped: unknown[] = [];
    const { subscription } = record(
      merge(pushed, fromPull(endless)).pipe(
        bufferedMergeMap(() => NEVER, {
          concurrent: 1,
          highWaterMark: 2,
          bufferSize: 4,
          overflow: 'drop-buffer',
          onDrop: (value) => dropped.push(value),
        }),
      ),
    );
    expect(pulled).toEqual([0, 1, 2]);
    for (const value of ['a', 'b', 'c']) pushed.next(value);
    expect([dropped, pulled]).toEqual([
      [1, 2, 'a', 'b'],
      [0, 1, 2, 3],
    ]);
    subscription.unsubscribe();
  });

  describe('subscribed by a consumer that has ended already, starts nothing, as mergeMap', () => {
    const merges: [
      string,
      (project: (value: number) => ObservableInput<number>) => OperatorFunction<number, number>,
    ][] = [
      ['mergeMap', (project) => mergeMap(project)],
      ['bufferedMergeMap', (project) => bufferedMergeMap(project)],
    ];
    it.each(merges)('%s', (_, merged) => {
      let started = 0;
      const source = of(1).pipe(merged((value) => (started++, of(value))));
      const { log } = record(combineLatest([throwError(() => 'first'), source]));
      expect([log, started]).toEqual([[['error', 'first']], 0]);
    });
  });

  it('operate, too, and still finalizes', () => {
    let finalized = 0;
    const seen: number[] = [];
    const passing = new Observable<number>((destination) => {
      of(1).subscribe(
        operate<number, number>({
          destination,
          next: (value) => seen.push(value),
          finalize: () => {
            finalized++;
          },
        }),
      );
    });
    record(combineLatest([throwError(() => 'first'), passing]));
    expect([seen, finalized]).toEqual([[], 1]);
  });

  describe('a signal that is read late', () => {
    it('is not aborted for work that has succeeded', async () => {
      let aborted = false;
      const project = async (_value: number, _index: number, context: WorkContext) => {
        await Promise.resolve();
        context.signal.addEventListener('abort', () => (aborted = true));
        return 'result';
      };
      const subscription = of(1)
        .pipe(bufferedMergeMap(project))
        .subscribe(() => {
          subscription.unsubscribe();
        });
      await settle();
      expect(aborted).toBe(false);
    });

    it.each([
      [
        'as an argument',
        async (_value: number, _index: number, context: WorkContext) => {
          await Promise.resolve();
          context.signal.throwIfAborted();
          throw new Error('work');
        },
      ],
      [
        'through an argument that cannot be counted',
        async (
          ...[value, , { signal } = { signal: new AbortController().signal }]: [
            number,
            number?,
            { readonly signal: AbortSignal }?,
          ]
        ) => {
          await Promise.resolve(value);
          signal.throwIfAborted();
          throw new Error('work');
        },
      ],
    ])('%s, by work that then fails: its error is told once', async (_, project) => {
      const { log } = record(of(1).pipe(bufferedMergeMap(project)));
      await settle();
      expect(log).toEqual([['error', new Error('work')]]);
      expect(unhandled).toEqual([]);
    });
  });

  it.each([
    ['read', ({ signal }: WorkContext) => signal.aborted],
    ['not read', () => false],
  ])('then of work is called once, since it may begin it, the signal %s', async (_, look) => {
    const begin = vi.fn((resolve: (value: string) => unknown) => Promise.resolve('row').then(resolve));
    const thenable = { then: begin as unknown as PromiseLike<string>['then'] };
    const source = new Subject<string>();
    const { log, subscription } = record(
      source.pipe(
        bufferedMergeMap((_value, _index, context) => {
          look(context);
          return thenable;
        }),
      ),
    );
    source.next('ended');
    await settle();
    expect(log).toEqual(['row']);
    expect(begin).toHaveBeenCalledTimes(1);
    source.next('unsubscribed');
    subscription.unsubscribe();
    await settle();
    expect(begin).toHaveBeenCalledTimes(2);
  });

  it.each<
    [string, (work: Promise<string>) => (value: string, index: number, context: WorkContext) => ObservableInput<string>]
  >([
    ['promises', (work) => (value: string) => (value === 'a' ? work : new Promise(() => undefined))],
    [
      'promises beside a signal',
      (work) =>
        (value, _, { signal }) =>
          value === 'a' || signal.aborted ? work : new Promise(() => undefined),
    ],
    ['observables', (work) => (value: string) => (value === 'a' ? from(work) : NEVER)],
  ])(
    'counts as lost what runs and what waits when it is unsubscribed, and nothing that has ended: %s',
    async (_, projectOf) => {
      const lost: unknown[] = [];
      const work = deferred<string>();
      const subscriber = operate<unknown, never>({ lossCounter: { lost: (...args) => lost.push(args) } });
      const source = new Subject<string>();
      source.pipe(bufferedMergeMap(projectOf(work.promise), { concurrent: 2 })).subscribe(subscriber);
      for (const value of ['a', 'b', 'c', 'd']) source.next(value);
      work.resolve('a');
      await settle();
      subscriber.unsubscribe();
      expect(lost).toEqual([
        ['running', 2],
        ['waiting', 1],
      ]);
    },
  );

  it('counts nothing as lost when nothing runs or waits', () => {
    const lost: unknown[] = [];
    const subscriber = operate<unknown, never>({ lossCounter: { lost: (...args) => lost.push(args) } });
    concat(of(1), NEVER)
      .pipe(bufferedMergeMap((value) => of(value)))
      .subscribe(subscriber);
    subscriber.unsubscribe();
    expect(lost).toEqual([]);
  });

  it('emits nothing while its error waits for clean-up, also where a teardown pushes into another inner source', async () => {
    const cleanedUp = deferred();
    const others = new Subject<string>();
    const inners: Record<string, ObservableInput<string>> = {
      slow: new Observable((inner) => {
        const scope = findCleanupScope(inner);
        inner.add(() => scope?.track(cleanedUp.promise));
      }),
      pushing: NEVER.pipe(
        finalize(() => {
          others.next('late');
        }),
      ),
      pushed: others,
      bad: throwError(() => 'bad'),
    };
    const { log } = record(
      of('slow', 'pushing', 'pushed', 'bad').pipe(
        bufferedMergeMap((name) => inners[name] as ObservableInput<string>, { concurrent: 4 }),
      ),
    );
    expect(log).toEqual([]);
    cleanedUp.resolve();
    await settle();
    expect(log).toEqual([['error', 'bad']]);
  });

  describe('the clean-up of work that is aborted', () => {
    it('is waited for, whatever kind of promise stands for it', async () => {
      const cleanedUp = deferred();
      const thenable = {
        then: (resolve: (value: unknown) => void, reject: (error: unknown) => void) =>
          cleanedUp.promise.then(resolve, reject),
      };
      const source = new Subject<string>();
      const { log } = record(
        source.pipe(
          bufferedMergeMap((value, _, { signal }) => {
            signal.throwIfAborted();
            return value === 'bad' ? throwError(() => 'bad') : (thenable as unknown as Promise<string>);
          }),
        ),
      );
      source.next('a');
      source.next('bad');
      await settle();
      expect(log).toEqual([]);
      cleanedUp.resolve();
      await settle();
      expect(log).toEqual([['error', 'bad']]);
    });

    it('is handed on, also when it is aborted inside of project', async () => {
      const tracked: PromiseLike<unknown>[] = [];
      const end = deferred();
      const source = new Subject<number>();
      const subscriber = operate<unknown, never>({
        cleanupScope: { track: (cleanup) => tracked.push(cleanup) },
      });
      const project = (_value: number, _: number, { signal }: WorkContext) => {
        signal.throwIfAborted();
        subscriber.unsubscribe();
        return end.promise;
      };
      source.pipe(bufferedMergeMap(project)).subscribe(subscriber);
      source.next(1);
      expect(tracked).toHaveLength(1);
      end.resolve();
      await expect(tracked[0]).resolves.toBeUndefined();
    });

    const answers: [string, (signal: AbortSignal) => unknown][] = [
      ['the reason itself', ({ reason }) => reason as unknown],
      ['an error that it is the cause of', ({ reason }) => new Error('request', { cause: reason })],
      ['an AbortError', () => Object.assign(new Error('aborted'), { name: 'AbortError' })],
      ['a CanceledError', () => Object.assign(new Error('canceled'), { name: 'CanceledError' })],
      ['a CancelError', () => Object.assign(new Error('cancelled'), { name: 'CancelError' })],
      ['the code of Node', () => Object.assign(new Error('aborted'), { code: 'ABORT_ERR' })],
      ['the code of axios', () => Object.assign(new Error('canceled'), { code: 'ERR_CANCELED' })],
    ];
    const rejecting = async (error: (signal: AbortSignal) => unknown) => {
      const { subscription } = record(
        of(1).pipe(
          bufferedMergeMap(
            (_value, _, { signal }) =>
              new Promise<never>((_resolve, reject) => {
                signal.addEventListener('abort', () => {
                  reject(error(signal));
                });
              }),
          ),
        ),
      );
      subscription.unsubscribe();
      await settle();
    };

    it.each(answers)('may reject with %s', async (_, error) => {
      await rejecting(error);
      expect(unhandled).toEqual([]);
    });

    it('may fail like the work for whose failure it was aborted: one error is told', async () => {
      const source = new Subject<number>();
      const down = deferred();
      const project = async (value: number, _: number, { signal }: WorkContext) => {
        signal.throwIfAborted();
        await down.promise;
        throw new Error(`request ${String(value)}`);
      };
      const { log } = record(source.pipe(bufferedMergeMap(project)));
      source.next(1);
      source.next(2);
      down.resolve();
      await settle();
      expect(log).toEqual([['error', new Error('request 1')]]);
      expect(unhandled).toEqual([]);
    });

    it.each([new Error('clean-up'), 'a reason'])('that fails with %s is reported', async (error) => {
      await rejecting(() => error);
      expect(await reported(unhandled)).toEqual(error);
    });
  });
});
