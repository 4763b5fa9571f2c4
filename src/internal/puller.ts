import { noop, observable as interop, type ObservableInput } from 'rxjs';

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
  /** Asks for the next chunk. */
  read(): PromiseLike<{ readonly done: boolean; readonly value?: T | undefined }>;
  /** Tells the stream that nobody wants more. */
  cancel(reason?: unknown): PromiseLike<unknown>;
  /** Lets others read the stream. */
  releaseLock(): void;
  /** Settles when the stream has ended, and rejects with what it failed with. */
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
  /** What gives the values: two subscriptions may not share it. */
  readonly cursor: object;
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

/** Of Node. */
interface NodeStream {
  pipe(): unknown;
  destroy(): unknown;
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
  const { pipe, destroy } = input as Partial<NodeStream>;
  const Kind = pipe && destroy ? NodeStreamPuller : IteratorPuller;
  return new Kind(iterator as AnyIterator<T>, input, !openAsync && !!open);
}

class IteratorPuller<T> implements Puller<T> {
  constructor(
    readonly cursor: AnyIterator<T>,
    protected readonly input: unknown,
    readonly synchronous: boolean,
  ) {}

  get oneShot(): boolean {
    return this.cursor === this.input;
  }

  next(): Pulled<T> {
    return this.cursor.next();
  }

  close(): PromiseLike<unknown> | undefined {
    const returned = this.cursor.return?.();
    return isThenable(returned) ? returned : undefined;
  }
}

/** Its iterator is an async generator: return() would wait behind a pending read. */
class NodeStreamPuller<T> extends IteratorPuller<T> {
  override get oneShot(): boolean {
    return true;
  }

  override close(): PromiseLike<unknown> | undefined {
    (this.input as NodeStream).destroy();
    return super.close();
  }
}

class StreamPuller<T> implements Puller<T> {
  readonly oneShot = true;
  readonly synchronous = false;

  constructor(readonly cursor: PullStreamReader<T>) {}

  next(): PromiseLike<IteratorResult<T>> {
    return this.cursor.read() as PromiseLike<IteratorResult<T>>;
  }

  async close(): Promise<void> {
    const { cursor } = this;
    try {
      await cursor.cancel();
    } catch (error) {
      // A stream that has failed before gives its own error again: a late one, and no failure of the clean-up.
      await Promise.resolve(cursor.closed).then(() => Promise.reject(error), noop);
    } finally {
      this.release();
    }
  }

  release(): void {
    this.cursor.releaseLock();
  }
}

export function isThenable<T>(value: T): value is Extract<T, PromiseLike<unknown>> {
  return (
    (typeof value === 'object' || typeof value === 'function') &&
    typeof (value as Partial<PromiseLike<unknown>> | null)?.then === 'function'
  );
}

/** An Observable to which somebody has given a `then` stays one. */
export function isPromise<T>(given: ObservableInput<T>): given is PromiseLike<T> {
  return isThenable(given) && !(interop in given);
}
