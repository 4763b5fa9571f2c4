import { asyncScheduler, noop, Observable, Subscription, type OperatorFunction, type SchedulerLike } from 'rxjs';
import { BufferOverflowError } from '../errors/BufferOverflowError.js';
import {
  nonNegativeDurationOrInfinity,
  optionalFunction,
  optionsObject,
  positiveIntegerOrInfinity,
  schedulerOf,
  shown,
} from '../internal/arguments.js';
import { drainLoop } from '../internal/drainLoop.js';
import { Losses } from '../internal/Losses.js';
import { operate } from '../internal/operate.js';
import { LevelGate } from '../link/LevelGate.js';
import { Passage } from '../link/Passage.js';
import { findGate } from '../link/walk.js';
import { BatchLine } from '../machines/BatchLine.js';
import { readName, type NameOptions } from '../options/name.js';
import { readQueueOptions, type QueueOptions } from '../options/queue.js';

/**
 * Options of `batchWithin`. One of `size` and `time` has to be finite.
 * @public
 */
export interface BatchWithinOptions<T> extends Omit<QueueOptions, 'highWaterMark'>, NameOptions {
  /** How much a batch may weigh; without `weigh`, how many values it may have. Default: `Infinity`. */
  size?: number;
  /** How long after its first value a batch goes out, in ms; `Infinity`: when it is full. Default: `Infinity`. */
  time?: number;
  /** What a value weighs. Default: 1. */
  weigh?(this: void, value: T): number;
  /** How many values may be held, and so how many a batch may have. Default: 1000, or `size` if that is more and finite. */
  bufferSize?: number;
  /** Source of time. Default: `asyncScheduler`. */
  scheduler?: SchedulerLike;
  /** Called with each value that is dropped, and why. */
  onDrop?(this: void, value: T, reason: 'overflow' | 'error' | 'unsubscribe'): void;
}

/**
 * Groups values into arrays, each as soon as it is full or its time is up.
 *
 * ```marble
 * source                             abcde------f-|
 * batchWithin({ size: 3, time: 5 })  --x-----y----(z|)
 * ```
 *
 * Here `x` is `[a, b, c]`, `y` is `[d, e]` and `z` is `[f]`. The time of a batch counts from its first value, so there is no
 * empty one, and no timer runs while nothing is held. With `weigh` a batch is full when its values weigh `size`; one that
 * would be too heavy with the next value goes out without it, and a value that is heavier than `size` by itself. The rules
 * are those of `groupedWithin` and `groupedWeightedWithin` in Akka and Pekko.
 *
 * - **Completes** after the source and what is held, as the last batch.
 * - **Errors** with the source, `weigh` or `onDrop`, or a `BufferOverflowError`; what is held is dropped.
 * - **Unsubscribed**, it cancels its timer and drops what is held.
 * - **Backpressure**: the source is asked to wait as soon as a full batch cannot leave, because the consumer below is full. A
 *   batch whose time is up leaves when the consumer can take it, and takes values until then: the slower the consumer, the
 *   larger the batches.
 * - **Drops** by `overflow` what comes beyond `bufferSize` while a batch cannot leave, which only a source that cannot wait
 *   can bring; and what is held on error and unsubscription. `onDrop` sees each value.
 * - **Rather** `bufferTime` where an array is wanted for each period of time, though it be empty.
 *
 * @throws RangeError if called with an option out of range, or with neither a `size` nor a `time` that is finite
 * @throws TypeError if a callback, the scheduler or the options are of another type
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { batchWithin } from 'rxjs-flow-control';
 *
 * of('a', 'b', 'c')
 *   .pipe(batchWithin({ size: 2, time: 1000 }))
 *   .subscribe((batch) => console.log(batch.join('+'))); // prints: a+b, c
 * ```
 * @public
 */
export function batchWithin<T>(options: BatchWithinOptions<T>): OperatorFunction<T, T[]> {
  const { size, time, weigh, bufferSize, overflow, scheduler, onDrop, where } = readOptions(options);

  return (source) =>
    new Observable((destination) => {
      const batches = new BatchLine<T>(size, bufferSize, overflow);
      const losses = new Losses(destination);
      let sourceCompleted = false;
      /** The batch that is being filled, once its time counts. */
      let timed: readonly T[] | undefined;
      let timeIsUp = false;
      let timer = Subscription.EMPTY;

      const receive = (value: T) => {
        const weight = weigh ? weightOf(weigh, value, losses) : 1;
        if (destination.closed) losses.tell(onDrop, value);
        else {
          const dropped = batches.offer(value, weight);
          if (!dropped) losses.fail(new BufferOverflowError(where, 'values', batches.held));
          for (const each of dropped ?? [value]) losses.tellOverflow(onDrop, each);
          if (batches.hasFull || batches.open !== timed) drain();
        }
      };

      const startTime = () => {
        const { open } = batches;
        if (open === timed && !sourceCompleted) return;
        timer.unsubscribe();
        timeIsUp = false;
        timed = open.length > 0 ? open : undefined;
        if (!timed || sourceCompleted || time === Infinity) return;
        timer = scheduler.schedule(() => {
          timeIsUp = true;
          drain();
        }, time);
      };

      const isOpenDue = () => (timeIsUp && batches.open === timed) || (sourceCompleted && batches.held > 0);

      const drain = drainLoop(
        destination,
        () => {
          while ((batches.hasFull || isOpenDue()) && passage.isOpen)
            destination.next(batches.hasFull ? batches.takeFull() : batches.takeOpen());
          startTime();
          if (batches.hasFull || isOpenDue()) passage.wait();
          else {
            passage.leave();
            if (sourceCompleted) destination.complete();
          }
        },
        (thrown) => {
          losses.fail(thrown);
        },
        () => {
          gate.wake();
        },
      );

      const passage = new Passage(findGate(destination), drain);
      const gate = new LevelGate(() => !batches.hasFull);

      const subscriber = operate<T, T[]>({
        destination,
        gate,
        next: receive,
        error: (error) => {
          losses.fail(error);
        },
        complete: () => {
          sourceCompleted = true;
          drain();
        },
      });
      destination.add(() => {
        timer.unsubscribe();
        timed = undefined;
        passage.leave();
        for (const value of batches.takeAll()) losses.tell(onDrop, value);
      });
      source.subscribe(subscriber);
    });
}

function weightOf<T>(weigh: (value: T) => number, value: T, losses: Losses): number {
  try {
    const weight = weigh(value);
    if (typeof weight === 'number' && weight >= 0) return weight;
    throw new RangeError(`weigh must give a non-negative number, got ${shown(weight)}`);
  } catch (thrown) {
    losses.fail(thrown);
    return 0;
  }
}

function readOptions<T>(options: BatchWithinOptions<T>) {
  const { size = Infinity, time = Infinity, scheduler = asyncScheduler } = optionsObject(options);
  positiveIntegerOrInfinity('size', size);
  nonNegativeDurationOrInfinity('time', time);
  if (size === Infinity && time === Infinity)
    throw new RangeError('size or time must be finite, got Infinity for both');
  const { bufferSize = size < Infinity ? Math.max(1000, size) : 1000 } = options;
  const weigh = optionalFunction('weigh', options.weigh);
  positiveIntegerOrInfinity('bufferSize', bufferSize);
  if (!weigh && size < Infinity && bufferSize < size)
    throw new RangeError(`bufferSize must be at least size (${String(size)}), got ${String(bufferSize)}`);
  return {
    ...readQueueOptions({ ...options, bufferSize }, 0),
    size,
    time,
    weigh,
    scheduler: schedulerOf('scheduler', scheduler),
    onDrop: optionalFunction('onDrop', options.onDrop) ?? noop,
    where: readName('batchWithin', options),
  };
}
