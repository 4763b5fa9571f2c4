import {
  concat,
  concatMap,
  delay,
  EMPTY,
  finalize,
  from,
  map,
  merge,
  mergeMap,
  NEVER,
  Observable,
  of,
  retry,
  share,
  Subject,
  switchMap,
  take,
  tap,
  throwError,
  timer,
  VirtualTimeScheduler,
  type ObservableInput,
} from 'rxjs';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ShutdownError, type ShutdownReport } from '../../src/errors/ShutdownError.js';
import { batchWithin, bufferedMergeMap, fromPull, gatedBy, zipPull } from '../../src/index.js';
import { Cleanups } from '../../src/link/Cleanups.js';
import { operate } from '../../src/internal/operate.js';
import { gracefulShutdown, type GracefulShutdownOptions } from '../../src/operators/gracefulShutdown.js';
import { cleanedUpBy } from '../support/cleanedUpBy.js';
import { CountedSignal } from '../support/CountedSignal.js';
import { ManualGate } from '../support/ManualGate.js';
import { record } from '../support/record.js';
import { deferred, settle, turn } from '../support/settle.js';
import { timeline } from '../support/timeline.js';
import { collectUnhandled, reported } from '../support/unhandled.js';

const unhandled = collectUnhandled();

let scheduler: VirtualTimeScheduler;
let reports: ShutdownReport[];
let stop: Subject<string>;

beforeEach(() => {
  scheduler = new VirtualTimeScheduler();
  reports = [];
  stop = new Subject();
});

const at = (frame: number, act: () => void) => scheduler.schedule(act, frame);

/** What it is called with, but for what a test is about. */
const options = (more: Partial<GracefulShutdownOptions> = {}): GracefulShutdownOptions => ({
  on: stop,
  drainTimeout: 100,
  cleanupTimeout: 50,
  onReport: (report) => reports.push(report),
  scheduler,
  ...more,
});

/** Takes so many frames as the value says, and gives it. */
const work = (ms: number) => timer(ms, scheduler).pipe(map(() => ms));
const works = (concurrent: number) => (work$: Observable<number>) => work$.pipe(bufferedMergeMap(work, { concurrent }));
const cleaning = (ms: number) => cleanedUpBy<number>(() => timer(ms, scheduler));

const nothingLeft = () => {
  const frame = scheduler.frame;
  scheduler.flush();
  expect(scheduler.frame).toBe(frame);
};

describe('the stop', () => {
  it('unsubscribes from the source at once, then lets out what is inside, then completes and reports', () => {
    const source = new Subject<number>();
    const { log } = timeline(source.pipe(gracefulShutdown(works(2), options())), scheduler);
    for (const ms of [10, 20, 30]) source.next(ms);
    at(15, () => {
      expect(source.observed).toBe(true);
      stop.next('SIGTERM');
      expect(source.observed).toBe(false);
      expect(stop.observed).toBe(false);
    });
    scheduler.flush();
    expect(log).toEqual([
      [10, 10],
      [20, 20],
      [40, 30],
      [40, 'complete'],
    ]);
    expect(reports).toStrictEqual([
      {
        reason: 'SIGTERM',
        outcome: 'drained',
        drained: 2,
        aborted: 0,
        dropped: 0,
        cleanup: 'done',
        timedOut: false,
        ms: 25,
      },
    ]);
    expect(scheduler.frame).toBe(40);
  });

  it('completes at once where nothing is inside', () => {
    const { log } = record(NEVER.pipe(gracefulShutdown((work$) => work$, options())));
    stop.next('now');
    expect(log).toEqual(['complete']);
    expect(reports).toMatchObject([{ outcome: 'drained', drained: 0, ms: 0 }]);
    nothingLeft();
  });

  it('counts once, however often it is asked', () => {
    const source = new Subject<number>();
    const { log } = timeline(source.pipe(gracefulShutdown(works(1), options({ on: from([1, 2, 3]) }))), scheduler);
    scheduler.flush();
    expect(log).toEqual([[0, 'complete']]);
    expect(reports).toMatchObject([{ reason: 1 }]);
  });

  it('has its name in the report', () => {
    record(NEVER.pipe(gracefulShutdown((work$) => work$, options({ name: 'orders' }))));
    stop.next('now');
    expect(reports).toMatchObject([{ name: 'orders' }]);
  });

  it('works from within the source, and takes the value that it came with', () => {
    const source = new Subject<number>();
    const { log } = timeline(source.pipe(gracefulShutdown(works(2), options())), scheduler);
    const stopping = new Observable<number>((subscriber) => {
      subscriber.next(5);
      stop.next('from within');
      subscriber.next(6);
      subscriber.complete();
    });
    const inside = timeline(stopping.pipe(gracefulShutdown(works(2), options())), scheduler);
    scheduler.flush();
    expect(log).toEqual([[0, 'complete']]);
    expect(inside.log).toEqual([
      [5, 5],
      [5, 'complete'],
    ]);
  });

  it('works from within next of the consumer', () => {
    const source = new Subject<number>();
    const log: unknown[] = [];
    source.pipe(gracefulShutdown((work$) => work$, options())).subscribe({
      next: (value) => {
        log.push(value);
        stop.next('enough');
        source.next(value + 1);
      },
      complete: () => log.push('complete'),
    });
    source.next(1);
    expect(log).toEqual([1, 'complete']);
  });

  it('in the project of bufferedMergeMap lets that very value through', () => {
    const source = new Subject<number>();
    const pipeline = (work$: Observable<number>) =>
      work$.pipe(
        bufferedMergeMap((ms) => {
          stop.next('in project');
          return work(ms);
        }),
      );
    const { log } = timeline(source.pipe(gracefulShutdown(pipeline, options())), scheduler);
    source.next(3);
    source.next(4);
    scheduler.flush();
    expect(log).toEqual([
      [3, 3],
      [3, 'complete'],
    ]);
  });

  it('leaves a second subscription alone', () => {
    const first = new Subject<string>();
    const second = new Subject<string>();
    let uses = 0;
    const on = new Observable<string>((subscriber) => (uses++ === 0 ? first : second).subscribe(subscriber));
    const source = new Subject<number>();
    const result = source.pipe(gracefulShutdown((work$) => work$, options({ on })));
    const [a, b] = [record(result), record(result)];
    source.next(1);
    first.next('a');
    source.next(2);
    expect([a.log, b.log]).toEqual([
      [1, 'complete'],
      [1, 2],
    ]);
    b.subscription.unsubscribe();
  });

  it('lets go of whoever may stop it, however it ends', () => {
    for (const end of ['complete', 'error', 'unsubscribe', 'stop'] as const) {
      const source = new Subject<number>();
      const { subscription } = record(source.pipe(gracefulShutdown((work$) => work$, options())));
      expect(stop.observed).toBe(true);
      if (end === 'unsubscribe') subscription.unsubscribe();
      else if (end === 'stop') stop.next('now');
      else source[end](new Error());
      expect(stop.observed).toBe(false);
    }
  });
});

describe('the pipeline', () => {
  it('that is stopped before has no source, and an input that completes at once', () => {
    let subscribed = 0;
    const source = new Observable<number>(() => {
      subscribed++;
    });
    const { log } = record(
      source.pipe(gracefulShutdown((work$) => concat(work$, of(7)), options({ on: of('before') }))),
    );
    expect(log).toEqual([7, 'complete']);
    expect(subscribed).toBe(0);
    expect(reports).toMatchObject([{ reason: 'before', drained: 1, outcome: 'drained' }]);
    nothingLeft();
  });

  it('that subscribes to its input late finds the source, and after the stop the end', () => {
    const source = new Subject<number>();
    const pipeline = (work$: Observable<number>) => timer(10, scheduler).pipe(concatMap(() => concat(work$, of(99))));
    const { log } = timeline(source.pipe(gracefulShutdown(pipeline, options())), scheduler);
    at(5, () => {
      expect(source.observed).toBe(false);
    });
    at(12, () => {
      source.next(1);
    });
    at(20, () => {
      stop.next('now');
    });
    scheduler.flush();
    expect(log).toEqual([
      [12, 1],
      [20, 99],
      [20, 'complete'],
    ]);
    const late = timeline(source.pipe(gracefulShutdown(pipeline, options())), scheduler);
    stop.next('now');
    scheduler.flush();
    expect(late.log.map(([, event]) => event)).toEqual([99, 'complete']);
    expect(source.observed).toBe(false);
  });

  it('that subscribes to its input several times subscribes to the source as often, and all of them are stopped', () => {
    const source = new Subject<number>();
    const pipeline = (work$: Observable<number>) => merge(work$, work$.pipe(map((value) => -value)));
    const { log } = record(source.pipe(gracefulShutdown(pipeline, options())));
    source.next(1);
    stop.next('now');
    expect(source.observed).toBe(false);
    expect(log).toEqual([1, -1, 'complete']);
  });

  it('hears the end of the input only when all that it gets is over', () => {
    const source = new Subject<number>();
    const seen: unknown[] = [];
    const pipeline = (work$: Observable<number>) =>
      merge(
        concat(
          work$,
          new Observable<number>(() => {
            source.next(5); // nobody may hear of it
          }),
        ),
        work$,
      );
    const { subscription } = record(source.pipe(gracefulShutdown(pipeline, options())).pipe(map((v) => seen.push(v))));
    stop.next('now');
    expect(seen).toEqual([]);
    subscription.unsubscribe();
  });

  it('that never subscribes to its input drains what it does', () => {
    const source = new Subject<number>();
    const { log } = timeline(source.pipe(gracefulShutdown(() => timer(10, scheduler), options())), scheduler);
    stop.next('now');
    scheduler.flush();
    expect(log).toEqual([
      [10, 0],
      [10, 'complete'],
    ]);
  });

  it('that subscribes again after an error does so at the source, as without the operator', () => {
    let tries = 0;
    const source = new Observable<number>((subscriber) => {
      if (tries++ === 0) subscriber.error(new Error('first'));
      else subscriber.next(1);
    });
    const { log } = record(source.pipe(gracefulShutdown((work$) => work$.pipe(retry(1)), options())));
    stop.next('now');
    expect(log).toEqual([1, 'complete']);
  });

  it('that subscribes to its input twice with the same subscriber is stopped twice', () => {
    const source = new Subject<number>();
    const pipeline = (work$: Observable<number>) =>
      new Observable<number>((subscriber) => {
        work$.subscribe(subscriber);
        work$.subscribe(subscriber);
      });
    const { log } = record(source.pipe(gracefulShutdown(pipeline, options())));
    source.next(1);
    stop.next('now');
    expect(log).toEqual([1, 1, 'complete']);
    expect(source.observed).toBe(false);
  });

  it('that shares its input is stopped too', () => {
    const source = new Subject<number>();
    const pipeline = (work$: Observable<number>) => {
      const shared = work$.pipe(share());
      return merge(shared, shared.pipe(map((value) => value * 10)));
    };
    const { log } = record(source.pipe(gracefulShutdown(pipeline, options())));
    source.next(1);
    stop.next('now');
    expect(log).toEqual([1, 10, 'complete']);
    expect(source.observed).toBe(false);
  });

  it('that throws is the error', () => {
    const error = new Error('pipeline');
    const { log } = record(
      NEVER.pipe(
        gracefulShutdown(() => {
          throw error;
        }, options()),
      ),
    );
    expect(log).toEqual([['error', error]]);
    expect(stop.observed).toBe(false);
  });

  it('that completes by itself completes, without a report, also when it is asked to stop in that moment', () => {
    const source = new Subject<number>();
    const { log } = record(source.pipe(gracefulShutdown((work$) => work$.pipe(take(1)), options())));
    source.next(1);
    expect(log).toEqual([1, 'complete']);
    expect(source.observed).toBe(false);

    const seen: unknown[] = [];
    EMPTY.pipe(gracefulShutdown((work$) => work$, options())).subscribe({
      complete: () => {
        stop.next('too late');
        seen.push('complete');
      },
    });
    expect(seen).toEqual(['complete']);
    expect(reports).toEqual([]);
    nothingLeft();
  });

  it('whose source has completed is still draining, and is stopped', () => {
    const { log } = timeline(of(500).pipe(gracefulShutdown(works(1), options({ onTimeout: 'complete' }))), scheduler);
    at(10, () => {
      stop.next('now');
    });
    scheduler.flush();
    expect(log).toEqual([[110, 'complete']]);
    expect(reports).toMatchObject([{ aborted: 1, timedOut: true }]);
  });

  it('that errors before the stop errors at once, whatever there is to clean up', () => {
    const error = new Error('before');
    const source = new Subject<number>();
    const pipeline = (work$: Observable<number>) => work$.pipe(cleaning(30));
    const { log } = timeline(source.pipe(gracefulShutdown(pipeline, options())), scheduler);
    source.error(error);
    expect(log).toEqual([[0, [error]]]);
    expect(reports).toEqual([]);
  });
});

describe('the time for the drain', () => {
  it('over, it cuts off what runs, drops what waits, and errors with the report', () => {
    const dropped: unknown[] = [];
    const aborted: unknown[] = [];
    const source = new Subject<number>();
    const pipeline = (work$: Observable<number>) =>
      work$.pipe(
        bufferedMergeMap(
          (ms, _, { signal }) => {
            signal.addEventListener('abort', () => aborted.push(ms));
            return work(ms);
          },
          { concurrent: 2, onDrop: (value, reason) => dropped.push([value, reason]) },
        ),
      );
    const { log } = timeline(source.pipe(gracefulShutdown(pipeline, options({ name: 'jobs' }))), scheduler);
    for (const ms of [50, 300, 400, 1, 2]) source.next(ms);
    at(10, () => {
      stop.next('SIGTERM');
    });
    scheduler.flush();
    const report = {
      name: 'jobs',
      reason: 'SIGTERM',
      outcome: 'cut-off',
      drained: 1,
      aborted: 2,
      dropped: 2,
      cleanup: 'done',
      timedOut: true,
      ms: 100,
    };
    expect(reports).toEqual([report]);
    expect(log).toEqual([
      [50, 50],
      [110, [expect.any(ShutdownError)]],
    ]);
    const [error] = log[1]?.[1] as [ShutdownError];
    expect(error.report).toBe(reports[0]);
    expect(error.where).toBe("gracefulShutdown 'jobs'");
    expect(error.message).toBe(
      "gracefulShutdown 'jobs': cut off after drainTimeout, with 2 at work and 2 waiting. " +
        "Give it a longer drainTimeout, or complete all the same (onTimeout: 'complete').",
    );
    expect(aborted).toEqual([300, 400]);
    expect(dropped).toEqual([
      [1, 'unsubscribe'],
      [2, 'unsubscribe'],
    ]);
    nothingLeft();
  });

  it("over, it completes with onTimeout: 'complete'", () => {
    const { log } = timeline(
      concat(of(1000), NEVER).pipe(gracefulShutdown(works(1), options({ onTimeout: 'complete' }))),
      scheduler,
    );
    stop.next('now');
    scheduler.flush();
    expect(log).toEqual([[100, 'complete']]);
    expect(reports).toMatchObject([{ outcome: 'cut-off', timedOut: true, aborted: 1 }]);
  });

  it('is 10 seconds, and that for clean-up 2, where nothing is said', () => {
    const pipeline = () => new Observable<number>().pipe(cleanedUpBy(() => NEVER));
    const { log } = timeline(NEVER.pipe(gracefulShutdown(pipeline, { on: stop, scheduler })), scheduler);
    stop.next('now');
    scheduler.flush();
    expect(log).toEqual([[12_000, [expect.any(ShutdownError)]]]);
  });

  it('is without a bound if it is infinite', () => {
    const { log } = timeline(
      concat(of(1e6), NEVER).pipe(gracefulShutdown(works(1), options({ drainTimeout: Infinity }))),
      scheduler,
    );
    stop.next('now');
    scheduler.flush();
    expect(log.map(([frame]) => frame)).toEqual([1e6, 1e6]);
  });

  it('is without a bound if it is infinite, with timers of the platform too', async () => {
    vi.useFakeTimers();
    try {
      const { promise, resolve } = deferred<string>();
      const pipeline = (work$: Observable<number>) => work$.pipe(bufferedMergeMap(() => promise));
      const { log } = record(
        concat(of(1), NEVER).pipe(gracefulShutdown(pipeline, { on: stop, drainTimeout: Infinity })),
      );
      stop.next('now');
      await vi.advanceTimersByTimeAsync(1e6);
      expect(log).toEqual([]);
      resolve('done');
      await settle();
      expect(log).toEqual(['done', 'complete']);
    } finally {
      vi.useRealTimers();
    }
  });

  it('counts while the consumer below is full', () => {
    const gate = new ManualGate(true);
    const { log } = timeline(
      concat(of(5, 6), NEVER).pipe(gracefulShutdown(works(2), options({ onTimeout: 'complete' })), gatedBy(gate)),
      scheduler,
    );
    gate.ready = false;
    stop.next('now');
    scheduler.flush();
    expect(log).toEqual([[100, 'complete']]);
    expect(reports).toMatchObject([{ drained: 0, aborted: 0, dropped: 2 }]); // both have ended, and their results wait
    expect(gate.waiters.size).toBe(0);
  });

  it('is enough if the consumer below opens meanwhile', () => {
    const gate = new ManualGate(false);
    const { log } = timeline(
      concat(of(5, 6), NEVER).pipe(gracefulShutdown(works(2), options()), gatedBy(gate)),
      scheduler,
    );
    stop.next('now');
    at(40, () => {
      gate.ready = true;
    });
    scheduler.flush();
    expect(log).toEqual([
      [40, 5],
      [40, 6],
      [40, 'complete'],
    ]);
    expect(reports).toMatchObject([{ drained: 2, outcome: 'drained' }]);
  });

  it('0 lets out what comes at once', () => {
    const { log } = timeline(
      concat(of(5), NEVER).pipe(
        gracefulShutdown(
          (work$) => concat(works(1)(work$), of(7)),
          options({ drainTimeout: 0, onTimeout: 'complete' }),
        ),
      ),
      scheduler,
    );
    stop.next('now');
    scheduler.flush();
    expect(log).toEqual([[0, 'complete']]);
    const empty = record(NEVER.pipe(gracefulShutdown((work$) => concat(work$, of(7)), options({ drainTimeout: 0 }))));
    stop.next('now');
    expect(empty.log).toEqual([7, 'complete']);
  });

  it('over in the same moment, what was due before the stop still comes', () => {
    const pipeline = (work$: Observable<number>) => work$.pipe(delay(100, scheduler));
    const { log } = timeline(concat(of(1, 2), NEVER).pipe(gracefulShutdown(pipeline, options())), scheduler);
    stop.next('now');
    scheduler.flush();
    expect(log).toEqual([
      [100, 1],
      [100, 2],
      [100, 'complete'],
    ]);
    expect(reports).toMatchObject([{ outcome: 'drained', drained: 2 }]);
  });
});

describe('what is lost', () => {
  it('is counted once: of work that has ended the result that waits, of work that runs the work', () => {
    const gate = new ManualGate(false);
    record(
      concat(of(5, 500, 7, 8), NEVER).pipe(
        gracefulShutdown(works(2), options({ onTimeout: 'complete' })),
        gatedBy(gate),
      ),
    );
    stop.next('now');
    scheduler.flush();
    expect(reports).toMatchObject([{ aborted: 1, dropped: 3 }]);
  });

  it('is counted of promises, whether work can read its signal or not', async () => {
    for (const project of [
      (ms: number) => (ms === 1 ? Promise.resolve(ms) : new Promise<number>(() => undefined)),
      (ms: number, _: number, { signal }: { signal: AbortSignal }) =>
        ms === 1 && !signal.aborted ? Promise.resolve(ms) : new Promise<number>(() => undefined),
    ]) {
      const { log } = record(
        concat(of(1, 2, 3, 4, 5), NEVER).pipe(
          gracefulShutdown(
            (work$) => work$.pipe(bufferedMergeMap(project as (ms: number) => Promise<number>, { concurrent: 2 })),
            options({ onTimeout: 'complete' }),
          ),
        ),
      );
      await settle();
      stop.next('now');
      scheduler.flush();
      expect(log).toEqual([1, 'complete']);
      const cleanup = project.length === 1 ? 'done' : 'timed-out'; // who reads its signal is waited for
      expect(reports.splice(0)).toMatchObject([{ aborted: 2, dropped: 2, drained: 0, cleanup }]);
    }
  });

  it('is counted once of promises that have a slot of their own, too', async () => {
    record(
      concat(of(1, 2, 3, 4), NEVER).pipe(
        gracefulShutdown(
          (work$) =>
            work$.pipe(
              bufferedMergeMap(
                (ms, _, { signal }) =>
                  ms < 3 && !signal.aborted ? Promise.resolve(ms) : new Promise<number>(() => undefined),
                { concurrent: 4, ordered: true },
              ),
            ),
          options({ onTimeout: 'complete' }),
        ),
      ),
    );
    await settle();
    stop.next('now');
    scheduler.flush();
    expect(reports).toMatchObject([{ aborted: 2, dropped: 0 }]);
  });

  it('is not the work whose error it was', () => {
    const failing = (ms: number) => (ms === 3 ? throwError(() => new Error('3')) : work(ms));
    for (const project of [
      (ms: number) => work(ms === 3 ? 20 : 50).pipe(mergeMap(() => failing(ms))),
      (ms: number) => {
        if (ms === 3) throw new Error('3');
        return work(50);
      },
    ]) {
      record(
        concat(of(1, 2, 3, 4), NEVER).pipe(
          gracefulShutdown((work$) => work$.pipe(bufferedMergeMap(project, { concurrent: 2 })), options()),
        ),
      );
      stop.next('now');
      scheduler.flush();
      const [report] = reports.splice(0);
      expect(report).toMatchObject({ outcome: 'failed' });
      expect((report?.drained ?? 0) + (report?.aborted ?? 0) + (report?.dropped ?? 0)).toBe(3);
    }
  });

  it('is counted of rejected promises the same', async () => {
    record(
      concat(of(1, 2, 3, 4), NEVER).pipe(
        gracefulShutdown(
          (work$) =>
            work$.pipe(
              bufferedMergeMap(
                (n: number) => (n === 2 ? Promise.reject(new Error('2')) : new Promise<never>(() => {})),
                {
                  concurrent: 2,
                },
              ),
            ),
          options(),
        ),
      ),
    );
    stop.next('now');
    await settle();
    expect(reports).toMatchObject([{ outcome: 'failed', aborted: 1, dropped: 2 }]);
  });

  it('is counted by batchWithin, zipPull, and a source that is pulled', async () => {
    const gate = new ManualGate(false);
    record(
      concat(of(1, 2, 3), NEVER).pipe(
        gracefulShutdown(
          (work$) => work$.pipe(batchWithin({ size: 2 })),
          options({ drainTimeout: 10, onTimeout: 'complete' }),
        ),
        gatedBy(gate),
      ),
    );
    stop.next('now');
    scheduler.flush();
    expect(reports.splice(0)).toMatchObject([{ dropped: 3, aborted: 0 }]);

    record(
      concat(of(1, 2, 3), NEVER).pipe(
        gracefulShutdown((work$) => zipPull([work$, NEVER]), options({ onTimeout: 'complete' })),
      ),
    );
    stop.next('now');
    scheduler.flush();
    expect(reports.splice(0)).toMatchObject([{ dropped: 3 }]);

    const answer = deferred();
    gate.ready = true;
    record(
      fromPull(async function* () {
        await answer.promise;
        yield 1;
      }).pipe(
        gracefulShutdown((work$) => work$, options({ cleanupTimeout: 0 })),
        gatedBy(gate),
      ),
    );
    gate.ready = false;
    answer.resolve();
    await settle();
    stop.next('now');
    await settle();
    scheduler.flush();
    expect(reports).toMatchObject([{ dropped: 1 }]);
  });

  it('above the operator is counted as well, since the stop has cut it off', () => {
    record(
      concat(of(10, 20, 30), NEVER).pipe(
        bufferedMergeMap(work, { concurrent: 2 }),
        gracefulShutdown((work$) => work$, options()),
      ),
    );
    stop.next('now');
    expect(reports).toMatchObject([{ outcome: 'drained', aborted: 2, dropped: 1 }]);
  });

  it('above the operator is counted where the source is cut from the chain, too', () => {
    record(
      concat(of(10, 20, 30), NEVER).pipe(
        bufferedMergeMap(work, { concurrent: 2 }),
        gracefulShutdown((work$) => work$.pipe(share()), options()),
      ),
    );
    stop.next('now');
    expect(reports).toMatchObject([{ outcome: 'drained', aborted: 2, dropped: 1 }]);
  });

  it('in a part of the pipeline that was torn down before the stop is not counted', () => {
    const source = new Subject<number>();
    const again = new Subject<void>();
    const pipeline = (work$: Observable<number>) => again.pipe(switchMap(() => work$.pipe(works(1))));
    record(source.pipe(gracefulShutdown(pipeline, options())));
    again.next();
    for (const ms of [10, 20]) source.next(ms);
    again.next();
    source.next(30);
    stop.next('now');
    again.complete();
    scheduler.flush();
    expect(reports).toMatchObject([{ outcome: 'drained', drained: 1, aborted: 0, dropped: 0 }]);
  });

  it('is not counted before the stop', () => {
    const source = new Subject<number>();
    const inner = new Subject<void>();
    const { subscription } = record(
      source.pipe(
        gracefulShutdown(
          (work$) =>
            inner.pipe(
              mergeMap(() =>
                work$.pipe(
                  bufferedMergeMap(() => NEVER, { concurrent: 1 }),
                  take(1),
                ),
              ),
            ),
          options(),
        ),
      ),
    );
    subscription.unsubscribe();
    const other = record(
      source.pipe(
        gracefulShutdown(
          (work$) =>
            work$.pipe(
              bufferedMergeMap(() => throwError(() => new Error())),
              retry(),
            ),
          options(),
        ),
      ),
    );
    source.next(1);
    stop.next('now');
    expect(reports).toMatchObject([{ aborted: 0, dropped: 0 }]);
    expect(other.log).toEqual(['complete']);
  });

  it('is told to a shutdown around it too', () => {
    const outer: ShutdownReport[] = [];
    record(
      concat(of(100, 200, 300), NEVER).pipe(
        gracefulShutdown(
          (work$) => work$.pipe(gracefulShutdown(works(2), { on: NEVER })),
          options({ drainTimeout: 10, onTimeout: 'complete', onReport: (report) => outer.push(report) }),
        ),
      ),
    );
    stop.next('now');
    scheduler.flush();
    expect(outer).toMatchObject([{ aborted: 2, dropped: 1 }]);
  });
});

describe('clean-up', () => {
  it('of the source is waited for after the drain', () => {
    const { log } = timeline(
      NEVER.pipe(
        cleaning(30),
        gracefulShutdown((work$) => work$, options()),
      ),
      scheduler,
    );
    stop.next('now');
    scheduler.flush();
    expect(log).toEqual([[30, 'complete']]);
    expect(reports).toMatchObject([{ cleanup: 'done', ms: 30 }]);
  });

  it('of the source is not waited for by the drain', () => {
    const { log } = timeline(
      concat(of(20), NEVER).pipe(cleaning(30), gracefulShutdown(works(1), options())),
      scheduler,
    );
    stop.next('now');
    scheduler.flush();
    expect(log).toEqual([
      [20, 20],
      [30, 'complete'],
    ]);
  });

  it('of a source that is cut from the chain is waited for, too', () => {
    const { log } = timeline(
      NEVER.pipe(
        cleaning(30),
        gracefulShutdown((work$) => work$.pipe(share()), options()),
      ),
      scheduler,
    );
    stop.next('now');
    scheduler.flush();
    expect(log).toEqual([[30, 'complete']]);
  });

  it('of works that were cut off is waited for', () => {
    const pipeline = (work$: Observable<number>) =>
      work$.pipe(bufferedMergeMap((ms) => work(ms).pipe(cleaning(ms / 10)), { concurrent: 2 }));
    const { log } = timeline(
      concat(of(200, 300), NEVER).pipe(gracefulShutdown(pipeline, options({ onTimeout: 'complete' }))),
      scheduler,
    );
    stop.next('now');
    scheduler.flush();
    expect(log).toEqual([[130, 'complete']]);
    nothingLeft();
  });

  it('that hangs is waited for cleanupTimeout at the most, and is in the error', () => {
    const { log } = timeline(
      NEVER.pipe(
        cleanedUpBy(() => NEVER),
        gracefulShutdown((work$) => work$, options()),
      ),
      scheduler,
    );
    stop.next('now');
    scheduler.flush();
    expect(log).toEqual([[50, [expect.any(ShutdownError)]]]);
    expect(reports).toMatchObject([{ outcome: 'drained', cleanup: 'timed-out', timedOut: false, ms: 50 }]);
    expect((log[0]?.[1] as Error[])[0]?.message).toBe(
      "gracefulShutdown: its clean-up was not over after cleanupTimeout. To complete all the same: onTimeout: 'complete'.",
    );
  });

  it('that fails during the drain is in the report and the error', () => {
    const failure = new Error('clean-up');
    const { log } = timeline(
      concat(of(20), NEVER).pipe(
        cleanedUpBy(() => timer(5, scheduler).pipe(mergeMap(() => throwError(() => failure)))),
        gracefulShutdown(works(1), options()),
      ),
      scheduler,
    );
    stop.next('now');
    scheduler.flush();
    expect(log).toEqual([
      [20, 20],
      [20, [expect.any(ShutdownError)]],
    ]);
    expect((log[1]?.[1] as Error[])[0]?.cause).toBe(failure);
    expect(reports).toMatchObject([{ outcome: 'drained', cleanup: 'failed', cleanupError: failure }]);
  });

  it('that fails after the cut is in the report', () => {
    const failure = new Error('clean-up');
    record(
      concat(of(500), NEVER).pipe(
        gracefulShutdown(
          (work$) => work$.pipe(bufferedMergeMap((ms) => work(ms).pipe(cleanedUpBy(() => throwError(() => failure))))),
          options({ onTimeout: 'complete' }),
        ),
      ),
    );
    stop.next('now');
    scheduler.flush();
    expect(reports).toMatchObject([{ cleanup: 'failed', cleanupError: failure, aborted: 1 }]);
  });

  it('that fails is reported as unhandled where neither a report nor an error tells of it', async () => {
    const failure = new Error('clean-up');
    const pipeline = (work$: Observable<number>) => work$;
    const source = NEVER.pipe(cleanedUpBy(() => throwError(() => failure)));
    const { log } = record(source.pipe(gracefulShutdown(pipeline, { on: stop, scheduler, onTimeout: 'complete' })));
    stop.next('now');
    expect(log).toEqual(['complete']);
    expect(await reported(unhandled)).toBe(failure);

    record(NEVER.pipe(gracefulShutdown(pipeline, { on: stop, scheduler, onTimeout: 'complete' })));
    stop.next('nothing to clean up');
    await turn();
    expect(unhandled).toEqual([]);

    const told = record(source.pipe(gracefulShutdown(pipeline, { on: stop, scheduler })));
    stop.next('now');
    expect(told.log).toEqual([['error', expect.any(ShutdownError)]]);
    await turn();
    expect(unhandled).toEqual([]);
  });

  it('is handed to the consumer below that waits for such, which has not to answer for what is reported here', async () => {
    const settled: unknown[] = [];
    const below = new Cleanups(undefined, (error) => settled.push(error));
    const given: PromiseLike<unknown>[] = [];
    const cleanupScope = {
      track: (cleanup: PromiseLike<unknown>) => {
        given.push(cleanup);
        below.track(cleanup);
      },
    };
    const source = NEVER.pipe(cleanedUpBy(() => throwError(() => new Error('clean-up'))));
    source
      .pipe(gracefulShutdown((work$) => work$, options({ onTimeout: 'complete' })))
      .subscribe(operate({ cleanupScope, complete: () => undefined }));
    stop.next('now');
    await settle();
    expect(given.length).toBe(1);
    expect(settled).toEqual([]);
  });

  it('where the teardown of the source throws, the pipeline is drained all the same', () => {
    const failure = new Error('teardown');
    const source = concat(of(20), NEVER).pipe(
      finalize(() => {
        throw failure;
      }),
    );
    const { log } = timeline(source.pipe(gracefulShutdown(works(1), options({ onTimeout: 'complete' }))), scheduler);
    stop.next('now');
    scheduler.flush();
    expect(log).toEqual([
      [20, 20],
      [20, 'complete'],
    ]);
    expect(reports).toMatchObject([{ cleanup: 'failed', cleanupError: { errors: [failure] } }]);
  });

  it('where the teardown of a pipeline that the stop completes throws, that is in the report, and its other inputs complete', () => {
    const failure = new Error('teardown');
    const throws = finalize(() => {
      throw failure;
    });
    let completed = 0;
    const inputs = [throws, tap({ complete: () => completed++ })];
    const twice = (work$: Observable<number>) =>
      new Observable<number>((subscriber) => {
        for (const input of inputs) subscriber.add(work$.pipe(input).subscribe());
      });
    const runs = [
      timeline(NEVER.pipe(gracefulShutdown((work$: Observable<number>) => work$.pipe(throws), options())), scheduler),
      timeline(NEVER.pipe(gracefulShutdown(twice, options({ onTimeout: 'complete' }))), scheduler),
    ];
    stop.next('now');
    scheduler.flush();
    expect(completed).toBe(1);
    expect(runs.map(({ log }) => log)).toMatchObject([[[0, [expect.any(ShutdownError)]]], [[100, 'complete']]]);
    const failed = { cleanup: 'failed', cleanupError: { errors: [failure] } };
    expect(reports).toMatchObject([
      { outcome: 'drained', ...failed },
      { outcome: 'cut-off', ...failed },
    ]);
  });

  it('where the teardown of a pipeline that is cut off throws, that is in the report', () => {
    const failure = new Error('teardown');
    const pipeline = () =>
      new Observable<number>(() => () => {
        throw failure;
      });
    const { log } = timeline(NEVER.pipe(gracefulShutdown(pipeline, options({ onTimeout: 'complete' }))), scheduler);
    stop.next('now');
    scheduler.flush();
    expect(log).toEqual([[100, 'complete']]);
    expect(reports).toMatchObject([{ cleanup: 'failed', cleanupError: { errors: [failure] } }]);
  });
});

describe('an error while it drains', () => {
  it('waits for the clean-up, is in the report, and then is the error', () => {
    const error = new Error('work');
    const pipeline = (work$: Observable<number>) =>
      work$.pipe(
        mergeMap((ms) =>
          ms === 5 ? work(5).pipe(mergeMap(() => throwError(() => error))) : work(ms).pipe(cleaning(20)),
        ),
      );
    const { log } = timeline(concat(of(5, 50), NEVER).pipe(gracefulShutdown(pipeline, options())), scheduler);
    stop.next('now');
    scheduler.flush();
    expect(log).toEqual([[25, [error]]]);
    expect(reports).toMatchObject([{ outcome: 'failed', error, cleanup: 'done', timedOut: false, ms: 25 }]);
    nothingLeft();
  });

  it('is the error, and a clean-up that has failed is reported where there is no report', async () => {
    const error = new Error('work');
    const failure = new Error('clean-up');
    const { log } = record(
      NEVER.pipe(
        cleanedUpBy(() => throwError(() => failure)),
        gracefulShutdown(
          (work$) =>
            concat(
              work$,
              throwError(() => error),
            ),
          { on: stop, scheduler },
        ),
      ),
    );
    stop.next('now');
    expect(log).toEqual([['error', error]]);
    expect(await reported(unhandled)).toBe(failure);
  });

  it('is the error also with onTimeout: complete', () => {
    const error = new Error('work');
    const { log } = record(
      NEVER.pipe(
        gracefulShutdown(
          (work$) =>
            concat(
              work$,
              throwError(() => error),
            ),
          options({ onTimeout: 'complete' }),
        ),
      ),
    );
    stop.next('now');
    expect(log).toEqual([['error', error]]);
  });
});

describe('who stops it', () => {
  it('a signal, with its reason', () => {
    const controller = new CountedSignal();
    const { log } = record(NEVER.pipe(gracefulShutdown((work$) => work$, options({ on: controller.signal }))));
    expect(controller.listeners).toBe(1);
    controller.abort('because');
    expect(log).toEqual(['complete']);
    expect(reports).toMatchObject([{ reason: 'because' }]);
    expect(controller.listeners).toBe(0);
  });

  it('a signal that was aborted before', () => {
    let subscribed = false;
    const source = new Observable<number>(() => {
      subscribed = true;
    });
    const { log } = record(
      source.pipe(gracefulShutdown((work$) => work$, options({ on: AbortSignal.abort('early') }))),
    );
    expect(log).toEqual(['complete']);
    expect(reports).toMatchObject([{ reason: 'early' }]);
    expect(subscribed).toBe(false);
  });

  it('a signal that many share has one listener, and none after 100 000 uses', () => {
    const controller = new CountedSignal();
    const operator = gracefulShutdown<number, number>((work$) => work$, options({ on: controller.signal }));
    for (let i = 0; i < 100_000; i++) {
      const subscription = (i % 2 ? EMPTY : NEVER).pipe(operator).subscribe();
      expect(controller.listeners).toBeLessThan(2);
      subscription.unsubscribe();
    }
    expect(controller.listeners).toBe(0);
    expect(scheduler.actions.length).toBe(0);
  });

  it('a promise', async () => {
    const { log } = record(NEVER.pipe(gracefulShutdown((work$) => work$, options({ on: Promise.resolve('kept') }))));
    await settle();
    expect(log).toEqual(['complete']);
    expect(reports).toMatchObject([{ reason: 'kept' }]);
  });

  it('a notifier that can wait is not held up by a consumer that is full', () => {
    const gate = new ManualGate(false);
    const { log } = record(
      NEVER.pipe(
        gracefulShutdown((work$) => work$, options({ on: fromPull(['now']) })),
        gatedBy(gate),
      ),
    );
    expect(log).toEqual(['complete']);
  });

  it('not a notifier that completes without a value', () => {
    const source = new Subject<number>();
    const { log, subscription } = record(source.pipe(gracefulShutdown((work$) => work$, options({ on: EMPTY }))));
    source.next(1);
    expect(log).toEqual([1]);
    subscription.unsubscribe();
  });

  it('a notifier that errors is the error, and tears everything down', () => {
    const error = new Error('notifier');
    const source = new Subject<number>();
    const { log } = record(source.pipe(gracefulShutdown((work$) => work$, options())));
    stop.error(error);
    expect(log).toEqual([['error', error]]);
    expect(source.observed).toBe(false);

    const pipeline = vi.fn((work$: Observable<number>) => work$);
    const early = record(source.pipe(gracefulShutdown(pipeline, options({ on: throwError(() => error) }))));
    expect(early.log).toEqual([['error', error]]);
    expect(pipeline).not.toHaveBeenCalled();
    expect(reports).toEqual([]);
    nothingLeft();
  });

  it('a notifier whose teardown throws stops all the same, and that is a clean-up that has failed', () => {
    const failure = new Error('teardown');
    const source = new Subject<number>();
    const on = new Observable<string>((subscriber) => {
      stop.subscribe(subscriber);
      return () => {
        throw failure;
      };
    });
    const { log } = record(source.pipe(gracefulShutdown((work$) => work$, options({ on, onTimeout: 'complete' }))));
    stop.next('now');
    expect(log).toEqual(['complete']);
    expect(source.observed).toBe(false);
    expect(reports).toMatchObject([{ cleanup: 'failed', cleanupError: { errors: [failure] } }]);
  });

  it('a notifier is not asked where the consumer has gone before', () => {
    let asked = false;
    const on = new Observable<string>(() => {
      asked = true;
    });
    const result = NEVER.pipe(gracefulShutdown((work$) => work$, options({ on })));
    new Observable<number>((destination) => {
      destination.complete();
      result.subscribe(destination);
    }).subscribe();
    expect(asked).toBe(false);
  });

  it('a notifier whose clean-up takes time is waited for', () => {
    const on = concat(of('now'), NEVER).pipe(cleanedUpBy(() => timer(20, scheduler)));
    const { log } = timeline(NEVER.pipe(gracefulShutdown((work$) => work$, options({ on }))), scheduler);
    scheduler.flush();
    expect(log).toEqual([[20, 'complete']]);
  });
});

describe('unsubscribed', () => {
  it('while it drains, nothing more comes, no report is given, and no timer is left', () => {
    const source = concat(of(20), NEVER);
    const { log, subscription } = timeline(source.pipe(gracefulShutdown(works(1), options())), scheduler);
    stop.next('now');
    subscription.unsubscribe();
    nothingLeft();
    expect(log).toEqual([]);
    expect(reports).toEqual([]);
  });

  it('while it waits for clean-up, the same, and what fails then is reported', async () => {
    const failure = new Error('clean-up');
    const cleanup = deferred();
    const { log, subscription } = record(
      NEVER.pipe(
        cleanedUpBy(() => cleanup.promise),
        gracefulShutdown((work$) => work$, options()),
      ),
    );
    stop.next('now');
    expect(log).toEqual([]);
    subscription.unsubscribe();
    nothingLeft();
    cleanup.reject(failure);
    expect(await reported(unhandled)).toBe(failure);
    expect(reports).toEqual([]);
  });

  it('what has failed before that is reported too', async () => {
    const failure = new Error('clean-up');
    const { subscription } = record(
      concat(of(20), NEVER).pipe(
        cleanedUpBy(() => throwError(() => failure)),
        gracefulShutdown(works(1), options()),
      ),
    );
    stop.next('now');
    subscription.unsubscribe();
    expect(await reported(unhandled)).toBe(failure);
  });

  it('all that has failed before is reported, each by itself', async () => {
    const failures = [new Error('outer'), new Error('inner')] as const;
    const { subscription } = record(
      concat(of(20), NEVER).pipe(
        cleanedUpBy(() => throwError(() => failures[1])),
        cleanedUpBy(() => throwError(() => failures[0])),
        gracefulShutdown(works(1), options()),
      ),
    );
    stop.next('now');
    subscription.unsubscribe();
    expect([await reported(unhandled), await reported(unhandled)]).toEqual(failures);
  });

  it('inside of onReport, nothing comes after it', () => {
    const log: unknown[] = [];
    const subscription = NEVER.pipe(
      gracefulShutdown(
        (work$) => work$,
        options({
          onReport: () => {
            subscription.unsubscribe();
          },
        }),
      ),
    ).subscribe({ complete: () => log.push('complete') });
    stop.next('now');
    expect(log).toEqual([]);
  });

  it('by a consumer that has had enough during the drain', () => {
    const { log } = timeline(
      concat(of(10, 20, 30), NEVER).pipe(gracefulShutdown(works(3), options()), take(1)),
      scheduler,
    );
    stop.next('now');
    scheduler.flush();
    expect(log).toEqual([
      [10, 10],
      [10, 'complete'],
    ]);
    expect(scheduler.frame).toBe(10);
  });
});

it('an onReport that throws is reported, and it ends all the same', async () => {
  const thrown = new Error('onReport');
  const { log } = record(
    NEVER.pipe(
      gracefulShutdown(
        (work$) => work$,
        options({
          onReport: () => {
            throw thrown;
          },
        }),
      ),
    ),
  );
  stop.next('now');
  expect(log).toEqual(['complete']);
  expect(await reported(unhandled)).toBe(thrown);
});

it('the source sees the gate of what the pipeline begins with, and through it the consumer below', () => {
  const pulled: number[] = [];
  function* numbers() {
    for (let i = 0; i < 100; i++) {
      pulled.push(i);
      yield i;
    }
  }
  const { subscription } = record(
    fromPull(numbers()).pipe(
      gracefulShutdown(
        (work$) => work$.pipe(bufferedMergeMap(() => NEVER, { concurrent: 2, highWaterMark: 3 })),
        options(),
      ),
    ),
  );
  expect(pulled.length).toBe(5);
  subscription.unsubscribe();

  pulled.length = 0;
  const gate = new ManualGate(false);
  const below = record(
    fromPull(numbers()).pipe(
      gracefulShutdown((work$) => work$.pipe(map((n) => n)), options()),
      gatedBy(gate),
    ),
  );
  expect(pulled.length).toBe(0);
  stop.next('now');
  expect(below.log).toEqual(['complete']);
  expect(gate.waiters.size).toBe(0);
});

it('takes a million values', () => {
  let count = 0;
  const source = new Observable<number>((subscriber) => {
    for (let i = 0; i < 1_000_000; i++) subscriber.next(i);
  });
  source
    .pipe(gracefulShutdown((work$) => work$.pipe(bufferedMergeMap((n) => of(n), { bufferSize: Infinity })), options()))
    .subscribe(() => count++);
  stop.next('now');
  expect(count).toBe(1_000_000);
  expect(reports).toMatchObject([{ drained: 0 }]);
});

it('is exact with timers of the platform', async () => {
  vi.useFakeTimers();
  try {
    const { log } = record(
      concat(of(1), NEVER).pipe(
        gracefulShutdown((work$) => work$.pipe(bufferedMergeMap(() => new Promise<never>(() => undefined))), {
          on: stop,
          drainTimeout: 1000,
        }),
      ),
    );
    stop.next('now');
    await vi.advanceTimersByTimeAsync(999);
    expect(log).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    // The work cannot have read its signal, and so is not waited for.
    expect(log).toEqual([['error', expect.any(ShutdownError)]]);
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

describe('wrong arguments', () => {
  const call = (pipeline: unknown, given: unknown) => () =>
    gracefulShutdown(pipeline as () => Observable<number>, given as GracefulShutdownOptions);
  const same = (work$: unknown) => work$;

  it.each<[string, unknown, unknown, RegExp]>([
    ['no pipeline', undefined, { on: NEVER }, /^pipeline must be a function, got undefined$/],
    ['no options', same, undefined, /^options must be an object, got undefined$/],
    [
      'no on',
      same,
      {},
      /^on must be a Shutdown, an AbortSignal or an ObservableInput that is no string, got undefined$/,
    ],
    ['a string, which would stop at its first letter', same, { on: 'SIGTERM' }, /got 'SIGTERM'$/],
    ['on that is none', same, { on: {} }, /got an object$/],
    ['on that has events, but no abort', same, { on: new EventTarget() }, /^on must be .*, got /],
    ['on that was aborted, but has no events', same, { on: { aborted: true } }, /^on must be .*, got /],
    ['drainTimeout', same, { on: NEVER, drainTimeout: -1 }, /^drainTimeout must be .*, got -1$/],
    ['cleanupTimeout', same, { on: NEVER, cleanupTimeout: NaN }, /^cleanupTimeout must be .*, got NaN$/],
    [
      'onTimeout',
      same,
      { on: NEVER, onTimeout: 'never' },
      /^onTimeout must be one of 'error', 'complete', got 'never'$/,
    ],
    ['onReport', same, { on: NEVER, onReport: 1 }, /^onReport must be a function, got 1$/],
    ['scheduler', same, { on: NEVER, scheduler: {} }, /^scheduler must /],
    ['name', same, { on: NEVER, name: 7 }, /^name must be a string, got 7$/],
  ])('%s', (_, pipeline, given, message) => {
    expect(call(pipeline, given)).toThrow(message);
  });

  it('an iterable is asked only when it is subscribed', () => {
    let asked = false;
    const on: ObservableInput<number> = {
      *[Symbol.iterator]() {
        asked = true;
        yield 1;
      },
    };
    gracefulShutdown((work$) => work$, { on });
    expect(asked).toBe(false);
  });
});
