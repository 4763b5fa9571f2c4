import { asyncScheduler, noop, type SchedulerLike } from 'rxjs';
import {
  check,
  functionOf,
  nonNegativeDurationOrInfinity,
  optionalFunction,
  optionsObject,
  schedulerOf,
} from '../internal/arguments.js';
import { Coordinator } from '../internal/shutdown/Coordinator.js';
import { withJoin } from '../internal/shutdown/participation.js';
import type { Shutdown, ShutdownSummary } from '../internal/shutdown/Shutdown.js';
import { readName, type NameOptions } from '../options/name.js';

/**
 * Options of `createShutdown`.
 * @public
 */
export interface CreateShutdownOptions extends NameOptions {
  /** How long what runs may take to come to its end, in ms, or `Infinity`. Default: 10 000. */
  drainTimeout?: number;
  /** How long all may take after that: clean-up and closing, in ms, or `Infinity`. Default: 2000. */
  cleanupTimeout?: number;
  /** Source of time. Default: `asyncScheduler`. */
  scheduler?: SchedulerLike;
  /** Called once with what has become of all, before `done` settles. */
  onReport?(this: void, summary: ShutdownSummary): void;
}

/**
 * Coordinates a shutdown: pipelines and whatever else runs are drained side by side, then resources are closed one after the other.
 *
 * In each of its phases time is limited, so that it comes to its end whatever hangs: within `drainTimeout + cleanupTimeout` of
 * the stop, which is to be less than what the platform gives (`terminationGracePeriodSeconds` of Kubernetes: 30 s).
 *
 * - **Drain**: `stop(reason)` tells all who take part, `gracefulShutdown({ on: shutdown })` and `drain(name, drain)`, at once.
 *   `stopping$` tells everybody else to take nothing new. What runs is to come to its end.
 * - **Abort**: after `drainTimeout`, or with `abort()`, `signal` is aborted: stop working. From then on all that remains, closing
 *   included, takes `cleanupTimeout` at the most. Those who take part are waited for all of that, or half of it where there are resources.
 * - **Close**: what was registered with `add(name, close)`, the last first, each after the one before. Each is given an equal part of the time
 *   that is left; one that takes longer, or fails, does not keep the others open, and may still close until the end. When no time is
 *   left, those that remain are closed without waiting. If `drainTimeout` is infinite, closing takes at most `cleanupTimeout`.
 * - **Done** settles with a summary, and never rejects: failures are in there, and `clean` is whether there was any. What fails
 *   later is reported as unhandled.
 * - **Late**: what is added while it is stopping is closed in this shutdown, and whoever drains takes part as long as the drain goes on.
 *   After that, both throw a `ShutdownEndedError`.
 * - **Rather** `gracefulShutdown` with a signal or a notifier when there is one pipeline, and nothing to close.
 *
 * To wait for `done` inside of `drain` or `close` is to wait for oneself: it takes the time that there is.
 *
 * @throws RangeError if called with an option out of range
 * @throws TypeError if `onReport`, the scheduler or the options are of another type
 *
 * @example
 * ```ts
 * import { createShutdown } from 'rxjs-flow-control';
 *
 * const shutdown = createShutdown({ drainTimeout: 5000 });
 * shutdown.add('database', async () => console.log('database closed'));
 * shutdown.add('cache', async () => console.log('cache closed'));
 * shutdown.drain('http', async () => console.log('requests answered'));
 *
 * const { clean } = await shutdown.stop('deploy');
 * console.log(clean);
 * // prints: requests answered, cache closed, database closed, true
 * ```
 * @public
 */
export function createShutdown(options: CreateShutdownOptions = {}): Shutdown {
  const { drainTimeout = 10_000, cleanupTimeout = 2000, scheduler = asyncScheduler, onReport } = optionsObject(options);
  const coordinator = new Coordinator({
    drainTimeout: nonNegativeDurationOrInfinity('drainTimeout', drainTimeout),
    cleanupTimeout: nonNegativeDurationOrInfinity('cleanupTimeout', cleanupTimeout),
    scheduler: schedulerOf('scheduler', scheduler),
    onReport: optionalFunction('onReport', onReport) ?? noop,
    where: readName('createShutdown', options),
  });
  nonNegativeDurationOrInfinity('drainTimeout + cleanupTimeout', drainTimeout + cleanupTimeout); // what a timer can hold
  const { done } = coordinator;

  return withJoin(
    {
      stop: (reason) => {
        coordinator.stop(reason);
        return done;
      },
      abort: (reason) => {
        coordinator.abort(reason);
        return done;
      },
      done,
      stopping$: coordinator.stopping.reason$,
      signal: coordinator.controller.signal,
      drain: (name, drain) => coordinator.drain(nameOf(name), functionOf('drain', drain)),
      add: (name, close) => coordinator.add(nameOf(name), functionOf('close', close)),
    },
    (pipeline) => coordinator.join(pipeline),
  );
}

function nameOf(name: string): string {
  return check(typeof name === 'string', TypeError, 'name', 'be a string', name);
}
