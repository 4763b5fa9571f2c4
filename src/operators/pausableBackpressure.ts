import {
  asyncScheduler,
  from,
  noop,
  Observable,
  type MonoTypeOperatorFunction,
  type ObservableInput,
  type SchedulerLike,
  type Subscriber,
} from 'rxjs';
import {
  booleanOf,
  oneOf,
  optionalFunction,
  optionsObject,
  positiveIntegerOrInfinity,
  schedulerOf,
  shown,
} from '../internal/arguments.js';
import { macrotask, type Pause } from '../internal/macrotask.js';
import { operate } from '../internal/operate.js';
import { PausableLine, type PausableLineSettings } from '../internal/PausableLine.js';
import { readName, type NameOptions } from '../options/name.js';
import { readQueueOptions, type QueueOptions } from '../options/queue.js';

/**
 * What becomes of the values that a source brings while it is paused.
 *
 * - `'buffer'`: they wait, as many as `bufferSize` allows.
 * - `'latest'`: only the newest waits, the others are dropped; so it is whenever values have to wait.
 * - `'drop'`: they are dropped.
 * - `'resubscribe'`: there are none, because the source is unsubscribed from, and subscribed to again afterwards.
 * @public
 */
export type PauseMode = 'buffer' | 'latest' | 'drop' | 'resubscribe';

/**
 * How the values that wait leave after a pause: all at once, so many per turn of the event loop (or of the `scheduler`), or
 * one in so many ms.
 * @public
 */
export type DrainPace = 'sync' | { readonly perTick: number } | { readonly interval: number };

/**
 * Options of `pausableBackpressure`.
 * @public
 */
export interface PausableBackpressureOptions<T> extends QueueOptions, NameOptions {
  /** Whether it is paused until `paused$` says something. Default: `false`. */
  initiallyPaused?: boolean;
  /** What becomes of values that come during a pause. Default: `'buffer'`. */
  mode?: PauseMode;
  /** How many values may wait before sources that can wait are asked to. Default: 0, none is asked for during a pause. */
  highWaterMark?: number;
  /** How the values that wait leave after a pause. Default: `'sync'`, all at once. */
  drain?: DrainPace;
  /** Source of time and of ticks. Default: `asyncScheduler`; for `perTick`, `setImmediate` or a `MessageChannel`. */
  scheduler?: SchedulerLike;
  // A method, so that it does not take part in finding out T.
  /** Called with each value that is dropped, and why: `'paused'` is the reason of mode `'drop'`. */
  onDrop?(this: void, value: T, reason: 'overflow' | 'paused' | 'error' | 'unsubscribe'): void;
}

/**
 * Pauses a stream and lets it go on: sources that can wait are stopped, what others bring waits in a queue with a bound.
 *
 * ```marble
 * source                         --a-b-c-d-----e--|
 * paused$                        ---t-----f--------
 * pausableBackpressure(paused$)  --a------(bcd)e--|
 * ```
 *
 * Here `t` is `true`, which pauses, and `f` is `false`. `paused$` is subscribed to before the source, and runs ungated, so that
 * a busy consumer does not delay it. To say the same again does nothing; a pause while the waiting values leave, also from
 * within `next`, stops them at once. Each subscription has a `paused$` of its own: make it one that says where it stands (a
 * `BehaviorSubject`), so that whoever comes later is told too. `whileVisible()` and `whileOnline()` are such.
 *
 * - **Completes** when the source has completed and nothing waits any more: what waits during a pause leaves after it. If
 *   `paused$` completes during a pause, nobody could end that any more: so it ends. `concat(paused$, NEVER)` never does.
 * - **Errors** with the source, `paused$` or `onDrop`, or a `BufferOverflowError`, at once, also during a pause.
 * - **Unsubscribed**, it unsubscribes from `paused$` and the source, and drops what waits.
 * - **Backpressure**: during a pause it asks for `highWaterMark` values in mode `'buffer'`, in the others for none. While the
 *   consumer below is full, values wait as well, in each mode; only a pause unsubscribes (`'resubscribe'`) or drops (`'drop'`).
 *   While values leave at a `drain` pace, those that come line up behind them: with a source that is faster and cannot
 *   wait, the line grows up to `bufferSize`.
 * - **Drops** by `mode` and `overflow`, and what waits on error and unsubscription: `onDrop` sees each value.
 * - **Rather** `gatedBy` if you have a gate instead of an observable, and only sources that can wait.
 *
 * @throws RangeError if called with an option out of range
 * @throws TypeError if `paused$`, a callback or the options are of another type, or with queue options in mode `'latest'`
 *
 * @example
 * ```ts
 * import { BehaviorSubject, of } from 'rxjs';
 * import { pausableBackpressure } from 'rxjs-flow-control';
 *
 * const paused$ = new BehaviorSubject(true);
 * of('a', 'b').pipe(pausableBackpressure(paused$)).subscribe(console.log);
 * console.log('resumes');
 * paused$.next(false);
 * // prints: resumes, a, b
 * ```
 * @public
 */
export function pausableBackpressure<T>(
  paused$: ObservableInput<boolean>,
  options: PausableBackpressureOptions<T> = {},
): MonoTypeOperatorFunction<T> {
  const settings = readOptions(options);
  const pauses$ = from(paused$);

  return (source) =>
    new Observable((destination) => {
      let subscribed: Subscriber<T> | undefined;
      let sourceCompleted = false;
      let connecting = true; // not before paused$ has said what it says at once

      /** A loop, however often a synchronous source is paused and resumed. */
      const connect = () => {
        if (connecting) return;
        connecting = true;
        while (!subscribed && !destination.closed && !(settings.mode === 'resubscribe' && line.isPaused)) {
          subscribed = operate<T, T>({ destination, gate: line.gate, next, error: fail, complete });
          source.subscribe(subscribed);
        }
        connecting = false;
      };

      const disconnect = () => {
        const leaving = subscribed;
        subscribed = undefined;
        leaving?.unsubscribe();
      };

      const next = (value: T) => {
        line.receive(value);
      };

      const fail = (error: unknown) => {
        line.fail(error);
      };

      const complete = () => {
        sourceCompleted = true;
        line.drain();
      };

      const setPaused = (paused: boolean) => {
        if (booleanOf('what paused$ emits', paused) === line.isPaused) return;
        if (!paused) line.resume();
        else {
          line.pause();
          if (settings.mode === 'resubscribe' && !sourceCompleted) disconnect();
        }
      };

      const line = new PausableLine(destination, settings, () => {
        if (sourceCompleted && line.isEmpty) destination.complete();
        else connect();
      });
      destination.add(() => subscribed?.unsubscribe());
      destination.add(() => {
        line.stop();
      });
      pauses$.subscribe(
        operate<boolean, T>({
          destination,
          gate: null,
          next: (paused) => {
            try {
              setPaused(paused);
            } catch (thrown) {
              fail(thrown);
            }
          },
          error: fail,
          complete: () => {
            setPaused(false);
          },
        }),
      );
      connecting = false;
      connect();
    });
}

const modes: readonly PauseMode[] = ['buffer', 'latest', 'drop', 'resubscribe'];

function readOptions<T>(options: PausableBackpressureOptions<T>): PausableLineSettings<T> {
  const { mode = 'buffer', initiallyPaused = false } = optionsObject(options);
  return {
    mode: oneOf('mode', modes, mode),
    initiallyPaused: booleanOf('initiallyPaused', initiallyPaused),
    ...(mode === 'latest' ? readNoQueue(options) : readQueueOptions(options, 0)),
    pace: readPace(options),
    onDrop: optionalFunction('onDrop', options.onDrop) ?? noop,
    where: readName('pausableBackpressure', options),
  };
}

/** The line of `'latest'` is one long: options of a queue would be ignored in silence. */
function readNoQueue(options: QueueOptions): Required<QueueOptions> {
  for (const option of ['highWaterMark', 'bufferSize', 'overflow'] as const)
    if (options[option] !== undefined) throw new TypeError(`mode 'latest' keeps one value and takes no ${option}`);
  return { highWaterMark: 0, bufferSize: 1, overflow: 'drop-oldest' };
}

function readPace<T>({ drain = 'sync', scheduler }: PausableBackpressureOptions<T>): PausableLineSettings<T>['pace'] {
  if (scheduler !== undefined) schedulerOf('scheduler', scheduler);
  if (drain === 'sync') return undefined;
  const { perTick, interval } = Object(drain) as { perTick?: number; interval?: number };
  if ((perTick === undefined) === (interval === undefined))
    throw new TypeError(`drain must be 'sync', { perTick } or { interval }, got ${shown(drain)}`);
  if (interval === undefined) {
    return {
      size: positiveIntegerOrInfinity('drain.perTick', perTick as number),
      rest: scheduler ? restOn(scheduler) : macrotask,
    };
  }
  if (!Number.isFinite(interval) || interval <= 0)
    throw new RangeError(`drain.interval must be a positive number of milliseconds, got ${shown(interval)}`);
  return { size: 1, rest: restOn(scheduler ?? asyncScheduler, interval) };
}

function restOn(scheduler: SchedulerLike, delay = 0): Pause {
  return (callback) => {
    const action = scheduler.schedule(callback, delay);
    return () => {
      action.unsubscribe();
    };
  };
}
