import { constants } from 'node:os';
import { Duplex } from 'node:stream';
import { NEVER } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Shutdown } from '../../src/internal/shutdown/Shutdown.js';
import { createShutdown, type ProcessShutdownOptions } from '../../src/node/createShutdown.js';
import { deferred, settle, turn } from '../support/settle.js';

// With signals that the test runner does not listen to, and without an end of the process. Real ones: shutdown.test.ts.
const signals = ['SIGHUP', 'SIGUSR2'] as const;
const raise = (signal: NodeJS.Signals) => process.emit(signal, signal);
const listeners = () => signals.map((signal) => process.listenerCount(signal));
const exit = vi.spyOn(process, 'exit');
const kill = vi.spyOn(process, 'kill');

beforeEach(() => {
  exit.mockImplementation((() => {}) as never);
  kill.mockImplementation(() => true);
});

afterEach(() => {
  vi.useRealTimers();
  exit.mockReset();
  kill.mockReset();
  process.exitCode = undefined;
  expect(listeners(), 'listeners are left').toEqual([0, 0]);
});

describe('createShutdown of node', () => {
  it('is that of the main entry', async () => {
    const shutdown = createShutdown({ signals });
    expect(Object.keys(shutdown)).toEqual(
      expect.arrayContaining(['stop', 'abort', 'done', 'stopping$', 'signal', 'drain', 'add']),
    );
    await shutdown.stop();
  });

  it('hands on its options', async () => {
    const onReport = vi.fn();
    const shutdown = createShutdown({ signals, drainTimeout: 0, cleanupTimeout: 0, onReport });
    shutdown.drain('stuck', () => NEVER);
    expect(await shutdown.stop('enough')).toMatchObject({ reason: 'enough', timedOut: true });
    expect(onReport).toHaveBeenCalledTimes(1);
  });

  it('listens from the call until it is done, with one listener for each signal', async () => {
    const all = Array.from({ length: 20 }, () => createShutdown({ signals, exit: false }));
    expect(listeners()).toEqual([1, 1]);
    const [first, ...others] = all;
    await first?.stop();
    expect(listeners()).toEqual([1, 1]);
    for (const other of others) await other.stop();
    expect(listeners()).toEqual([0, 0]);
  });

  it('takes its listeners off where no signal has come, and ends nothing', async () => {
    await createShutdown({ signals }).stop();
    expect(listeners()).toEqual([0, 0]);
    await turn();
    expect(exit).not.toHaveBeenCalled();
    expect(process.exitCode).toBe(undefined);
  });

  it('stops with the name of the first signal, and has its exit code at once', async () => {
    const shutdown = createShutdown({ signals, exit: false });
    raise('SIGHUP');
    expect(process.exitCode).toBe(129);
    expect(await shutdown.done).toMatchObject({ reason: 'SIGHUP', clean: true });
  });

  it('ends the process after all who wait for `done`', async () => {
    vi.useFakeTimers();
    const shutdown = createShutdown({ signals });
    raise('SIGHUP');
    await shutdown.done;
    await settle();
    expect(exit).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(0);
    expect(exit).toHaveBeenCalledWith();
  });

  describe.each(['stdout', 'stderr'] as const)('ends the process after what was written to %s', (name) => {
    /** A pipe, as of the process, with something on its way that is out when it is let. */
    const output = () => {
      vi.useFakeTimers();
      const { promise: isLetOut, resolve: letOut } = deferred();
      let out = '';
      const stream = new Duplex({
        read: () => undefined,
        write: (chunk, _encoding, done) =>
          void isLetOut.then(() => {
            out += String(chunk);
            done();
          }),
      });
      stream.write('last words');
      const replaced = vi.spyOn(process, name, 'get').mockReturnValue(stream as never);
      onTestFinished(() => {
        replaced.mockRestore();
      });
      return { stream, letOut, out: () => out };
    };
    const stopped = async () => {
      const shutdown = createShutdown({ signals });
      raise('SIGHUP');
      await shutdown.done;
      await vi.advanceTimersByTimeAsync(999);
      expect(exit).not.toHaveBeenCalled();
    };

    it('is out', async () => {
      const { letOut, out } = output();
      await stopped();
      letOut();
      await vi.advanceTimersByTimeAsync(0);
      expect(exit).toHaveBeenCalledWith();
      expect(out()).toBe('last words');
    });

    it('is out, also if it was told to end', async () => {
      const { stream, letOut } = output();
      stream.end();
      await stopped();
      letOut();
      await vi.advanceTimersByTimeAsync(0);
      expect(exit).toHaveBeenCalledWith();
    });

    it('has had a second, though nobody reads it', async () => {
      output();
      await stopped();
      await vi.advanceTimersByTimeAsync(1);
      expect(exit).toHaveBeenCalledWith();
    });
  });

  it('does not end the process with exit: false', async () => {
    const shutdown = createShutdown({ signals, exit: false });
    raise('SIGUSR2');
    await shutdown.done;
    await turn();
    expect(exit).not.toHaveBeenCalled();
    expect(process.exitCode).toBe(128 + constants.signals.SIGUSR2);
  });

  it('ends the process after a signal that has come while it stopped by itself', async () => {
    vi.useFakeTimers();
    const shutdown = createShutdown({ signals });
    const work = deferred();
    shutdown.drain('work', () => work.promise);
    void shutdown.stop('enough');
    raise('SIGHUP');
    expect(shutdown.signal.aborted).toBe(false);
    work.resolve();
    expect(await shutdown.done).toMatchObject({ reason: 'enough', clean: true });
    await vi.advanceTimersByTimeAsync(0);
    expect(exit).toHaveBeenCalled();
  });

  describe('the same signal again', () => {
    const stuck = (options: ProcessShutdownOptions = {}) => {
      vi.useFakeTimers();
      const shutdown = createShutdown({
        ...{ signals, exit: false, drainTimeout: Infinity, cleanupTimeout: 60_000 },
        ...options,
      });
      shutdown.drain('stuck', () => NEVER);
      return shutdown;
    };
    const end = async (shutdown: Shutdown) => {
      void shutdown.abort();
      await vi.advanceTimersByTimeAsync(60_000);
      await shutdown.done;
      expect(vi.getTimerCount()).toBe(0);
    };

    it('is the same request within 100 ms', async () => {
      const shutdown = stuck();
      raise('SIGHUP');
      raise('SIGHUP');
      await vi.advanceTimersByTimeAsync(99);
      raise('SIGHUP');
      expect(shutdown.signal.aborted).toBe(false);
      await end(shutdown);
    });

    it('is the second after them', async () => {
      const shutdown = stuck();
      raise('SIGHUP');
      await vi.advanceTimersByTimeAsync(101);
      raise('SIGHUP');
      expect(shutdown.signal.aborted).toBe(true);
      await end(shutdown);
    });

    it('is told later where the event loop was busy, and is the same request then', async () => {
      const shutdown = stuck();
      raise('SIGHUP');
      setTimeout(raise, 100, 'SIGHUP'); // the turn in which the time is over
      await vi.advanceTimersByTimeAsync(100);
      expect(shutdown.signal.aborted).toBe(false);
      await end(shutdown);
    });

    it('is not waited for any more when all is done', async () => {
      vi.useFakeTimers();
      const shutdown = createShutdown({ signals, exit: false });
      raise('SIGHUP');
      await shutdown.done;
      await settle();
      expect(vi.getTimerCount()).toBe(0);
    });

    it('has its own time after the second, whatever is left of that of the first', async () => {
      const shutdown = stuck();
      raise('SIGHUP');
      await vi.advanceTimersByTimeAsync(50);
      raise('SIGUSR2');
      expect(shutdown.signal.aborted).toBe(true);
      await vi.advanceTimersByTimeAsync(90);
      raise('SIGUSR2');
      expect(kill).not.toHaveBeenCalled();
      expect(listeners()).toEqual([1, 1]);
      await vi.advanceTimersByTimeAsync(20);
      expect(listeners(), 'the third would kill').toEqual([0, 0]);
      await end(shutdown);
    });

    it('is the second at once where sameWithin is 0, and the default is back', async () => {
      const shutdown = stuck({ sameWithin: 0 });
      raise('SIGHUP');
      expect(shutdown.signal.aborted).toBe(false);
      raise('SIGHUP');
      expect(shutdown.signal.aborted).toBe(true);
      expect(listeners()).toEqual([0, 0]);
      await end(shutdown);
    });

    it('never is the second where sameWithin is Infinity', async () => {
      const shutdown = stuck({ sameWithin: Infinity });
      raise('SIGHUP');
      await vi.advanceTimersByTimeAsync(1_000_000);
      raise('SIGHUP');
      expect(shutdown.signal.aborted).toBe(false);
      raise('SIGUSR2');
      expect(shutdown.signal.aborted).toBe(true);
      await end(shutdown);
    });
  });

  it('kills with a third that comes at once', async () => {
    const shutdown = createShutdown({ signals, exit: false, cleanupTimeout: 20 });
    shutdown.drain('stuck', () => NEVER);
    raise('SIGHUP');
    raise('SIGUSR2');
    expect(kill).not.toHaveBeenCalled();
    raise('SIGHUP');
    expect(kill).toHaveBeenCalledWith(process.pid, 'SIGHUP');
    expect(listeners()).toEqual([0, 0]);
    await shutdown.done;
  });

  it.each([
    [{ exit: 1 }, TypeError, 'exit must be a boolean, got 1'],
    [{ sameWithin: -1 }, RangeError, 'sameWithin must be a number of milliseconds'],
    [{ sameWithin: '100' }, RangeError, 'sameWithin must be a number of milliseconds'],
    [{ signals: 'SIGINT' }, TypeError, 'signals must be an array of names of signals'],
    [{ signals: ['SIGKILL'] }, RangeError, "signals must not have 'SIGKILL'"],
    [{ signals: ['SIGHUP'], drainTimeout: -1 }, RangeError, 'drainTimeout must be'],
    [10_000, TypeError, 'options must be an object, got 10000'],
  ] as const)('refuses %j at the call, and leaves no listener', (options, Kind, message) => {
    const call = () => createShutdown(options as never);
    expect(call).toThrow(Kind);
    expect(call).toThrow(message);
  });
});
