import fc from 'fast-check';
import {
  concat,
  EMPTY,
  ignoreElements,
  map,
  NEVER,
  Observable,
  of,
  throwError,
  timeout,
  timer,
  VirtualTimeScheduler,
} from 'rxjs';
import { expect, it } from 'vitest';
import { TimeoutWithCleanupError } from '../../src/errors/TimeoutWithCleanupError.js';
import { gatedBy } from '../../src/index.js';
import { Completion } from '../../src/internal/Completion.js';
import { operate } from '../../src/internal/operate.js';
import { findCleanupScope } from '../../src/link/walk.js';
import { timeoutWithCleanup } from '../../src/operators/timeoutWithCleanup.js';
import { ManualGate } from '../support/ManualGate.js';
import { stoppable } from '../support/stoppable.js';
import { timeline } from '../support/timeline.js';

/** `RUNS=20 npx vitest run test/properties` looks for the rare ones. */
const times = Number(process.env['RUNS'] ?? 1);

// Each kind of event has a fraction of its own, and their sums differ too, so that no two come in the same moment.
const [limitPart, gatePart, askedPart, sourcePart, cleanupPart, patiencePart, leavingPart] = [
  1 / 2,
  1 / 8,
  1 / 64,
  1 / 128,
  1 / 256,
  1 / 512,
  1 / 1024,
];

/** How something ends that is waited for, after so long. */
type Ending = { readonly how: 'ends' | 'fails'; readonly takes: number } | { readonly how: 'hangs' };

const ending = (part: number) =>
  fc.oneof(
    fc.record({ how: fc.constantFrom('ends' as const, 'fails' as const), takes: fc.nat(12).map((n) => n + part) }),
    fc.record({ how: fc.constant('hangs' as const) }),
  );
const limit = fc.option(
  fc.nat(8).map((n) => n + limitPart),
  { nil: undefined },
);

const programs = fc
  .record({
    limits: fc.record({
      first: limit,
      each: limit,
      total: fc.option(
        fc.nat(30).map((n) => n + limitPart),
        { nil: undefined },
      ),
    }),
    strategy: fc.constantFrom('cooperative' as const, 'cooperative' as const, 'aggressive' as const),
    gaps: fc.array(fc.nat(8), { maxLength: 6 }),
    end: fc.constantFrom('complete' as const, 'error' as const, 'never' as const, 'never' as const),
    /** What the work does when it is asked to stop; `undefined`: it cannot be asked. */
    asked: fc.option(
      fc.record({
        gives: fc.array(fc.nat(5), { maxLength: 2 }),
        then: fc.constantFrom(
          'complete' as const,
          'cancelled' as const,
          'fails' as const,
          'leaves' as const,
          'hangs' as const,
        ),
      }),
      { nil: undefined },
    ),
    sourceCleanup: fc.option(ending(sourcePart), { nil: undefined }),
    cleanup: fc.option(ending(cleanupPart), { nil: undefined }),
    goesOn: fc.boolean(),
    cleanupTimeout: fc.oneof(
      fc.nat(20).map((n) => n + patiencePart),
      fc.constant(Infinity),
    ),
    moves: fc.array(fc.integer({ min: 1, max: 8 }), { maxLength: 4 }),
    unsubscribesAt: fc.option(
      fc.nat(50).map((n) => n + leavingPart),
      { nil: undefined },
    ),
  })
  .filter(({ limits }) => Object.values(limits).some((ms) => ms !== undefined));

type Program = typeof programs extends fc.Arbitrary<infer P> ? P : never;

/** The moments of what comes one after the other. */
const moments = (gaps: readonly number[], from = 0) =>
  gaps.map((_, i) => gaps.slice(0, i + 1).reduce((a, b) => a + b, from));

interface Outcome {
  log: unknown[];
  cleanups: number;
  /** All that has failed, and was told to somebody. */
  told: string[];
}

/** What should happen, on paper. */
function predict(program: Program): Outcome {
  const {
    limits,
    gaps,
    end,
    asked,
    sourceCleanup,
    cleanup,
    goesOn,
    cleanupTimeout,
    unsubscribesAt = Infinity,
  } = program;
  const valueTimes = moments(gaps);
  const endTime = end === 'never' ? Infinity : (valueTimes.at(-1) ?? 0) + 1;
  const moveTimes = moments(program.moves).map((at) => at + gatePart);
  const isOpen = (at: number) => moveTimes.filter((move) => move <= at).length % 2 === 0;
  const openFrom = (at: number) => (isOpen(at) ? at : (moveTimes.find((move) => move > at) ?? Infinity));

  let timeUp = Infinity;
  let name: 'first' | 'each' | 'total' = 'total';
  for (let seen = 0; seen <= gaps.length && timeUp === Infinity; seen++) {
    const silenceName = seen > 0 || limits.first === undefined ? 'each' : 'first';
    const ms = limits[silenceName] ?? Infinity;
    const next = valueTimes[seen] ?? endTime;
    let due = openFrom(valueTimes[seen - 1] ?? 0) + ms;
    while (due < next && !isOpen(due)) due = openFrom(due) + ms;
    if (due < next) {
      timeUp = due;
      name = silenceName;
    }
  }
  const { total = Infinity } = limits;
  if (total <= timeUp && total < endTime) {
    timeUp = total;
    name = 'total';
  }

  const log: [number, unknown][] = valueTimes.filter((at) => at < timeUp).map((at, i) => [at, i]);
  const seen = log.length;
  const told: [number, string][] = [];
  const settlesAt = (what: Ending | undefined, label: string, from: number) => {
    if (!what) return from;
    if (what.how === 'hangs') return Infinity;
    if (what.how === 'fails') told.push([from + what.takes, label]);
    return from + what.takes;
  };
  const upTo = (stop: number) => log.filter(([at]) => at < stop);

  if (timeUp === Infinity || unsubscribesAt < timeUp) {
    if (endTime < Infinity) log.push([endTime, end === 'complete' ? 'complete' : ['source']]);
    if (Math.min(endTime, unsubscribesAt) < Infinity)
      settlesAt(sourceCleanup, 'source', Math.min(endTime, unsubscribesAt));
    return { log: upTo(unsubscribesAt), cleanups: 0, told: told.map(([, label]) => label) };
  }

  const deadline = timeUp + cleanupTimeout;
  let stopped = timeUp;
  let cause: string | undefined;
  if (asked && program.strategy === 'cooperative') {
    const answers = moments(asked.gives, timeUp + askedPart);
    const answered = (answers.at(-1) ?? timeUp + askedPart) + 1;
    stopped = Math.min(deadline, asked.then === 'hangs' ? Infinity : answered);
    for (const [i, at] of answers.entries()) if (at < deadline) log.push([at, `answer ${String(i)}`]);
    const isAnswered = answered < deadline && answered < unsubscribesAt;
    if (isAnswered && asked.then === 'complete') {
      log.push([answered, 'complete']);
      settlesAt(sourceCleanup, 'source', answered);
      return { log, cleanups: 0, told: told.map(([, label]) => label) };
    }
    if (isAnswered && asked.then === 'fails') cause = 'work';
  }
  if (unsubscribesAt < stopped || stopped === Infinity) {
    if (unsubscribesAt < Infinity) settlesAt(sourceCleanup, 'source', unsubscribesAt);
    return { log: upTo(unsubscribesAt), cleanups: 0, told: told.map(([, label]) => label) };
  }

  const settled = Math.max(settlesAt(sourceCleanup, 'source', stopped), settlesAt(cleanup, 'cleanup', stopped));
  const over = Math.min(deadline, settled);
  const failures = told.filter(([at]) => at <= over).sort(([a], [b]) => a - b);
  if (over < Infinity) {
    if (goesOn) log.push([over, 'instead'], [over, 'complete']);
    else {
      const info = { limit: name, ms: limits[name] ?? 0, seen, ...(seen > 0 && { lastValue: seen - 1 }) };
      const isLate = stopped === deadline || settled > deadline;
      const labels = stopped === deadline ? [] : failures.map(([, label]) => label);
      const state = isLate ? 'timed-out' : labels.length > 0 ? 'failed' : 'done';
      log.push([over, [info, state, labels, cause]]);
    }
  }
  return {
    log: upTo(unsubscribesAt),
    cleanups: cleanup ? 1 : 0,
    told: [...told.map(([, label]) => label), ...(cause === undefined ? [] : [cause])],
  };
}

const labelsOf = (error: unknown): string[] => {
  if (error === undefined) return [];
  return error instanceof AggregateError ? error.errors.map(String) : [error as string];
};

/** What does happen. */
function run(program: Program): Outcome {
  const { limits, strategy, gaps, end, asked, cleanupTimeout, unsubscribesAt } = program;
  const scheduler = new VirtualTimeScheduler();
  const gate = new ManualGate(true);
  const told: string[] = [];
  let cleanups = 0;
  let tracked = 0;
  let isAsked = false;

  const after = <V>(ms: number, value: V) => timer(ms, scheduler).pipe(map(() => value));
  const failing = (label: unknown) => throwError(() => label);
  const wait = (ms: number) => timer(ms, scheduler).pipe(ignoreElements());
  const play = (what: Ending, label: string): Observable<unknown> => {
    if (what.how === 'hangs') return NEVER;
    return concat(wait(what.takes), what.how === 'fails' ? failing(label) : EMPTY);
  };

  const endings = { complete: wait(1), error: concat(wait(1), failing('source')), never: NEVER };
  const values$ = concat(...gaps.map((gap, i) => after(gap, i as unknown)), endings[end]);
  const whenAsked = (reason: unknown) => {
    isAsked = true;
    if (!asked) return NEVER;
    const then = {
      complete: EMPTY,
      cancelled: failing(reason),
      fails: failing('work'),
      leaves: EMPTY,
      hangs: NEVER,
    };
    const gives = asked.gives.map((gap, i) => after(gap, `answer ${String(i)}`));
    return concat(wait(askedPart), ...gives, wait(1), then[asked.then]);
  };
  const work$ = asked ? stoppable(values$, whenAsked) : values$;
  const source$ = new Observable((subscriber) => {
    const scope = findCleanupScope(subscriber);
    subscriber.add(() => {
      if (!program.sourceCleanup) return;
      const completion = new Completion();
      scope?.track(completion);
      play(program.sourceCleanup, 'source').subscribe({ error: completion.reject, complete: completion.resolve });
    });
    work$.subscribe(
      operate<unknown, unknown>({
        destination: subscriber,
        complete: () => {
          if (!isAsked || asked?.then !== 'leaves') subscriber.complete();
        },
      }),
    );
  });
  const { cleanup } = program;
  const limited$ = source$.pipe(
    timeoutWithCleanup({
      ...(limits.first !== undefined && { first: limits.first }),
      ...(limits.each !== undefined && { each: limits.each }),
      ...(limits.total !== undefined && { total: limits.total }),
      strategy,
      cleanupTimeout,
      scheduler,
      ...(cleanup && { cleanup: () => (cleanups++, play(cleanup, 'cleanup')) }),
      ...(program.goesOn && { with: () => of('instead') }),
    }),
    gatedBy(gate),
  );
  const below$ = new Observable<unknown>((destination) => {
    const track = (completion: PromiseLike<unknown>) => {
      tracked++;
      completion.then(
        () => tracked--,
        (error: unknown) => {
          tracked--;
          told.push(...labelsOf(error));
        },
      );
    };
    limited$.subscribe(operate({ destination, cleanupScope: { track } }));
  });

  const { log, subscription } = timeline(below$, scheduler);
  for (const at of moments(program.moves)) timer(at + gatePart, scheduler).subscribe(() => (gate.ready = !gate.ready));
  if (unsubscribesAt !== undefined) {
    timer(unsubscribesAt, scheduler).subscribe(() => {
      subscription.unsubscribe();
    });
  }
  scheduler.flush();

  const events = log.map(([at, event]) => {
    const error = Array.isArray(event) ? (event as unknown[])[0] : undefined;
    if (!(error instanceof TimeoutWithCleanupError)) return [at, event];
    const { info, cleanup: state, cleanupError, cause } = error;
    const labels = labelsOf(cleanupError);
    told.push(...labels, ...labelsOf(cause));
    return [at, [info, state, labels, cause]];
  });

  expect(scheduler.actions).toEqual([]);
  const isOver = log.some(([, event]) => event === 'complete' || Array.isArray(event)) || subscription.closed;
  if (isOver) expect(gate.waiters.size).toBe(0);
  const hangs = [program.sourceCleanup, program.cleanup].filter((what) => what?.how === 'hangs').length;
  if (isOver) expect(tracked).toBeLessThanOrEqual(hangs);
  subscription.unsubscribe();
  expect(gate.waiters.size).toBe(0);
  return { log: events, cleanups, told };
}

it(
  'whatever happens, and in whatever order: one end, at the moment it should be; cleanup once, where time was up; each failure told once',
  () => {
    fc.assert(
      fc.property(programs, (program) => {
        const expected = predict(program);
        const actual = run(program);
        expect(actual.log).toEqual(expected.log);
        expect(actual.cleanups).toBe(expected.cleanups);
        expect([...actual.told].sort()).toEqual([...expected.told].sort());
      }),
      { numRuns: 1500 * times },
    );
  },
  30_000 * times,
);

it(
  'without anything to clean up it does what timeout does, in the same moments',
  () => {
    fc.assert(
      fc.property(limit, limit, fc.array(fc.nat(8), { maxLength: 20 }), fc.boolean(), (first, each, gaps, ends) => {
        fc.pre(first !== undefined || each !== undefined);
        const scheduler = new VirtualTimeScheduler();
        const limits = { ...(first !== undefined && { first }), ...(each !== undefined && { each }), scheduler };
        const values$ = concat(...gaps.map((gap, i) => timer(gap, scheduler).pipe(map(() => i))), ends ? EMPTY : NEVER);
        const ours = timeline(values$.pipe(timeoutWithCleanup({ ...limits, with: () => of('late') })), scheduler);
        const theirs = timeline(
          values$.pipe(timeout({ ...(limits as { each: number }), with: () => of('late') })),
          scheduler,
        );
        scheduler.flush();
        expect(ours.log).toEqual(theirs.log);
      }),
      { numRuns: 500 * times },
    );
  },
  20_000 * times,
);
