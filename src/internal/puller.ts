import { noop } from 'rxjs';

/**
 * What `fromPull` needs of a web `ReadableStream`.
 * @public
 */
export interface PullStream<T> {
  getReader(): PullStreamReader<T>;
  /** Never called: TypeScript pairs overloads from the last, and only so meets the default reader of `ReadableStream`. */
  getReader(options?: never): unknown;
}

/**
 * What `fromPull` needs of the reader of a web `ReadableStream`.
 * @public
 */
export interface PullStreamReader<T> {
  read(): PromiseLike<{ readonly done: boolean; readonly value?: T | undefined }>;
  cancel(reason?: unknown): PromiseLike<unknown>;
  releaseLock(): void;
  readonly closed?: PromiseLike<unknown>;
}

/**
 * Something that gives its next value only when it is asked: an iterable, an async iterable, an iterator, or a web stream.
 * @public
 */
export type Pullable<T> = Iterable<T> | AsyncIterable<T> | Iterator<T> | AsyncIterator<T> | PullStream<T>;

type Pulled<T> = IteratorResult<T> | PromiseLike<IteratorResult<T>>;

/** A pullable that has been opened. */
export interface Puller<T> {
  /** What was opened can be gone through only once. */
  readonly oneShot: boolean;
  /** Its clean-up is over when `close` returns. */
  readonly synchronous: boolean;
  /** Not to be called again before the last answer is there. */
  next(): Pulled<T>;
  /** Tells it to stop, also while `next` is pending; gives the promise of its clean-up where it has one. */
  close(): PromiseLike<unknown> | undefined;
  /** Lets it go after it has come to its end by itself. */
  release?(): void;
}

interface AnyIterator<T> {
  next(): Pulled<T>;
  return?(): unknown;
}

type MaybePullable<T> = Partial<Iterable<T> & AsyncIterable<T> & AnyIterator<T> & PullStream<T>>;

export function isPullable(input: unknown): input is Pullable<never> {
  if (typeof input !== 'object' || input === null) return typeof input === 'string';
  const { [Symbol.asyncIterator]: openAsync, [Symbol.iterator]: open, getReader, next } = input as MaybePullable<never>;
  return [openAsync, open, getReader, next].some((member) => typeof member === 'function');
}

export function openPuller<T>(input: Pullable<T>): Puller<T> {
  const { [Symbol.asyncIterator]: openAsync, [Symbol.iterator]: open, getReader } = input as MaybePullable<T>;
  // A stream's own async iterator would let return() wait behind a pending read; its reader can cancel at once.
  if (getReader) return new StreamPuller((input as PullStream<T>).getReader());
  const iterator = openAsync
    ? openAsync.call(input as AsyncIterable<T>)
    : open
      ? open.call(input as Iterable<T>)
      : input;
  return new IteratorPuller(iterator as AnyIterator<T>, iterator === input, !openAsync && !!open);
}

class IteratorPuller<T> implements Puller<T> {
  constructor(
    private readonly iterator: AnyIterator<T>,
    readonly oneShot: boolean,
    readonly synchronous: boolean,
  ) {}

  next(): Pulled<T> {
    return this.iterator.next();
  }

  close(): PromiseLike<unknown> | undefined {
    const returned = this.iterator.return?.();
    return isThenable(returned) ? returned : undefined;
  }
}

class StreamPuller<T> implements Puller<T> {
  readonly oneShot = true;
  readonly synchronous = false;

  constructor(private readonly reader: PullStreamReader<T>) {}

  next(): PromiseLike<IteratorResult<T>> {
    return this.reader.read() as PromiseLike<IteratorResult<T>>;
  }

  async close(): Promise<void> {
    const { reader } = this;
    try {
      await reader.cancel();
    } catch (error) {
      // A stream that has failed before gives its own error again: a late one, and no failure of the clean-up.
      await Promise.resolve(reader.closed).then(() => Promise.reject(error), noop);
    } finally {
      this.release();
    }
  }

  release(): void {
    this.reader.releaseLock();
  }
}

export function isThenable<T>(value: T): value is Extract<T, PromiseLike<unknown>> {
  return (
    typeof value === 'object' && value !== null && typeof (value as Partial<PromiseLike<unknown>>).then === 'function'
  );
}
