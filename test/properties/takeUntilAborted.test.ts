import fc from 'fast-check';
import { config, mergeMap, NEVER, Observable, throwError, timer, VirtualTimeScheduler, type SchedulerLike } from 'rxjs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { CleanupTimeoutError } from '../../src/errors/CleanupTimeoutError.js';
import { operate } from '../../src/internal/operate.js';
import { takeUntilAborted } from '../../src/operators/takeUntilAborted.js';
import { cleanedUpBy } from '../support/cleanedUpBy.js';
import { CountedSignal } from '../support/CountedSignal.js';

/** `RUNS=20 npx vitest run test/properties` looks for the rare ones. */
const times = Number(process.env['RUNS'] ?? 1);

// Each kind of event has a last digit of its own, so that no two fall into one frame.
const frame = (digit: number, most = 12) => fc.nat(most).map((n) => n * 10 + digit);
const maybe = (arbitrary: fc.Arbitrary<number>) => fc.oneof(arbitrary, fc.constant(Infinity));

const programs = fc.record({
  values: fc.array(frame(0), { maxLength: 5 }),
  end: maybe(frame(1)),
  endsWith: fc.constantFrom('complete', 'error'),
  abort: fc.oneof({ weight: 5, arbitrary: frame(2) }, { weight: 1, arbitrary: fc.constantFrom(-1, Infinity) }),
  unsubscribe: maybe(frame(3, 30)),
  cleanups: fc.array(
    fc.record({ takes: maybe(frame(4)), fails: fc.boolean() }), // and with those of the abort: 6
    { maxLength: 3 },
  ),
  cleanupTimeout: maybe(frame(5)), // 7
  onAbort: fc.constantFrom('complete', 'error'),
});
type Program = typeof programs extends fc.Arbitrary<infer P> ? P : never;

type Event = readonly [frame: number, what: unknown];

/** What is to come, and what is to be told by the scope below or as unhandled. */
function expected(program: Program): { events: Event[]; told: string[] } {
  const { values, end, endsWith, abort, unsubscribe, cleanups, cleanupTimeout, onAbort } = program;
  const first = Math.min(end, abort, unsubscribe);
  const events: Event[] = values
    .filter((at) => at < first)
    .sort((a, b) => a - b)
    .map((at) => [at, at]);
  if (first === Infinity) return { events, told: [] };
  if (first === end) return { events: [...events, [end, endsWith]], told: [] };
  // Where it was aborted before, there is no source to be cleaned up.
  const over =
    first === -1
      ? []
      : cleanups.map(({ takes, fails }, i) => ({ at: first + takes, fails, name: `failure ${String(i)}` }));
  const failures = over.filter(({ at, fails }) => fails && at < Infinity);
  if (first === unsubscribe) return { events, told: failures.map(({ name }) => name) };
  const settled = Math.max(first, ...over.map(({ at }) => at));
  const ends = Math.min(settled, first + cleanupTimeout);
  if (unsubscribe < ends) return { events, told: failures.map(({ name }) => name) };
  if (ends === Infinity) return { events, told: [] }; // they are kept for the end
  const answered = failures.filter(({ at }) => at <= ends).map(({ name }) => name);
  const told = failures.filter(({ at }) => at > ends).map(({ name }) => name);
  const result = { timedOut: settled > ends, answered };
  const at = Math.max(ends, 0);
  if (!result.timedOut && answered.length === 0)
    return { events: [...events, [at, onAbort === 'complete' ? 'complete' : 'why']], told };
  return { events: [...events, [at, result]], told };
}

/** What an error tells of. */
function read(error: unknown): unknown {
  if (error === 'error' || error === 'why') return error;
  const flat = (each: unknown): unknown[] => (each instanceof AggregateError ? each.errors.flatMap(flat) : [each]);
  if (!(error instanceof CleanupTimeoutError))
    return {
      timedOut: false,
      answered: flat(error)
        .filter((each) => each !== 'why')
        .sort(),
    };
  expect(error.cause).toBe('why');
  return { timedOut: true, answered: error.cleanupError === undefined ? [] : flat(error.cleanupError).sort() };
}

function run(program: Program) {
  const { values, end, endsWith, abort, unsubscribe, cleanups, cleanupTimeout, onAbort } = program;
  const scheduler = new VirtualTimeScheduler();
  const events: Event[] = [];
  const told: unknown[] = [];
  let cleaned = 0;
  const timers: { closed: boolean }[] = [];
  const timed: SchedulerLike = {
    now: () => scheduler.now(),
    schedule: (...args: Parameters<SchedulerLike['schedule']>) => {
      const action = scheduler.schedule(...args);
      timers.push(action);
      return action;
    },
  };
  const at = (when: number, step: () => void) => {
    if (when < Infinity) scheduler.schedule(step, when);
  };
  const counted = new CountedSignal();
  config.onUnhandledError = (error: unknown) => void told.push(error);

  const plain = new Observable<number>((subscriber) => {
    for (const when of values) at(when, subscriber.next.bind(subscriber, when));
    at(end, () => {
      if (endsWith === 'complete') subscriber.complete();
      else subscriber.error('error');
    });
  });
  const source = cleanups.reduce<Observable<number>>(
    (above, { takes, fails }, i) =>
      above.pipe(
        cleanedUpBy(() => {
          cleaned++;
          const done = takes < Infinity ? timer(takes, scheduler) : NEVER;
          return fails ? done.pipe(mergeMap(() => throwError(() => `failure ${String(i)}`))) : done;
        }),
      ),
    plain,
  );

  const subscriber = operate<number, never>({
    cleanupScope: { track: (cleanup) => void cleanup.then(undefined, (error: unknown) => told.push(error)) },
    next: (value) => events.push([scheduler.frame, value]),
    error: (error) => events.push([scheduler.frame, read(error)]),
    complete: () => events.push([scheduler.frame, 'complete']),
  });
  if (abort === -1) counted.abort('why');
  at(abort === -1 ? Infinity : abort, () => {
    counted.abort('why');
  });
  at(unsubscribe, () => {
    subscriber.unsubscribe();
    expect(timers.filter(({ closed }) => !closed)).toEqual([]);
    expect(counted.listeners).toBe(0);
  });
  source.pipe(takeUntilAborted(counted.signal, { onAbort, cleanupTimeout, scheduler: timed })).subscribe(subscriber);
  scheduler.flush();
  vi.runAllTimers();
  config.onUnhandledError = null;
  return { events, told, cleaned, timers, counted, subscriber };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('ends once, in the frame in which the clean-up has settled or its time is over, and tells of each failure once', () => {
  fc.assert(
    fc.property(programs, (program) => {
      const { events, told, cleaned, timers, counted, subscriber } = run(program);
      const model = expected(program);
      expect(events).toEqual(model.events);
      expect(told.sort()).toEqual(model.told.sort());
      const { end, abort, unsubscribe, cleanups } = program;
      const tornDown = abort !== -1 && Math.min(end, abort, unsubscribe) < end;
      expect(cleaned).toBe(tornDown ? cleanups.length : 0);
      if (subscriber.closed) {
        expect(counted.listeners).toBe(0);
        expect(timers.filter(({ closed }) => !closed)).toEqual([]);
      }
    }),
    { numRuns: 1000 * times },
  );
});
