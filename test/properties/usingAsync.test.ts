import fc from 'fast-check';
import { Observable, Subscription, VirtualTimeScheduler, type SchedulerLike } from 'rxjs';
import { expect, it } from 'vitest';
import { ReleaseError } from '../../src/errors/ReleaseError.js';
import { Completion } from '../../src/internal/Completion.js';
import { operate } from '../../src/internal/operate.js';
import type { ReleaseOutcome } from '../../src/internal/ResourceUse.js';
import { findCleanupScope } from '../../src/link/walk.js';
import { usingAsync } from '../../src/sources/usingAsync.js';
import { collectUnhandled } from '../support/unhandled.js';

/** `RUNS=20 npx vitest run test/properties` looks for the rare ones. */
const times = Number(process.env['RUNS'] ?? 1);

const unhandled = collectUnhandled();

/** When something ends, and how; at once if `after` is 0, never if it is `Infinity`. */
interface Ending {
  readonly after: number;
  readonly fails: boolean;
}

interface Program {
  readonly acquire: Ending;
  /** From one value to the next, and then to the end. */
  readonly gaps: readonly number[];
  readonly useEnds: 'complete' | 'error' | 'never' | 'throw';
  /** Of what `use` gives: how many, and how they end. */
  readonly cleanups: readonly Ending[];
  readonly release: Ending;
  readonly cleanupTimeout: number;
  readonly scoped: boolean;
  /** When it is unsubscribed: at a time, or inside of something. */
  readonly unsubscribe: number | 'acquire' | 'use' | 'next' | 'release' | 'never';
}

// Fractions of their own, so that no two kinds of event fall together: a model has no order inside of one moment.
const duration = (fraction: number) =>
  fc.oneof(
    fc.constant(0),
    fc.nat(6).map((ms) => ms + fraction),
  );
const ending = (fraction: number): fc.Arbitrary<Ending> =>
  fc.record({
    after: fc.oneof({ weight: 5, arbitrary: duration(fraction) }, { weight: 1, arbitrary: fc.constant(Infinity) }),
    fails: fc.oneof({ weight: 2, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  });
const programs: fc.Arbitrary<Program> = fc.record({
  acquire: ending(0.01),
  gaps: fc.array(duration(0), { minLength: 1, maxLength: 3 }),
  useEnds: fc.constantFrom('complete', 'complete', 'error', 'error', 'never', 'throw'),
  cleanups: fc.array(ending(0.03), { maxLength: 2 }),
  release: ending(0.007),
  cleanupTimeout: fc.constantFrom(0.17, 2.17, 2.17, 4.17, Infinity),
  scoped: fc.boolean(),
  unsubscribe: fc.oneof(
    fc.constantFrom('never', 'never', 'acquire', 'use', 'next', 'release'),
    fc.nat(15).map((ms) => ms + 0.5),
  ),
});

/** What happened, and when; times are told in hundred thousandths. */
type Log = unknown[][];
const at = (time: number) => Math.round(time * 1e5);

const errors = {
  acquire: new Error('acquire'),
  use: new Error('use'),
  cleanups: [new Error('first clean-up'), new Error('second clean-up')],
  release: new Error('release'),
};

/** What is to happen. */
function expected(program: Program): Log {
  const { acquire, gaps, useEnds, cleanups, release, cleanupTimeout, unsubscribe } = program;
  const log: Log = [[0, 'acquire']];
  let unsubscribed = typeof unsubscribe === 'number' ? unsubscribe : Infinity;
  const finish = (time: number, failure: unknown) => {
    if (time === Infinity) return;
    if (unsubscribed > time) log.push([at(time), failure === undefined ? 'complete' : ['error', failure]]);
    else log.push([at(time), 'settled', failure]);
  };

  if (unsubscribe === 'acquire') unsubscribed = 0;
  const acquired = acquire.after;
  if (acquire.fails) {
    finish(acquired, errors.acquire);
    return log;
  }
  if (acquired === Infinity) return log;

  let ended = acquired;
  let outcome: ReleaseOutcome = { kind: 'cancel' };
  let tracked: readonly Ending[] = [];
  const causes: { readonly after: number; readonly error: unknown }[] = [];
  if (unsubscribed > acquired) {
    log.push([at(acquired), 'use']);
    if (unsubscribe === 'use') unsubscribed = acquired;
    if (useEnds === 'throw') {
      if (unsubscribe === 'use') causes.push({ after: 0, error: errors.use });
      else outcome = { kind: 'error', error: errors.use };
    } else if (unsubscribe !== 'use') {
      let time = acquired;
      for (const [i, gap] of gaps.entries()) {
        time += gap;
        if (i === gaps.length - 1 && useEnds === 'never') time = Infinity;
        if (time > unsubscribed) break;
        if (i < gaps.length - 1) log.push([at(time), i]);
        else outcome = useEnds === 'complete' ? { kind: 'complete' } : { kind: 'error', error: errors.use };
        if (i < gaps.length - 1 && unsubscribe === 'next') unsubscribed = time;
        if (i < gaps.length - 1 && unsubscribe === 'next') break;
      }
      ended = Math.min(time, unsubscribed);
      tracked = cleanups;
    }
  }
  if (ended === Infinity) return log;

  const takes = tracked.map(({ after }) => after);
  const waits = Math.min(Math.max(0, ...takes), cleanupTimeout);
  if (waits === Infinity) return log;
  const released = ended + waits;
  const cleanedLate = takes.some((after) => after > waits);
  tracked.forEach(({ fails, after }, i) => {
    if (fails && after <= waits) causes.push({ after, error: errors.cleanups[i] });
  });
  causes.sort((a, b) => a.after - b.after);
  log.push([at(released), 'release', outcome]);
  if (unsubscribe === 'release' && unsubscribed === Infinity) unsubscribed = released;

  const takesRelease = Math.min(release.after, cleanupTimeout);
  const late = release.after > cleanupTimeout;
  const failed = release.fails && !late;
  if (late || failed || cleanedLate || causes.length > 0) {
    const failure = {
      outcome: outcome.kind,
      what: late || failed ? 'release' : 'clean-up',
      reason: late || cleanedLate ? 'timed-out' : 'failed',
      causes: [...causes.map(({ error }) => error), ...(failed ? [errors.release] : [])],
      useError: outcome.kind === 'error' ? errors.use : undefined,
    };
    finish(released + takesRelease, failure);
  } else {
    // Who unsubscribes meanwhile hears no more of what has failed before; `release` has been told.
    const passes = outcome.kind === 'error' && unsubscribed > released + takesRelease;
    finish(released + takesRelease, passes ? errors.use : undefined);
  }
  return log;
}

/** Without an unsubscription nothing is settled below; what is told there without an error is no news. */
function run(program: Program) {
  const clock = new VirtualTimeScheduler(undefined, 200);
  const log: Log = [];
  const write = (...entry: unknown[]) => log.push([at(clock.now()), ...entry]);
  const timers = new Set<Subscription>();
  const scheduler = {
    now: () => clock.now(),
    schedule: (work: () => void, delay: number) => {
      const action = clock.schedule(() => {
        timers.delete(action);
        work();
      }, delay);
      timers.add(action);
      action.add(() => timers.delete(action));
      return action;
    },
  } as unknown as SchedulerLike;

  /** Ends in virtual time. */
  const end = (
    { after, fails }: Ending,
    error: unknown,
    tell: { done: () => void; failed: (error: unknown) => void },
  ) => {
    const now = () => {
      if (fails) tell.failed(error);
      else tell.done();
    };
    if (after === 0) now();
    else if (after < Infinity) clock.schedule(now, after);
  };
  const react = (place: Program['unsubscribe']) => {
    if (program.unsubscribe === place) sink.unsubscribe();
  };

  /** What the scope below is handed and has not been settled, and the failures that it has to answer for. */
  let pending = 0;
  const told: unknown[] = [];
  const scope = {
    track(cleanup: PromiseLike<unknown>) {
      pending++;
      cleanup.then(
        () => pending--,
        (error: unknown) => {
          pending--;
          told.push(error);
        },
      );
    },
  };

  const sink = operate<number, never>({
    cleanupScope: program.scoped ? scope : undefined,
    next: (value) => {
      write(value);
      react('next');
    },
    error: (error) => write(['error', error]),
    complete: () => write('complete'),
  });

  const resource = {};
  let torn = 0;
  usingAsync({
    acquire: (): PromiseLike<object> | object => {
      write('acquire');
      react('acquire');
      const { after, fails } = program.acquire;
      if (after === 0 && fails) throw errors.acquire;
      if (after === 0) return resource;
      // A promise that calls back in the same moment of virtual time.
      return {
        then: (done: (resource: object) => void, failed: (error: unknown) => void) => {
          end(program.acquire, errors.acquire, {
            done: () => {
              done(resource);
            },
            failed,
          });
        },
      };
    },
    use: (given, { signal }) => {
      expect(given).toBe(resource);
      write('use');
      react('use');
      expect(signal.aborted).toBe(program.unsubscribe === 'use');
      if (program.useEnds === 'throw') throw errors.use;
      return new Observable<number>((subscriber) => {
        const below = findCleanupScope(subscriber);
        const work = new Subscription(() => {
          torn++;
          program.cleanups.forEach((cleanup, i) => {
            const completion = new Completion();
            below?.track(completion);
            end(cleanup, errors.cleanups[i], { done: completion.resolve, failed: completion.reject });
          });
        });
        const step = (i: number) => {
          const gap = program.gaps[i];
          if (gap === undefined || subscriber.closed) return;
          const last = i === program.gaps.length - 1;
          if (last && program.useEnds === 'never') return;
          const go = () => {
            if (!last) subscriber.next(i);
            else if (program.useEnds === 'error') subscriber.error(errors.use);
            else subscriber.complete();
            step(i + 1);
          };
          if (gap === 0) go();
          else work.add(clock.schedule(go, gap));
        };
        step(0);
        return work;
      });
    },
    release: (given, outcome) => {
      expect(given).toBe(resource);
      write('release', outcome);
      react('release');
      const { after, fails } = program.release;
      if (after > 0)
        return new Observable((subscriber) => {
          end(program.release, errors.release, {
            done: () => {
              subscriber.complete();
            },
            failed: (error) => {
              subscriber.error(error);
            },
          });
        });
      if (fails) throw errors.release;
      return undefined;
    },
    cleanupTimeout: program.cleanupTimeout,
    scheduler,
  }).subscribe(sink);

  if (typeof program.unsubscribe === 'number') {
    clock.schedule(() => {
      sink.unsubscribe();
    }, program.unsubscribe);
  }
  clock.flush();
  return { log, told, timers, torn, pending };
}

/** What has failed behind an error. */
function parts(error: unknown): unknown[] {
  if (error instanceof AggregateError) return error.errors.flatMap(parts);
  if (error instanceof ReleaseError) return [...parts(error.cause), ...parts(error.useError)];
  return error === undefined ? [] : [error];
}

const facts = (error: unknown) => {
  if (!(error instanceof ReleaseError)) return error;
  const { outcome, what, reason, cause, useError } = error;
  return { outcome, what, reason, causes: parts(cause), useError };
};

it('releases each resource once, as its use has ended, after the clean-ups of that, and then ends', async () => {
  await fc.assert(
    fc.asyncProperty(programs, async (program) => {
      const { log, told, timers, torn } = run(program);
      await new Promise((resolve) => setTimeout(resolve)); // what is unhandled is reported in a task
      const reported = unhandled.splice(0);

      const model = expected(program);
      const settled = model.find(([, what]) => what === 'settled');
      const seen = log.map((entry) =>
        entry.map((part) => (Array.isArray(part) && part[0] === 'error' ? ['error', facts(part[1])] : part)),
      );
      expect(seen).toEqual(model.filter((entry) => entry !== settled));

      // What goes wrong is told once: to the consumer, to the scope below, or as unhandled where there is none.
      const answered = program.scoped ? told : reported;
      if (program.scoped) expect(reported).toEqual([]);
      else expect(told).toEqual([]);
      if (settled?.[2] !== undefined) expect(answered.map(facts)).toContainEqual(settled[2]);
      const consumed = log.flatMap((entry) =>
        entry.flatMap((part): unknown[] => (Array.isArray(part) && part[0] === 'error' ? [part[1]] : [])),
      );
      const all = [...consumed, ...answered].flatMap(parts);
      expect(new Set(all).size).toBe(all.length);
      const failing: unknown[] = [];
      const isReleased = log.some(([, what]) => what === 'release');
      if (program.acquire.fails && program.acquire.after < Infinity) failing.push(errors.acquire);
      if (torn > 0)
        program.cleanups.forEach(({ fails, after }, i) => {
          if (fails && after < Infinity) failing.push(errors.cleanups[i]);
        });
      if (isReleased && program.release.fails && program.release.after < Infinity) failing.push(errors.release);
      const isOver = settled ?? model.some(([, what]) => what === 'complete' || Array.isArray(what));
      if (isOver) expect(all).toEqual(expect.arrayContaining(failing)); // else it waits for what never ends
      expect(timers.size).toBe(0);
    }),
    { numRuns: 400 * times },
  );
});
