import { noop, Subscription, type Observable, type Subscriber } from 'rxjs';
import { BufferOverflowError } from '../errors/BufferOverflowError.js';
import { Cleanups, type CleanupPatience } from '../link/Cleanups.js';
import { LevelGate } from '../link/LevelGate.js';
import { BoundedBuffer } from '../machines/BoundedBuffer.js';
import type { QueueOptions } from '../options/queue.js';
import { operate } from './operate.js';
import { done, Reads, type Read } from './Reads.js';
import { reportUnhandled } from './reportUnhandled.js';

export interface IteratorSettings<T> extends Required<QueueOptions> {
  readonly patience: CleanupPatience;
  readonly onDrop: (value: T, reason: 'overflow' | 'unsubscribe') => void;
  readonly where: string;
}

/** Values wait for reads, or reads for values: never both. */
export class ObservableIterator<T> implements AsyncIterableIterator<T, undefined> {
  private readonly values: BoundedBuffer<T>;
  private readonly reads = new Reads<T>();
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
      this.read({ resolve, reject });
    });
  }

  return(): Promise<IteratorResult<T, undefined>> {
    return (this.returned ??= new Promise((resolve, reject) => {
      this.stop((failure) => {
        if (failure) reject(failure.error);
        else resolve(done);
      });
    }));
  }

  /** `next()` for who needs no promise: calls back at once where it can. */
  read(read: Read<T>): void {
    this.reads.push(read);
    if (!this.subscriber && !this.ended) this.start();
    else this.serve();
  }

  /** `return()` for who needs no promise, and wants to know whether clean-up goes on. To be called once. */
  stop(onSettled: (failure: { readonly error: unknown } | undefined, goesOn: boolean) => void): void {
    const { values, settings, subscriber, cleanups } = this;
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
    cleanups.whenSettled(settings.patience, () => {
      this.returning = false;
      onSettled(this.cleanupFailure, !cleanups.areSettled);
    });
  }

  private start(): void {
    const subscriber = operate<T, never>({
      gate: this.gate,
      cleanupScope: this.cleanups,
      next: this.receive,
      error: (error) => {
        this.failure = { error };
      },
      complete: noop,
      finalize: this.end,
    });
    this.subscriber = subscriber;
    try {
      this.source.subscribe(subscriber);
    } catch (thrown) {
      // After its end only a teardown of the source can have thrown: what came before is read all the same.
      if (subscriber.closed) this.failCleanup(thrown);
      else subscriber.error(thrown);
    }
  }

  private readonly receive = (value: T): void => {
    const { values, reads, settings } = this;
    if (reads.size > 0 && values.size === 0) {
      reads.give(value);
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
  };

  /** Comes after the teardown of the source, when its clean-ups are known. */
  private readonly end = (): void => {
    if (this.ended) return;
    this.settling = this.cleanups.whenSettled(this.settings.patience, () => {
      this.ended = true;
      this.serve();
    });
  };

  /** Answers reads as far as it can, and asks for more. */
  private serve(): void {
    const { reads, values } = this;
    if (reads.isServing) return;
    reads.serve(values);
    while (reads.size > 0 && this.ended) {
      const { failure } = this;
      this.failure = undefined; // is told once
      reads.end(failure);
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
