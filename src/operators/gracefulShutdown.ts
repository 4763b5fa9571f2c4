import { asyncScheduler, Observable, type OperatorFunction, type SchedulerLike } from 'rxjs';
import type { ShutdownReport } from '../errors/ShutdownError.js';
import {
  functionOf,
  nonNegativeDurationOrInfinity,
  oneOf,
  optionalFunction,
  optionsObject,
  schedulerOf,
} from '../internal/arguments.js';
import { GracefulOperation } from '../internal/shutdown/GracefulOperation.js';
import type { GracefulSettings } from '../internal/shutdown/GracefulSettings.js';
import { readStopSource, type StopSource } from '../internal/shutdown/stopSource.js';
import { readName, type NameOptions } from '../options/name.js';

/**
 * Options of `gracefulShutdown`.
 * @public
 */
export interface GracefulShutdownOptions extends NameOptions {
  /** What stops it: a `Shutdown`, an `AbortSignal`, or the first value of a notifier. */
  on: StopSource;
  /** How long what is inside may take to come out, in ms, or `Infinity`. Default: 10 000; with a `Shutdown`, as long as that gives. */
  drainTimeout?: number;
  /** How long the end waits for clean-up, in ms, or `Infinity`. Default: 2000; with a `Shutdown`, as long as that gives, at most. */
  cleanupTimeout?: number;
  /** How it ends when it was cut off or its clean-up was: with a `ShutdownError`, or as if nothing had been. Default: 'error'. */
  onTimeout?: 'error' | 'complete';
  /** Source of time. Default: `asyncScheduler`; with a `Shutdown` always that of it. */
  scheduler?: SchedulerLike;
  /** Called once with what has become of it, when it was stopped, before it completes or errors. */
  onReport?(this: void, report: ShutdownReport): void;
}

/**
 * Stops a pipeline without loss: takes nothing new, lets what is inside come out for a limited time, then cancels the rest, waits for clean-up, and reports.
 *
 * ```marble
 * source                                abcd-----e-f
 * stop                                  ------s
 * gracefulShutdown(jobs, { on: stop })  ----ab--c(d|)
 * ```
 *
 * Here `jobs` is `(job$) => job$.pipe(bufferedMergeMap(work, { concurrent: 2 }))`, and `work` takes 4 frames. Whatever is to be drained
 * has to be inside of `pipeline`: what stands above it is cut off by the stop, what stands below is not waited for. The phases, as in
 * Alpakka's `DrainingControl` and `server.close()` of Node:
 *
 * 1. The source is unsubscribed from, and the input of the pipeline completes.
 * 2. Results pass on until the pipeline completes, for at most `drainTimeout`.
 * 3. If it has not, it is unsubscribed from: signals are aborted, and what waits goes to the `onDrop` of whoever held it.
 * 4. The clean-ups of the source and of the pipeline are waited for, at most `cleanupTimeout`.
 * 5. `onReport` is told, and it completes, or errors if something was cut off.
 *
 * The report counts what operators of this package held or ran; nobody can see into those of RxJS, so that `mergeMap` cut off counts
 * as nothing. A pipeline that subscribes to its input more than once subscribes to the source as often; one that does so only after
 * the stop finds an input that completes at once. So does the pipeline if it was stopped before: the source is not subscribed at all.
 *
 * With a `Shutdown` (`createShutdown`) it takes part in that: it drains beside others, resources are closed after it, and its
 * report is in the summary.
 *
 * - **Completes** with the pipeline; after a stop, when its clean-up is over too.
 * - **Errors** with the pipeline, the notifier, or whatever `pipeline` throws. While it drains, an error waits for the clean-up first, and
 *   is in the report. With a `ShutdownError`, when the pipeline was cut off, or its clean-up has failed or was not over in time.
 * - **Unsubscribed**, it unsubscribes from the pipeline, and hands what still goes on to the nearest consumer below that waits for clean-up;
 *   `onReport` is not called. In a `Shutdown` that is stopping, its clean-up is still waited for there.
 * - **Backpressure** passes through: the source sees what the pipeline begins with, the pipeline sees the consumer below. One that is full
 *   cannot hold up the end, since `drainTimeout` counts all the same. A notifier is never held up.
 * - **Drops** what is inside when `drainTimeout` is over: counted in the report, and handed to the `onDrop` of the operators in the pipeline.
 * - **Rather** `takeUntil` when what is inside may be lost.
 *
 * @throws RangeError if called with an option out of range
 * @throws TypeError if `pipeline`, `on`, a callback or the options are of another type
 *
 * @example
 * ```ts
 * import { Subject } from 'rxjs';
 * import { bufferedMergeMap, createShutdown, gracefulShutdown } from 'rxjs-flow-control';
 *
 * const shutdown = createShutdown();
 * const jobs = new Subject<string>();
 * jobs
 *   .pipe(gracefulShutdown((job$) => job$.pipe(bufferedMergeMap(async (job) => `${job} done`)), { on: shutdown }))
 *   .subscribe({ next: (line) => console.log(line), complete: () => console.log('drained') });
 * jobs.next('a');
 * jobs.next('b');
 * void shutdown.stop('SIGTERM');
 * jobs.next('c'); // too late
 * // prints: a done, b done, drained
 * ```
 * @public
 */
export function gracefulShutdown<T, R>(
  pipeline: (work$: Observable<T>) => Observable<R>,
  options: GracefulShutdownOptions,
): OperatorFunction<T, R> {
  const settings = readOptions(pipeline, options);

  return (source) =>
    new Observable((destination) => {
      new GracefulOperation(source, destination, settings).start();
    });
}

function readOptions<T, R>(
  pipeline: (work$: Observable<T>) => Observable<R>,
  options: GracefulShutdownOptions,
): GracefulSettings<T, R> {
  const { scheduler = asyncScheduler, onTimeout = 'error', onReport, name } = optionsObject(options);
  const on = readStopSource(options.on);
  const { drainTimeout = on.join ? Infinity : 10_000, cleanupTimeout = on.join ? Infinity : 2000 } = options;
  return {
    pipeline: functionOf('pipeline', pipeline),
    on,
    drainTimeout: nonNegativeDurationOrInfinity('drainTimeout', drainTimeout),
    cleanupTimeout: nonNegativeDurationOrInfinity('cleanupTimeout', cleanupTimeout),
    onTimeout: oneOf('onTimeout', ['error', 'complete'], onTimeout),
    onReport: optionalFunction('onReport', onReport),
    scheduler: schedulerOf('scheduler', scheduler),
    name,
    where: readName('gracefulShutdown', options),
  };
}
