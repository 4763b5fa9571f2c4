import { noop, Observable, type OperatorFunction, type SchedulerLike } from 'rxjs';
import {
  functionOf,
  optionalFunction,
  optionsObject,
  positiveIntegerOrInfinity,
  schedulerOf,
  shown,
} from '../internal/arguments.js';
import type { Pause } from '../internal/macrotask.js';
import { DemandWindow } from '../internal/window/DemandWindow.js';
import type { WindowSettings } from '../internal/window/WindowSettings.js';
import { readName, type NameOptions } from '../options/name.js';
import { readQueueOptions, type QueueOptions } from '../options/queue.js';

/**
 * Options of `demandWindow`.
 * @public
 */
export interface DemandWindowOptions<T, R> extends Omit<QueueOptions, 'highWaterMark'>, NameOptions {
  /** On which values go in after a result has gone out, once the operator has returned. Default: none, but a microtask. */
  scheduler?: SchedulerLike;
  /** How many values a result stands for, which leave with it. Default: 1. */
  valuesIn?(this: void, result: R): number;
  /** Called with each value that is dropped before it went in, and why. */
  onDrop?(this: void, value: T, reason: 'overflow' | 'error' | 'unsubscribe'): void;
  /** Called with each result that had to wait and could not be emitted any more, and why. */
  onDropResult?(this: void, result: R, reason: 'error' | 'unsubscribe'): void;
}

/**
 * Lets at most so many values be inside of an operator that holds values, and asks the source for no more.
 *
 * ```marble
 * source                     abcd------|
 * demandWindow(2, delay(3))  ---ab-cd--|
 * ```
 *
 * An operator of RxJS that lets values wait for time or work (`delay`, `observeOn`, `concatMap`, `bufferTime`) takes whatever
 * comes, however much it holds. A value is inside from when it goes in until a result goes out: each result counts as one
 * value that leaves, or as `valuesIn(result)` values. For values of which no result tells, because the operator filters them
 * out, it is also given a function: `demandWindow(4, (values, leave) => ...)`, where `leave(count)` says that so many are
 * gone. Without that they would stay inside, and a window that is full of them comes to a stop: so put the window around the
 * operator that holds values, and filter behind it.
 *
 * - **Completes** with the operator, after the results that wait. The operator sees the source complete when all values went in.
 * - **Errors** with the operator, `valuesIn` or `onDrop`; with a `BufferOverflowError`; and with a `DemandWindowError` when more
 *   has left than was inside, since then nothing bounds what is. The operator sees an error of the source at once.
 * - **Unsubscribed**, it unsubscribes from the operator, and that from the source.
 * - **Backpressure**: the source is asked for a value when there is room inside and the consumer below the entrance can take
 *   one. Results wait while the consumer below is full, and the values that they stand for count as inside. At most `size` and
 *   `bufferSize` results wait, beyond which an operator could only get by a `valuesIn` that is 0.
 * - **Drops** by `overflow` what a source brings that cannot wait, and what waits on error and unsubscription: `onDrop` sees each
 *   value that had not gone in, `onDropResult` each result. What becomes of a value inside is for the operator.
 * - **Rather** `bufferedMergeMap` for work, whose values may have any number of results; `batchWithin` for `bufferTime`, whose empty
 *   arrays would wait too.
 *
 * @throws RangeError if called with `size` or an option out of range
 * @throws TypeError if `operator`, a callback or the options are of another type
 *
 * @example
 * ```ts
 * import { bufferTime } from 'rxjs';
 * import { demandWindow, fromPull } from 'rxjs-flow-control';
 *
 * function* numbers() {
 *   for (let i = 1; i <= 5; i++) yield i;
 * }
 *
 * fromPull(numbers())
 *   .pipe(demandWindow(3, bufferTime(10), { valuesIn: (batch) => batch.length }))
 *   .subscribe((batch) => console.log(batch.join('+'))); // prints: 1+2+3, 4+5
 * ```
 * @public
 */
export function demandWindow<T, R>(
  size: number,
  operator: (values: Observable<T>, leave: (count?: number) => void) => Observable<R>,
  options: DemandWindowOptions<T, R> = {},
): OperatorFunction<T, R> {
  const settings = readOptions(size, options);
  functionOf('operator', operator);

  return (source) =>
    new Observable((destination) => {
      const window = new DemandWindow<T, R>(destination, settings);
      const values = new Observable<T>((inside) => {
        window.admit(source, inside);
      });
      operator(values, (count = 1) => {
        window.leave(countOf(count));
      }).subscribe(window.subscriber);
    });
}

function countOf(count: number): number {
  if (Number.isInteger(count) && count >= 0) return count;
  throw new RangeError(`count must be a non-negative integer, got ${shown(count)}`);
}

function readOptions<T, R>(size: number, options: DemandWindowOptions<T, R>): WindowSettings<T, R> {
  const { bufferSize, overflow } = readQueueOptions(optionsObject(options), 0);
  const { scheduler } = options;
  return {
    size: positiveIntegerOrInfinity('size', size),
    bufferSize,
    overflow,
    valuesIn: optionalFunction('valuesIn', options.valuesIn) ?? one,
    onDrop: optionalFunction('onDrop', options.onDrop) ?? noop,
    onDropResult: optionalFunction('onDropResult', options.onDropResult) ?? noop,
    later: scheduler === undefined ? microtask : onScheduler(schedulerOf('scheduler', scheduler)),
    where: readName('demandWindow', options),
  };
}

const onScheduler =
  (scheduler: SchedulerLike): Pause =>
  (callback) => {
    const action = scheduler.schedule(callback);
    return () => {
      action.unsubscribe();
    };
  };

const microtask: Pause = (callback) => {
  queueMicrotask(callback);
  return noop;
};

function one(): number {
  return 1;
}
