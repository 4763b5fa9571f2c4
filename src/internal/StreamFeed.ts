import type { Observable } from 'rxjs';
import { CleanupTimeoutError } from '../errors/CleanupTimeoutError.js';
import { ObservableIterator, type IteratorSettings } from './ObservableIterator.js';
import type { Read } from './Reads.js';

/** A stream that is given what it has asked for. */
export interface FedStream<T> {
  /** One value for each time that it has asked. */
  onValue(value: T): void;
  /** The source has ended, and everything has been given. */
  onEnd(): void;
  onError(error: unknown): void;
}

/**
 * The values of an observable for a stream, one each time that it asks. What it has not asked for waits here and not in
 * the stream, which would throw it away with an error or a cancellation, and tell nobody.
 */
export class StreamFeed<T> {
  private readonly iterator: ObservableIterator<T>;
  private readonly answer: Read<T>;
  /** It has asked, and has not been answered: one that asks again has not seen that yet. */
  private asked = false;
  private stopped = false;

  constructor(
    source: Observable<T>,
    private readonly settings: IteratorSettings<T>,
    stream: FedStream<T>,
  ) {
    this.iterator = new ObservableIterator(source, settings);
    this.answer = {
      resolve: (result) => {
        this.asked = false;
        if (this.stopped) return;
        if (result.done) stream.onEnd();
        else stream.onValue(result.value);
      },
      reject: (error) => {
        stream.onError(error);
      },
    };
  }

  ask(): void {
    if (this.asked) return;
    this.asked = true;
    this.iterator.read(this.answer);
  }

  /** Unsubscribes at once, and calls `onSettled` when the clean-up has settled, with what has gone wrong. To be called once. */
  stop(reason: unknown, onSettled: (failure: { readonly error: unknown } | undefined) => void): void {
    const { where, patience } = this.settings;
    this.stopped = true;
    this.iterator.stop((failure, goesOn) => {
      onSettled(
        goesOn ? { error: new CleanupTimeoutError(where, patience.cleanupTimeout, reason, failure?.error) } : failure,
      );
    });
  }
}
