import {
  catchError,
  concat,
  concatMap,
  finalize,
  from,
  ignoreElements,
  map,
  merge,
  mergeMap,
  NEVER,
  Observable,
  of,
  range,
  reduce,
  Subject,
  type Subscriber,
  take,
  takeUntil,
  tap,
  throwError,
  timer,
  toArray,
  type ObservableInput,
} from 'rxjs';
import { describe, expect, it } from 'vitest';
import { BufferOverflowError } from '../../src/errors/BufferOverflowError.js';
import { SessionInUseError } from '../../src/errors/SessionInUseError.js';
import { TooManySessionsError } from '../../src/errors/TooManySessionsError.js';
import { UnreadSessionError } from '../../src/errors/UnreadSessionError.js';
import { bufferedMergeMap, fromPull, gatedBy, toAsyncIterable } from '../../src/index.js';
import { operate } from '../../src/internal/operate.js';
import type { Session } from '../../src/internal/sessions/Session.js';
import { findCleanupScope } from '../../src/link/walk.js';
import { keyedSessions, type KeyedSessionsOptions } from '../../src/operators/keyedSessions.js';
import { CountingScheduler } from '../support/CountingScheduler.js';
import { Clock } from '../support/Later.js';
import { ManualGate } from '../support/ManualGate.js';
import { record } from '../support/record.js';
import { deferred, settle } from '../support/settle.js';
import { collectUnhandled, reported } from '../support/unhandled.js';

const unhandled = collectUnhandled();

type Handler = (session: Session<string, string>) => ObservableInput<unknown>;
type Options = KeyedSessionsOptions<string, string, unknown>;

/** Of 'a1', 'a'. */
const key = (value: string) => value.charAt(0);
const pass: Handler = ({ values }) => values;

/** Work on one value after the other that a test finishes; it says when it is busy. */
function worker() {
  const running: { value: string; end: Subject<string> }[] = [];
  const handler: Handler = ({ values }) =>
    values.pipe(
      bufferedMergeMap(
        (value) => {
          const end = new Subject<string>();
          running.push({ value, end });
          return end;
        },
        { concurrent: 1, highWaterMark: 0 },
      ),
    );
  const of = (value: string) => {
    const index = running.findIndex((each) => each.value === value);
    if (index < 0) throw new Error(`${value} does not run`);
    return running.splice(index, 1)[0]?.end as Subject<string>;
  };
  return {
    handler,
    running: () => running.map(({ value }) => value),
    finish: (value: string, result: string | undefined = value) => {
      const end = of(value);
      end.next(result);
      end.complete();
    },
    finishSilently: (value: string) => {
      of(value).complete();
    },
  };
}

/** A source in the test's hand, virtual time, and what has happened. */
function start(handler: Handler, options: Options = {}) {
  const source = new Subject<string>();
  const clock = new Clock();
  const scheduler = new CountingScheduler(clock);
  const opened: string[] = [];
  const closed: string[] = [];
  const dropped: string[] = [];
  const { log, subscription } = record(
    source.pipe(
      keyedSessions<string, string, ObservableInput<unknown>>(key, handler, {
        scheduler,
        onOpen: (k) => opened.push(k),
        onClose: (k, reason) => closed.push(`${k} ${reason}`),
        onDrop: (value, reason) => dropped.push(`${value} ${reason}`),
        ...options,
      }),
    ),
  );
  const send = (...values: string[]) => {
    for (const value of values) source.next(value);
  };
  return { source, send, clock, scheduler, opened, closed, dropped, log, subscription };
}

describe('a session', () => {
  it('has the values of its key, in order, and nothing of others', () => {
    const { send, source, log } = start(({ key, values }) =>
      values.pipe(
        toArray(),
        map((all) => [key, ...all]),
      ),
    );
    send('a1', 'b1', 'a2', 'b2', 'a3');
    source.complete();
    expect(log).toEqual([['a', 'a1', 'a2', 'a3'], ['b', 'b1', 'b2'], 'complete']);
  });

  it('is found by its key as in a Map: NaN is one, objects are each their own', () => {
    const keys: unknown[] = [];
    const object = {};
    from<unknown[]>([NaN, object, NaN, {}, object, 0, -0, undefined])
      .pipe(
        keyedSessions(
          (value) => value,
          ({ key, values }) => {
            keys.push(key);
            return values;
          },
        ),
      )
      .subscribe();
    expect(keys).toEqual([NaN, object, {}, 0, undefined]);
  });

  it('is closed when nothing was taken and no result came out for idleTimeout', () => {
    const { send, clock, closed, opened, log } = start(
      ({ values }) =>
        values.pipe(
          map((value) => value),
          concatMap((value) => timer(3, clock2).pipe(map(() => value))),
        ),
      { idleTimeout: 5 },
    );
    const clock2 = clock;
    send('a1');
    clock.advance(3);
    expect(log).toEqual(['a1']);
    clock.advance(4); // 5 after it was taken, 4 after its result
    expect(closed).toEqual([]);
    clock.advance(1);
    expect(closed).toEqual(['a idle']);
    send('a2');
    expect(opened).toEqual(['a', 'a']);
  });

  it('counts from the value that was processed last, not from the one that came last', () => {
    const work = worker();
    const { send, clock, closed } = start(work.handler, { idleTimeout: 5 });
    send('a1', 'a2');
    clock.advance(100);
    work.finish('a1');
    clock.advance(100);
    expect(closed).toEqual([]);
    work.finish('a2');
    clock.advance(4);
    expect(closed).toEqual([]);
    clock.advance(1);
    expect(closed).toEqual(['a idle']);
  });

  it('counts from the moment when its consumer is free, also when that gives nothing', () => {
    const work = worker();
    const { send, clock, closed, scheduler } = start(work.handler, { idleTimeout: 5 });
    send('a1');
    clock.advance(7);
    expect(scheduler.pending).toBe(0);
    work.finishSilently('a1');
    return settle().then(() => {
      clock.advance(4);
      expect(closed).toEqual([]);
      clock.advance(1);
      expect(closed).toEqual(['a idle']);
    });
  });

  it('with work queued is never closed for being idle, however long that takes', () => {
    const work = worker();
    const { send, clock, closed, log } = start(work.handler, { idleTimeout: 1, maxSessions: 1 });
    send('a1', 'a2', 'a3', 'b1');
    for (const value of ['a1', 'a2', 'a3']) {
      clock.advance(1000);
      expect(closed).toEqual([]);
      work.finish(value);
    }
    expect(closed).toEqual(['a max-sessions']);
    work.finish('b1');
    expect(log).toEqual(['a1', 'a2', 'a3', 'b1']);
  });

  it('is closed at maxAge, after what had come until then; what came later opens the next', () => {
    const work = worker();
    const { send, clock, closed, opened, log, source } = start(work.handler, { maxAge: 10 });
    send('a1', 'a2');
    clock.advance(10);
    send('a3');
    work.finish('a1');
    expect([closed, work.running()]).toEqual([[], ['a2']]);
    work.finish('a2');
    expect([closed, opened, work.running()]).toEqual([['a age'], ['a', 'a'], ['a3']]);
    source.complete();
    work.finish('a3');
    expect(log).toEqual(['a1', 'a2', 'a3', 'complete']);
    expect(closed).toEqual(['a age', 'a source']);
  });

  it('that is busy without pause is closed at maxAge all the same', () => {
    const { send, clock, closed } = start(pass, { maxAge: 10, idleTimeout: 5 });
    for (let i = 0; i < 9; i++) {
      send('a');
      clock.advance(2);
    }
    expect(closed).toEqual(['a age']);
  });
});

describe('closing is atomic', () => {
  it('a value that comes while the session closes opens a new one when it is over, with its clean-up', () => {
    const clock = new Clock();
    const events: string[] = [];
    const handler: Handler = ({ values }) =>
      new Observable((destination) => {
        const scope = findCleanupScope(destination);
        destination.add(() => {
          events.push('teardown');
          scope?.track(clock.in(7, undefined));
        });
        values.pipe(mergeMap((value) => timer(4, clock).pipe(map(() => value)))).subscribe(destination);
      });
    const { send, log, opened, closed, source } = start(handler, { idleTimeout: 3, scheduler: clock });
    send('a1');
    clock.advance(3); // its input is completed while it works
    send('a2');
    expect([opened, closed]).toEqual([['a'], []]);
    clock.advance(1);
    expect([log, events]).toEqual([['a1'], ['teardown']]);
    clock.advance(6);
    expect([opened, closed]).toEqual([['a'], []]);
    clock.advance(1);
    expect([opened, closed]).toEqual([['a', 'a'], ['a idle']]);
    source.complete();
    clock.advance(20);
    expect(log).toEqual(['a1', 'a2', 'complete']);
    expect(closed).toEqual(['a idle', 'a source']);
  });

  it('a value that the completion of the session itself pushes is not lost', () => {
    const state = start(
      ({ values }) =>
        values.pipe(
          tap({
            complete: () => {
              if (pushes-- > 0) state.send('a2');
            },
          }),
        ),
      { idleTimeout: 5 },
    );
    let pushes = 1;
    state.send('a1');
    state.clock.advance(5);
    expect(state.log).toEqual(['a1', 'a2']);
    expect(state.opened).toEqual(['a', 'a']);
  });

  it('a session is not closed inside its own next, when that makes it need room', () => {
    const source = new Subject<string>();
    const { log } = record(
      source.pipe(
        keyedSessions(
          key,
          ({ values }) =>
            values.pipe(
              tap((value) => {
                if (value === 'a2') source.next('b1');
              }),
              toArray(),
            ),
          { maxSessions: 1 },
        ),
      ),
    );
    source.next('a1');
    source.next('a2');
    source.complete();
    expect(log).toEqual([['a1', 'a2'], ['b1'], 'complete']);
  });

  it('nor when its reader has left inside of that next', () => {
    const { source, log, closed } = start(
      ({ key, values }) =>
        new Observable((destination) => {
          const reader = values.subscribe((value) => {
            if (value !== 'a2') return;
            reader.unsubscribe();
            source.next('b1');
            destination.next(`${value} is done, ${String(closed.length)} closed`);
          });
          destination.next(`${key} is open`);
        }),
      { maxSessions: 1 },
    );
    source.next('a1');
    source.next('a2');
    expect(log).toEqual(['a is open', 'a2 is done, 0 closed']);
    expect(closed).toEqual([]); // the handler has not completed
  });

  it('a value that comes when it has reached maxAge inside of the last of its own is for the next', () => {
    const { source, send, clock, log, closed } = start(
      ({ values }) =>
        values.pipe(
          tap((value) => {
            if (value !== 'a2') return;
            clock.advance(5);
            source.next('a3');
          }),
          toArray(),
        ),
      { maxAge: 5 },
    );
    send('a1', 'a2');
    expect([log, closed]).toEqual([[['a1', 'a2']], ['a age']]);
    source.complete();
    expect([log, closed]).toEqual([
      [['a1', 'a2'], ['a3'], 'complete'],
      ['a age', 'a source'],
    ]);
  });

  it('a session that is opened after the source has completed is closed for that when it has taken its values', () => {
    const work = worker();
    const { send, source, closed, log } = start(work.handler, { maxSessions: 1, onMaxSessions: 'wait', maxAge: 9 });
    send('a1', 'b1', 'b2');
    source.complete();
    work.finish('a1');
    work.finish('b1');
    work.finish('b2');
    expect([closed, log]).toEqual([
      ['a source', 'b source'],
      ['a1', 'b1', 'b2', 'complete'],
    ]);
  });

  it('what the source completes inside of a value is closed after it', () => {
    const source = new Subject<string>();
    const { log } = record(
      source.pipe(
        keyedSessions(key, ({ values }) =>
          values.pipe(
            tap(() => {
              source.complete();
            }),
            toArray(),
          ),
        ),
      ),
    );
    source.next('a1');
    expect(log).toEqual([['a1'], 'complete']);
  });
});

describe('one timer for all', () => {
  it('and none while nobody can be due', () => {
    const { send, clock, scheduler, source, closed } = start(pass, { idleTimeout: 5, maxAge: 100 });
    expect(scheduler.pending).toBe(0);
    for (let i = 0; i < 26; i++) {
      send(String.fromCharCode(97 + i));
      clock.advance(0.1);
    }
    expect(scheduler.pending).toBe(1);
    clock.advance(4);
    expect(closed.length).toBeGreaterThan(1);
    expect(scheduler.pending).toBe(1);
    clock.advance(5);
    expect([closed.length, scheduler.pending]).toEqual([26, 0]);
    send('a');
    source.complete();
    expect(scheduler.pending).toBe(0);
  });

  it('and none at all without times', () => {
    const { send, scheduler } = start(pass);
    send('a', 'b');
    expect(scheduler.pending).toBe(0);
  });

  it.each(['unsubscribe', 'error'] as const)('and none after %s', (end) => {
    const { send, scheduler, subscription, source } = start(pass, { idleTimeout: 5 });
    send('a');
    expect(scheduler.pending).toBe(1);
    if (end === 'error') source.error(new Error());
    else subscription.unsubscribe();
    expect(scheduler.pending).toBe(0);
  });
});

describe('more keys than maxSessions', () => {
  it('closes the session that has been idle for longest', () => {
    const { send, closed, log } = start(pass, { maxSessions: 2 });
    send('a1', 'b1', 'a2', 'c1', 'a3', 'b2');
    expect(closed).toEqual(['b max-sessions', 'c max-sessions']);
    expect(log).toEqual(['a1', 'b1', 'a2', 'c1', 'a3', 'b2']);
  });

  it('passes over those whose consumer is busy', () => {
    const work = worker();
    const { send, closed } = start(work.handler, { maxSessions: 2 });
    send('a1', 'b1');
    work.finish('b1');
    send('c1');
    expect(closed).toEqual(['b max-sessions']);
    expect(work.running()).toEqual(['a1', 'c1']);
  });

  it('waits until one is idle, also if that gives no result', async () => {
    const work = worker();
    const { send, closed, opened } = start(work.handler, { maxSessions: 1 });
    send('a1', 'b1', 'c1');
    await settle();
    expect(closed).toEqual([]);
    work.finishSilently('a1');
    await settle();
    work.finishSilently('b1');
    await settle();
    expect(opened).toEqual(['a', 'b', 'c']);
  });

  it('closes no more than are needed', () => {
    const ends: Subject<never>[] = [];
    const state = start(
      ({ values }) => {
        const end = new Subject<never>();
        ends.push(end);
        return concat(values, end);
      },
      { maxSessions: 3 },
    );
    state.send('a', 'b', 'c', 'd');
    expect(state.opened).toEqual(['a', 'b', 'c']);
    state.send('c', 'b', 'd');
    for (const end of ends) end.complete();
    expect(state.closed).toEqual(['a max-sessions']);
    expect(state.opened).toEqual(['a', 'b', 'c', 'd']);
  });

  it("'wait': values of open sessions pass those that wait for one", () => {
    const { send, clock, log, opened } = start(pass, { maxSessions: 1, onMaxSessions: 'wait', idleTimeout: 5 });
    send('a1', 'b1', 'a2', 'c1', 'b2', 'a3');
    expect(log).toEqual(['a1', 'a2', 'a3']);
    clock.advance(5);
    expect(log).toEqual(['a1', 'a2', 'a3', 'b1', 'b2']);
    clock.advance(5);
    expect(opened).toEqual(['a', 'b', 'c']);
  });

  it("'wait' reads on for the sessions that could take more, and so does not deadlock where they need that to end", () => {
    const values = ['a1', ...Array.from({ length: 8 }, (_, i) => `b${String(i)}`), 'a2'];
    const { log } = record(
      fromPull(values).pipe(
        keyedSessions(key, ({ values }) => values.pipe(take(2)), {
          maxSessions: 1,
          onMaxSessions: 'wait',
          maxAge: 1e6,
          highWaterMark: 1,
        }),
      ),
    );
    expect(log).toEqual(['a1', 'a2', 'b0', 'b1', 'b2', 'b3', 'b4', 'b5', 'b6', 'b7', 'complete']);
  });

  it("'drop': values of new keys are dropped, but not those of a key that closes", () => {
    const clock = new Clock();
    const { send, dropped, log } = start(
      ({ values }) => values.pipe(mergeMap((value) => timer(3, clock).pipe(map(() => value)))),
      { maxSessions: 1, onMaxSessions: 'drop', idleTimeout: 2, scheduler: clock },
    );
    send('a1', 'b1');
    clock.advance(2);
    send('a2', 'b2');
    clock.advance(20);
    send('b3');
    clock.advance(20);
    expect(dropped).toEqual(['b1 max-sessions', 'b2 max-sessions']);
    expect(log).toEqual(['a1', 'a2', 'b3']);
  });

  it("'error': says what can be done", () => {
    const { send, dropped, log } = start(worker().handler, { maxSessions: 2, onMaxSessions: 'error', name: 'chats' });
    send('a1', 'a2', 'b1', 'c1');
    expect(log).toEqual([['error', expect.any(TooManySessionsError)]]);
    expect((log[0] as [string, Error])[1]).toMatchObject({
      name: 'TooManySessionsError',
      where: "keyedSessions 'chats'",
      maxSessions: 2,
    });
    expect(dropped).toEqual(['a2 error', 'c1 error']);
  });
});

describe('bounds', () => {
  const busy = () => start(worker().handler, { bufferSize: 3 });

  it('of all: an error that says how many wait', () => {
    const { send, log, dropped } = busy();
    send('a1', 'a2', 'b1', 'b2', 'a3', 'c1', 'b3');
    expect(log).toEqual([['error', expect.any(BufferOverflowError)]]);
    expect((log[0] as [string, Error])[1]).toMatchObject({ what: 'values', waiting: 3 });
    expect(dropped).toEqual(['a2 error', 'b2 error', 'a3 error', 'b3 overflow']);
  });

  it('a value for which there is a slot needs no room', () => {
    const work = worker();
    const { send, dropped } = start(work.handler, { bufferSize: 1, overflow: 'drop-newest' });
    send('a1', 'a2', 'b1');
    expect(work.running()).toEqual(['a1', 'b1']);
    expect(dropped).toEqual([]);
  });

  it('a value that its session takes at once needs no room', () => {
    const work = worker();
    const handler: Handler = (session) => (session.key === 'a' ? session.values : work.handler(session));
    const { send, dropped, log } = start(handler, { bufferSize: 1, overflow: 'drop-newest' });
    send('a1', 'b1', 'b2', 'a2');
    expect([log, dropped]).toEqual([['a1', 'a2'], []]);
  });

  it('a first value that its session does not take at once is counted: an error that says how many wait', () => {
    const { send, log, dropped } = start(() => NEVER, { bufferSize: 1 });
    send('a1', 'b1');
    expect(log).toEqual([['error', expect.any(BufferOverflowError)]]);
    expect((log[0] as [string, Error])[1]).toMatchObject({ what: 'values', waiting: 2 });
    expect(dropped).toEqual(['a1 error', 'b1 error']);
  });

  it('and what it displaces waits no longer for the consumer of its session', () => {
    const gates = { a: new ManualGate(), b: new ManualGate() };
    const handler: Handler = (session) => session.values.pipe(gatedBy(session.key === 'a' ? gates.a : gates.b));
    const { send, dropped } = start(handler, { bufferSize: 1, overflow: 'drop-oldest' });
    send('a1');
    expect(gates.a.waiters.size).toBe(1);
    send('b1');
    expect(dropped).toEqual(['a1 overflow']);
    expect([gates.a.waiters.size, gates.b.waiters.size]).toEqual([0, 1]);
  });

  it('hold at each moment, also for all that comes at once when the end of a session lets it ask for more', () => {
    const gate = new ManualGate(false);
    let waiting = 0;
    let most = 0;
    const left = () => waiting--;
    const source = concat(fromPull([1, 2, 3]), range(4, 100)).pipe(
      tap(() => {
        most = Math.max(most, waiting++);
      }),
    );
    const handler = ({ values }: Session<number, number>) =>
      values.pipe(
        gatedBy(gate),
        take(1),
        tap(() => {
          left();
          gate.ready = false;
        }),
      );
    record(
      source.pipe(
        keyedSessions((value) => value, handler, {
          highWaterMark: 3,
          bufferSize: 3,
          overflow: 'drop-oldest',
          onDrop: left,
        }),
      ),
    );
    gate.ready = true;
    expect([most, waiting]).toEqual([3, 3]);
  });

  it('of a key: an error that names the option', () => {
    const { send, log } = start(worker().handler, { bufferSizePerKey: 2 });
    send('a1', 'b1', 'b2', 'a2', 'a3', 'a4');
    const [, error] = log[0] as [string, Error];
    expect(error).toMatchObject({ what: 'values of a session', waiting: 2 });
    expect(error.message).toContain('larger or infinite bufferSizePerKey');
  });

  it.each([
    ['drop-oldest', ['a2 overflow'], ['a1', 'a3', 'a4', 'b1', 'b2']],
    ['drop-newest', ['a4 overflow'], ['a1', 'a2', 'a3', 'b1', 'b2']],
    ['drop-buffer', ['a2 overflow', 'a3 overflow'], ['a1', 'a4', 'b1', 'b2']],
  ] as const)('of a key: %s', (overflow, expected, results) => {
    const work = worker();
    const { send, dropped, log } = start(work.handler, { bufferSizePerKey: 2, overflow });
    send('a1', 'b1', 'b2', 'a2', 'a3', 'a4');
    expect(dropped).toEqual(expected);
    while (work.running().length > 0) work.finish(work.running()[0] ?? '');
    expect([...log].sort()).toEqual(results);
  });

  it('what is dropped may be all that waits for a session, or all that is left of an aged one', () => {
    const work = worker();
    const { send, dropped, opened, closed, clock, source, log } = start(work.handler, {
      bufferSize: 1,
      overflow: 'drop-oldest',
      maxSessions: 1,
      onMaxSessions: 'wait',
      maxAge: 5,
    });
    send('a1', 'b1', 'a2');
    expect([dropped, opened]).toEqual([['b1 overflow'], ['a']]);
    clock.advance(5);
    send('c1');
    expect(dropped).toEqual(['b1 overflow', 'a2 overflow']);
    work.finish('a1');
    expect([closed, opened]).toEqual([['a age'], ['a', 'c']]);
    work.finish('c1');
    source.complete();
    expect(log).toEqual(['a1', 'c1', 'complete']);
  });

  it('a full key does not hold up the others', () => {
    const work = worker();
    const values = ['a1', 'a2', 'a3', 'a4', 'b1', 'c1'];
    record(fromPull(values).pipe(keyedSessions(key, work.handler, { highWaterMark: 1 })));
    expect(work.running()).toEqual(['a1', 'b1', 'c1']);
  });

  it('but does with highWaterMarkPerKey', () => {
    const work = worker();
    const read: string[] = [];
    const source = fromPull(['a1', 'a2', 'a3', 'a4', 'b1']).pipe(tap((value) => read.push(value)));
    record(source.pipe(keyedSessions(key, work.handler, { highWaterMarkPerKey: 2, bufferSizePerKey: 2 })));
    expect(read).toEqual(['a1', 'a2', 'a3']);
    work.finish('a1');
    expect(read).toEqual(['a1', 'a2', 'a3', 'a4']);
    work.finish('a2');
    expect(read).toHaveLength(5);
  });

  it('with all slots taken and all busy, asks for highWaterMark', () => {
    const work = worker();
    const read: string[] = [];
    const source = fromPull(Array.from({ length: 20 }, (_, i) => `${'ab'.charAt(i % 2)}${String(i)}`));
    record(
      source.pipe(
        tap((value) => read.push(value)),
        keyedSessions(key, work.handler, { highWaterMark: 3, maxSessions: 2 }),
      ),
    );
    expect(read).toHaveLength(5);
    work.finish('a0');
    expect(read).toHaveLength(6);
  });

  it('above a consumer that is full, asks for highWaterMark, and for more when it is not', () => {
    const gate = new ManualGate();
    const read: string[] = [];
    const source = fromPull(Array.from({ length: 9 }, (_, i) => String(i))).pipe(tap((value) => read.push(value)));
    const { log } = record(
      source.pipe(
        keyedSessions((value) => value, pass as never, { highWaterMark: 2 }),
        gatedBy(gate),
      ),
    );
    expect([read, log]).toEqual([['0', '1'], []]);
    gate.ready = true;
    return settle().then(() => {
      expect([...log].sort()).toEqual([...Array.from({ length: 9 }, (_, i) => String(i)), 'complete']);
      expect(gate.waiters.size).toBe(0);
    });
  });

  it.each([0, 1])('wakes the source where only the consumer below had stopped it (highWaterMark: %i)', async (mark) => {
    const gate = new ManualGate(true);
    const work = worker();
    const source = fromPull(['a1', 'b1', 'a2', 'a3']);
    const { log } = record(
      source.pipe(
        keyedSessions(key, pass as never, {
          highWaterMark: mark,
          maxSessions: 1,
          onMaxSessions: 'wait',
          maxAge: 1e6,
        }),
        tap(() => (gate.ready = false)),
        gatedBy(gate),
      ),
    );
    for (let i = 0; i < 5; i++) {
      gate.ready = true;
      await settle();
    }
    expect(log).toEqual(['a1', 'a2', 'a3', 'b1', 'complete']);
    expect(work.running()).toEqual([]);
  });
});

describe('demand, keys and a limited number of sessions do not deadlock', () => {
  const tight = { highWaterMark: 0, bufferSize: 1 };
  const count = (source: Observable<unknown>) => {
    const { log } = record(source);
    expect(log.at(-1)).toBe('complete');
    return log.length - 1;
  };

  it('with thousands of keys of which each is reduced (reactor-core 596)', () => {
    const result$ = fromPull(
      Array.from({ length: 6000 }, (_, i) => i),
      { slice: Infinity },
    ).pipe(
      keyedSessions(
        (value) => value,
        ({ values }) => values.pipe(reduce(Math.max)),
        { maxSessions: 16, ...tight },
      ),
    );
    expect(count(result$)).toBe(6000);
  });

  it('with a few keys, one session and values in blocks (reactor-core 3442)', () => {
    const values = Array.from({ length: 4 * 86 }, (_, i) => ({ id: Math.floor(i / 86) }));
    const result$ = fromPull(values, { slice: Infinity }).pipe(
      keyedSessions(
        ({ id }) => id,
        ({ values }) => values,
        { maxSessions: 1, ...tight },
      ),
    );
    expect(count(result$)).toBe(4 * 86);
  });

  it('with sessions that end early and open again (reactor-core 2138)', () => {
    const clock = new Clock();
    const { log } = record(
      fromPull(
        Array.from({ length: 400 }, (_, i) => i),
        { slice: Infinity },
      ).pipe(
        keyedSessions(
          (value) => value % 4,
          ({ values }) =>
            values.pipe(
              take(3),
              bufferedMergeMap((value) => timer(1, clock).pipe(map(() => value)), { concurrent: 1, highWaterMark: 0 }),
            ),
          { maxSessions: 3, ...tight, scheduler: clock },
        ),
      ),
    );
    clock.maxFrames = Infinity;
    clock.flush();
    expect(log).toHaveLength(401);
    expect(log.at(-1)).toBe('complete');
  });

  it('with more keys than may wait (RxJava 6284)', () => {
    const clock = new Clock();
    const { log } = record(
      fromPull(
        Array.from({ length: 500 }, (_, i) => i),
        { slice: Infinity },
      ).pipe(
        keyedSessions(
          (value) => value,
          ({ values }) => values,
          { maxSessions: 128, onMaxSessions: 'wait', idleTimeout: 1, ...tight, scheduler: clock },
        ),
      ),
    );
    clock.maxFrames = Infinity;
    clock.flush();
    expect(log).toHaveLength(501);
  });
});

describe('a handler', () => {
  it('that completes by itself: what it has not taken opens a new session', () => {
    const { send, log, opened, closed } = start(({ values }) => values.pipe(take(2), toArray()));
    send('a1', 'a2', 'a3', 'b1', 'a4', 'a5');
    expect(log).toEqual([
      ['a1', 'a2'],
      ['a3', 'a4'],
    ]);
    expect([opened, closed]).toEqual([
      ['a', 'a', 'b', 'a'],
      ['a handler', 'a handler'],
    ]);
  });

  it('that completes with values queued: they open the next, in order, and nothing else comes between', () => {
    const ends: Subject<void>[] = [];
    const { send, log, opened } = start(({ values }) => {
      const end = new Subject<void>();
      ends.push(end);
      return merge(values.pipe(take(1)), end).pipe(take(2));
    });
    send('a1', 'a2', 'a3');
    expect(log).toEqual(['a1']);
    ends[0]?.next();
    ends[1]?.next();
    expect(log).toEqual(['a1', undefined, 'a2', undefined, 'a3']);
    expect(opened).toEqual(['a', 'a', 'a']);
  });

  it('that completes and has taken nothing is an error, not an endless loop', () => {
    const { send, log, dropped } = start(() => of('nothing'));
    send('a1');
    expect(log).toEqual(['nothing', ['error', expect.any(UnreadSessionError)]]);
    expect((log[1] as [string, Error])[1].message).toContain('values.pipe(ignoreElements())');
    expect(dropped).toEqual(['a1 error']);
  });

  it('that completes and has taken nothing because all was dropped is no error', () => {
    const end = new Subject<never>();
    const handler: Handler = (session) => (session.key === 'a' ? end : NEVER);
    const { send, dropped, closed, log } = start(handler, { bufferSize: 1, overflow: 'drop-oldest' });
    send('a1', 'b1');
    end.complete();
    expect([dropped, closed, log]).toEqual([['a1 overflow'], ['a handler'], []]);
  });

  it('that errors: the others are aborted, what waits is dropped, and the error passes when all has been cleaned up', () => {
    const clock = new Clock();
    const events: string[] = [];
    const { send, log, dropped, closed, source } = start(
      ({ key, values, signal }) => {
        signal.addEventListener('abort', () => events.push(`${key} aborted`));
        const cleaning = new Observable<never>((destination) => {
          const scope = findCleanupScope(destination);
          return () => {
            events.push(`${key} torn down`);
            scope?.track(clock.in(5, undefined));
          };
        });
        const work = values.pipe(
          bufferedMergeMap((value) => (value === 'b1' ? throwError(() => 'broken') : NEVER), {
            concurrent: 1,
            highWaterMark: 0,
          }),
        );
        return merge(cleaning, work);
      },
      { scheduler: clock },
    );
    send('a1', 'a2', 'b1');
    expect(events).toEqual(['a aborted', 'b aborted', 'a torn down', 'b torn down']);
    expect([log, dropped, closed]).toEqual([[], ['a2 error'], ['a error', 'b error']]);
    expect(source.observed).toBe(false);
    clock.advance(4);
    expect(log).toEqual([]);
    clock.advance(1);
    expect(log).toEqual([['error', 'broken']]);
  });

  it('that hangs in its clean-up delays an error by cleanupTimeout', () => {
    const clock = new Clock();
    const { send, log, source } = start(
      () =>
        new Observable((destination) => {
          const scope = findCleanupScope(destination);
          return () => scope?.track(new Promise(() => undefined));
        }),
      { scheduler: clock, cleanupTimeout: 9 },
    );
    send('a1');
    source.error('source');
    clock.advance(8);
    expect(log).toEqual([]);
    clock.advance(1);
    expect(log).toEqual([['error', 'source']]);
  });

  it('keeps the others going if it catches its errors', () => {
    const { send, log } = start(({ values }) =>
      values.pipe(
        map((value) => {
          if (value === 'b1') throw new Error('broken');
          return value;
        }),
        catchError(() => of('caught')),
      ),
    );
    send('a1', 'b1', 'a2', 'b2');
    expect(log).toEqual(['a1', 'caught', 'a2', 'b2']);
  });

  it('may subscribe late: the values wait', () => {
    const clock = new Clock();
    const { send, log, source } = start(({ values }) => timer(5, clock).pipe(concatMap(() => values)), {
      scheduler: clock,
      idleTimeout: 1,
    });
    send('a1', 'a2');
    clock.advance(4);
    expect(log).toEqual([]);
    source.complete();
    clock.advance(1);
    expect(log).toEqual(['a1', 'a2', 'complete']);
  });

  it('may never subscribe: its values wait and are dropped at the end', () => {
    const { send, clock, closed, dropped, subscription } = start(() => NEVER, { idleTimeout: 1 });
    send('a1', 'a2');
    clock.advance(100);
    expect(closed).toEqual([]);
    subscription.unsubscribe();
    expect(dropped).toEqual(['a1 unsubscribe', 'a2 unsubscribe']);
    expect(closed).toEqual(['a unsubscribe']);
  });

  it('may subscribe by one after the other', () => {
    const { send, log, source } = start(({ values }) =>
      concat(values.pipe(take(1)), values.pipe(reduce((all, value) => `${all}+${value}`))),
    );
    send('a1', 'a2', 'a3');
    source.complete();
    expect(log).toEqual(['a1', 'a2+a3', 'complete']);
  });

  it('may not subscribe twice at a time', () => {
    const { send, log } = start(({ values }) => merge(values, values));
    send('a1');
    expect(log).toEqual(['a1', ['error', expect.any(SessionInUseError)]]);
  });

  it('that subscribes when the session is over gets its completion', () => {
    let kept: Session<string, string> | undefined;
    const { send, clock, source } = start(
      (session) => {
        kept ??= session;
        return session.values;
      },
      { idleTimeout: 1 },
    );
    send('a1');
    clock.advance(1);
    send('a2');
    expect(record(kept?.values ?? NEVER).log).toEqual(['complete']);
    source.complete();
    expect(record(kept?.values ?? NEVER).log).toEqual(['complete']);
  });

  it('loses no value that comes while its reader is being torn down', () => {
    const stop = new Subject<void>();
    const state = start(({ values }) =>
      concat(
        new Observable((destination) => {
          destination.add(() => {
            state.send('a2');
          });
          values.subscribe(destination);
        }).pipe(takeUntil(stop)),
        values,
      ),
    );
    state.send('a1');
    stop.next();
    state.send('a3');
    expect(state.log).toEqual(['a1', 'a2', 'a3']);
  });

  it('whose reader left while it was full is idle from then on', () => {
    const stop = new Subject<void>();
    const gate = new ManualGate(true);
    const { send, clock, closed } = start(
      ({ values }) => concat(values.pipe(gatedBy(gate), takeUntil(stop)), values.pipe(ignoreElements())),
      { idleTimeout: 5 },
    );
    send('a1');
    gate.ready = false;
    clock.advance(50);
    expect([closed, gate.waiters.size]).toEqual([[], 1]);
    stop.next();
    expect(gate.waiters.size).toBe(0);
    clock.advance(4);
    expect(closed).toEqual([]);
    clock.advance(1);
    expect(closed).toEqual(['a idle']);
  });

  it('of which the reader left for good, while it was full, is idle as well', () => {
    const stop = new Subject<void>();
    const gate = new ManualGate(true);
    const { send, clock, scheduler } = start(
      ({ values }) => merge(values.pipe(gatedBy(gate), takeUntil(stop)), NEVER),
      { idleTimeout: 5, maxSessions: 1 },
    );
    send('a1');
    gate.ready = false;
    clock.advance(50);
    expect(scheduler.pending).toBe(0);
    stop.next();
    expect(scheduler.pending).toBe(1);
  });

  it('whose consumer is free again gets what comes at that moment behind what waits', () => {
    const gate = new ManualGate();
    const { send, log } = start(({ values }) => values.pipe(gatedBy(gate)));
    gate.onReady(() => {
      send('a2'); // the session has not been told yet
    });
    send('a1');
    gate.ready = true;
    expect(log).toEqual(['a1', 'a2']);
  });

  it('of which all was dropped that waited for its consumer waits there no longer', () => {
    const gate = new ManualGate();
    const { send, dropped } = start(({ values }) => values.pipe(gatedBy(gate)), {
      bufferSize: 1,
      overflow: 'drop-oldest',
      maxSessions: 1,
      maxAge: 9,
      onMaxSessions: 'wait',
    });
    send('a1');
    expect(gate.waiters.size).toBe(1);
    send('b1');
    expect([dropped, gate.waiters.size]).toEqual([['a1 overflow'], 0]);
  });

  it('that goes on after its end is not heard any more', () => {
    const gate = new ManualGate();
    const source = new Subject<string>();
    const closed: string[] = [];
    const { log } = record(
      source.pipe(
        keyedSessions(
          key,
          ({ values }) =>
            new Observable<string>((destination) => {
              values.subscribe();
              destination.next('result');
              destination.complete();
              destination.next('late');
              destination.complete();
              destination.error('late');
            }),
          { onClose: (k, reason) => closed.push(`${k} ${reason}`) },
        ),
        gatedBy(gate),
      ),
    );
    source.next('a1');
    expect(closed).toEqual([]); // its result waits
    gate.ready = true;
    expect([log, closed]).toEqual([['result'], ['a handler']]);
  });

  it.each(['a1', 'b1'])(
    'that emits when it is cut off is not heard any more, whichever fails: that of %s',
    (failing) => {
      const handlers = new Map<string, Subscriber<string>>();
      const { send, log } = start(
        ({ key, signal }) =>
          new Observable((destination) => {
            handlers.set(key, destination);
            const onAbort = () => {
              destination.next(`${key} is aborted`);
            };
            signal.addEventListener('abort', onAbort);
            const scope = findCleanupScope(destination);
            return () => {
              destination.next(`${key} is torn down`);
              scope?.track(new Promise(() => undefined));
            };
          }),
        { cleanupTimeout: Infinity },
      );
      send('a1', 'b1');
      handlers.get(key(failing))?.error('failed');
      for (const [k, handler] of handlers) handler.next(`${k} goes on`);
      expect(log).toEqual([]); // the error waits for clean-up
    },
  );

  it('that fails because it is aborted does not hide what has failed first', async () => {
    const { send, log } = start(
      ({ key, values, signal }) =>
        new Observable((destination) => {
          signal.addEventListener('abort', () => {
            destination.error(`${key} is aborted`);
          });
          values.subscribe({
            next: (value) => {
              if (value === 'b2') destination.error('first');
            },
            error: () => undefined,
          });
        }),
    );
    send('a1', 'b1', 'b2');
    await settle();
    expect(log).toEqual([['error', 'first']]);
  });

  it('that throws when the source has completed: that is the end, also while clean-up goes on', async () => {
    const clock = new Clock();
    const end = new Subject<never>();
    const cleansUp: Handler = ({ values }) =>
      new Observable((destination) => {
        const scope = findCleanupScope(destination);
        values.subscribe({ error: () => undefined });
        return () => scope?.track(clock.in(5, undefined));
      });
    const handlers: Record<string, Handler> = {
      a: cleansUp,
      b: ({ values }) => merge(ignoreElements()(values), end),
      c: fail,
    };
    const handler: Handler = (session) => (handlers[session.key] as Handler)(session);
    const { send, source, log, closed } = start(handler, {
      maxSessions: 2,
      onMaxSessions: 'wait',
      maxAge: 1e6,
      scheduler: clock,
    });
    send('a1', 'b1', 'c1');
    source.complete();
    end.complete();
    expect([log, closed]).toEqual([[], ['b source', 'a error', 'c error']]);
    clock.advance(5);
    await settle();
    expect(log).toEqual([['error', thrown]]);
  });

  it('whose teardown throws when it is cut off does not hide what has failed', async () => {
    const { send, source, log } = start(
      ({ signal }) =>
        new Observable(() => () => {
          throw new Error(`teardown, aborted: ${String(signal.aborted)}`);
        }),
    );
    send('a1');
    source.error('source');
    await settle();
    expect(log).toEqual([['error', 'source']]);
    expect(await reported(unhandled)).toMatchObject({ errors: [new Error('teardown, aborted: true')] });
  });

  it('that unsubscribes from it all gives what is subscribed no more', () => {
    let closed: boolean | undefined;
    const source = new Subject<string>();
    const subscription = source
      .pipe(
        keyedSessions(key, () => {
          subscription.unsubscribe();
          return new Observable((destination) => {
            ({ closed } = destination);
          });
        }),
      )
      .subscribe();
    source.next('a1');
    expect(closed).toBe(true);
  });

  it('without a reader in between is idle all the same, and a later one gets the completion', () => {
    const again = new Subject<void>();
    const { send, clock, log, closed } = start(
      ({ values }) => concat(values.pipe(take(1)), again.pipe(take(1), ignoreElements()), values.pipe(toArray())),
      { idleTimeout: 3 },
    );
    send('a1');
    clock.advance(3);
    again.next();
    expect(log).toEqual(['a1', []]);
    expect(closed).toEqual(['a idle']);
  });

  it('may give a promise, and read values by itself', async () => {
    const { send, source, log } = start(async ({ key, values }) => {
      const all: string[] = [];
      for await (const value of toAsyncIterable(values)) all.push(value);
      return `${key}: ${all.join()}`;
    });
    send('a1', 'a2', 'b1');
    await settle();
    source.complete();
    await settle();
    expect(log).toEqual(['a: a1,a2', 'b: b1', 'complete']);
  });

  it('that gives a thenable begins its work once', async () => {
    let begun = 0;
    const { source, send, log } = start(({ values }) => {
      values.subscribe();
      return { then: (...args) => (begun++, Promise.resolve('done').then(...args)) } as PromiseLike<string>;
    });
    send('a1');
    source.complete();
    await settle();
    expect([log, begun]).toEqual([['done', 'complete'], 1]);
  });

  it('that gives an Observable with a then gives an Observable', () => {
    const then = () => fail();
    const { source, send, log } = start(({ values }) => Object.assign(values.pipe(take(1)), { then }));
    send('a1');
    source.complete();
    expect(log).toEqual(['a1', 'complete']);
  });

  it('may give an iterable, which is read at the pace of the consumer below', () => {
    const gate = new ManualGate();
    const read: number[] = [];
    function* numbers() {
      for (let i = 1; i <= 3; i++) {
        read.push(i);
        yield i;
      }
    }
    const source = new Subject<string>();
    const { log } = record(
      source.pipe(
        keyedSessions(key, ({ values }) => {
          values.subscribe();
          return numbers();
        }),
        tap(() => (gate.ready = false)),
        gatedBy(gate),
      ),
    );
    source.next('a1');
    expect([read, log]).toEqual([[], []]);
    gate.ready = true;
    expect([read, log]).toEqual([[1], [1]]);
  });

  it('that gave an async iterable has what comes of it too late handed to onDropResult', async () => {
    const next = deferred<IteratorResult<string>>();
    let returned = 0;
    const results = {
      [Symbol.asyncIterator]: () => ({
        next: () => next.promise,
        return: () => {
          returned++;
          return Promise.resolve({ done: true as const, value: undefined });
        },
      }),
    };
    const dropped: unknown[] = [];
    const { send, subscription } = start(() => results, {
      onDropResult: (result, reason) => dropped.push([result, reason]),
    });
    send('a1');
    subscription.unsubscribe();
    expect(returned).toBe(1);
    next.resolve({ done: false, value: 'late' });
    await settle();
    expect(dropped).toEqual([['late', 'unsubscribe']]);
  });

  it('that gave a promise is told by values when it is cut off, and an error waits for its end', async () => {
    const ended: string[] = [];
    const { send, source, log } = start(async ({ key, values }) => {
      try {
        for await (const value of toAsyncIterable(values)) expect(value).toBe('a1');
      } finally {
        await settle();
        ended.push(key);
      }
    });
    send('a1');
    await settle();
    source.error('source');
    expect(log).toEqual([]);
    await settle(60);
    expect([ended, log]).toEqual([['a'], [['error', 'source']]]);
  });

  it('that gave a promise and is cut off has its failure reported, but not that it was aborted', async () => {
    const fails = start(async ({ values }) => {
      await new Promise((resolve) => values.subscribe({ error: resolve }));
      throw new Error('of the clean-up');
    });
    const aborted = start(async ({ values }) => {
      await new Promise((_, reject) => values.subscribe({ error: reject }));
    });
    fails.send('a1');
    aborted.send('a1');
    fails.subscription.unsubscribe();
    aborted.subscription.unsubscribe();
    expect(await reported(unhandled)).toEqual(new Error('of the clean-up'));
  });

  it('that unsubscribes from it all and gives a promise has its failure reported as well', async () => {
    const { send, subscription, log } = start(() => {
      subscription.unsubscribe();
      return Promise.reject(new Error('of the clean-up'));
    });
    send('a1');
    expect(await reported(unhandled)).toEqual(new Error('of the clean-up'));
    expect(log).toEqual([]);
  });

  it('that reads elsewhere is told the end of its session', () => {
    const end = new Subject<void>();
    const logs: unknown[][] = [];
    const { send } = start(({ values }) => {
      logs.push(record(values).log);
      return end.pipe(take(1), ignoreElements());
    });
    send('a1', 'b1');
    expect(logs).toEqual([['a1'], ['b1']]);
    end.next();
    expect(logs).toEqual([
      ['a1', 'complete'],
      ['b1', 'complete'],
    ]);
  });

  it('that reads elsewhere is told when it is cut off, after the signal', () => {
    let signal: AbortSignal | undefined;
    const logs: unknown[][] = [];
    const sessions: Session<string, string>[] = [];
    const { send, subscription } = start((session) => {
      sessions.push(session);
      logs.push(record(session.values).log);
      ({ signal } = session);
      return NEVER;
    });
    send('a1');
    subscription.unsubscribe();
    expect(logs).toEqual([['a1', ['error', signal?.reason]]]);
    expect(signal?.reason).toMatchObject({ name: 'AbortError' });
    expect(record(sessions[0]?.values ?? NEVER).log).toEqual([['error', signal?.reason]]);
  });

  it.each<[string, Handler]>([
    ['throws', () => fail()],
    ['gives a promise that rejects', () => Promise.reject(thrown)],
  ])('that %s is cut off, too: what it has begun is told', async (_, given) => {
    let signal: AbortSignal | undefined;
    const logs: unknown[][] = [];
    const { send, log } = start((session) => {
      ({ signal } = session);
      logs.push(record(session.values).log);
      return given(session);
    });
    send('a1');
    await settle();
    expect(log).toEqual([['error', thrown]]);
    expect(signal).toMatchObject({ aborted: true, reason: { name: 'AbortError' } });
    expect(logs).toEqual([['a1', ['error', signal?.reason]]]);
  });

  it('that was not cut off has a signal that is not aborted', () => {
    const signals: AbortSignal[] = [];
    const { send, source } = start(({ values, signal }) => {
      signals.push(signal);
      return values;
    });
    send('a1');
    source.complete();
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
  });
});

const thrown = new Error('thrown');
const fail = () => {
  throw thrown;
};

describe('what throws', () => {
  it('key is the error, and its value is dropped', () => {
    const source = new Subject<string>();
    const dropped: string[] = [];
    const { log } = record(
      source.pipe(
        keyedSessions((value) => (value === 'x' ? fail() : value), worker().handler as never, {
          onDrop: (value, reason) => dropped.push(`${value} ${reason}`),
        }),
      ),
    );
    source.next('a');
    source.next('a');
    source.next('x');
    expect([log, dropped]).toEqual([[['error', thrown]], ['a error', 'x error']]);
  });

  it.each([
    ['handler', { handler: fail }, ['a error']],
    ['onOpen', { onOpen: fail }, []],
  ])(
    '%s is the error, and its value is dropped',
    (_, { handler = pass, ...options }: { handler?: Handler; onOpen?: () => void }, expected) => {
      const { send, log, dropped, closed } = start(handler, options);
      send('a1');
      expect([log, dropped, closed]).toEqual([[['error', thrown]], ['a1 error'], expected]);
    },
  );

  it('onClose is the error', () => {
    const { send, clock, log, source } = start(pass, { idleTimeout: 1, onClose: fail });
    send('a1');
    clock.advance(1);
    expect(log).toEqual(['a1', ['error', thrown]]);
    expect(source.observed).toBe(false);
  });

  it('onDrop is the error, and after the end it is reported', async () => {
    const { send, log } = start(worker().handler, { bufferSize: 1, overflow: 'drop-newest', onDrop: fail });
    send('a1', 'a2', 'a3');
    expect(log).toEqual([['error', thrown]]);
    expect(await reported(unhandled)).toBe(thrown); // of a2, which waited
    unhandled.length = 0;
  });

  it("onDrop of onMaxSessions: 'drop' is the error", () => {
    const { send, log } = start(worker().handler, { maxSessions: 1, onMaxSessions: 'drop', onDrop: fail });
    send('a1', 'b1');
    expect(log).toEqual([['error', thrown]]);
  });

  it('what a handler gives that is no input is the error', () => {
    const { send, log } = start(() => undefined as never);
    send('a1');
    expect(log).toEqual([['error', expect.any(TypeError)]]);
  });

  it('a teardown does not stop the others', async () => {
    const torn: string[] = [];
    const { send, subscription, dropped } = start(({ key }) =>
      NEVER.pipe(
        finalize(() => {
          torn.push(key);
          if (key === 'a') fail();
        }),
      ),
    );
    send('a1', 'b1');
    expect(() => {
      subscription.unsubscribe();
    }).toThrow();
    expect([torn, dropped]).toEqual([
      ['a', 'b'],
      ['a1 unsubscribe', 'b1 unsubscribe'],
    ]);
    await settle();
  });
});

describe('re-entrancy', () => {
  it.each(['onOpen', 'handler', 'key', 'values', 'result', 'onClose'] as const)(
    'unsubscribing inside of %s ends it',
    (where) => {
      const source = new Subject<string>();
      const dropped: string[] = [];
      const seen: string[] = [];
      let closes = 0;
      const end = (place: string) => {
        if (place === where) subscription.unsubscribe();
      };
      const subscription = source
        .pipe(
          keyedSessions(
            (value) => {
              end('key');
              return key(value);
            },
            ({ values }) => {
              end('handler');
              return values.pipe(
                tap(() => {
                  end('values');
                }),
                take(1),
              );
            },
            {
              onOpen: () => {
                end('onOpen');
              },
              onClose: () => {
                closes++;
                end('onClose');
              },
              onDrop: (value) => dropped.push(value),
            },
          ),
        )
        .subscribe((value) => {
          seen.push(value);
          end('result');
        });
      source.next('a1');
      source.next('b1');
      expect(source.observed).toBe(false);
      expect([...seen, ...dropped]).toEqual(where === 'values' ? [] : ['a1']);
      expect(closes).toBe(where === 'key' ? 0 : 1);
    },
  );

  it('a result that pushes into the source, to its own session and to others, comes in order', () => {
    const source = new Subject<string>();
    const { log } = record(
      source.pipe(
        keyedSessions(key, ({ values }) => values, { maxSessions: 1 }),
        tap((value) => {
          if (value === 'a1') {
            source.next('b1');
            source.next('a2');
            source.next('b2');
          }
        }),
      ),
    );
    source.next('a1');
    source.complete();
    expect(log).toEqual(['a1', 'a2', 'b1', 'b2', 'complete']);
  });

  it('a key that completes the source: its value is not lost', () => {
    const source = new Subject<string>();
    const { log } = record(
      source.pipe(
        keyedSessions(
          (value) => {
            source.complete();
            return value;
          },
          ({ values }) => values,
        ),
      ),
    );
    source.next('a1');
    expect(log).toEqual(['a1', 'complete']);
  });

  it('a million sessions that end at once do not grow the stack', () => {
    let count = 0;
    range(1_000_000)
      .pipe(
        keyedSessions(
          (value) => value,
          ({ values }) => values.pipe(take(1)),
        ),
      )
      .subscribe(() => count++);
    expect(count).toBe(1_000_000);
  });

  it('nor do a million values that have waited in one', () => {
    const again = new Subject<void>();
    let count = 0;
    range(1_000_000)
      .pipe(
        keyedSessions(
          () => 'a',
          ({ values }) =>
            again.pipe(
              take(1),
              concatMap(() => values),
            ),
          { bufferSize: Infinity },
        ),
      )
      .subscribe(() => count++);
    again.next();
    expect(count).toBe(1_000_000);
  });

  it('nor do values that wait for sessions one after the other', () => {
    const end = new Subject<void>();
    let count = 0;
    range(200_000)
      .pipe(
        keyedSessions(
          (value) => value,
          ({ key, values }) => (key === 0 ? merge(values, end).pipe(take(2)) : values.pipe(take(1))),
          { bufferSize: Infinity, maxSessions: 1, onMaxSessions: 'wait', maxAge: 1e6 },
        ),
      )
      .subscribe(() => count++);
    end.next();
    expect(count).toBe(200_001);
  });
});

describe('the end', () => {
  it('unsubscribed: first the source, then the signals, then the handlers, then what waited', () => {
    const events: string[] = [];
    const source = new Observable<string>((destination) => {
      for (const value of ['a1', 'a2', 'b1']) destination.next(value);
      return () => events.push('source');
    });
    const subscription = source
      .pipe(
        keyedSessions(
          key,
          ({ key, signal }) => {
            signal.addEventListener('abort', () => events.push(`signal ${key}`));
            return new Observable(() => () => events.push(`handler ${key}`));
          },
          {
            onDrop: (value, reason) => events.push(`${value} ${reason}`),
            onClose: (k, reason) => events.push(`close ${k} ${reason}`),
          },
        ),
      )
      .subscribe();
    subscription.unsubscribe();
    expect(events).toEqual([
      'source',
      'signal a',
      'signal b',
      'handler a',
      'handler b',
      'a1 unsubscribe',
      'a2 unsubscribe',
      'b1 unsubscribe',
      'close a unsubscribe',
      'close b unsubscribe',
    ]);
  });

  it('tells whoever counts what is lost', () => {
    const lost: [string, number][] = [];
    const source = new Subject<string>();
    const subscription = new Observable<unknown>((destination) => {
      source
        .pipe(keyedSessions(key, worker().handler as never))
        .subscribe(operate({ destination, lossCounter: { lost: (what, count) => lost.push([what, count]) } }));
    }).subscribe();
    for (const value of ['a1', 'a2', 'b1']) source.next(value);
    subscription.unsubscribe();
    expect(lost).toContainEqual(['running', 2]);
    expect(lost).toContainEqual(['waiting', 1]);
  });

  it('lets what handlers lose be counted as well', () => {
    const lost: [string, number][] = [];
    const source = new Subject<string>();
    const work: Handler = ({ values }) => values.pipe(bufferedMergeMap(() => NEVER, { concurrent: 3 }));
    const subscription = new Observable<unknown>((destination) => {
      source
        .pipe(keyedSessions<string, string, ObservableInput<unknown>>(key, work))
        .subscribe(operate({ destination, lossCounter: { lost: (what, count) => lost.push([what, count]) } }));
    }).subscribe();
    for (const value of ['a1', 'a2', 'a3']) source.next(value);
    subscription.unsubscribe();
    expect(lost).toEqual([
      ['running', 1], // the session
      ['running', 3], // what it has begun
    ]);
  });

  it.each<[string, Handler, Options]>([
    ['handler', fail, {}],
    ['onOpen', pass, { onOpen: fail }],
  ])('does not count a session as running of which %s throws', (_, handler, options) => {
    const lost: [string, number][] = [];
    const source = new Subject<string>();
    new Observable<unknown>((destination) => {
      source
        .pipe(keyedSessions<string, string, ObservableInput<unknown>>(key, handler, options))
        .subscribe(operate({ destination, lossCounter: { lost: (what, count) => lost.push([what, count]) } }));
    }).subscribe({ error: () => undefined });
    source.next('a1');
    expect(lost).toEqual([['waiting', 1]]);
  });

  it.each<[string, Handler]>([
    ['that fails', ({ values }) => values.pipe(tap(fail))],
    ['that gave a promise that rejects', () => Promise.reject(thrown)],
  ])('counts as running the others, but not a session %s', async (_, failing) => {
    const lost: [string, number][] = [];
    const source = new Subject<string>();
    const handler: Handler = (session) => (session.key === 'a' ? failing(session) : ignoreElements()(session.values));
    new Observable<unknown>((destination) => {
      source
        .pipe(keyedSessions<string, string, ObservableInput<unknown>>(key, handler))
        .subscribe(operate({ destination, lossCounter: { lost: (what, count) => lost.push([what, count]) } }));
    }).subscribe({ error: () => undefined });
    source.next('b1');
    source.next('a1');
    await settle();
    expect(lost.filter(([what]) => what === 'running')).toEqual([['running', 1]]);
  });

  it('a clean-up that a session tells of when it is over frees no second slot', async () => {
    const clock = new Clock();
    const handler: Handler = ({ key, values }) =>
      key === 'a'
        ? new Observable((destination) => {
            const scope = findCleanupScope(destination);
            values.pipe(take(1)).subscribe(destination);
            return () => scope?.track(clock.in(1, undefined));
          })
        : NEVER;
    const { send, dropped, closed } = start(handler, { maxSessions: 1, onMaxSessions: 'drop' });
    send('a1');
    clock.advance(1);
    await settle();
    send('b1', 'c1');
    expect([closed, dropped]).toEqual([['a handler'], ['c1 max-sessions']]);
  });

  it('that work fails that is aborted because other work has failed is no news', async () => {
    const { send, source, log } = start(async ({ values }) => {
      await new Promise((resolve) => values.subscribe({ error: resolve }));
      throw new Error('aborted work');
    });
    send('a1');
    source.error('source');
    await settle();
    expect(log).toEqual([['error', 'source']]);
  });

  it('results that wait when it fails are dropped, also where that frees the consumer below', () => {
    const gate = new ManualGate();
    const dropped: unknown[] = [];
    const source = new Subject<string>();
    source
      .pipe(
        keyedSessions(key, ({ values }) => values, {
          onDrop: (value) => dropped.push(value),
          onDropResult: (result) => dropped.push(`result ${result}`),
        }),
        gatedBy(gate),
      )
      .subscribe({ error: () => (gate.ready = true) });
    source.next('b1');
    source.error('source');
    expect(dropped).toEqual(['b1']);
    expect(gate.waiters.size).toBe(0);

    const results = new Subject<string>();
    const late = new ManualGate();
    results
      .pipe(
        keyedSessions(key, () => concat(of('first'), NEVER), {
          onDropResult: (result) => dropped.push(`result ${result}`),
        }),
        gatedBy(late),
      )
      .subscribe({ error: () => (late.ready = true) });
    results.next('c1');
    results.error('source');
    expect(dropped).toEqual(['b1', 'result first']);
  });

  it('reads nothing more when it fails, also where that frees the consumer below', () => {
    const gate = new ManualGate();
    const read: string[] = [];
    const stop = new Subject<never>();
    merge(fromPull(['a1', 'b1']).pipe(tap((value) => read.push(value))), stop)
      .pipe(keyedSessions(key, pass as never, { highWaterMark: 1 }), gatedBy(gate))
      .subscribe({ error: () => (gate.ready = true) });
    stop.error('source');
    expect(read).toEqual(['a1']);
  });

  it('counts what is lost once, also where an error waits for clean-up', () => {
    const lost: [string, number][] = [];
    const source = new Subject<string>();
    new Observable<unknown>((destination) => {
      source
        .pipe(keyedSessions(key, ({ signal }) => (signal.aborted ? of('aborted') : NEVER)))
        .subscribe(operate({ destination, lossCounter: { lost: (what, count) => lost.push([what, count]) } }));
    }).subscribe({ error: () => undefined });
    source.next('a1');
    source.error('source');
    expect(lost).toEqual([
      ['running', 1],
      ['waiting', 1],
    ]);
  });

  it('hands clean-up that goes on to the scope below', () => {
    const tracked: PromiseLike<unknown>[] = [];
    const cleanup = Promise.resolve();
    const source = new Subject<string>();
    const subscription = new Observable<unknown>((destination) => {
      source
        .pipe(
          keyedSessions(
            key,
            () =>
              new Observable<never>((inner) => {
                const scope = findCleanupScope(inner);
                return () => scope?.track(cleanup);
              }),
          ),
        )
        .subscribe(operate({ destination, cleanupScope: { track: (each) => tracked.push(each) } }));
    }).subscribe();
    source.next('a');
    subscription.unsubscribe();
    expect(tracked).toHaveLength(1);
  });

  it('results that wait for the consumer below keep their session alive, and are dropped at the end', () => {
    const gate = new ManualGate();
    const dropped: unknown[] = [];
    const closed: string[] = [];
    const source = new Subject<string>();
    const { log, subscription } = record(
      source.pipe(
        keyedSessions(
          key,
          ({ key, values }) => (key === 'a' ? merge(of('first', 'second'), values).pipe(take(3)) : values),
          {
            onClose: (k, reason) => closed.push(`${k} ${reason}`),
            onDropResult: (result, reason) => dropped.push(`${result} ${reason}`),
          },
        ),
        gatedBy(gate),
      ),
    );
    source.next('a1');
    source.complete();
    expect([log, closed]).toEqual([[], []]);
    gate.ready = true;
    expect([log, closed]).toEqual([['first', 'second', 'a1', 'complete'], ['a handler']]);
    expect(subscription.closed).toBe(true);

    gate.ready = false;
    const again = record(
      of('b1').pipe(
        keyedSessions(key, () => of('result'), { onDropResult: (result) => dropped.push(result) }),
        gatedBy(gate),
      ),
    );
    again.subscription.unsubscribe();
    expect(dropped).toEqual(['result']);
  });

  it('results of a handler that cannot wait are bounded, too', () => {
    const dropped: string[] = [];
    const { log } = record(
      of('a').pipe(
        keyedSessions(
          key,
          () =>
            new Observable<string>((s) => {
              for (let i = 0; i < 5; i++) s.next(String(i));
            }),
          {
            bufferSize: 1,
            onDropResult: (result, reason) => dropped.push(`${result} ${reason}`),
          },
        ),
        gatedBy(new ManualGate()),
      ),
    );
    expect(log).toEqual([['error', expect.any(BufferOverflowError)]]);
    expect((log[0] as [string, Error])[1]).toMatchObject({ what: 'results', waiting: 2 });
    expect([...dropped].sort()).toEqual(['0 error', '1 error', '2 error']);
  });
});

it('does not take what is wrong', () => {
  const options = (given: object) => () => keyedSessions(key, pass as never, given);
  expect(() => keyedSessions(undefined as never, pass)).toThrow(new TypeError('key must be a function, got undefined'));
  expect(() => keyedSessions(key, 3 as never)).toThrow(new TypeError('handler must be a function, got 3'));
  expect(options({ maxSessions: 0 })).toThrow(
    new RangeError('maxSessions must be a positive integer or Infinity, got 0'),
  );
  expect(options({ bufferSize: 0 })).toThrow(
    new RangeError('bufferSize must be a positive integer or Infinity, got 0'),
  );
  for (const bound of ['bufferSizePerKey', 'highWaterMarkPerKey'])
    expect(options({ [bound]: 0 })).toThrow(new RangeError(`${bound} must be a positive integer or Infinity, got 0`));
  expect(options({ highWaterMark: 2, bufferSize: 1 })).toThrow(RangeError);
  for (const time of ['idleTimeout', 'maxAge'])
    expect(options({ [time]: NaN })).toThrow(`${time} must be a number of milliseconds from 0`);
  expect(options({ idleTimeout: -1 })).toThrow(RangeError);
  expect(options({ onMaxSessions: 'close' })).toThrow('onMaxSessions must be one of');
  expect(options({ onMaxSessions: 'wait' })).toThrow(
    new TypeError("onMaxSessions: 'wait' needs an idleTimeout or a maxAge: else values could wait forever"),
  );
  expect(options({ onMaxSessions: 'wait', maxSessions: Infinity })).not.toThrow();
  expect(options({ overflow: 'drop' })).toThrow(RangeError);
  expect(options({ cleanupTimeout: -1 })).toThrow(RangeError);
  for (const callback of ['onDrop', 'onDropResult', 'onOpen', 'onClose'])
    expect(options({ [callback]: 1 })).toThrow(new TypeError(`${callback} must be a function, got 1`));
  expect(options({ scheduler: {} })).toThrow(TypeError);
  expect(options({ name: 3 })).toThrow(TypeError);
  expect(() => keyedSessions(key, pass as never, 3 as never)).toThrow(TypeError);
});

it.each([Infinity, 4])(
  'with up to %s sessions, first values of new keys count too where the consumer is full',
  (maxSessions) => {
    const gate = new ManualGate(false);
    const source = new Subject<number>();
    const dropped: number[] = [];
    const log: unknown[] = [];
    source
      .pipe(
        keyedSessions(
          (value) => value,
          ({ values }) => values,
          { bufferSize: 2, maxSessions, overflow: 'drop-newest', onDrop: (value) => dropped.push(value) },
        ),
        gatedBy(gate),
      )
      .subscribe((value) => log.push(value));
    for (let key = 0; key < 6; key++) source.next(key);
    expect(dropped).toEqual([2, 3, 4, 5]);
    gate.ready = true;
    expect(log).toEqual([0, 1]);
  },
);
