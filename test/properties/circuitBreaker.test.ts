import fc from 'fast-check';
import { Observable, Subject, VirtualTimeScheduler, type Subscription } from 'rxjs';
import { expect, it } from 'vitest';
import { CircuitOpenError } from '../../src/errors/CircuitOpenError.js';
import { circuitBreaker } from '../../src/operators/circuitBreaker.js';
import type { CircuitState } from '../../src/machines/Circuit.js';
import { createCircuitBreaker } from '../../src/resources/createCircuitBreaker.js';
import { CircuitModel } from '../support/CircuitModel.js';
import { CountingScheduler } from '../support/CountingScheduler.js';

/** `RUNS=20 npx vitest run test/properties` looks for the rare ones. */
const times = Number(process.env['RUNS'] ?? 1);

const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('call' as const), by: fc.nat(1) }) },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constantFrom(
          'complete' as const,
          'error' as const,
          'error' as const,
          'no failure' as const,
          'ignored' as const,
          'unsubscribe' as const,
          'has enough' as const,
        ),
        nth: fc.nat(4),
      }),
    },
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.oneof(fc.nat(3), fc.nat(30)) }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'open' as const }) },
    { weight: 2, arbitrary: fc.constant({ kind: 'close' as const }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('watch' as const), comes: fc.boolean() }) },
  ),
  { maxLength: 60, size: 'max' },
);

const rules = fc.record({
  limit: fc.integer({ min: 1, max: 3 }),
  share: fc.boolean(),
  open: fc.nat(10),
  probes: fc.integer({ min: 1, max: 3 }),
  successes: fc.integer({ min: 1, max: 4 }),
  slowAfter: fc.constantFrom(Infinity, Infinity, 3, 9),
});

type Outcome = 'success' | 'failure' | 'none';

const outcomes: Readonly<Record<string, Outcome>> = {
  complete: 'success',
  error: 'failure',
  'no failure': 'success',
  ignored: 'none',
  unsubscribe: 'none',
  'has enough': 'success',
};

it(
  'two pipelines that share a breaker are refused exactly when the plain model says, and each call ends once and counts once',
  () => {
    fc.assert(
      fc.property(steps, rules, (program, { limit, share, open, ...rest }) => {
        const clock = new VirtualTimeScheduler();
        const scheduler = new CountingScheduler(clock);
        const openFor = (openings: number) => open * openings;
        const breaker = createCircuitBreaker({
          ...rest,
          threshold: share ? { ratio: 0.5, calls: 4, minimum: limit } : { consecutive: limit },
          openFor,
          scheduler,
          isFailure: (error) => error !== 'no failure',
          isIgnored: (error) => error === 'ignored',
        });
        const model = new CircuitModel({
          ...rest,
          openFor,
          opens: (all) => {
            const seen = share ? all.slice(-4) : all.slice(-limit);
            const failed = seen.filter((each) => each.failed).length;
            return share ? seen.length >= limit && failed / seen.length >= 0.5 : failed === limit;
          },
        });

        let observed = 0;
        const counted = new Observable<number>((subscriber) => {
          observed++;
          subscriber.add(() => observed--);
          subject.subscribe(subscriber);
        });
        let subject = new Subject<number>();
        const pipelines = [counted.pipe(circuitBreaker(breaker)), counted.pipe(circuitBreaker(breaker))];
        const running: { id: number; source: Subject<number>; subscription: Subscription; ends: unknown[] }[] = [];
        const counts = { refused: 0, succeeded: 0, failed: 0, ignored: 0 };
        const watchers: { from: number; log: string[]; subscription: Subscription }[] = [];
        let id = 0;

        const check = () => {
          model.tick(clock.frame);
          expect(breaker.state.status).toBe(model.status);
          expect(observed).toBe(running.length);
          if (model.status === 'half-open') expect(model.trials().length).toBeLessThanOrEqual(rest.probes);
          expect(breaker.statistics()).toEqual({
            ...counts,
            running: running.length,
            openings: model.history.filter((each) => each.endsWith(' open')).length,
          });
          for (const { from, log } of watchers) expect(log).toEqual(model.history.slice(from));
          expect(scheduler.pending).toBeLessThanOrEqual(Math.min(1, watchers.length));
        };

        const call = (by: number) => {
          const ends: unknown[] = [];
          const source = (subject = new Subject());
          const mayPass = model.start(id, clock.frame);
          let enough = false;
          const subscription: Subscription = (pipelines[by] as Observable<number>).subscribe({
            next: () => {
              enough = true;
              subscription.unsubscribe();
            },
            error: (error: unknown) => ends.push(error),
            complete: () => ends.push('complete'),
          });
          expect(enough).toBe(false);
          if (mayPass) running.push({ id, source, subscription, ends });
          else {
            counts.refused++;
            expect(ends).toEqual([expect.any(CircuitOpenError)]);
            expect((ends[0] as CircuitOpenError).retryAfter).toBeGreaterThanOrEqual(0);
          }
          id++;
        };

        const end = (kind: string, nth: number) => {
          const [ended] = running.splice(nth % Math.max(1, running.length), 1);
          if (!ended) return;
          const { at } = started.get(ended.id) as { at: number };
          const outcome = outcomes[kind] as Outcome;
          const isSlow = outcome === 'success' && clock.frame - at >= rest.slowAfter;
          counts[outcome === 'none' ? 'ignored' : outcome === 'failure' || isSlow ? 'failed' : 'succeeded']++;
          model.end(ended.id, clock.frame, outcome);
          const { source, subscription, ends } = ended;
          if (kind === 'complete') source.complete();
          else if (kind === 'unsubscribe') subscription.unsubscribe();
          else if (kind === 'has enough') source.next(1);
          else source.error(kind);
          const told = { complete: ['complete'], unsubscribe: [], 'has enough': [] }[kind] ?? [kind];
          expect(ends).toEqual(told);
        };

        const started = new Map<number, { at: number }>();
        for (const step of program) {
          if (step.kind === 'call') {
            started.set(id, { at: clock.frame });
            call(step.by);
          } else if (step.kind === 'wait')
            for (const until = clock.frame + step.ms; clock.frame < until;) {
              clock.maxFrames = clock.frame + 1;
              clock.schedule(() => undefined, 1);
              clock.flush();
              model.tick(clock.frame);
              for (const { from, log } of watchers) expect(log).toEqual(model.history.slice(from)); // on time
            }
          else if (step.kind === 'watch') {
            if (step.comes) {
              const log: string[] = [];
              const from = model.history.length - 1;
              const watch = ({ status, since }: CircuitState) => log.push(`${String(since)} ${status}`);
              watchers.push({ from, log, subscription: breaker.state$.subscribe(watch) });
            } else watchers.shift()?.subscription.unsubscribe();
          } else if (step.kind === 'open' || step.kind === 'close') {
            breaker[step.kind]();
            model[step.kind](clock.frame);
          } else end(step.kind, step.nth);
          check();
        }

        for (const { subscription } of [...watchers, ...running]) subscription.unsubscribe();
        expect(observed).toBe(0);
        expect(scheduler.pending).toBe(0);
        expect(breaker.statistics().running).toBe(0);
      }),
      { numRuns: 300 * times },
    );
  },
  30_000 * times,
);
