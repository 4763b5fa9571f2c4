import { macrotask } from './macrotask.js';
import { prematureClose, StreamEnd, type NodeStream, type Watch } from './nodeStream.js';
import type { ChunkWriter, WriterEvents } from './writeAll.js';

interface WritableNodeStream<T> extends NodeStream {
  readonly writableNeedDrain: boolean;
  /** Old kinds of streams do not say. */
  readonly writableFinished?: boolean;
  readonly errored: Error | null;
  write(value: T, confirm: (error?: Error | null) => void): boolean;
  end(): unknown;
  on(event: 'drain', listener: () => void): unknown;
}

/** Hands values to a Node stream, and knows what becomes of them. */
export class StreamWriter<T> implements ChunkWriter<T> {
  /** It has to drain first. */
  full: boolean;
  /** How many values it was handed. */
  count = 0;
  private confirmed = 0;
  /** Why it could not write the first of those that it could not. */
  private refusal: Error | undefined;
  private endCalled = false;
  private readonly streamEnd: StreamEnd;

  constructor(
    private readonly stream: WritableNodeStream<T>,
    watch: Watch,
    private readonly events: WriterEvents,
  ) {
    this.full = stream.writableNeedDrain;
    this.streamEnd = new StreamEnd(stream, watch, this.tellOver);
    stream.on('drain', this.drain);
  }

  /** Whether everything is written. */
  get isIdle(): boolean {
    return this.confirmed === this.count;
  }

  /** Whether it has been destroyed, or could not write. */
  get hasFailed(): boolean {
    return this.stream.destroyed || this.refusal !== undefined;
  }

  /** Throws if the stream does not take `value`. */
  write(value: T): void {
    this.count++;
    try {
      if (!this.stream.write(value, this.confirm)) this.full = true;
    } catch (thrown) {
      this.count--;
      throw thrown;
    }
  }

  end(): void {
    if (this.endCalled) return; // it may do more than once what it does before it ends
    this.endCalled = true;
    this.stream.end();
  }

  /** A stream that has failed tells in a moment; but if it emits no 'close', or goes on, it may not. */
  expectOver(): void {
    macrotask(() => {
      this.tellOver(this.stream.errored);
    });
  }

  /** Leaves the stream to whoever goes on with it. */
  leave(): void {
    const { stream, streamEnd } = this;
    stream.off('drain', this.drain);
    if (stream.destroyed) streamEnd.leaveClosed();
    else streamEnd.leave();
  }

  /** Destroys the stream, unless it has ended well. Gives the promise of its closing, if it is still open. */
  close(failure: { readonly error: unknown } | undefined): Promise<void> | undefined {
    const { stream, streamEnd } = this;
    stream.off('drain', this.drain);
    if (!streamEnd.isTold) return streamEnd.close(failure?.error);
    if (failure) stream.destroy();
    streamEnd.leaveClosed();
    return undefined;
  }

  private readonly drain = (): void => {
    this.full = false;
    this.events.onDrain();
  };

  private readonly confirm = (error?: Error | null): void => {
    if (error) this.refusal ??= error;
    else this.confirmed++;
    this.events.onConfirm();
  };

  private readonly tellOver = (error?: Error | null): void => {
    // `finished` is content with a stream that was destroyed between its end() and its 'finish'.
    const unfinished = this.stream.writableFinished === false ? prematureClose() : undefined;
    const failure = error ?? this.refusal ?? unfinished;
    this.events.onOver(failure && { error: failure });
  };
}
