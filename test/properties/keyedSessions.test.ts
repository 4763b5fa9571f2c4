import fc from 'fast-check';
import {
  concatMap,
  EMPTY,
  map,
  merge,
  Observable,
  Subject,
  take,
  takeUntil,
  tap,
  timer,
  VirtualTimeScheduler,
  type ObservableInput,
  type Subscription,
} from 'rxjs';
import { expect, it } from 'vitest';
import { TooManySessionsError } from '../../src/errors/TooManySessionsError.js';
import { UnreadSessionError } from '../../src/errors/UnreadSessionError.js';
import { bufferedMergeMap, fromPull, gatedBy, toAsyncIterable } from '../../src/index.js';
import { Completion } from '../../src/internal/Completion.js';
import type { Session } from '../../src/internal/sessions/Session.js';
import { findCleanupScope } from '../../src/link/walk.js';
import { keyedSessions } from '../../src/operators/keyedSessions.js';
import { ManualGate } from '../support/ManualGate.js';
import { settle } from '../support/settle.js';

/** `RUNS=20 npx vitest run test/properties` looks for the rare ones. */
const times = Number(process.env['RUNS'] ?? 1);

interface Item {
  readonly id: number;
  readonly key: number;
}

const handlers = fc.record({
  kind: fc.constantFrom('pass', 'busy', 'busy', 'native', 'take', 'late', 'until', 'promise', 'detached' as const),
  takes: fc.integer({ min: 0, max: 7 }),
  silent: fc.boolean(),
  cleanup: fc.constantFrom(0, 0, 3, 9),
});

const programs = fc
  .record({
    maxSessions: fc.constantFrom(1, 2, 3, Infinity),
    onMaxSessions: fc.constantFrom(
      'close-oldest-idle' as const,
      'close-oldest-idle' as const,
      'wait' as const,
      'drop' as const,
      'error' as const,
    ),
    idleTimeout: fc.constantFrom(0, 1, 5, 20, Infinity),
    maxAge: fc.constantFrom(0, 4, 30, Infinity, Infinity),
    bufferSize: fc.constantFrom(1, 2, 5, Infinity),
    bufferSizePerKey: fc.constantFrom(undefined, undefined, 1, 3),
    highWaterMark: fc.constantFrom(0, 1, 3, 100),
    overflow: fc.constantFrom('error' as const, 'drop-oldest' as const, 'drop-newest' as const, 'drop-buffer' as const),
    source: fc.constantFrom('waits' as const, 'cannot wait' as const),
    items: fc.array(fc.record({ gap: fc.nat(6), key: fc.nat(3) }), { maxLength: 25 }),
    handlers: fc.array(handlers, { minLength: 1, maxLength: 4 }),
    /** After so many results the consumer pushes a value of a key into the source. */
    pushes: fc.array(fc.record({ on: fc.nat(10), key: fc.nat(3) }), { maxLength: 3 }),
    hasGate: fc.boolean(),
    moves: fc.array(fc.nat(8), { maxLength: 15 }),
    takesOne: fc.boolean(),
    end: fc.record({
      kind: fc.constantFrom(
        'complete' as const,
        'complete' as const,
        'complete' as const,
        'error' as const,
        'unsubscribe' as const,
      ),
      at: fc.nat(80),
    }),
  })
  .filter(
    ({ onMaxSessions, idleTimeout, maxAge }) => onMaxSessions !== 'wait' || Math.min(idleTimeout, maxAge) < Infinity,
  );

type Program = typeof programs extends fc.Arbitrary<infer P> ? P : never;

async function run(program: Program): Promise<void> {
  const { maxSessions, onMaxSessions, bufferSize, bufferSizePerKey, overflow, source, hasGate } = program;
  const scheduler = new VirtualTimeScheduler();
  const gate = new ManualGate(!hasGate);
  const came: Item[] = [];
  const taken: Item[] = [];
  const dropped: Item[] = [];
  const ends: unknown[] = [];
  /** By key: how many are alive, until their clean-up has settled. */
  const alive = new Map<number, number>();
  const opened: number[] = [];
  const closed: [number, string][] = [];
  const wrong: string[] = [];
  /** How many waited when the input of a session was completed. */
  const leftBehind = new Map<number, number>();
  const waitingOf = (key: number) =>
    [came, taken, dropped].reduce(
      (sum, list, i) => sum + (i === 0 ? 1 : -1) * list.filter((item) => item.key === key).length,
      0,
    );

  const after = <V>(ms: number, value: V) => timer(ms, scheduler).pipe(map(() => value));

  const work = ({ values }: Session<number, Item>, handler: Program['handlers'][number]): ObservableInput<unknown> => {
    const { kind, takes, silent } = handler;
    const result = (item: Item) => after(takes, item).pipe(silent ? concatMap(() => EMPTY) : map((each) => each));
    switch (kind) {
      case 'busy':
        return values.pipe(bufferedMergeMap(result, { concurrent: 1, highWaterMark: 0, scheduler }));
      case 'native':
        return values.pipe(concatMap(result));
      case 'take':
        return values.pipe(take(takes + 1));
      case 'late':
        return timer(takes, scheduler).pipe(concatMap(() => values));
      case 'until':
        return values.pipe(takeUntil(timer(takes, scheduler)));
      case 'promise':
        return (async () => {
          let count = 0;
          for await (const item of toAsyncIterable(values)) count += Math.sign(item.id + 1);
          return count;
        })();
      case 'detached':
        return new Observable((destination) => {
          const subscription = values.subscribe({
            error: () => undefined,
            complete: () => {
              destination.complete();
            },
          });
          return () => {
            subscription.unsubscribe();
          };
        });
      default:
        return values;
    }
  };

  let sessions = 0;
  const open = (session: Session<number, Item>): ObservableInput<unknown> => {
    const { key } = session;
    const handler = program.handlers[sessions++ % program.handlers.length] as Program['handlers'][number];
    if (alive.get(key)) wrong.push(`two sessions of ${String(key)}`);
    alive.set(key, 1);
    if (alive.size > maxSessions) wrong.push('more than maxSessions');
    leftBehind.delete(key);
    const over = () => alive.delete(key);
    const values = session.values.pipe(
      tap({
        next: (item) => taken.push(item),
        complete: () => {
          if (handler.kind !== 'late') leftBehind.set(key, waitingOf(key)); // else it may have been closed before it was subscribed
        },
      }),
    );
    const given = work({ key, values, signal: session.signal }, handler);
    if (handler.kind === 'promise') {
      const end = (given as Promise<unknown>).finally(over);
      end.catch(() => undefined);
      return end;
    }
    return new Observable((destination) => {
      const scope = findCleanupScope(destination);
      destination.add(() => {
        if (handler.cleanup === 0) over();
        else {
          const completion = new Completion();
          scope?.track(completion);
          timer(handler.cleanup, scheduler).subscribe(() => {
            over();
            completion.resolve();
          });
        }
      });
      (given as Observable<unknown>).subscribe(destination);
    });
  };

  const subject = new Subject<Item>();
  const list = program.items.map(({ key }, id): Item => ({ id, key }));
  let nextId = list.length;
  const given = source === 'waits' ? merge(fromPull(list, { slice: Infinity }), subject) : subject;
  const hasMark = bufferSizePerKey !== undefined && source === 'waits';
  let results = 0;
  const subscription: Subscription = given
    .pipe(
      keyedSessions(
        (item) => {
          const waiting = came.length - taken.length - dropped.length;
          if (source === 'waits' && program.pushes.length === 0 && waiting >= bufferSize) wrong.push('too many wait');
          came.push(item);
          return item.key;
        },
        open,
        {
          ...{ maxSessions, onMaxSessions, bufferSize, overflow, scheduler },
          ...{ idleTimeout: program.idleTimeout, maxAge: program.maxAge },
          highWaterMark: Math.min(program.highWaterMark, bufferSize),
          ...(bufferSizePerKey !== undefined && { bufferSizePerKey }),
          ...(hasMark && { highWaterMarkPerKey: bufferSizePerKey }),
          onDrop: (item) => dropped.push(item),
          onOpen: (key) => opened.push(key),
          onClose: (key, reason) => {
            closed.push([key, reason]);
            if (['idle', 'max-sessions'].includes(reason) && leftBehind.get(key)) wrong.push('closed with queued work');
          },
        },
      ),
      gatedBy(gate),
    )
    .subscribe({
      next: () => {
        if (ends.length > 0) wrong.push('a result after the end');
        if (!gate.ready) wrong.push('a result while the gate was closed');
        if (hasGate && program.takesOne) gate.ready = false;
        results++;
        for (const { on, key } of program.pushes) if (on === results) subject.next({ id: nextId++, key });
      },
      error: (error: unknown) => ends.push(error),
      complete: () => ends.push('complete'),
    });

  let at = 0;
  if (source === 'cannot wait') {
    for (const [i, item] of list.entries()) {
      at += program.items[i]?.gap ?? 0;
      scheduler.schedule(() => {
        subject.next({ ...item, id: nextId++ });
      }, at);
    }
  }
  scheduler.schedule(() => {
    subject.complete();
  }, at + 40);
  if (hasGate) {
    at = 0;
    for (const gap of program.moves) {
      at += gap;
      scheduler.schedule(() => (gate.ready = !gate.ready), at);
    }
  }
  if (program.end.kind !== 'complete')
    scheduler.schedule(() => {
      if (program.end.kind === 'error') subject.error('source');
      else {
        if (ends.length === 0) ends.push('unsubscribed');
        subscription.unsubscribe();
      }
    }, program.end.at);

  const { actions } = scheduler;
  for (let turns = 0; turns < 400; turns++) {
    await settle(6);
    if (actions.length > 0) {
      scheduler.maxFrames = Math.min(...actions.map(({ delay }) => delay));
      scheduler.flush();
    } else if (ends.length === 0) gate.ready = true;
    else break;
  }
  await settle(30);

  const state = JSON.stringify({ ends, opened, closed, waiting: [0, 1, 2, 3].map(waitingOf) });
  expect(wrong).toEqual([]);
  expect(ends, state).toHaveLength(1);
  const [end] = ends;
  const kinds = program.handlers.map(({ kind }) => kind);
  if (end instanceof Error) {
    if (end instanceof UnreadSessionError) expect(kinds).toContain('until');
    else if (end instanceof TooManySessionsError) expect(onMaxSessions).toBe('error');
    else {
      expect(String(end)).toMatch(/BufferOverflowError/);
      if (!kinds.includes('native')) expect(overflow).toBe('error');
      // A native operator takes what it is given, also where its results have to wait.
      if (source === 'waits' && program.pushes.length === 0 && !kinds.includes('native')) expect.fail(String(end));
    }
  }
  expect(actions.filter((action) => !action.closed)).toEqual([]);
  expect(gate.waiters.size).toBe(0);
  expect(subject.observed).toBe(false);
  expect([...alive.keys()]).toEqual([]);
  expect(closed.map(([key]) => key).sort()).toEqual([...opened].sort());
  const ids = (items: readonly Item[]) => items.map(({ id }) => id);
  expect(ids([...taken, ...dropped]).sort((a, b) => a - b)).toEqual(ids(came).sort((a, b) => a - b));
  for (let key = 0; key < 4; key++) {
    const order = ids(taken.filter((item) => item.key === key));
    const arrival = ids(came.filter((item) => item.key === key));
    expect(order).toEqual(arrival.filter((id) => order.includes(id)));
  }
  if (
    end === 'complete' &&
    onMaxSessions !== 'drop' &&
    (source === 'waits' ? program.pushes.length === 0 : overflow === 'error')
  )
    expect(dropped).toEqual([]);
}

it(
  'whatever happens: each value is taken or dropped once, in the order of its key; one session of a key at a time, and no more than maxSessions; it ends, and nothing is left behind',
  async () => {
    await fc.assert(fc.asyncProperty(programs, run), { numRuns: 500 * times });
  },
  60_000 * times,
);
