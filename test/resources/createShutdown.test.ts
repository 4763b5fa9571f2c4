import {
  concat,
  EMPTY,
  finalize,
  map,
  NEVER,
  Observable,
  of,
  Subject,
  takeUntil,
  throwError,
  timer,
  VirtualTimeScheduler,
  type Subscription,
} from 'rxjs';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ShutdownEndedError } from '../../src/errors/ShutdownEndedError.js';
import { ShutdownError, type ShutdownReport } from '../../src/errors/ShutdownError.js';
import { Completion } from '../../src/internal/Completion.js';
import type { Shutdown, ShutdownSummary } from '../../src/internal/shutdown/Shutdown.js';
import { bufferedMergeMap, gatedBy } from '../../src/index.js';
import { findCleanupScope } from '../../src/link/walk.js';
import { gracefulShutdown, type GracefulShutdownOptions } from '../../src/operators/gracefulShutdown.js';
import { createShutdown, type CreateShutdownOptions } from '../../src/resources/createShutdown.js';
import { cleanedUpBy } from '../support/cleanedUpBy.js';
import { ManualGate } from '../support/ManualGate.js';
import { record } from '../support/record.js';
import { deferred, settle, turn } from '../support/settle.js';
import { timeline } from '../support/timeline.js';
import { collectUnhandled, reported } from '../support/unhandled.js';

const unhandled = collectUnhandled();

let scheduler: VirtualTimeScheduler;
let summaries: ShutdownSummary[];
let log: [frame: number, what: unknown][];

beforeEach(() => {
  scheduler = new VirtualTimeScheduler();
  summaries = [];
  log = [];
});

const note = (what: unknown) => log.push([scheduler.frame, what]);
const at = (frame: number, act: () => void) => scheduler.schedule(act, frame);
const create = (more: CreateShutdownOptions = {}): Shutdown =>
  createShutdown({
    drainTimeout: 100,
    cleanupTimeout: 50,
    scheduler,
    onReport: (summary) => {
      summaries.push(summary);
      note('done');
    },
    ...more,
  });
/** Takes so long, and notes its begin. */
const takes = (name: string, ms: number) => () => {
  note(name);
  return timer(ms, scheduler);
};
const hangs = (name: string) => () => {
  note(name);
  return NEVER;
};
const nothingLeft = () => {
  const { frame } = scheduler;
  scheduler.flush();
  expect(scheduler.frame).toBe(frame);
};

describe('stop', () => {
  it('drains all side by side, then closes the last resource first, one after the other', () => {
    const shutdown = create();
    shutdown.add('database', takes('database', 4));
    shutdown.add('cache', takes('cache', 3));
    shutdown.drain('http', takes('http', 20));
    shutdown.drain('queue', takes('queue', 10));
    at(5, () => void shutdown.stop('SIGTERM'));
    scheduler.flush();
    expect(log).toEqual([
      [5, 'http'],
      [5, 'queue'],
      [25, 'cache'],
      [28, 'database'],
      [32, 'done'],
    ]);
    expect(summaries).toEqual([
      {
        reason: 'SIGTERM',
        clean: true,
        timedOut: false,
        aborted: 0,
        dropped: 0,
        pipelines: [],
        drains: [
          { name: 'queue', state: 'drained', ms: 10 },
          { name: 'http', state: 'drained', ms: 20 },
        ],
        resources: [
          { name: 'cache', state: 'closed', ms: 3 },
          { name: 'database', state: 'closed', ms: 4 },
        ],
        ms: 27,
      },
    ]);
    expect(shutdown.signal.aborted).toBe(false);
    nothingLeft();
  });

  it('gives the same promise whenever it is called, and keeps its first reason', async () => {
    const shutdown = create();
    const first = shutdown.stop('first');
    expect(shutdown.stop('second')).toBe(first);
    expect(shutdown.abort('third')).toBe(first);
    expect(shutdown.done).toBe(first);
    await expect(first).resolves.toMatchObject({ reason: 'first', clean: true, ms: 0 });
    expect(summaries.length).toBe(1);
    expect(shutdown.signal.aborted).toBe(false);
  });

  it('of nothing is over at once', async () => {
    const shutdown = create();
    void shutdown.stop();
    expect(log).toEqual([[0, 'done']]);
    await expect(shutdown.done).resolves.toEqual({
      reason: undefined,
      clean: true,
      timedOut: false,
      aborted: 0,
      dropped: 0,
      pipelines: [],
      drains: [],
      resources: [],
      ms: 0,
    });
    nothingLeft();
  });

  it('works from within everything that it calls', () => {
    const shutdown = create();
    const again = () => {
      void shutdown.stop('again');
    };
    shutdown.stopping$.subscribe(again);
    shutdown.drain('drain', again);
    shutdown.add('resource', again);
    void shutdown.stop('once');
    expect(summaries).toMatchObject([{ reason: 'once', clean: true }]);
  });

  it('waited for in close takes the time that there is, and no more', async () => {
    const shutdown = create();
    shutdown.add('below', takes('below', 1));
    shutdown.add('knot', () => shutdown.stop('again'));
    void shutdown.stop('once');
    scheduler.flush();
    expect(scheduler.frame).toBe(150);
    expect(log).toEqual([
      [75, 'below'],
      [150, 'done'],
    ]);
    await expect(shutdown.done).resolves.toMatchObject({
      clean: false,
      resources: [{ name: 'knot', state: 'timed-out', ms: 150 }, { state: 'closed' }],
    });
  });

  it('needs no this', () => {
    const { stop, add, stopping$ } = create();
    add('resource', takes('resource', 0));
    record(stopping$);
    void stop();
    scheduler.flush();
    expect(log.map(([, what]) => what)).toEqual(['resource', 'done']);
  });
});

describe('stopping$', () => {
  it('emits the reason once and completes, before and after', () => {
    const shutdown = create();
    const early = record(shutdown.stopping$);
    expect(early.log).toEqual([]);
    void shutdown.stop('SIGINT');
    expect(early.log).toEqual(['SIGINT', 'complete']);
    expect(record(shutdown.stopping$).log).toEqual(['SIGINT', 'complete']);
  });

  it('a subscriber whose teardown throws keeps nobody from hearing of the stop', async () => {
    const failure = new Error('teardown');
    const shutdown = create();
    shutdown.stopping$
      .pipe(
        finalize(() => {
          throw failure;
        }),
      )
      .subscribe();
    const { log: heard } = record(shutdown.stopping$);
    shutdown.drain('http', takes('http', 10));
    void shutdown.stop('now');
    scheduler.flush();
    expect(heard).toEqual(['now', 'complete']);
    expect(log).toEqual([
      [0, 'http'],
      [10, 'done'],
    ]);
    expect(await reported(unhandled)).toMatchObject({ errors: [failure] });
  });

  it('comes before those that drain, who may register meanwhile', () => {
    const shutdown = create();
    shutdown.stopping$.subscribe(() => {
      note('stopping');
      shutdown.drain('late', takes('late', 1));
    });
    shutdown.drain('http', takes('http', 2));
    void shutdown.stop();
    scheduler.flush();
    expect(log.map(([, what]) => what)).toEqual(['stopping', 'late', 'http', 'done']);
    expect(summaries).toMatchObject([{ drains: [{ name: 'late' }, { name: 'http' }] }]);
  });

  it('when it ends the last pipeline, those that hear of it later still take part', () => {
    const shutdown = create();
    record(
      NEVER.pipe(
        gracefulShutdown((work$) => work$, { on: shutdown }),
        takeUntil(shutdown.stopping$),
      ),
    );
    shutdown.stopping$.subscribe(() => {
      shutdown.drain('late', takes('late', 1));
    });
    void shutdown.stop();
    scheduler.flush();
    expect(summaries).toMatchObject([{ drains: [{ name: 'late', state: 'drained' }] }]);
  });
});

describe('drain', () => {
  it('is told the reason, and to stop working when drainTimeout is over', () => {
    const shutdown = create();
    shutdown.drain('http', ({ reason, signal }) => {
      note(reason);
      return new Observable((subscriber) => {
        signal.addEventListener('abort', () => {
          note('aborted');
          subscriber.add(timer(20, scheduler).subscribe(subscriber));
        });
      });
    });
    shutdown.add('database', takes('database', 1));
    void shutdown.stop('SIGTERM');
    scheduler.flush();
    expect(log).toEqual([
      [0, 'SIGTERM'],
      [100, 'aborted'],
      [120, 'database'],
      [121, 'done'],
    ]);
    expect(shutdown.signal.aborted).toBe(true);
    expect(summaries).toMatchObject([
      { clean: false, timedOut: true, drains: [{ name: 'http', state: 'aborted', ms: 120 }] },
    ]);
    nothingLeft();
  });

  it('that hangs is waited for half of cleanupTimeout more; the other half is for the resources', () => {
    const shutdown = create();
    shutdown.drain('http', hangs('http'));
    shutdown.add('database', takes('database', 1));
    shutdown.add('cache', takes('cache', 1));
    shutdown.add('files', () => {
      note('files');
    });
    void shutdown.stop();
    scheduler.flush();
    expect(log).toEqual([
      [0, 'http'],
      [125, 'files'],
      [125, 'cache'],
      [126, 'database'],
      [127, 'done'],
    ]);
    expect(summaries).toMatchObject([
      {
        drains: [{ name: 'http', state: 'timed-out', ms: 125 }],
        resources: [
          { name: 'files', state: 'closed' },
          { name: 'cache', state: 'closed', ms: 1 },
          { name: 'database', state: 'closed', ms: 1 },
        ],
      },
    ]);
  });

  it('that throws, rejects or errors does not keep the others', async () => {
    const [a, b, c] = [new Error('a'), new Error('b'), new Error('c')];
    const shutdown = create();
    shutdown.drain('throws', () => {
      throw a;
    });
    shutdown.drain('rejects', () => Promise.reject(b));
    shutdown.drain('errors', () => throwError(() => c));
    shutdown.drain('good', takes('good', 5));
    void shutdown.stop();
    await settle();
    scheduler.flush();
    await expect(shutdown.done).resolves.toMatchObject({
      clean: false,
      drains: [
        { name: 'throws', state: 'failed', error: a },
        { name: 'errors', state: 'failed', error: c },
        { name: 'rejects', state: 'failed', error: b },
        { name: 'good', state: 'drained' },
      ],
    });
  });

  it('that rejects because it was aborted has not failed', async () => {
    const shutdown = create();
    shutdown.drain(
      'fetch',
      ({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            reject(signal.reason as Error);
          });
        }),
    );
    void shutdown.abort();
    await expect(shutdown.done).resolves.toMatchObject({ drains: [{ name: 'fetch', state: 'aborted' }] });
    expect(Object.keys((await shutdown.done).drains[0] ?? {})).not.toContain('error');
  });

  it('that fails after it was given up is reported', async () => {
    const failure = new Error('late');
    const late = deferred();
    const shutdown = create();
    shutdown.drain('late', () => late.promise);
    void shutdown.stop();
    scheduler.flush();
    late.reject(failure);
    expect(await reported(unhandled)).toBe(failure);
    expect(summaries).toMatchObject([{ drains: [{ state: 'timed-out' }] }]);
  });

  it('leaves before the stop, and not after it', () => {
    const shutdown = create();
    const leave = shutdown.drain('gone', hangs('gone'));
    const stay = shutdown.drain('stays', takes('stays', 10));
    leave();
    leave();
    void shutdown.stop();
    stay();
    scheduler.flush();
    expect(log).toEqual([
      [0, 'stays'],
      [10, 'done'],
    ]);
  });

  it('leaves while another that drains begins, if it has not begun', () => {
    const shutdown = create();
    shutdown.drain('first', () => {
      leave();
    });
    const leave = shutdown.drain('gone', hangs('gone'));
    void shutdown.stop();
    expect(log).toEqual([[0, 'done']]);
    expect(summaries).toMatchObject([{ drains: [{ name: 'first', state: 'drained' }] }]);
  });

  it('registered while others drain begins at once', () => {
    const shutdown = create();
    shutdown.drain('first', takes('first', 10));
    void shutdown.stop('now');
    at(5, () => {
      shutdown.drain('second', ({ reason }) => {
        note(reason);
        return timer(20, scheduler);
      });
    });
    scheduler.flush();
    expect(log).toEqual([
      [0, 'first'],
      [5, 'now'],
      [25, 'done'],
    ]);
  });

  it('registered by another that drains begins once', () => {
    const shutdown = create();
    shutdown.drain('first', () => {
      shutdown.drain('second', takes('second', 1));
    });
    void shutdown.stop();
    scheduler.flush();
    expect(log.filter(([, what]) => what === 'second').length).toBe(1);
  });

  it('is refused when the others have drained', () => {
    const shutdown = create({ name: 'api' });
    shutdown.add('slow', takes('slow', 10));
    void shutdown.stop();
    expect(() => shutdown.drain('late', hangs('late'))).toThrow(
      new ShutdownEndedError("createShutdown 'api'", 'drain', 'late'),
    );
    expect(() => shutdown.drain('late', hangs('late'))).toThrow(/has drained already: 'late' can no longer take part/);
    scheduler.flush();
    expect(() => shutdown.drain('late', hangs('late'))).toThrow(ShutdownEndedError);
  });
});

describe('add', () => {
  it('one that hangs has an equal part of the time that is left, then the next is closed', () => {
    const shutdown = create({ drainTimeout: 90, cleanupTimeout: 30 });
    shutdown.add('a', takes('a', 1));
    shutdown.add('b', hangs('b'));
    shutdown.add('c', hangs('c'));
    shutdown.add('d', takes('d', 20));
    void shutdown.stop();
    scheduler.flush();
    expect(log).toEqual([
      [0, 'd'],
      [20, 'c'], // 100 are left for three
      [53, 'b'], // 67 for two
      [86, 'a'],
      [120, 'done'],
    ]);
    expect(summaries).toMatchObject([
      {
        timedOut: false,
        resources: [
          { name: 'd', state: 'closed', ms: 20 },
          { name: 'c', state: 'timed-out', ms: 100 },
          { name: 'b', state: 'timed-out', ms: 67 },
          { name: 'a', state: 'closed', ms: 1 },
        ],
      },
    ]);
    nothingLeft();
  });

  it('one that takes longer than its part may still close, and does not keep the end waiting', () => {
    const shutdown = create();
    shutdown.add('a', takes('a', 10));
    shutdown.add('b', takes('b', 80)); // its part is 75
    void shutdown.stop();
    scheduler.flush();
    expect(log).toEqual([
      [0, 'b'],
      [75, 'a'],
      [85, 'done'],
    ]);
    expect(summaries).toMatchObject([{ clean: true, resources: [{ ms: 80 }, { ms: 10 }] }]);
  });

  it('one that closes late does not prolong the part of another', () => {
    const shutdown = create();
    shutdown.add('a', takes('a', 1));
    shutdown.add('b', hangs('b'));
    shutdown.add('c', takes('c', 60)); // 50 is its part; then 100 are left for two
    void shutdown.stop();
    scheduler.flush();
    expect(log).toEqual([
      [0, 'c'],
      [50, 'b'],
      [100, 'a'],
      [150, 'done'],
    ]);
  });

  it('one that throws or rejects does not keep the others open', async () => {
    const [a, b] = [new Error('a'), new Error('b')];
    const shutdown = create();
    shutdown.add('last', takes('last', 0));
    shutdown.add('rejects', () => Promise.reject(b));
    shutdown.add('throws', () => {
      throw a;
    });
    void shutdown.stop();
    await settle();
    scheduler.flush();
    await expect(shutdown.done).resolves.toMatchObject({
      clean: false,
      resources: [
        { name: 'throws', state: 'failed', error: a },
        { name: 'rejects', state: 'failed', error: b },
        { name: 'last', state: 'closed' },
      ],
    });
  });

  it('one that fails after the end is reported', async () => {
    const failure = new Error('late');
    const late = deferred();
    const shutdown = create();
    shutdown.add('late', () => late.promise);
    void shutdown.stop();
    scheduler.flush();
    late.reject(failure);
    expect(await reported(unhandled)).toBe(failure);
    expect(summaries).toMatchObject([{ resources: [{ state: 'timed-out' }] }]);
  });

  it('a thenable that calls back twice is closed once, and one whose then throws has failed', () => {
    const failure = new Error('then');
    const shutdown = create();
    shutdown.add('throws', () => ({
      then: () => {
        throw failure;
      },
    }));
    shutdown.add('twice', () => ({
      then: (resolve: () => void, reject: (error: unknown) => void) => {
        resolve();
        reject(failure);
      },
    }));
    void shutdown.stop();
    expect(summaries).toMatchObject([
      {
        resources: [
          { name: 'twice', state: 'closed' },
          { name: 'throws', state: 'failed', error: failure },
        ],
      },
    ]);
  });

  it('is told the reason', () => {
    const shutdown = create();
    shutdown.add('database', ({ reason }) => {
      note(reason);
    });
    void shutdown.stop('SIGTERM');
    expect(log[0]).toEqual([0, 'SIGTERM']);
  });

  it('leaves until it is being closed', () => {
    const shutdown = create();
    const leave = [
      shutdown.add('first', takes('first', 1)),
      shutdown.add('second', takes('second', 1)),
      shutdown.add('third', takes('third', 10)),
    ];
    leave[1]?.();
    leave[1]?.();
    void shutdown.stop();
    leave[2]?.();
    scheduler.flush();
    expect(log.map(([, what]) => what)).toEqual(['third', 'first', 'done']);
  });

  it('leaves also where it was the first', () => {
    const shutdown = create();
    const leave = shutdown.add('first', takes('first', 1));
    shutdown.add('second', takes('second', 1));
    leave();
    void shutdown.stop();
    scheduler.flush();
    expect(log.map(([, what]) => what)).toEqual(['second', 'done']);
  });

  it('the same close under two names is closed twice', () => {
    const shutdown = create();
    const close = takes('close', 0);
    shutdown.add('a', close);
    const leave = shutdown.add('b', close);
    shutdown.add('b', close);
    leave();
    void shutdown.stop();
    scheduler.flush();
    expect(summaries).toMatchObject([{ resources: [{ name: 'b' }, { name: 'a' }] }]);
  });

  it('while it stops does not leak: what is opened late is closed first', () => {
    const shutdown = create();
    shutdown.add('first', takes('first', 5));
    shutdown.drain('http', () => {
      shutdown.add('opened by a request', takes('late', 5));
      return timer(10, scheduler);
    });
    void shutdown.stop();
    at(12, () => {
      shutdown.add('opened while another is closed', takes('later', 5));
    });
    scheduler.flush();
    expect(log).toEqual([
      [10, 'late'],
      [15, 'later'],
      [20, 'first'],
      [25, 'done'],
    ]);
  });

  it('while the last one hangs has a part of what is left', () => {
    const shutdown = create();
    shutdown.add('a', hangs('a'));
    void shutdown.stop();
    at(100, () => {
      shutdown.add('b', takes('b', 10));
    });
    scheduler.flush();
    expect(log).toEqual([
      [0, 'a'],
      [125, 'b'],
      [150, 'done'],
    ]);
    expect(summaries).toMatchObject([{ resources: [{ state: 'timed-out' }, { state: 'closed', ms: 10 }] }]);
  });

  it('while those that hang have had their part, it is closed at once', () => {
    const shutdown = create();
    shutdown.add('a', takes('a', 200));
    shutdown.add('b', hangs('b'));
    void shutdown.stop();
    const { signal } = shutdown;
    expect(signal.aborted).toBe(false);
    at(80, () => {
      shutdown.add('c', takes('c', 5));
    });
    scheduler.flush();
    expect(log).toEqual([
      [0, 'b'],
      [75, 'a'],
      [115, 'c'], // 70 were left for two
      [150, 'done'],
    ]);
  });

  it('is refused when it is over: nobody would close it', () => {
    const shutdown = create();
    void shutdown.stop();
    expect(() => shutdown.add('late', hangs('late'))).toThrow(new ShutdownEndedError('createShutdown', 'add', 'late'));
    expect(() => shutdown.add('late', hangs('late'))).toThrow(
      "createShutdown is over: 'late' has to be closed by whoever opened it.",
    );
  });

  it('closes 100 000 that are closed at once', () => {
    const shutdown = create();
    for (let i = 0; i < 100_000; i++) shutdown.add('resource', () => (i % 2 ? EMPTY : undefined));
    void shutdown.stop();
    expect(summaries[0]?.resources.length).toBe(100_000);
  });
});

describe('abort', () => {
  it('skips what is left of the drain', () => {
    const shutdown = create();
    shutdown.drain('http', ({ signal }) => {
      signal.addEventListener('abort', () => note('aborted'));
      return NEVER;
    });
    shutdown.add('database', takes('database', 0));
    void shutdown.stop('SIGTERM');
    at(10, () => void shutdown.abort('SIGTERM again'));
    scheduler.flush();
    expect(log).toEqual([
      [10, 'aborted'],
      [35, 'database'],
      [35, 'done'],
    ]);
    expect(summaries).toMatchObject([{ reason: 'SIGTERM', timedOut: false, clean: false, ms: 35 }]);
    expect(shutdown.signal.aborted).toBe(true);
    nothingLeft();
  });

  it('stops first, if nobody has', () => {
    const shutdown = create();
    const stopping = record(shutdown.stopping$);
    shutdown.drain('http', ({ reason, signal }) => {
      note([reason, signal.aborted]);
      signal.addEventListener('abort', () => note('aborted'));
      return timer(5, scheduler);
    });
    void shutdown.abort('panic');
    scheduler.flush();
    expect(stopping.log).toEqual(['panic', 'complete']);
    expect(log).toEqual([
      [0, ['panic', false]],
      [0, 'aborted'],
      [5, 'done'],
    ]);
  });

  it('while resources are closed leaves them cleanupTimeout', () => {
    const shutdown = create();
    shutdown.add('a', hangs('a'));
    shutdown.add('b', hangs('b'));
    void shutdown.stop();
    at(10, () => void shutdown.abort());
    scheduler.flush();
    expect(log).toEqual([
      [0, 'b'],
      [35, 'a'],
      [60, 'done'],
    ]);
    expect(shutdown.signal.aborted).toBe(true);
  });

  it('just before the end makes nothing longer', () => {
    const shutdown = create();
    shutdown.add('a', hangs('a'));
    void shutdown.stop();
    at(140, () => void shutdown.abort());
    scheduler.flush();
    expect(scheduler.frame).toBe(150);
  });

  it('that makes nothing shorter leaves each resource its part', () => {
    const shutdown = create();
    for (const name of ['a', 'b', 'c', 'd']) shutdown.add(name, hangs(name));
    void shutdown.stop();
    at(100, () => void shutdown.abort());
    scheduler.flush();
    expect(log).toEqual([
      [0, 'd'],
      [37, 'c'],
      [74, 'b'],
      [112, 'a'],
      [150, 'done'],
    ]);
  });

  it('after the end does nothing', () => {
    const shutdown = create();
    void shutdown.stop();
    void shutdown.abort();
    expect(shutdown.signal.aborted).toBe(false);
    expect(summaries.length).toBe(1);
    nothingLeft();
  });

  it('twice is once, from within everything that it calls', () => {
    const shutdown = create();
    shutdown.drain('first', ({ signal }) => {
      signal.addEventListener('abort', () => void shutdown.abort());
      void shutdown.abort();
      return EMPTY;
    });
    shutdown.drain('second', takes('second', 5));
    void shutdown.stop();
    scheduler.flush();
    expect(log).toEqual([
      [0, 'second'],
      [5, 'done'],
    ]);
    expect(summaries).toMatchObject([{ drains: [{ state: 'aborted' }, { state: 'aborted' }] }]);
  });
});

describe('time', () => {
  it('that is infinite for the drain is cleanupTimeout for the closing', () => {
    const shutdown = create({ drainTimeout: Infinity });
    shutdown.drain('http', takes('http', 1000));
    shutdown.add('hangs', hangs('hangs'));
    void shutdown.stop();
    scheduler.flush();
    expect(log.at(-1)).toEqual([1050, 'done']);
  });

  it('that is infinite for the clean-up waits for it', () => {
    const shutdown = create({ cleanupTimeout: Infinity });
    shutdown.drain('http', takes('http', 1000));
    shutdown.add('slow', takes('slow', 5000));
    void shutdown.stop();
    scheduler.flush();
    expect(log.at(-1)).toEqual([6000, 'done']);
    nothingLeft();
  });

  it('of 0 still calls everybody', () => {
    const shutdown = create({ drainTimeout: 0, cleanupTimeout: 0 });
    shutdown.drain('http', takes('http', 1));
    shutdown.add('database', takes('database', 1));
    void shutdown.stop();
    scheduler.flush();
    expect(log).toEqual([
      [0, 'http'],
      [0, 'database'],
      [0, 'done'],
    ]);
  });

  it('of 0 closes all without waiting', () => {
    const shutdown = create({ drainTimeout: 0, cleanupTimeout: 0 });
    shutdown.add('database', hangs('database'));
    shutdown.add('cache', takes('cache', 1));
    void shutdown.stop();
    expect(log).toEqual([
      [0, 'cache'],
      [0, 'database'],
      [0, 'done'],
    ]);
  });

  it('that is infinite is so with timers of the platform, too', async () => {
    vi.useFakeTimers();
    try {
      const shutdown = createShutdown({ drainTimeout: Infinity, cleanupTimeout: Infinity });
      const [http, cache, database] = [deferred(), deferred(), deferred()];
      const begun: string[] = [];
      const waits =
        (name: string, { promise }: { promise: Promise<void> }) =>
        () => {
          begun.push(name);
          return promise;
        };
      shutdown.add('database', waits('database', database));
      shutdown.add('cache', waits('cache', cache));
      shutdown.drain('http', waits('http', http));
      const done = vi.fn();
      void shutdown.stop().then(done);
      await vi.advanceTimersByTimeAsync(1e6);
      expect(begun).toEqual(['http']);
      http.resolve();
      await vi.advanceTimersByTimeAsync(1e6);
      expect(begun).toEqual(['http', 'cache']);
      cache.resolve();
      await vi.advanceTimersByTimeAsync(1e6);
      expect(begun).toEqual(['http', 'cache', 'database']);
      expect(done).not.toHaveBeenCalled();
      database.resolve();
      await settle();
      expect(done).toHaveBeenCalledWith(expect.objectContaining({ clean: true, ms: 3e6 }));
    } finally {
      vi.useRealTimers();
    }
  });

  it('of the platform leaves no timer', async () => {
    vi.useFakeTimers();
    try {
      const shutdown = createShutdown();
      shutdown.drain('http', () => new Promise((resolve) => setTimeout(resolve, 100)));
      shutdown.add('hangs', () => new Promise(() => undefined));
      shutdown.add('database', () => Promise.resolve());
      const done = vi.fn();
      void shutdown.stop().then(done);
      await vi.advanceTimersByTimeAsync(11_999);
      expect(done).not.toHaveBeenCalled();
      await vi.advanceTimersByTimeAsync(1);
      expect(done).toHaveBeenCalledWith(expect.objectContaining({ ms: 12_000, timedOut: false, clean: false }));
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});

it('an onReport that throws is reported, and done settles', async () => {
  const thrown = new Error('onReport');
  const shutdown = create({
    onReport: () => {
      throw thrown;
    },
  });
  await expect(shutdown.stop()).resolves.toMatchObject({ clean: true });
  expect(await reported(unhandled)).toBe(thrown);
});

describe('with gracefulShutdown', () => {
  let reports: ShutdownReport[];
  beforeEach(() => {
    reports = [];
  });
  const work = (ms: number) => timer(ms, scheduler).pipe(map(() => ms));
  const graceful = (on: Shutdown, more: Partial<GracefulShutdownOptions> = {}) =>
    gracefulShutdown((work$: Observable<number>) => work$.pipe(bufferedMergeMap(work, { concurrent: 2 })), {
      on,
      onReport: (report) => reports.push(report),
      ...more,
    });
  const source = (...values: number[]) => concat(of(...values), NEVER);

  it('pipelines drain side by side, and resources are closed after them, and after their consumers have heard of the end', () => {
    const shutdown = create();
    shutdown.add('database', takes('database', 0));
    for (const ms of [20, 10]) {
      source(ms)
        .pipe(graceful(shutdown, { name: `takes ${String(ms)}` }))
        .subscribe({ complete: () => note(`${String(ms)} complete`) });
    }
    void shutdown.stop('SIGTERM');
    scheduler.flush();
    expect(log).toEqual([
      [10, '10 complete'],
      [20, '20 complete'],
      [20, 'database'],
      [20, 'done'],
    ]);
    const expected = { reason: 'SIGTERM', outcome: 'drained', drained: 1, aborted: 0, dropped: 0, cleanup: 'done' };
    expect(summaries).toMatchObject([
      {
        clean: true,
        pipelines: [
          { ...expected, name: 'takes 10', ms: 10 },
          { ...expected, name: 'takes 20', ms: 20 },
        ],
      },
    ]);
    expect(reports).toEqual(summaries[0]?.pipelines);
  });

  it('that is not over in time is cut off, and the totals tell', () => {
    const shutdown = create();
    const { log: events } = timeline(source(300, 300, 1, 2).pipe(graceful(shutdown)), scheduler);
    timeline(source(300).pipe(graceful(shutdown, { onTimeout: 'complete' })), scheduler);
    void shutdown.stop();
    scheduler.flush();
    expect(events).toEqual([[100, [expect.any(ShutdownError)]]]);
    expect(summaries).toMatchObject([
      {
        clean: false,
        timedOut: true,
        aborted: 3,
        dropped: 2,
        ms: 100,
        pipelines: [{ timedOut: true }, { timedOut: true }],
      },
    ]);
  });

  it('that is aborted before it has heard of the stop is cut off, too', () => {
    for (const abortsAtStop of [
      (shutdown: Shutdown) => shutdown.stopping$.subscribe(() => void shutdown.abort()),
      (shutdown: Shutdown) => shutdown.drain('first', () => void shutdown.abort()),
    ]) {
      const shutdown = create();
      abortsAtStop(shutdown);
      record(source(300).pipe(graceful(shutdown)));
      void shutdown.stop();
    }
    const report = { outcome: 'cut-off', aborted: 1, cleanup: 'done', ms: 0 };
    expect(summaries).toMatchObject([{ pipelines: [report] }, { pipelines: [report] }]);
  });

  it('that is aborted is cut off, and says so', () => {
    const shutdown = create();
    const { log: events } = record(source(300).pipe(graceful(shutdown)));
    void shutdown.abort();
    const [, error] = events[0] as [string, ShutdownError];
    expect(error.message).toBe(
      "gracefulShutdown: cut off by an abort, with 1 at work and 0 waiting. To complete all the same: onTimeout: 'complete'.",
    );
    expect(summaries).toMatchObject([{ timedOut: false, aborted: 1, pipelines: [{ outcome: 'cut-off' }] }]);
    nothingLeft();
  });

  it('aborted inside of next, nothing more comes', () => {
    const shutdown = create();
    const seen: unknown[] = [];
    source(10, 10)
      .pipe(graceful(shutdown))
      .subscribe({
        next: (value) => {
          seen.push(value);
          void shutdown.abort();
        },
        error: (error: unknown) => seen.push(error),
      });
    void shutdown.stop();
    scheduler.flush();
    expect(seen).toEqual([10, expect.any(ShutdownError)]);
    expect(reports).toMatchObject([{ drained: 1, dropped: 0 }]);
  });

  it('may have less time of its own, but not more', () => {
    const shutdown = create();
    const hanging = () => new Observable<number>().pipe(cleanedUpBy(() => NEVER));
    const end = (more: Partial<GracefulShutdownOptions>) => {
      const { log: events } = timeline(NEVER.pipe(gracefulShutdown(hanging, { on: shutdown, ...more })), scheduler);
      return events;
    };
    const less = end({ drainTimeout: 10, cleanupTimeout: 5 });
    const more = end({ drainTimeout: 1e6, cleanupTimeout: 1e6 });
    const same = end({});
    void shutdown.stop();
    scheduler.flush();
    expect([less, more, same].map((events) => events[0]?.[0])).toEqual([15, 150, 150]);
    expect(summaries).toMatchObject([
      { ms: 150, pipelines: [{ ms: 15 }, { cleanup: 'timed-out' }, { cleanup: 'timed-out' }] },
    ]);
    nothingLeft();
  });

  it('has as much time as the shutdown, where it says nothing', () => {
    const shutdown = create({ drainTimeout: 20_000, cleanupTimeout: 5000 });
    const hanging = () => new Observable<number>().pipe(cleanedUpBy(() => NEVER));
    const { log: events } = timeline(NEVER.pipe(gracefulShutdown(hanging, { on: shutdown })), scheduler);
    void shutdown.stop();
    scheduler.flush();
    expect(events).toEqual([[25_000, [expect.any(ShutdownError)]]]);
  });

  it('whose clean-up begins late has what is left', () => {
    const shutdown = create();
    const pipeline = (work$: Observable<number>) => concat(work$, timer(90, scheduler).pipe(map(() => 0)));
    const { log: events } = timeline(
      NEVER.pipe(
        cleanedUpBy(() => NEVER),
        gracefulShutdown(pipeline, { on: shutdown, onTimeout: 'complete' }),
      ),
      scheduler,
    );
    void shutdown.stop();
    scheduler.flush();
    expect(events.at(-1)).toEqual([140, 'complete']);
    expect(summaries).toMatchObject([{ ms: 140 }]);
  });

  it('is let go when it ends before the stop', () => {
    const shutdown = create();
    record(EMPTY.pipe(graceful(shutdown)));
    record(throwError(() => new Error()).pipe(graceful(shutdown)));
    record(source(1).pipe(graceful(shutdown))).subscription.unsubscribe();
    shutdown.add('database', takes('database', 0));
    scheduler.flush();
    expect(log, 'is closed before the stop').toEqual([]);
    void shutdown.stop();
    scheduler.flush();
    expect(summaries).toMatchObject([{ pipelines: [], ms: 0 }]);
    expect(reports).toEqual([]);
  });

  it('does not grow with pipelines that come and go', () => {
    const shutdown = create();
    const result = EMPTY.pipe(graceful(shutdown));
    for (let i = 0; i < 20_000; i++) result.subscribe();
    void shutdown.stop();
    expect(summaries).toMatchObject([{ pipelines: [], ms: 0 }]);
  });

  it('whose consumer leaves while it drains is still waited for, and counted', () => {
    const shutdown = create();
    const pipeline = (work$: Observable<number>) =>
      work$.pipe(bufferedMergeMap((ms) => work(ms).pipe(cleanedUpBy(() => timer(20, scheduler)))));
    const { log: events, subscription } = timeline(
      source(50, 50).pipe(gracefulShutdown(pipeline, { on: shutdown, onReport: (report) => reports.push(report) })),
      scheduler,
    );
    shutdown.add('database', takes('database', 0));
    void shutdown.stop();
    at(10, () => {
      subscription.unsubscribe();
    });
    scheduler.flush();
    expect(events).toEqual([]);
    expect(reports).toEqual([]);
    expect(log[0]).toEqual([30, 'database']);
    expect(summaries).toMatchObject([
      { aborted: 2, clean: false, pipelines: [{ outcome: 'cut-off', timedOut: false, cleanup: 'done' }] },
    ]);
  });

  it('whose consumer leaves while it cleans up is still waited for', () => {
    const shutdown = create();
    const { subscription } = record(
      NEVER.pipe(
        cleanedUpBy(() => timer(20, scheduler)),
        gracefulShutdown((work$) => work$, { on: shutdown }),
      ),
    );
    void shutdown.stop();
    subscription.unsubscribe();
    scheduler.flush();
    expect(summaries).toMatchObject([{ ms: 20, pipelines: [{ outcome: 'drained', cleanup: 'done' }] }]);
  });

  it('that fails while it drains is not clean', () => {
    const error = new Error('work');
    const shutdown = create();
    record(
      NEVER.pipe(
        gracefulShutdown(
          (work$) =>
            concat(
              work$,
              throwError(() => error),
            ),
          { on: shutdown },
        ),
      ),
    );
    void shutdown.stop();
    expect(summaries).toMatchObject([{ clean: false, pipelines: [{ outcome: 'failed', error }] }]);
  });

  it('subscribed while it drains has no source, and takes part', () => {
    const shutdown = create();
    shutdown.drain('http', takes('http', 30));
    void shutdown.stop('now');
    let subscribed = false;
    const never = new Observable<number>(() => {
      subscribed = true;
    });
    const { log: events } = timeline(
      never.pipe(gracefulShutdown((work$) => concat(work$, work(50)), { on: shutdown })),
      scheduler,
    );
    scheduler.flush();
    expect(subscribed).toBe(false);
    expect(events).toEqual([
      [50, 50],
      [50, 'complete'],
    ]);
    expect(summaries).toMatchObject([{ ms: 50, pipelines: [{ reason: 'now', drained: 1 }] }]);
  });

  it('subscribed after the drain, or after an abort, has what comes at once, and no more', () => {
    const subscribe = (shutdown: Shutdown) => {
      const at = (pipeline: (work$: Observable<number>) => Observable<number>) =>
        record(source(1).pipe(gracefulShutdown(pipeline, { on: shutdown }))).log;
      expect(at((work$) => concat(work$, of(7)))).toEqual([7, 'complete']);
      expect(at((work$) => concat(work$, NEVER))).toEqual([['error', expect.any(ShutdownError)]]);
    };
    const over = create();
    void over.stop();
    subscribe(over);

    const aborted = create();
    aborted.drain('hangs', hangs('hangs'));
    void aborted.abort();
    subscribe(aborted);
    scheduler.flush();
    expect(summaries.map(({ pipelines }) => pipelines.length)).toEqual([0, 2]);
    nothingLeft();
  });

  it('subscribed after the drain, it is not cut off because of the time', () => {
    const shutdown = create();
    void shutdown.stop();
    record(source(1).pipe(graceful(shutdown, { onTimeout: 'complete' })));
    record(NEVER.pipe(gracefulShutdown(() => NEVER, { on: shutdown, onReport: (report) => reports.push(report) })));
    expect(reports).toMatchObject([{ outcome: 'drained' }, { outcome: 'cut-off', timedOut: false }]);
  });

  it('subscribed after an abort, its clean-up has what is left', () => {
    const shutdown = create();
    shutdown.drain('http', hangs('http'));
    void shutdown.abort();
    at(30, () => {
      const hanging = () => new Observable<number>().pipe(cleanedUpBy(() => NEVER));
      const late = timeline(NEVER.pipe(gracefulShutdown(hanging, { on: shutdown })), scheduler);
      at(21, () => {
        expect(late.log).toEqual([[50, [expect.any(ShutdownError)]]]);
        note('late');
      });
    });
    scheduler.flush();
    expect(log).toEqual([
      [0, 'http'],
      [50, 'done'],
      [51, 'late'],
    ]);
  });

  it('subscribed by who hears of the stop first, it is stopped once', () => {
    const shutdown = create();
    shutdown.stopping$.subscribe(() => {
      record(NEVER.pipe(gracefulShutdown((work$) => concat(work$, work(10)), { on: shutdown, drainTimeout: 20 })));
    });
    void shutdown.stop();
    scheduler.flush();
    expect(summaries).toMatchObject([{ clean: true, ms: 10, pipelines: [{ outcome: 'drained' }] }]);
    expect(scheduler.frame, 'a timer is left').toBe(10);
  });

  it('stopped in its own pipeline function, it has no source', () => {
    const shutdown = create();
    const subject = new Subject<number>();
    const { log: events } = record(
      subject.pipe(
        gracefulShutdown(
          (work$) => {
            void shutdown.stop();
            return work$;
          },
          { on: shutdown },
        ),
      ),
    );
    expect(events).toEqual(['complete']);

    const second = create();
    const aborted = record(
      subject.pipe(
        gracefulShutdown(
          (work$) => {
            void second.abort();
            return work$;
          },
          { on: second },
        ),
      ),
    );
    expect(aborted.log).toEqual([['error', expect.any(ShutdownError)]]);
    expect(subject.observed).toBe(false);
  });

  it('that has no timers does not keep the others from hearing of the stop', async () => {
    const failure = new Error('no timers');
    const broken = {
      now: () => 0,
      schedule: (): never => {
        throw failure;
      },
    };
    const shutdown = create({ drainTimeout: Infinity, scheduler: broken });
    record(NEVER.pipe(graceful(shutdown, { drainTimeout: 20 })));
    shutdown.drain('http', takes('http', 1));
    void shutdown.stop();
    expect(log).toEqual([[0, 'http']]);
    expect(await reported(unhandled)).toBe(failure);
  });

  it('whose teardown throws does not keep the others from being aborted', () => {
    const failure = new Error('teardown');
    const shutdown = create();
    record(
      NEVER.pipe(
        gracefulShutdown(
          () =>
            new Observable<number>(() => () => {
              throw failure;
            }),
          { on: shutdown },
        ),
      ),
    );
    record(source(300).pipe(graceful(shutdown)));
    void shutdown.abort();
    expect(summaries).toMatchObject([{ pipelines: [{ cleanup: 'failed' }, { outcome: 'cut-off', aborted: 1 }] }]);
  });

  it.each([
    [
      'subscribed after the drain',
      0,
      (shutdown: Shutdown, subscribe: () => void) => {
        void shutdown.stop();
        subscribe();
      },
    ],
    [
      'given up by a shutdown that has less time than it had, its consumer gone',
      40,
      (shutdown: Shutdown, subscribe: () => Subscription) => {
        shutdown.drain('http', hangs('http'));
        const subscription = subscribe();
        void shutdown.stop();
        subscription.unsubscribe();
        shutdown.add('late', takes('late', 1));
        void shutdown.abort();
        scheduler.flush();
      },
    ],
  ])('%s, its clean-up that fails is reported: it is not in the summary', async (_, ms, run) => {
    const failure = new Error('clean-up');
    const pipeline = () =>
      new Observable<number>((subscriber) => {
        const scope = findCleanupScope(subscriber);
        return () => {
          const cleanup = new Completion();
          scope?.track(cleanup);
          if (ms === 0) cleanup.reject(failure);
          else
            at(ms, () => {
              cleanup.reject(failure);
            });
        };
      });
    const shutdown = create();
    run(shutdown, () => NEVER.pipe(gracefulShutdown(pipeline, { on: shutdown, onTimeout: 'complete' })).subscribe());
    expect(await reported(unhandled)).toBe(failure);
  });

  it('its clean-up that fails is in the summary, and not reported too', async () => {
    const failure = new Error('clean-up');
    const shutdown = create();
    record(
      NEVER.pipe(
        cleanedUpBy(() => throwError(() => failure)),
        gracefulShutdown((work$) => work$, { on: shutdown, onTimeout: 'complete' }),
      ),
    );
    void shutdown.stop();
    await turn();
    expect(unhandled).toEqual([]);
    expect(summaries).toMatchObject([{ clean: false, pipelines: [{ cleanup: 'failed', cleanupError: failure }] }]);
  });

  it('given up by a shutdown that has less time than it had, that is in the summary', () => {
    const shutdown = create();
    const hanging = (work$: Observable<number>) => work$.pipe(cleanedUpBy(() => NEVER));
    record(NEVER.pipe(gracefulShutdown(hanging, { on: shutdown, onTimeout: 'complete' })));
    record(
      NEVER.pipe(
        cleanedUpBy(() => NEVER),
        gracefulShutdown((work$) => work$, { on: shutdown, onTimeout: 'complete' }),
      ),
    );
    void shutdown.stop();
    shutdown.add('late', takes('late', 1));
    void shutdown.abort();
    scheduler.flush();
    expect(summaries).toMatchObject([{ clean: false, ms: 26 }]);
    expect(summaries[0]?.pipelines.at(-1)).toMatchObject({ cleanup: 'timed-out', ms: 25 });
  });

  it('whose pipeline function throws is let go', () => {
    const error = new Error('pipeline');
    const shutdown = create();
    const { log: events } = record(
      NEVER.pipe(
        gracefulShutdown(
          () => {
            throw error;
          },
          { on: shutdown },
        ),
      ),
    );
    void shutdown.stop();
    expect(events).toEqual([['error', error]]);
    expect(summaries).toMatchObject([{ pipelines: [], ms: 0 }]);
  });

  it('below a consumer that is full is bounded all the same', () => {
    const shutdown = create();
    const gate = new ManualGate(false);
    record(source(1, 2).pipe(graceful(shutdown, { onTimeout: 'complete' }), gatedBy(gate)));
    void shutdown.stop();
    scheduler.flush();
    expect(summaries).toMatchObject([{ dropped: 2, aborted: 0, ms: 100 }]);
    expect(gate.waiters.size).toBe(0);
  });

  it('is recognised where a shutdown is spread into another object', () => {
    const shutdown = { ...create(), more: true };
    const { log: events } = record(NEVER.pipe(graceful(shutdown)));
    void shutdown.stop();
    expect(events).toEqual(['complete']);
    expect(summaries).toMatchObject([{ pipelines: [{ outcome: 'drained' }] }]);
  });

  it('has the time of the shutdown, whatever scheduler it is given', () => {
    const shutdown = create();
    const other = new VirtualTimeScheduler();
    record(source(300).pipe(graceful(shutdown, { scheduler: other, drainTimeout: 20, onTimeout: 'complete' })));
    void shutdown.stop();
    expect(other.actions.length).toBe(0);
    scheduler.flush();
    expect(summaries).toMatchObject([{ ms: 20 }]);
  });
});

it('a clock that is set back while it closes makes nothing longer', () => {
  let offset = 0;
  const moved = {
    now: () => scheduler.now() + offset,
    schedule: scheduler.schedule.bind(scheduler),
  };
  const shutdown = create({ scheduler: moved });
  shutdown.add('a', hangs('a'));
  shutdown.drain('http', takes('http', 10));
  void shutdown.stop();
  at(5, () => {
    offset = -1e6;
  });
  scheduler.flush();
  expect(scheduler.frame).toBeLessThanOrEqual(160);
  expect(summaries.length).toBe(1);
});

describe('wrong arguments', () => {
  it.each<[string, unknown, RegExp]>([
    ['options', 7, /^options must be an object, got 7$/],
    ['drainTimeout', { drainTimeout: -1 }, /^drainTimeout must be .*, got -1$/],
    ['cleanupTimeout', { cleanupTimeout: 'long' }, /^cleanupTimeout must be .*, got 'long'$/],
    [
      'more than a timer can hold',
      { drainTimeout: 2 ** 31 - 1 },
      /^drainTimeout \+ cleanupTimeout must be .*, got 2147485647$/,
    ],
    ['scheduler', { scheduler: {} }, /^scheduler must /],
    ['onReport', { onReport: 1 }, /^onReport must be a function, got 1$/],
    ['name', { name: 1 }, /^name must be a string, got 1$/],
  ])('%s', (_, given, message) => {
    expect(() => createShutdown(given as CreateShutdownOptions)).toThrow(message);
  });

  it('of add and drain', () => {
    const shutdown = create() as unknown as Record<'add' | 'drain', (...args: unknown[]) => unknown>;
    expect(() => shutdown.add(() => undefined)).toThrow('name must be a string, got a function');
    expect(() => shutdown.drain('http')).toThrow('drain must be a function, got undefined');
    expect(() => shutdown.add('http', 7)).toThrow('close must be a function, got 7');
  });
});
