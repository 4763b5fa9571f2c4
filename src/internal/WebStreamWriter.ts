import { noop } from 'rxjs';
import { WritableEndedError } from '../errors/WritableEndedError.js';
import type { ChunkWriter, Failure, WriterEvents } from './writeAll.js';

/**
 * What `writeToStream` needs of a web `WritableStream`.
 * @public
 */
export interface PushStream<T> {
  /** Whether somebody writes to it. */
  readonly locked: boolean;
  /** Locks it, and gives what writes to it. */
  getWriter(): PushStreamWriter<T>;
}

/**
 * What `writeToStream` needs of the writer of a web `WritableStream`.
 * @public
 */
export interface PushStreamWriter<T> {
  /** How much more it wants; `null` when it has failed. */
  readonly desiredSize: number | null;
  /** Settles when it wants more. */
  readonly ready: PromiseLike<unknown>;
  /** Settles when the stream has ended, and rejects with what it failed with. */
  readonly closed: PromiseLike<unknown>;
  /** Gives the promise that the chunk is written. */
  write(chunk?: T): PromiseLike<unknown>;
  /** Ends the stream when everything is written. */
  close(): PromiseLike<unknown>;
  /** Gives the stream up, with what it has not written. */
  abort(reason?: unknown): PromiseLike<unknown>;
  /** Lets others write to the stream. */
  releaseLock(): void;
}

/** Hands values to a web stream, and knows what becomes of them. */
export class WebStreamWriter<T> implements ChunkWriter<T> {
  full = false;
  count = 0;
  /** It tells of a failure by itself. */
  readonly hasFailed = false;
  private confirmed = 0;
  private endCalled = false;
  private isOver = false;
  private left = false;

  constructor(
    private readonly writer: PushStreamWriter<T>,
    private readonly where: string,
    private readonly events: WriterEvents,
  ) {
    // That it has closed is no success unless this has closed it, of which close() tells.
    writer.closed.then(
      () => {
        if (!this.endCalled) this.tellEnded();
      },
      (error: unknown) => {
        this.tellOver({ error });
      },
    );
    this.look();
  }

  get isIdle(): boolean {
    return this.confirmed === this.count;
  }

  write(value: T): void {
    this.count++;
    this.writer.write(value).then(this.confirm, noop); // it fails with the stream, which tells
    this.look();
  }

  end(): void {
    if (this.endCalled) return;
    this.endCalled = true;
    const { writer } = this;
    writer.close().then(
      () => {
        this.tellOver(undefined);
      },
      () => writer.closed.then(this.tellEnded, noop), // it was closed before, or fails, which is told above
    );
  }

  expectOver(): void {
    // It needs no help.
  }

  leave(): void {
    this.left = true;
    this.writer.releaseLock();
  }

  close(failure: Failure | undefined): Promise<unknown> | undefined {
    if (this.isOver) {
      this.leave();
      return undefined;
    }
    const reason = failure ? failure.error : new DOMException(`${this.where} was unsubscribed`, 'AbortError');
    return Promise.resolve(this.writer.abort(reason)).finally(() => {
      this.leave();
    });
  }

  /** Whether it can take more; if not, waits until it can. */
  private look(): void {
    if (this.left || this.full) return; // from within write() somebody may have left
    this.full = !((this.writer.desiredSize ?? 0) > 0);
    if (this.full) this.writer.ready.then(this.drain, noop);
  }

  private readonly drain = (): void => {
    this.full = false;
    this.events.onDrain();
  };

  private readonly confirm = (): void => {
    this.confirmed++;
    this.events.onConfirm();
  };

  private readonly tellEnded = (): void => {
    this.tellOver({ error: new WritableEndedError(this.where) });
  };

  private tellOver(failure: Failure | undefined): void {
    this.isOver = true;
    this.events.onOver(failure);
  }
}
