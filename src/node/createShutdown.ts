import { constants } from 'node:os';
import { finished, type Writable } from 'node:stream';
import { booleanOf, nonNegativeDurationOrInfinity, optionsObject } from '../internal/arguments.js';
import { reportUnhandled } from '../internal/reportUnhandled.js';
import type { Shutdown } from '../internal/shutdown/Shutdown.js';
import { createShutdown as createCoordinator, type CreateShutdownOptions } from '../resources/createShutdown.js';
import { processSignals } from './processSignals.js';

/**
 * Options of `createShutdown` of `rxjs-flow-control/node`.
 * @public
 */
export interface ProcessShutdownOptions extends CreateShutdownOptions {
  /** Which signals ask the program to stop. Default: `['SIGINT', 'SIGTERM']`. */
  signals?: readonly NodeJS.Signals[];
  /** Whether the process ends when all is done after a signal, whatever still runs; `false` only sets its exit code. Default: `true`. */
  exit?: boolean;
  /** The same signal, again within so many ms, is the same request: Ctrl-C under npm may come twice. Default: 100. */
  sameWithin?: number;
}

/**
 * Coordinates the shutdown of a program, and stops it when the process is asked to: the first signal drains, the second aborts.
 *
 * `createShutdown` of `rxjs-flow-control` with the signals of the process; make one for the program. The reason that all are
 * told is the name of the signal.
 *
 * - The **first signal** is `stop(signal)`: what runs is drained, for at most `drainTimeout`, then aborted and cleaned up, for
 *   at most `cleanupTimeout`.
 * - The **second**, whichever it is, is `abort(signal)`: what is left of the drain is skipped, clean-up is not.
 * - The **third** finds Node's default back, and so kills the process at once; not as PID 1 of a container, where Linux ignores
 *   that, unless it is run with `--init`.
 * - **When all is done** after a signal, the exit code is 128 + its number, 130 for SIGINT and 143 for SIGTERM, unless the program
 *   has set another since the signal. The process ends even if something still holds its event loop, after what was
 *   written to stdout and stderr is out, but at most a second later. What has to happen before, closing a logger for
 *   example, is for `add`.
 * - **Stopped by the program**, it neither ends the process nor sets its exit code, unless a signal comes meanwhile.
 * - **Idle**, it does not keep the process alive. Its listeners are there from the call until `done`.
 * - **Rather** `createShutdown` of `rxjs-flow-control` where somebody else handles the signals, NestJS for example.
 *
 * @throws TypeError if called with options of another type
 * @throws RangeError if called with an option out of range, a signal that this platform does not have, or one that cannot be handled
 *
 * @example
 * ```ts
 * import { createServer } from 'node:http';
 * import { createShutdown } from 'rxjs-flow-control/node';
 *
 * const shutdown = createShutdown({ drainTimeout: 20_000 });
 * const server = createServer((_, response) => response.end('hello')).listen(8080);
 * shutdown.drain('http', () => new Promise((resolve) => server.close(resolve)));
 * ```
 * @public
 */
export function createShutdown(options: ProcessShutdownOptions = {}): Shutdown {
  const { signals, exit = true, sameWithin = 100, ...rest } = optionsObject(options);
  booleanOf('exit', exit);
  nonNegativeDurationOrInfinity('sameWithin', sameWithin);
  const signals$ = processSignals(signals);
  const shutdown = createCoordinator(rest);
  let requests = 0;
  let recent: NodeJS.Signals | undefined;

  const request = (signal: NodeJS.Signals) => {
    recent = signal;
    requests++;
    if (sameWithin === 0) forget();
    else if (sameWithin < Infinity) forgetLater();
    if (requests === 1) {
      process.exitCode = 128 + constants.signals[signal];
      void shutdown.stop(signal);
    } else if (requests === 2) void shutdown.abort(signal);
    else {
      listening.unsubscribe();
      process.kill(process.pid, signal);
    }
  };

  /** After a turn of the event loop, in which it tells of what has come while the program was busy. */
  const forgetLater = () => {
    const number = requests;
    const timer = setTimeout(() => {
      setImmediate(() => {
        if (requests === number) forget();
      });
    }, sameWithin);
    listening.add(() => {
      clearTimeout(timer);
    });
  };

  const forget = () => {
    recent = undefined;
    if (requests > 1) listening.unsubscribe(); // before that, the repetition of the second would have killed
  };

  const listening = signals$.subscribe({
    next: (signal) => {
      if (signal !== recent) request(signal);
    },
    error: reportUnhandled, // there is none
  });
  void shutdown.done.then(() => {
    listening.unsubscribe();
    if (exit && requests > 0) setImmediate(endProcess); // who waits for `done` goes first
  });
  return shutdown;
}

/** In ms: nobody may be reading what is still to be written. */
const flushTimeout = 1000;

function endProcess(): void {
  const end = () => process.exit(); // with `process.exitCode`
  setTimeout(end, flushTimeout);
  void Promise.all([flushed(process.stdout), flushed(process.stderr)]).then(end);
}

/** Pipes are written asynchronously, and `process.exit` cuts off what waits there. */
function flushed(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      resolve();
    };
    if (stream.writableLength === 0) done();
    else if (stream.writableEnded) finished(stream, { readable: false }, done);
    else stream.write('', done);
  });
}
