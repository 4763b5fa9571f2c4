import fc from 'fast-check';
import { defer, NEVER, Observable, of, throwError, timer, VirtualTimeScheduler } from 'rxjs';
import { expect, it } from 'vitest';
import type { DeadLetter } from '../../src/errors/DeadLetterError.js';
import { operate } from '../../src/internal/operate.js';
import { findCleanupScope } from '../../src/link/walk.js';
import { runCleanup } from '../../src/internal/runCleanup.js';
import { deadLetter } from '../../src/operators/deadLetter.js';
import { CountingScheduler } from '../support/CountingScheduler.js';

/** `RUNS=20 npx vitest run test/properties` looks for the rare ones. */
const times = Number(process.env['RUNS'] ?? 1);

const frames = fc.oneof(fc.constant(0), fc.nat(9));

const attempt = fc.record({
  ends: fc.constantFrom('error' as const, 'error' as const, 'error' as const, 'poison' as const, 'complete' as const),
  /** At once, with 0. */
  after: frames,
  values: fc.nat(2),
  /** Infinity: it hangs. */
  cleanup: fc.constantFrom(0, 0, 2, 6, Infinity),
  cleanupFails: fc.boolean(),
});

const programs = fc.record({
  given: fc.array(attempt, { minLength: 5, maxLength: 5 }),
  attempts: fc.integer({ min: 1, max: 4 }),
  delays: fc.array(fc.oneof(frames, fc.constant(Infinity)), { minLength: 5, maxLength: 5 }),
  cleanupTimeout: fc.constantFrom(0, 4, 100),
  to: fc.record({ takes: fc.constantFrom(0, 0, 3, 8, Infinity), fails: fc.boolean() }),
  /** Never in the same moment as something else. */
  unsubscribed: fc.oneof(
    fc.constant(Infinity),
    fc.nat(40).map((at) => at + 0.5),
  ),
});

type Program = typeof programs extends fc.Arbitrary<infer P> ? P : never;

interface Story {
  readonly started: number[];
  readonly values: number;
  readonly failures: number[];
  readonly delivered: number | undefined;
  readonly end: readonly [kind: 'complete' | 'error', at: number] | undefined;
}

/** What happens until it is unsubscribed, by adding up times. */
function tell({ given, attempts, delays, cleanupTimeout, to, unsubscribed }: Program): Story {
  const started: number[] = [];
  const failures: number[] = [];
  let values = 0;
  let now = 0;
  const story = (rest: Partial<Story> = {}): Story => {
    return { started, values, failures, delivered: undefined, end: undefined, ...rest };
  };
  for (let i = 0; ; i++) {
    const { ends, after, cleanup, values: count } = given[i] as (typeof given)[number];
    started.push(now);
    values += count;
    now += after;
    if (now > unsubscribed) return story();
    if (ends === 'complete') return story({ end: ['complete', now] });
    failures.push(now);
    const isLast = i + 1 === attempts || ends === 'poison' || delays[i] === Infinity;
    if (isLast) {
      const ended = now + to.takes;
      if (ended > unsubscribed || ended === Infinity) return story({ delivered: now });
      return story({ delivered: now, end: [to.fails ? 'error' : 'complete', ended] });
    }
    now += Math.max(delays[i] as number, Math.min(cleanup, cleanupTimeout));
    if (now > unsubscribed) return story();
  }
}

it(
  'a value ends in one way: its work completes, its letter is delivered, or the error has the letter; after the times of a plain model',
  () => {
    fc.assert(
      fc.property(programs, (program) => {
        const { given, attempts, delays, cleanupTimeout, to, unsubscribed } = program;
        const clock = new VirtualTimeScheduler();
        const scheduler = new CountingScheduler(clock);
        const started: number[] = [];
        const cleaned: number[] = [];
        let running = 0;
        let most = 0;

        const work = new Observable<string>((subscriber) => {
          const index = started.length;
          const { ends, after, values, cleanup, cleanupFails } = given[index] as (typeof given)[number];
          started.push(clock.frame);
          most = Math.max(most, ++running);
          const scope = findCleanupScope(subscriber);
          let completed = false;
          subscriber.add(() => {
            running--;
            cleaned.push(index);
            if (completed || cleanup === 0) return;
            const settles = cleanup === Infinity ? NEVER : timer(cleanup, clock);
            const cleaning = runCleanup(
              () =>
                new Observable((end) =>
                  settles.subscribe({
                    complete: () => { if (cleanupFails) end.error('clean-up'); else end.complete(); }, // prettier-ignore
                  }),
                ),
            );
            if (cleaning) scope?.track(cleaning);
          });
          for (let i = 0; i < values; i++) subscriber.next('value');
          const end = () => {
            if (ends === 'complete') {
              completed = true;
              subscriber.complete();
            } else subscriber.error(`${ends} ${String(index)}`);
          };
          if (after === 0) end();
          else subscriber.add(clock.schedule(end, after));
        });

        const letters: { letter: DeadLetter<string>; at: number }[] = [];
        const write = (letter: DeadLetter<string>) => {
          letters.push({ letter, at: clock.frame });
          const fails = () => throwError(() => 'disk full');
          if (to.takes === Infinity) return NEVER;
          if (to.takes > 0)
            return new Observable((end) =>
              timer(to.takes, clock).subscribe({
                complete: () => { if (to.fails) end.error('disk full'); else end.complete(); }, // prettier-ignore
              }),
            );
          return to.fails ? fails() : undefined;
        };

        const tracked: { settled: unknown }[] = [];
        const scope = {
          track: (cleanup: PromiseLike<unknown>) => {
            const entry: { settled: unknown } = { settled: 'goes on' };
            tracked.push(entry);
            void cleanup.then(
              () => (entry.settled = 'done'),
              (error: unknown) => (entry.settled = error),
            );
          },
        };
        const events: [string, number, unknown?][] = [];
        const subscription = new Observable<string>((destination) => {
          work
            .pipe(
              deadLetter('order', {
                attempts,
                to: write,
                shouldRetry: (error) => !String(error).startsWith('poison'),
                delayFor: (_, n) => delays[n - 1],
                cleanupTimeout,
                scheduler,
              }),
            )
            .subscribe(operate<string, string>({ destination, cleanupScope: scope }));
        }).subscribe({
          next: () => events.push(['value', clock.frame]),
          error: (error: unknown) => events.push(['error', clock.frame, error]),
          complete: () => events.push(['complete', clock.frame]),
        });

        if (unsubscribed < Infinity) clock.schedule(() => { subscription.unsubscribe(); }, unsubscribed); // prettier-ignore
        let trackedBefore = 0;
        if (unsubscribed < Infinity) clock.schedule(() => { trackedBefore = tracked.length; }, unsubscribed - 0.25); // prettier-ignore
        let timersAfter = 0;
        if (unsubscribed < Infinity) clock.schedule(() => { timersAfter = scheduler.pending; }, unsubscribed + 0.25); // prettier-ignore
        clock.flush();

        const expected = tell(program);
        expect(started).toEqual(expected.started);
        expect(most).toBe(1);
        expect(running).toBe(0);
        expect(cleaned).toEqual(started.map((_, i) => i));
        expect(events.filter(([kind]) => kind === 'value')).toHaveLength(expected.values);
        expect(events.filter(([kind]) => kind !== 'value').map(([kind, at]) => [kind, at])).toEqual(
          expected.end ? [expected.end] : [],
        );
        const isDelivered = expected.delivered !== undefined;
        expect(letters).toHaveLength(isDelivered ? 1 : 0);
        if (isDelivered)
          expect(letters[0]).toEqual({
            at: expected.delivered,
            letter: {
              value: 'order',
              error: `${String(given[started.length - 1]?.ends)} ${String(started.length - 1)}`,
              attempts: started.length,
              firstFailedAt: expected.failures[0],
              failures: expected.failures.map((at, i) => ({ at, error: `${String(given[i]?.ends)} ${String(i)}` })),
            },
          });
        if (expected.end?.[0] === 'error')
          expect(events.at(-1)?.[2]).toMatchObject({
            name: 'DeadLetterError',
            letter: letters[0]?.letter,
            cause: 'disk full',
          });

        // Cut off during the delivery: that goes on, and the scope below has been told of it, once.
        const goesOn = isDelivered && !expected.end && unsubscribed < Infinity;
        const told = tracked.slice(trackedBefore).filter((_, i) => unsubscribed < Infinity && i === 0);
        if (goesOn && to.takes < Infinity)
          expect(told).toMatchObject([{ settled: to.fails ? { name: 'DeadLetterError' } : 'done' }]);
        expect(timersAfter).toBe(0);
        expect(scheduler.pending).toBe(0);
      }),
      { numRuns: 1500 * times },
    );
  },
  30_000 * times,
);

it('a stream of values, some of them poison: each gives its result or its letter, none both, none neither', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ fails: fc.nat(4), at: fc.nat(5) })),
      fc.integer({ min: 1, max: 4 }),
      (values, attempts) => {
        const clock = new VirtualTimeScheduler();
        const results: number[] = [];
        const letters: number[] = [];
        let open = 0;
        for (const [id, { fails, at }] of values.entries()) {
          let tries = 0;
          open++;
          defer(() => timer(at, clock))
            .pipe(
              (source) => defer(() => (tries++ < fails ? throwError(() => 'fails') : source)),
              deadLetter(id, { attempts, to: ({ value }) => of(letters.push(value)), scheduler: clock }),
            )
            .subscribe({ next: () => results.push(id), complete: () => open-- });
        }
        clock.flush();
        expect(open).toBe(0);
        const all = values.map((_, id) => id);
        expect([...results].sort((a, b) => a - b)).toEqual(all.filter((id) => (values[id]?.fails ?? 0) < attempts));
        expect(letters).toEqual(all.filter((id) => (values[id]?.fails ?? 0) >= attempts));
      },
    ),
  );
});
