import { noop, observable as interop, Observable } from 'rxjs';
import { QueueClosedError } from '../errors/QueueClosedError.js';
import { booleanOf, nonNegativeIntegerOrInfinity, optionalFunction, optionsObject } from '../internal/arguments.js';
import { QueueIterator } from '../internal/queue/QueueIterator.js';
import { QueueSubscription } from '../internal/queue/QueueSubscription.js';
import { reportUnhandled } from '../internal/reportUnhandled.js';
import { WaitingJoin, WaitingPut, WaitingTake } from '../internal/queue/WaitingCalls.js';
import { findGate } from '../link/walk.js';
import { Handover } from '../machines/Handover.js';
import { LinkedList } from '../machines/LinkedList.js';
import { readName, type NameOptions } from '../options/name.js';
import { readSignal, type SignalOptions } from '../options/signal.js';

/**
 * Options of `BoundedQueue`.
 * @public
 */
export interface BoundedQueueOptions<T> extends NameOptions {
  /**
   * How many values may wait; `Infinity` is the loud way to say unbounded, and with 0 a value is put when it is taken.
   * Default: 1000.
   */
  capacity?: number;
  /** Called with each value that waits when the queue is closed with `immediate`. */
  onDrop?: (value: T, reason: 'close') => void;
}

/**
 * How `BoundedQueue.close` is to end.
 * @public
 */
export interface CloseOptions {
  /** Drops what waits instead of letting it be taken. Default: `false`. */
  immediate?: boolean;
}

/**
 * What a `BoundedQueue` has seen so far. `puts` is always `takes + size + dropped`.
 * @public
 */
export interface QueueStatistics {
  /** How many values wait. */
  readonly size: number;
  /** How many values have ever waited at a time. */
  readonly peakSize: number;
  /** How many values have been put; those of calls that wait not yet. */
  readonly puts: number;
  /** How many values have been taken. */
  readonly takes: number;
  /** How many values have been dropped by `close({ immediate: true })`. */
  readonly dropped: number;
  /** How many values that were put have not been marked as done: those that `join` waits for. */
  readonly unfinished: number;
  /** How many calls of `put` wait for room. */
  readonly waitingPuts: number;
  /** How many consumers wait for a value. A subscriber above a consumer that is full does not. */
  readonly waitingTakes: number;
}

/**
 * Hands values from those who put to those who take: who puts waits while it is full, who takes while it is empty.
 *
 * Python's `asyncio.Queue`, as a source for RxJS too. Consumers compete: each value goes to exactly one of those who wait in
 * `take`, loop with `for await`, or subscribe with `from(queue)`; who came first is served first, and a call that is aborted
 * gives up its place and loses no value. A subscriber takes a value only when the nearest consumer below it can have one, so
 * that what waits stays in the queue, for whoever is free.
 *
 * - **Completes**: `close` lets what waits be taken; then loops end, subscribers complete, and `take` rejects.
 * - **Errors**: `put` and `take` reject with a `QueueClosedError` once it is closed (`take`, once it is empty too), `tryPut` and
 *   `tryTake` throw it; with a `signal`, they reject with its reason.
 * - **Unsubscribed**, or left with `break`, it stays open for the others.
 * - **Backpressure**: `capacity` values wait, then `put` does. From an observable: `bufferedMergeMap((value) => queue.put(value))`.
 * - **Drops** nothing but what waits on `close({ immediate: true })`: `onDrop` sees each.
 * - **Done** is a value when whoever took it has called `taskDone`, in whatever way it was taken: a loop or a pipeline
 *   that asks for the next value may still be at work on the last. `join` waits until all are.
 * - **Rather** a `Subject` when every subscriber is to have every value.
 *
 * @throws RangeError if called with an option out of range
 * @throws TypeError if an option is of another type
 *
 * @example
 * ```ts
 * import { from } from 'rxjs';
 * import { BoundedQueue, bufferedMergeMap } from 'rxjs-flow-control';
 *
 * const jobs = new BoundedQueue<string>({ capacity: 2 });
 * from(jobs)
 *   .pipe(bufferedMergeMap(async (job) => job.toUpperCase(), { concurrent: 1, highWaterMark: 0 }))
 *   .subscribe((result) => {
 *     console.log(result);
 *     jobs.taskDone();
 *   });
 * for (const job of ['a', 'b', 'c', 'd']) await jobs.put(job);
 * await jobs.join();
 * // prints: A, B, C, D
 * ```
 * @public
 */
export class BoundedQueue<T> implements AsyncIterable<T> {
  private readonly handover: Handover<T>;
  private readonly joins = new LinkedList<WaitingJoin>();
  private readonly onDrop: (value: T, reason: 'close') => void;
  private readonly values$ = new Observable<T>((subscriber) => {
    const subscription = new QueueSubscription(this.handover, subscriber, findGate(subscriber));
    subscriber.add(() => {
      subscription.stop();
    });
    subscription.drain();
  });

  constructor(options: BoundedQueueOptions<T> = {}) {
    const { capacity = 1000, onDrop } = optionsObject(options);
    this.handover = new Handover(nonNegativeIntegerOrInfinity('capacity', capacity), readName('BoundedQueue', options));
    this.onDrop = optionalFunction('onDrop', onDrop) ?? noop;
    // What `from` asks for. No method, because a declaration could not name it: to TypeScript it is `string | symbol`.
    Object.assign(this, { [interop]: () => this.values$ });
  }

  /** How many values may wait. */
  get capacity(): number {
    return this.handover.capacity;
  }

  /** How many values wait. */
  get size(): number {
    return this.handover.size;
  }

  /** Whether `close` has been called; what waits can still be taken. */
  get closed(): boolean {
    return this.handover.closed;
  }

  /** Puts a value as soon as there is room. When its `signal` is aborted before, the value is not put. */
  put(value: T, options?: SignalOptions): Promise<void> {
    const signal = options && readSignal(options);
    if (signal?.aborted) return Promise.reject(signal.reason as unknown);
    const { handover } = this;
    if (handover.closed) return Promise.reject(this.closedFor('put'));
    if (handover.offer(value)) return isPut;
    return new Promise((resolve, reject) => {
      handover.waitToPut(new WaitingPut(handover, value, resolve, reject, signal));
    });
  }

  /** Puts a value if there is room or somebody waits for it. Gives whether there was. */
  tryPut(value: T): boolean {
    if (this.handover.closed) throw this.closedFor('put');
    return this.handover.offer(value);
  }

  /** Takes the first value as soon as there is one. When its `signal` is aborted before, the value stays for others. */
  take(options?: SignalOptions): Promise<T> {
    const signal = options && readSignal(options);
    if (signal?.aborted) return Promise.reject(signal.reason as unknown);
    const { handover } = this;
    if (handover.hasNext) return Promise.resolve(handover.take());
    if (handover.drained) return Promise.reject(this.closedFor('take'));
    return new Promise((resolve, reject) => {
      handover.waitToTake(new WaitingTake(handover, resolve, reject, signal));
    });
  }

  /** Takes the first value, or gives `undefined` if there is none. */
  tryTake(): T | undefined {
    const { handover } = this;
    if (handover.hasNext) return handover.take();
    if (handover.drained) throw this.closedFor('take');
    return undefined;
  }

  /**
   * Tells that the work on a value that was taken is over: once for each.
   *
   * @throws RangeError if it is called more often than values were taken
   */
  taskDone(): void {
    const { handover } = this;
    if (handover.underWork === 0)
      throw new RangeError(`${handover.where}: taskDone() was called more often than values were taken`);
    handover.done++;
    this.releaseJoins();
  }

  /** Waits until every value that was put has been marked as done with `taskDone`, or dropped. */
  join(options?: SignalOptions): Promise<void> {
    const signal = options && readSignal(options);
    if (signal?.aborted) return Promise.reject(signal.reason as unknown);
    if (this.handover.unfinished === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.joins.add(new WaitingJoin(this.joins, resolve, reject, signal));
    });
  }

  /** Takes no more values: calls of `put` that wait reject. What waits can be taken, or is dropped with `immediate`. */
  close(options: CloseOptions = {}): void {
    const { immediate = false } = optionsObject(options);
    booleanOf('immediate', immediate);
    const dropped = this.handover.close(immediate);
    for (const value of dropped) this.drop(value);
    this.releaseJoins();
  }

  /** What it has seen so far. */
  statistics(): QueueStatistics {
    const { size, peakSize, puts, takes, dropped, unfinished, waitingPuts, waitingTakes } = this.handover;
    return Object.freeze({ size, peakSize, puts, takes, dropped, unfinished, waitingPuts, waitingTakes });
  }

  /** For `for await`: takes values beside others. */
  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return new QueueIterator(this.handover);
  }

  private closedFor(operation: 'put' | 'take'): QueueClosedError {
    return new QueueClosedError(this.handover.where, operation);
  }

  private drop(value: T): void {
    try {
      this.onDrop(value, 'close');
    } catch (thrown) {
      reportUnhandled(thrown);
    }
  }

  private releaseJoins(): void {
    if (this.handover.unfinished > 0) return;
    for (let { first } = this.joins; first; { first } = this.joins) first.release();
  }
}

/** One for all that need not wait. */
const isPut = /* @__PURE__ */ Promise.resolve();
