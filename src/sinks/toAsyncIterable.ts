import { from, noop, Subscription, type Observable, type ObservableInput, type Subscriber } from 'rxjs';
import { BufferOverflowError } from '../errors/BufferOverflowError.js';
import { optionalFunction, optionsObject } from '../internal/arguments.js';
import { operate } from '../internal/operate.js';
import { reportUnhandled } from '../internal/reportUnhandled.js';
import { Cleanups, type CleanupPatience } from '../link/Cleanups.js';
import { LevelGate } from '../link/LevelGate.js';
import { BoundedBuffer } from '../machines/BoundedBuffer.js';
import { RingBuffer } from '../machines/RingBuffer.js';
import { readCleanupOptions, type CleanupOptions } from '../options/cleanup.js';
import { readQueueOptions, type QueueOptions } from '../options/queue.js';

/**
 * Options of `toAsyncIterable`.
 * @public
 */
export interface ToAsyncIterableOptions<T> extends QueueOptions, CleanupOptions {
  /** How many values sources that can wait may emit ahead of `next()`. Default: 0, nothing is emitted unasked. */
  highWaterMark?: number;
  /** Called with each value that is dropped, and why. */
  onDrop?: (value: T, reason: 'overflow' | 'unsubscribe') => void;
  /** Names the iterable in messages. */
  name?: string;
}

/**
 * Gives the values of an observable to `for await`, at the pace of the loop.
 *
 * ```marble
 * source                       -a-b-c---|
 * for await (const value of …) -a-b-c---|
 * ```
 *
 * Each iterator subscribes for itself, when `next()` is first called. A source that can wait emits only what the loop asks for
 * and `highWaterMark` values more; what any other source emits waits, up to `bufferSize`.
 *
 * - **Completes** when the source has completed, all values have been read, and the clean-up has settled.
 * - **Errors**: `next()` rejects with the error of the source, after the values that came before it; or with a
 *   `BufferOverflowError`, after the values that wait.
 * - **Unsubscribed** by `return()` (which `break` in a loop calls), at once; the promise that it gives waits for the clean-up,
 *   and rejects if that fails.
 * - **Backpressure**: the source is asked for one value for each `next()` that waits, and `highWaterMark` ahead.
 * - **Drops** by `overflow`, and what waits on `return()`: `onDrop` sees each.
 * - **Rather** `lastValueFrom` or `firstValueFrom` for a single value.
 *
 * @throws RangeError if called with an option out of range
 * @throws TypeError if the options are of another type
 *
 * @example
 * ```ts
 * import { map, range } from 'rxjs';
 * import { toAsyncIterable } from 'rxjs-flow-control';
 *
 * for await (const square of toAsyncIterable(range(1, 3).pipe(map((x) => x * x)))) console.log(square);
 * ```
 * @public
 */
export function toAsyncIterable<T>(
  source: ObservableInput<T>,
  options: ToAsyncIterableOptions<T> = {},
): AsyncIterable<T> {
  const { name } = optionsObject(options);
  const settings: IteratorSettings<T> = {
    ...readQueueOptions(options, 0),
    patience: readCleanupOptions(options),
    onDrop: optionalFunction('onDrop', options.onDrop) ?? noop,
    where: name === undefined ? 'toAsyncIterable' : `toAsyncIterable '${name}'`,
  };
  const values$ = from(source);
  return { [Symbol.asyncIterator]: () => new ObservableIterator(values$, settings) };
}

interface IteratorSettings<T> extends Required<QueueOptions> {
  readonly patience: CleanupPatience;
  readonly onDrop: (value: T, reason: 'overflow' | 'unsubscribe') => void;
  readonly where: string;
}

interface Read<T> {
  readonly resolve: (result: IteratorResult<T, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

const done: IteratorResult<never, undefined> = { done: true, value: undefined };

/** Values wait for reads, or reads for values: never both. */
class ObservableIterator<T> implements AsyncIterableIterator<T, undefined> {
  private readonly values: BoundedBuffer<T>;
  private readonly reads = new RingBuffer<Read<T>>();
  private readonly gate = new LevelGate(() => this.wantsMore());
  private readonly cleanups = new Cleanups(undefined, (error) => {
    this.failCleanup(error);
  });
  private subscriber: Subscriber<T> | undefined;
  /** The source has ended, and its clean-up has settled or is not waited for: reads beyond the values can be answered. */
  private ended = false;
  private failure: { readonly error: unknown } | undefined;
  private settling = Subscription.EMPTY;
  private returned: Promise<IteratorResult<T, undefined>> | undefined;
  /** `return()` waits for the clean-up, and can still tell that it has failed. */
  private returning = false;
  private cleanupFailure: { readonly error: unknown } | undefined;

  constructor(
    private readonly source: Observable<T>,
    private readonly settings: IteratorSettings<T>,
  ) {
    this.values = new BoundedBuffer(settings.bufferSize, settings.overflow);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    return new Promise((resolve, reject) => {
      this.reads.push({ resolve, reject });
      if (!this.subscriber && !this.ended) this.start();
      else this.serve();
    });
  }

  return(): Promise<IteratorResult<T, undefined>> {
    return (this.returned ??= new Promise((resolve, reject) => {
      const { values, settings, subscriber } = this;
      const waiting = values.takeAll();
      this.returning = true;
      this.failure = undefined;
      this.ended = true;
      this.attempt(() => subscriber?.unsubscribe());
      this.serve();
      for (const value of waiting) {
        this.attempt(() => {
          settings.onDrop(value, 'unsubscribe');
        });
      }
      this.settling.unsubscribe();
      this.cleanups.whenSettled(settings.patience, () => {
        this.returning = false;
        if (this.cleanupFailure) reject(this.cleanupFailure.error);
        else resolve(done);
      });
    }));
  }

  private start(): void {
    this.subscriber = operate<T, never>({
      gate: this.gate,
      cleanupScope: this.cleanups,
      next: (value) => {
        this.receive(value);
      },
      error: (error) => {
        this.failure = { error };
      },
      complete: noop,
      finalize: () => {
        this.end();
      },
    });
    this.source.subscribe(this.subscriber);
  }

  private receive(value: T): void {
    const { values, reads, settings } = this;
    if (reads.size > 0) {
      reads.shift().resolve({ done: false, value });
      return;
    }
    const dropped = values.offer(value);
    if (!dropped) this.subscriber?.error(new BufferOverflowError(settings.where, 'values', values.size));
    for (const each of dropped ?? [value]) {
      try {
        settings.onDrop(each, 'overflow');
      } catch (thrown) {
        if (this.subscriber?.closed) reportUnhandled(thrown);
        else this.subscriber?.error(thrown);
      }
    }
  }

  /** Comes after the teardown of the source, when its clean-ups are known. */
  private end(): void {
    if (this.ended) return;
    this.settling = this.cleanups.whenSettled(this.settings.patience, () => {
      this.ended = true;
      this.serve();
    });
  }

  /** Answers reads as far as it can, and asks for more. */
  private serve(): void {
    const { reads, values } = this;
    while (reads.size > 0 && values.size > 0) reads.shift().resolve({ done: false, value: values.shift() });
    while (reads.size > 0 && this.ended) {
      const { resolve, reject } = reads.shift();
      if (this.failure) reject(this.failure.error);
      else resolve(done);
      this.failure = undefined; // is told once
    }
    this.gate.wake();
  }

  private wantsMore(): boolean {
    return !this.ended && (this.reads.size > 0 || this.values.size < this.settings.highWaterMark);
  }

  private attempt(step: () => void): void {
    try {
      step();
    } catch (thrown) {
      this.failCleanup(thrown);
    }
  }

  private failCleanup(error: unknown): void {
    if (this.returning && !this.cleanupFailure) this.cleanupFailure = { error };
    else reportUnhandled(error);
  }
}
