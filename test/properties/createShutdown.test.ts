import fc from 'fast-check';
import { concat, config, NEVER, throwError, timer, VirtualTimeScheduler } from 'rxjs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { ShutdownSummary } from '../../src/internal/shutdown/Shutdown.js';
import { createShutdown } from '../../src/resources/createShutdown.js';
import { CountingScheduler } from '../support/CountingScheduler.js';

/** `RUNS=20 npx vitest run test/properties` looks for the rare ones. */
const times = Number(process.env['RUNS'] ?? 1);

beforeEach(() => {
  vi.useFakeTimers();
  config.onUnhandledError = () => undefined; // what fails after the end
});
afterEach(() => {
  vi.runAllTimers();
  vi.useRealTimers();
  config.onUnhandledError = null;
});

const length = (digits: number) =>
  fc.oneof(
    { weight: 6, arbitrary: fc.nat(60).map((n) => n + digits) },
    { weight: 1, arbitrary: fc.constantFrom(0, Infinity) },
  );
/** Their ends never fall into the frame of another. */
const task = fc.record({ takes: length(0.0123), fails: fc.boolean() });

const programs = fc.record({
  drains: fc.array(task, { maxLength: 4 }),
  resources: fc.array(task, { maxLength: 6 }),
  drainTimeout: fc.nat(80),
  cleanupTimeout: fc.nat(80),
  stop: fc.nat(20),
});
type Program = typeof programs extends fc.Arbitrary<infer P> ? P : never;
type Task = Program['drains'][number];

function run({ drains, resources, drainTimeout, cleanupTimeout, stop }: Program, abort = Infinity) {
  const virtual = new VirtualTimeScheduler();
  const scheduler = new CountingScheduler(virtual);
  const summaries: ShutdownSummary[] = [];
  const calls: string[] = [];
  const starts: number[] = [];
  let pendingAtEnd = -1;
  const shutdown = createShutdown({
    drainTimeout,
    cleanupTimeout,
    scheduler,
    onReport: (summary) => {
      summaries.push(summary);
      pendingAtEnd = scheduler.pending;
    },
  });
  const perform = ({ takes, fails }: Task) => {
    if (takes === 0 && fails) throw new Error();
    if (takes === 0) return undefined;
    return takes === Infinity ? NEVER : concat(timer(takes, virtual), fails ? throwError(() => new Error()) : []);
  };
  drains.forEach((each, index) => shutdown.drain(String(index), () => perform(each)));
  resources.forEach((each, index) =>
    shutdown.add(String(index), () => {
      calls.push(String(index));
      starts.push(virtual.frame);
      return perform(each);
    }),
  );
  virtual.schedule(() => void shutdown.stop('stop'), stop);
  if (abort < Infinity) virtual.schedule(() => void shutdown.abort('abort'), abort);
  virtual.flush();
  return { summaries, calls, starts, pendingAtEnd, signal: shutdown.signal };
}

/** When resources are closed, and when it is over. */
function expected({ drains, resources, drainTimeout, cleanupTimeout, stop }: Program) {
  const drained = stop + Math.max(0, ...drains.map(({ takes }) => takes));
  const deadline = stop + drainTimeout + cleanupTimeout;
  // The other half is for the resources, if there are any.
  const timeToCleanUp = resources.length > 0 ? Math.ceil(cleanupTimeout / 2) : cleanupTimeout;
  let at = Math.min(drained, stop + drainTimeout + timeToCleanUp);
  const starts: number[] = [];
  const ends: number[] = [];
  [...resources].reverse().forEach(({ takes }, index) => {
    const left = resources.length - index;
    const part = left === 1 ? deadline - at : Math.floor((deadline - at) / left);
    starts.push(at);
    ends.push(at + takes);
    at = Math.min(at + takes, at + part);
  });
  return {
    starts,
    timedOut: drained > stop + drainTimeout,
    states: ends.map((end, index) => {
      const { takes, fails } = resources[resources.length - 1 - index] as Task;
      if (end > deadline || (end === deadline && takes > 0)) return 'timed-out';
      return fails && takes < Infinity ? 'failed' : 'closed';
    }),
    over: Math.min(deadline, Math.max(Math.min(drained, stop + drainTimeout + timeToCleanUp), ...ends)),
  };
}

it(
  'closes each once, the last first, in equal parts of the time that is left',
  () => {
    fc.assert(
      fc.property(programs, (program) => {
        const { summaries, calls, starts, pendingAtEnd, signal } = run(program);
        const wanted = expected(program);
        const [summary] = summaries;
        expect(summaries.length).toBe(1);
        expect(calls).toEqual(program.resources.map((_, index) => String(index)).reverse());
        expect(starts.map((at) => at.toFixed(3))).toEqual(wanted.starts.map((at) => at.toFixed(3)));
        expect(summary?.resources.map(({ name }) => name)).toEqual(calls);
        expect(summary?.resources.map(({ state }) => state)).toEqual(wanted.states);
        expect(summary?.ms).toBeCloseTo(wanted.over - program.stop, 6);
        expect([summary?.timedOut, signal.aborted]).toEqual([wanted.timedOut, wanted.timedOut]);
        expect(summary?.drains.length).toBe(program.drains.length);
        expect(pendingAtEnd).toBe(0);
      }),
      { numRuns: 600 * times },
    );
  },
  30_000 * times,
);

it(
  'after an abort it is over within cleanupTimeout, and closes each once all the same',
  () => {
    fc.assert(
      fc.property(programs, fc.nat(200), (program, abort) => {
        const { summaries, calls, pendingAtEnd } = run(program, abort);
        const [summary] = summaries;
        const begun = Math.min(abort, program.stop);
        const over = begun + (summary?.ms ?? NaN);
        expect(summaries.length).toBe(1);
        expect(calls).toEqual(program.resources.map((_, index) => String(index)).reverse());
        expect(over).toBeLessThanOrEqual(begun + program.drainTimeout + program.cleanupTimeout);
        if (abort < over) expect(over).toBeLessThanOrEqual(abort + program.cleanupTimeout);
        expect(pendingAtEnd).toBe(0);
      }),
      { numRuns: 600 * times },
    );
  },
  30_000 * times,
);
