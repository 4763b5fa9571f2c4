import { constants } from 'node:os';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createShutdown } from '../../src/node/createShutdown.js';
import { deferred } from '../support/settle.js';

// Signals, the program's own stop, the end of what drains, and time, in any order, beside a plain model.

const signals = ['SIGHUP', 'SIGUSR2'] as const;
/** Odd, and all waiting is even, so that nothing comes just when the time is over. */
const sameWithin = 101;
const cleanupTimeout = 501;

type Step = (typeof signals)[number] | 'stop' | 'finish' | number;

const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom<Step>(...signals) },
    { weight: 1, arbitrary: fc.constantFrom<Step>('stop', 'finish') },
    { weight: 4, arbitrary: fc.integer({ min: 0, max: 80 }).map((n): Step => 2 * n) },
  ),
  { maxLength: 14 },
);

class Model {
  requests = 0;
  aborted = false;
  done = false;
  listening = true;
  exitCode: number | undefined;
  readonly kills: string[] = [];
  private now = 0;
  private recent: { signal: string; until: number } | undefined;
  private stopped = false;
  private finished = false;
  private deadline = Infinity;

  take(step: Step): void {
    if (typeof step === 'number') this.now += step;
    else if (step === 'stop') this.stopped = true;
    else if (step === 'finish') this.finished = true;
    else this.signal(step);
    this.look();
  }

  private signal(signal: (typeof signals)[number]): void {
    if (!this.listening || signal === this.recent?.signal) return;
    this.requests++;
    this.recent = { signal, until: this.now + sameWithin };
    if (this.requests === 1) {
      this.stopped = true;
      this.exitCode = 128 + constants.signals[signal];
    } else if (this.requests === 2) {
      this.aborted = true;
      this.deadline = this.now + cleanupTimeout;
    } else {
      this.kills.push(signal);
      this.listening = false;
    }
  }

  private look(): void {
    if (this.recent && this.now > this.recent.until) {
      this.recent = undefined;
      if (this.requests > 1) this.listening = false;
    }
    if (this.stopped && (this.finished || this.now > this.deadline)) {
      this.done = true;
      this.listening = false;
    }
  }
}

const kill = vi.spyOn(process, 'kill');

beforeEach(() => {
  vi.useFakeTimers();
  kill.mockImplementation(() => true);
});

afterEach(() => {
  vi.useRealTimers();
  kill.mockReset();
  process.exitCode = undefined;
});

it('the first signal stops, the second aborts, the third kills, and none is heard when all is done', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (program) => {
      process.exitCode = undefined;
      kill.mockClear();
      const model = new Model();
      const shutdown = createShutdown({ signals, sameWithin, cleanupTimeout, drainTimeout: Infinity, exit: false });
      const work = deferred();
      shutdown.drain('work', () => work.promise);
      let done = 0;
      void shutdown.done.then(() => done++);

      for (const step of program) {
        if (typeof step === 'number') await vi.advanceTimersByTimeAsync(step);
        else if (step === 'stop') void shutdown.stop('enough');
        else if (step === 'finish') work.resolve();
        else process.emit(step, step);
        await vi.advanceTimersByTimeAsync(0);
        model.take(step);
        expect({
          aborted: shutdown.signal.aborted,
          done,
          exitCode: process.exitCode,
          kills: kill.mock.calls.map(([, signal]) => signal),
          listeners: signals.map((signal) => process.listenerCount(signal)),
        }).toEqual({
          aborted: model.aborted,
          done: Number(model.done),
          exitCode: model.exitCode,
          kills: model.kills,
          listeners: signals.map(() => Number(model.listening)),
        });
      }

      work.resolve();
      void shutdown.stop();
      await vi.advanceTimersByTimeAsync(0);
      expect(done).toBe(1);
      expect(signals.map((signal) => process.listenerCount(signal))).toEqual([0, 0]);
      expect(vi.getTimerCount()).toBe(0);
    }),
  );
});
