import fc from 'fast-check';
import { Observable, VirtualTimeScheduler } from 'rxjs';
import { expect, it } from 'vitest';
import { Completion } from '../../src/internal/Completion.js';
import { operate } from '../../src/internal/operate.js';
import { findCleanupScope } from '../../src/link/walk.js';
import { hedge } from '../../src/operators/hedge.js';
import { CountingScheduler } from '../support/CountingScheduler.js';
import { timeline } from '../support/timeline.js';

/** `RUNS=20 npx vitest run test/properties` looks for the rare ones. */
const times = Number(process.env['RUNS'] ?? 1);

interface Attempt {
  readonly gaps: readonly number[];
  readonly end: 'complete' | 'error' | 'fatal' | 'never';
  readonly endsAfter: number;
  /** How long its clean-up takes. */
  readonly cleanup: number;
}

const attempts = fc.record({
  gaps: fc.array(fc.nat(12), { maxLength: 3 }),
  end: fc.constantFrom<Attempt['end']>('complete', 'complete', 'error', 'error', 'error', 'fatal', 'never'),
  endsAfter: fc.nat(12),
  cleanup: fc.oneof(fc.constant(0), fc.nat(30), fc.constant(Infinity)),
});

const programs = fc
  .record({
    attempts: fc.array(attempts, { minLength: 6, maxLength: 6 }),
    after: fc.array(fc.oneof(fc.nat(15), fc.constant(Infinity)), { minLength: 6, maxLength: 6 }),
    max: fc.integer({ min: 1, max: 6 }),
    cleanupTimeout: fc.nat(40),
    unsubscribesAt: fc.option(fc.nat(60), { nil: Infinity }),
    asksAt: fc.option(fc.nat(60), { nil: Infinity, freq: 2 }),
  })
  .map((program) => {
    // Each time has a fraction of its own, and so has each sum of them: no two things happen in the same moment.
    let part = 1 / 16;
    const apart = (time: number) => time + (part /= 2);
    return {
      ...program,
      attempts: program.attempts.map(({ gaps, end, endsAfter, cleanup }): Attempt => {
        return { gaps: gaps.map(apart), end, endsAfter: apart(endsAfter), cleanup: cleanup === 0 ? 0 : apart(cleanup) };
      }),
      after: program.after.map((ms) => (ms === 0 ? 0 : apart(ms))),
      cleanupTimeout: apart(program.cleanupTimeout),
      unsubscribesAt: apart(program.unsubscribesAt),
      asksAt: apart(program.asksAt),
    };
  });

type Program = typeof programs extends fc.Arbitrary<infer P> ? P : never;

interface Outcome {
  readonly log: (readonly [number, unknown])[];
  /** When each began and was torn down. */
  readonly begun: number[];
  readonly ended: (number | undefined)[];
}

const sum = (ms: readonly number[]) => ms.reduce((a, b) => a + b, 0);

/** What should happen, on paper. */
function predict({ attempts, after, max, cleanupTimeout, unsubscribesAt, asksAt }: Program): Outcome {
  const begun: number[] = [];
  const ended: (number | undefined)[] = [];
  const racing = new Set<number>();
  const log: [number, unknown][] = [];
  let now = 0;
  let timer = Infinity;
  let end: unknown;

  const begin = () => {
    racing.add(begun.length);
    begun.push(now);
    ended.push(undefined);
    timer = begun.length < max ? now + Number(after[begun.length - 1]) : Infinity;
  };
  const tearDown = (i: number) => {
    racing.delete(i);
    ended[i] = now;
  };
  const firstOf = (i: number) => {
    const { gaps, end: how, endsAfter } = attempts[i] as Attempt;
    return Number(begun[i]) + (gaps[0] ?? (how === 'never' ? Infinity : endsAfter));
  };

  begin();
  while (racing.size > 0) {
    const [i] = [...racing].sort((a, b) => firstOf(a) - firstOf(b)) as [number];
    if (now >= asksAt || Math.min(timer, firstOf(i)) > asksAt) timer = Infinity;
    now = Math.min(timer, firstOf(i));
    if (now === Infinity) break;
    if (timer === now) {
      begin();
      continue;
    }
    const { gaps, end: how, endsAfter } = attempts[i] as Attempt;
    if (gaps.length > 0 || how === 'complete') {
      racing.delete(i);
      for (const loser of [...racing]) tearDown(loser);
      let at = Number(begun[i]);
      for (const [n, gap] of gaps.entries()) log.push([(at += gap), `${String(i)}.${String(n)}`]);
      if (how === 'never') break;
      now = Number(begun[i]) + sum(gaps) + endsAfter;
      tearDown(i);
      end = how === 'complete' ? 'complete' : [`${how} ${String(i)}`];
    } else {
      tearDown(i);
      if (how === 'error' && begun.length < max && now < asksAt) begin();
      else if (how === 'fatal' || racing.size === 0) {
        end = [`${how} ${String(i)}`];
        for (const loser of [...racing]) tearDown(loser);
      }
    }
  }
  if (end !== undefined) {
    const settled = ended.map((at, i) => Number(at) + Number(attempts[i]?.cleanup));
    const over = Math.min(Math.max(now, ...settled), now + cleanupTimeout);
    log.push([over, end]);
  }
  const begunInTime = begun.filter((at) => at < unsubscribesAt);
  return {
    log: log.filter(([at]) => at < unsubscribesAt),
    begun: begunInTime,
    ended: begunInTime.map((_, i) => {
      const at = Math.min(ended[i] ?? Infinity, unsubscribesAt);
      return at === Infinity ? undefined : at;
    }),
  };
}

/** What does happen. */
function run({ attempts, after, max, cleanupTimeout, unsubscribesAt, asksAt }: Program): Outcome {
  const clock = new VirtualTimeScheduler();
  const scheduler = new CountingScheduler(clock);
  const begun: number[] = [];
  const ended: (number | undefined)[] = [];
  let tracked = 0;
  let members = 0;

  const source = new Observable<string>((subscriber) => {
    const i = begun.length;
    const { gaps, end, endsAfter, cleanup } = attempts[i] as Attempt;
    const scope = findCleanupScope(subscriber);
    begun.push(clock.frame);
    ended.push(undefined);
    expect(ended.filter((at) => at === undefined).length).toBeLessThanOrEqual(max);
    subscriber.add(() => {
      expect(ended[i]).toBe(undefined);
      ended[i] = clock.frame;
      if (cleanup === 0) return;
      const completion = new Completion();
      scope?.track(completion);
      if (cleanup < Infinity) clock.schedule(completion.resolve, cleanup);
    });
    const at = (ms: number, event: () => void) => {
      subscriber.add(clock.schedule(event, ms));
    };
    for (const n of gaps.keys()) {
      at(sum(gaps.slice(0, n + 1)), () => {
        subscriber.next(`${String(i)}.${String(n)}`);
      });
    }
    if (end === 'never') return;
    at(sum(gaps) + endsAfter, () => {
      if (end === 'complete') subscriber.complete();
      else subscriber.error(`${end} ${String(i)}`);
      subscriber.next('after the end');
    });
  });

  const hedged = source.pipe(
    hedge({
      after: (begunBefore) => Number(after[begunBefore - 1]),
      max,
      shouldHedge: (error) => !String(error).startsWith('fatal'),
      cleanupTimeout,
      scheduler,
    }),
  );
  const below = new Observable<string>((destination) => {
    const track = (cleanup: PromiseLike<unknown>) => {
      tracked++;
      void cleanup.then(() => tracked--);
    };
    const onCancel = (cancel: (reason: unknown) => void) => {
      members++;
      const asking = asksAt < Infinity ? clock.schedule(cancel, asksAt, 'stop') : undefined;
      let isIn = true;
      return () => {
        asking?.unsubscribe();
        if (isIn) members--;
        isIn = false;
      };
    };
    hedged.subscribe(operate<string, string>({ destination, cleanupScope: { track }, canceller: { onCancel } }));
  });
  const { log, subscription } = timeline(below, clock);
  if (unsubscribesAt < Infinity) {
    clock.schedule(() => {
      subscription.unsubscribe();
    }, unsubscribesAt);
  }
  clock.flush();

  expect(scheduler.pending).toBe(0);
  if (subscription.closed) expect([ended.includes(undefined), members]).toEqual([false, 0]);
  expect(tracked).toBe(ended.filter((at, i) => at !== undefined && attempts[i]?.cleanup === Infinity).length);
  const result = { log, begun, ended: [...ended] };
  subscription.unsubscribe();
  expect([ended.includes(undefined), members]).toEqual([false, 0]);
  return result;
}

it(
  'whatever the attempts do: each begins when it should, one wins, the others are torn down at once, and it ends once all have cleaned up',
  () => {
    fc.assert(
      fc.property(programs, (program) => {
        expect(run(program)).toEqual(predict(program));
      }),
      { numRuns: 2000 * times },
    );
  },
  30_000 * times,
);
