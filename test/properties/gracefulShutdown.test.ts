import fc from 'fast-check';
import { concat, config, map, NEVER, Observable, of, Subject, throwError, timer, VirtualTimeScheduler } from 'rxjs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ShutdownError, type ShutdownReport } from '../../src/errors/ShutdownError.js';
import type { ShutdownSummary } from '../../src/internal/shutdown/Shutdown.js';
import { bufferedMergeMap, gatedBy } from '../../src/index.js';
import { gracefulShutdown } from '../../src/operators/gracefulShutdown.js';
import { createShutdown } from '../../src/resources/createShutdown.js';
import { cleanedUpBy } from '../support/cleanedUpBy.js';
import { CountedSignal } from '../support/CountedSignal.js';
import { CountingScheduler } from '../support/CountingScheduler.js';
import { ManualGate } from '../support/ManualGate.js';

/** `RUNS=20 npx vitest run test/properties` looks for the rare ones. */
const times = Number(process.env['RUNS'] ?? 1);

let unhandled: unknown[];
beforeEach(() => {
  vi.useFakeTimers();
  unhandled = [];
  config.onUnhandledError = (error) => unhandled.push(error);
});
afterEach(() => {
  vi.runAllTimers();
  vi.useRealTimers();
  config.onUnhandledError = null;
});

// Each kind of event has a last digit of its own, so that no two kinds fall into one frame.
const frame = (digit: number, most = 20) => fc.nat(most).map((n) => n * 10 + digit);
const maybe = (arbitrary: fc.Arbitrary<number>) =>
  fc.oneof({ weight: 5, arbitrary }, { weight: 1, arbitrary: fc.constant(Infinity) });

interface Job {
  readonly arrives: number;
  readonly takes: number;
  readonly cleanup: number;
}
const jobs: fc.Arbitrary<Job[]> = fc
  .array(fc.record({ arrives: frame(0), takes: maybe(frame(0)), cleanup: maybe(frame(2, 8)) }), { maxLength: 12 })
  .map((list) => list.sort((a, b) => a.arrives - b.arrives));

const programs = fc.record({
  jobs,
  concurrent: fc.integer({ min: 1, max: 4 }),
  stop: frame(3),
  drainTimeout: frame(0, 30),
  cleanupTimeout: frame(4, 6),
  by: fc.constantFrom('notifier', 'signal', 'shutdown'),
  /** Of the resource that is closed after it, with a shutdown. */
  closing: maybe(frame(1, 5)),
});
type Program = typeof programs extends fc.Arbitrary<infer P> ? P : never;

const never = (ms: number, scheduler: VirtualTimeScheduler) => (ms === Infinity ? NEVER : timer(ms, scheduler));

/** What has to come of it, by a list of slots. */
function expected({ jobs, concurrent, stop, drainTimeout, cleanupTimeout, by }: Program) {
  const slots = Array.from({ length: concurrent }, () => 0);
  const accepted = jobs
    .filter(({ arrives }) => arrives < stop)
    .map((job) => {
      const slot = slots.indexOf(Math.min(...slots));
      const starts = Math.max(job.arrives, slots[slot] ?? 0);
      slots[slot] = starts + job.takes;
      return { ...job, starts, ends: starts + job.takes };
    });
  const cut = stop + drainTimeout;
  const last = Math.max(stop, ...accepted.map(({ ends }) => ends));
  const emitted = accepted.filter(({ ends }) => ends <= cut).map(({ ends }) => ends);
  const running = accepted.filter(({ starts, ends }) => starts < cut && ends > cut);
  const cleaned = cut + Math.max(0, ...running.map(({ cleanup }) => cleanup));
  const isCut = last > cut;
  // The other half is for the resource.
  const timeToCleanUp = by === 'shutdown' ? Math.ceil(cleanupTimeout / 2) : cleanupTimeout;
  const end = isCut ? Math.min(cleaned, cut + timeToCleanUp) : last;
  return {
    emitted: emitted.sort((a, b) => a - b),
    end,
    report: {
      outcome: isCut ? 'cut-off' : 'drained',
      timedOut: isCut,
      drained: emitted.filter((at) => at > stop).length,
      aborted: running.length,
      dropped: accepted.length - emitted.length - running.length,
      cleanup: isCut && cleaned > end ? 'timed-out' : 'done',
      ms: end - stop,
    },
  };
}

it(
  'emits, cuts off and gives up exactly what a list of slots says, in time',
  () => {
    fc.assert(
      fc.property(programs, (program) => {
        const virtual = new VirtualTimeScheduler();
        const scheduler = new CountingScheduler(virtual);
        const { stop, drainTimeout, cleanupTimeout, by, concurrent, closing } = program;
        const source = new Subject<Job>();
        const reports: ShutdownReport[] = [];
        const summaries: ShutdownSummary[] = [];
        const events: [number, unknown][] = [];
        const note = (what: unknown) => events.push([virtual.frame, what]);
        const notifier = new Subject<number>();
        const controller = new CountedSignal();
        const shutdown = createShutdown({
          drainTimeout,
          cleanupTimeout,
          scheduler,
          onReport: (summary) => {
            summaries.push(summary);
            note('summary');
          },
        });
        shutdown.add('resource', () => {
          note('close');
          return never(closing, virtual);
        });
        const work = ({ takes, cleanup }: Job) =>
          never(takes, virtual).pipe(cleanedUpBy(() => never(cleanup, virtual)));
        const common = { onReport: (report: ShutdownReport) => reports.push(report), scheduler };
        source
          .pipe(
            gracefulShutdown((job$: Observable<Job>) => job$.pipe(bufferedMergeMap(work, { concurrent })), {
              ...common,
              ...(by === 'shutdown' ? { on: shutdown } : { drainTimeout, cleanupTimeout }),
              on: by === 'shutdown' ? shutdown : by === 'signal' ? controller.signal : notifier,
            }),
          )
          .subscribe({ next: () => note('value'), error: note, complete: () => note('complete') });
        for (const job of program.jobs) {
          virtual.schedule(() => {
            expect(source.observed).toBe(virtual.frame < stop);
            source.next(job);
          }, job.arrives);
        }
        virtual.schedule(() => {
          notifier.next(1);
          controller.abort(1);
          if (by === 'shutdown') void shutdown.stop(1);
          expect([source.observed, notifier.observed, controller.listeners]).toEqual([
            false,
            by === 'shutdown' && false,
            0,
          ]);
        }, stop);
        virtual.flush();

        const { emitted, end, report } = expected(program);
        expect(reports).toEqual([{ reason: 1, ...report }]);
        const own = events.filter(([, what]) => what !== 'close' && what !== 'summary');
        const isClean = report.outcome === 'drained' && report.cleanup === 'done';
        expect(own).toEqual([
          ...emitted.map((at) => [at, 'value']),
          [end, isClean ? 'complete' : expect.any(ShutdownError)],
        ]);
        if (by === 'shutdown') {
          const deadline = stop + drainTimeout + cleanupTimeout;
          expect(end).toBeLessThanOrEqual(deadline);
          expect(summaries).toMatchObject([{ pipelines: reports, aborted: report.aborted, dropped: report.dropped }]);
          expect(events.slice(-2)).toEqual([
            [end, 'close'],
            [Math.min(end + closing, report.timedOut ? stop + drainTimeout + cleanupTimeout : deadline), 'summary'],
          ]);
        } else expect(summaries).toEqual([]);
        expect(scheduler.pending).toBe(0);
        expect(unhandled).toEqual([]);
      }),
      { numRuns: 600 * times },
    );
  },
  30_000 * times,
);

const turbulent = fc.record({
  jobs: fc
    .array(
      fc.record({
        arrives: frame(0),
        takes: maybe(frame(0)),
        kind: fc.constantFrom('value', 'value', 'value', 'value', 'error', 'throw'),
        cleanup: maybe(frame(2, 8)),
        cleanupFails: fc.boolean(),
      }),
      { maxLength: 10 },
    )
    .map((list) => list.sort((a, b) => a.arrives - b.arrives)),
  concurrent: fc.integer({ min: 1, max: 3 }),
  ordered: fc.boolean(),
  gate: fc.array(frame(5, 40), { maxLength: 6 }),
  sourceEnds: maybe(frame(6)),
  sourceEndsWith: fc.constantFrom('complete', 'error'),
  stop: maybe(frame(3)),
  abort: maybe(frame(7, 40)),
  unsubscribe: fc.oneof({ weight: 1, arbitrary: frame(8, 40) }, { weight: 4, arbitrary: fc.constant(Infinity) }),
  drainTimeout: frame(0, 30),
  cleanupTimeout: frame(4, 6),
  ownDrainTimeout: maybe(frame(1, 20)),
  onTimeout: fc.constantFrom('error', 'complete'),
});

it(
  'whatever happens: each value is emitted, counted or the error; one end, in time; nothing is left',
  () => {
    fc.assert(
      fc.property(turbulent, (program) => {
        const virtual = new VirtualTimeScheduler();
        const scheduler = new CountingScheduler(virtual);
        const gate = new ManualGate(true);
        const source = new Subject<number>();
        const summaries: ShutdownSummary[] = [];
        const reports: ShutdownReport[] = [];
        let overAt = Infinity;
        let accepted = 0;
        let emitted = 0;
        let emittedAfterStop = 0;
        let cleanups = 0;
        let isStopped = false;
        const ends: unknown[] = [];
        const { drainTimeout, cleanupTimeout, ownDrainTimeout, onTimeout, concurrent, ordered } = program;
        const shutdown = createShutdown({
          drainTimeout,
          cleanupTimeout,
          scheduler,
          onReport: (summary) => {
            overAt = virtual.frame;
            summaries.push(summary);
          },
        });
        const failure = new Error('work');
        const run = (index: number) => {
          const { takes, kind, cleanup, cleanupFails } = program.jobs[index] ?? { takes: 0, cleanup: 0 };
          if (kind === 'throw') throw failure;
          const end = kind === 'error' ? throwError(() => failure) : of(index);
          const settled = concat(never(cleanup, virtual), cleanupFails ? throwError(() => 'clean-up') : []);
          return concat(never(takes, virtual).pipe(map(() => end)), NEVER).pipe(
            (timed) => new Observable<number>((out) => timed.subscribe((inner) => inner.subscribe(out))),
            cleanedUpBy(() => {
              cleanups++;
              return settled;
            }),
          );
        };
        const subscription = source
          .pipe(
            gracefulShutdown(
              (work$: Observable<number>) => work$.pipe(bufferedMergeMap(run, { concurrent, ordered })),
              { on: shutdown, drainTimeout: ownDrainTimeout, onTimeout, onReport: (report) => reports.push(report) },
            ),
            gatedBy(gate),
          )
          .subscribe({
            next: () => {
              expect(ends).toEqual([]);
              expect(gate.ready).toBe(true);
              emitted++;
              if (isStopped) emittedAfterStop++;
            },
            error: (error: unknown) => ends.push(error),
            complete: () => ends.push('complete'),
          });
        let unsubscribed = false;
        const at = (when: number, act: () => void) => when < Infinity && virtual.schedule(act, when);
        program.jobs.forEach(({ arrives }, index) => {
          at(arrives, () => {
            if (!source.observed) return;
            accepted++;
            source.next(index);
          });
        });
        program.gate.forEach((when) => {
          at(when, () => {
            gate.ready = !gate.ready;
          });
        });
        at(program.sourceEnds, () => {
          source[program.sourceEndsWith](failure);
        });
        const stoppedAt = Math.min(program.stop, program.abort);
        const wasOver = () => ends.length > 0 || unsubscribed;
        let overBefore = false;
        at(stoppedAt, () => {
          overBefore = wasOver();
          isStopped = true;
        });
        at(program.stop, () => void shutdown.stop('stop'));
        at(program.abort, () => void shutdown.abort('abort'));
        at(program.unsubscribe, () => {
          unsubscribed = ends.length === 0;
          subscription.unsubscribe();
        });
        virtual.flush();

        expect(ends.length).toBeLessThanOrEqual(unsubscribed ? 0 : 1);
        if (stoppedAt === Infinity) return;
        const [summary] = summaries;
        expect(summaries.length).toBe(1);
        expect(overAt - stoppedAt).toBeLessThanOrEqual(drainTimeout + cleanupTimeout);
        if (program.abort < overAt) expect(overAt - program.abort).toBeLessThanOrEqual(cleanupTimeout);
        expect(summary?.pipelines.length).toBe(overBefore ? 0 : 1);
        if (!unsubscribed) {
          expect(ends.length).toBe(1);
          expect(reports).toEqual(summary?.pipelines);
        }
        const [report] = summary?.pipelines ?? [];
        if (report) {
          const { aborted, dropped, drained } = report;
          const mayFail =
            program.jobs.some(({ kind }) => kind !== 'value') ||
            (program.sourceEnds < Infinity && program.sourceEndsWith === 'error');
          expect(drained).toBe(emittedAfterStop);
          // What an error has cost that came before the stop, and waited for its clean-up, was not lost by the shutdown.
          if (mayFail) expect(emitted + aborted + dropped).toBeLessThanOrEqual(accepted);
          else expect(emitted + aborted + dropped).toBe(accepted);
          expect(source.observed).toBe(false);
        }
        expect(cleanups).toBeLessThanOrEqual(accepted);
        expect(scheduler.pending).toBe(0);
        expect(gate.waiters.size).toBe(0);
      }),
      { numRuns: 600 * times },
    );
  },
  30_000 * times,
);
