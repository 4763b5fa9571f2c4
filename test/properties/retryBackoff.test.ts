import fc from 'fast-check';
import { Observable, VirtualTimeScheduler } from 'rxjs';
import { expect, it } from 'vitest';
import { Completion } from '../../src/internal/Completion.js';
import { operate } from '../../src/internal/operate.js';
import { findCleanupScope } from '../../src/link/walk.js';
import { retryBackoff } from '../../src/operators/retryBackoff.js';
import { CountingScheduler } from '../support/CountingScheduler.js';
import { timeline } from '../support/timeline.js';

/** `RUNS=20 npx vitest run test/properties` looks for the rare ones. */
const times = Number(process.env['RUNS'] ?? 1);

// Each kind of event has a fraction of its own, so that no two come in the same moment.
const [cleanupPart, patiencePart, leavingPart, askingPart] = [1 / 64, 1 / 128, 1 / 256, 1 / 512];

interface Attempt {
  readonly gaps: readonly number[];
  readonly end: 'complete' | 'error' | 'never';
  /** How long its clean-up takes after a failure; none, or one that fails or hangs. */
  readonly cleanup: number | 'none' | 'hangs' | { readonly failsAfter: number };
  /** What the server wishes. */
  readonly wish: number | undefined;
  readonly isFatal: boolean;
}

const attempts = fc.record<Attempt>({
  gaps: fc.array(fc.nat(12), { maxLength: 3 }),
  end: fc.constantFrom('error', 'error', 'error', 'error', 'complete', 'never'),
  cleanup: fc.oneof(
    { weight: 3, arbitrary: fc.constant('none' as const) },
    { weight: 3, arbitrary: fc.nat(30).map((n) => n + cleanupPart) },
    fc.record({ failsAfter: fc.nat(30).map((n) => n + cleanupPart) }),
    fc.constant('hangs' as const),
  ),
  wish: fc.option(fc.nat(60), { nil: undefined, freq: 4 }),
  isFatal: fc.nat(19).map((n) => n === 0),
});

const programs = fc.record({
  attempts: fc.array(attempts, { minLength: 1, maxLength: 10 }),
  count: fc.oneof(fc.nat(8), fc.constant(Infinity)),
  initialDelay: fc.nat(20),
  more: fc.nat(60),
  factor: fc.constantFrom(1, 1.5, 2, 3),
  shares: fc.array(fc.constantFrom(0, 0.25, 0.5, 0.75, 1), { minLength: 10, maxLength: 10 }),
  jitter: fc.constantFrom('none' as const, 'full' as const, 'equal' as const, 'decorrelated' as const),
  maxElapsed: fc.oneof(fc.nat(200), fc.constant(Infinity)),
  resetAfter: fc.oneof(fc.nat(30), fc.constant(Infinity)),
  cleanupTimeout: fc.nat(40).map((n) => n + patiencePart),
  unsubscribesAt: fc.option(
    fc.nat(300).map((n) => n + leavingPart),
    { nil: Infinity },
  ),
  /** When a consumer below asks all work to stop. */
  asksAt: fc.option(
    fc.nat(200).map((n) => n + askingPart),
    { nil: Infinity, freq: 2 },
  ),
});

type Program = typeof programs extends fc.Arbitrary<infer P> ? P : never;

interface Outcome {
  readonly log: (readonly [number, unknown])[];
  readonly begun: number[];
  readonly retries: (readonly [number, unknown])[];
}

/** What should happen, on paper. */
function predict(program: Program): Outcome {
  const { initialDelay, more, factor, jitter, shares, count, maxElapsed, resetAfter, cleanupTimeout, asksAt } = program;
  const maxDelay = initialDelay + more;
  const log: [number, unknown][] = [];
  const begun: number[] = [];
  const retries: [number, unknown][] = [];
  let now = 0;
  let row: number[] = [];
  let before = initialDelay;
  let draws = 0;
  const draw = () => shares[draws++ % shares.length] ?? 0;

  for (let i = 0; now < Infinity; i++) {
    const { gaps, end, cleanup, wish, isFatal } =
      program.attempts[i] ?? ({ gaps: [], end: 'complete', cleanup: 'none' } as unknown as Attempt);
    begun.push(now);
    let first = Infinity;
    for (const [n, gap] of gaps.entries()) {
      now += gap;
      first = Math.min(first, now);
      log.push([now, `${String(i)}.${String(n)}`]);
    }
    if (end === 'never') break;
    now += 1;
    if (end === 'complete') {
      log.push([now, 'complete']);
      break;
    }
    const error = `error ${String(i)}`;
    if (now - first >= resetAfter) row = [];
    if (row.length === 0) before = initialDelay;
    row.push(now);
    const giveUp = () => log.push([now, [error]]);
    if (now > asksAt || row.length > count || isFatal) {
      giveUp();
      break;
    }
    const longest = Math.min(maxDelay, initialDelay * factor ** (row.length - 1));
    if (jitter === 'decorrelated') {
      before = Math.min(maxDelay, initialDelay + (before * factor - initialDelay) * draw());
    }
    const own = {
      none: () => longest,
      full: () => longest * draw(),
      equal: () => longest / 2 + (longest / 2) * draw(),
      decorrelated: () => before,
    }[jitter]();
    const delay = wish ?? own;
    if (now - Number(row[0]) + delay > maxElapsed) {
      giveUp();
      break;
    }
    retries.push([now, { error, attempt: row.length, delay }]);
    const cleaning = { none: 0, hangs: Infinity, other: 0 }[typeof cleanup === 'string' ? cleanup : 'other'];
    const takes = typeof cleanup === 'number' ? cleanup : typeof cleanup === 'object' ? cleanup.failsAfter : cleaning;
    const next = now + Math.max(delay, Math.min(takes, cleanupTimeout));
    if (asksAt < next) {
      log.push([asksAt, [error]]);
      break;
    }
    now = next;
  }

  const isBefore = ([at]: readonly [number, unknown]) => at < program.unsubscribesAt;
  const inTime = begun.filter((at) => at < program.unsubscribesAt);
  return { log: log.filter(isBefore), begun: inTime, retries: retries.filter(isBefore) };
}

/** What does happen. */
function run(program: Program): Outcome {
  const clock = new VirtualTimeScheduler();
  const scheduler = new CountingScheduler(clock);
  const begun: number[] = [];
  const retries: [number, unknown][] = [];
  let live = 0;
  let draws = 0;
  let open = 0;
  let members = 0;
  let hanging = 0;
  const failing: string[] = [];
  const failures: unknown[] = [];

  const source = new Observable<string>((subscriber) => {
    const i = begun.length;
    const { gaps, end, cleanup } =
      program.attempts[i] ?? ({ gaps: [], end: 'complete', cleanup: 'none' } as unknown as Attempt);
    begun.push(clock.frame);
    live++;
    expect(live).toBe(1); // never two at a time
    const scope = findCleanupScope(subscriber);
    let failed = false;
    subscriber.add(() => {
      live--;
      if (!failed || cleanup === 'none') return;
      const completion = new Completion();
      scope?.track(completion);
      if (typeof cleanup === 'number') clock.schedule(completion.resolve, cleanup);
      else if (cleanup === 'hangs') hanging++;
      else {
        failing.push(`cleanup ${String(i)}`);
        clock.schedule(() => {
          completion.reject(`cleanup ${String(i)}`);
        }, cleanup.failsAfter);
      }
    });
    let at = 0;
    for (const [n, gap] of gaps.entries()) {
      at += gap;
      subscriber.add(
        clock.schedule(() => {
          subscriber.next(`${String(i)}.${String(n)}`);
        }, at),
      );
    }
    if (end === 'never') return;
    subscriber.add(
      clock.schedule(() => {
        failed = end === 'error';
        if (failed) subscriber.error(`error ${String(i)}`);
        else subscriber.complete();
        subscriber.error('once more');
        subscriber.next('after the end');
      }, at + 1),
    );
  });

  const retried = source.pipe(
    retryBackoff({
      count: program.count,
      initialDelay: program.initialDelay,
      maxDelay: program.initialDelay + program.more,
      factor: program.factor,
      jitter: program.jitter,
      random: () => program.shares[draws++ % program.shares.length] ?? 0,
      maxElapsed: program.maxElapsed,
      resetAfter: program.resetAfter,
      cleanupTimeout: program.cleanupTimeout,
      shouldRetry: (error) => !program.attempts[Number(String(error).slice(6))]?.isFatal,
      delayFor: (error) => program.attempts[Number(String(error).slice(6))]?.wish,
      onRetry: (retry) => retries.push([clock.frame, retry]),
      scheduler,
    }),
  );
  const below = new Observable<string>((destination) => {
    const track = (cleanup: PromiseLike<unknown>) => {
      open++;
      cleanup.then(
        () => open--,
        (error: unknown) => {
          open--;
          failures.push(error);
        },
      );
    };
    const onCancel = (cancel: (reason: unknown) => void) => {
      members++;
      let isIn = true;
      const asking = clock.schedule(cancel, Math.min(program.asksAt, 1e6), 'stop');
      return () => {
        asking.unsubscribe();
        if (isIn) members--;
        isIn = false;
      };
    };
    retried.subscribe(operate<string, string>({ destination, cleanupScope: { track }, canceller: { onCancel } }));
  });
  const { log, subscription } = timeline(below, clock);
  if (program.unsubscribesAt < Infinity) {
    clock.schedule(() => {
      subscription.unsubscribe();
      expect(scheduler.pending).toBe(0);
    }, program.unsubscribesAt);
  }
  clock.flush();

  const isOver = log.some(([, event]) => event === 'complete' || Array.isArray(event)) || subscription.closed;
  if (isOver) expect([scheduler.pending, live, members]).toEqual([0, 0, 0]);
  subscription.unsubscribe();
  expect([scheduler.pending, live, members]).toEqual([0, 0, 0]);
  expect(open).toBe(hanging);
  expect([...failures].sort()).toEqual([...failing].sort());
  return { log, begun, retries };
}

it(
  'whatever the source does: as many attempts as the options say, when they say, one at a time, and one end',
  () => {
    fc.assert(
      fc.property(programs, (program) => {
        const expected = predict(program);
        const actual = run(program);
        expect(actual.begun).toEqual(expected.begun);
        expect(actual.retries).toEqual(expected.retries);
        expect(actual.log).toEqual(expected.log);
      }),
      { numRuns: 1500 * times },
    );
  },
  30_000 * times,
);
