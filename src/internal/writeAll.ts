import { type Observable, type Subscriber } from 'rxjs';
import { BufferOverflowError } from '../errors/BufferOverflowError.js';
import { WritableEndedError } from '../errors/WritableEndedError.js';
import { LevelGate } from '../link/LevelGate.js';
import { findCleanupScope, findLossCounter } from '../link/walk.js';
import { BoundedBuffer } from '../machines/BoundedBuffer.js';
import type { DropReason, QueueOptions } from '../options/queue.js';
import { operate } from './operate.js';
import { reportUnhandled } from './reportUnhandled.js';

export interface Failure {
  readonly error: unknown;
}

export interface WriterEvents {
  /** It was full, and is not any more. */
  onDrain(): void;
  /** It has said of a value that it has written it, or could not. */
  onConfirm(): void;
  /** The stream has finished, or failed, or closed, whoever brought that about. May come more than once. */
  onOver(failure: Failure | undefined): void;
}

/** Hands values to a stream, and knows what becomes of them. */
export interface ChunkWriter<T> {
  /** It can take no more for now. */
  readonly full: boolean;
  /** How many values it was handed. */
  readonly count: number;
  /** Whether everything is written. */
  readonly isIdle: boolean;
  /** Whether it has failed, and may not have told. */
  readonly hasFailed: boolean;
  /** Throws if the stream does not take `value`. */
  write(value: T): void;
  /** Ends the stream. May be called more than once. */
  end(): void;
  /** The stream has failed: sees to it that it tells. */
  expectOver(): void;
  /** Leaves the stream to whoever goes on with it. */
  leave(): void;
  /** Destroys the stream, unless it has ended well. Gives the promise of its closing, if it is still open. */
  close(failure: Failure | undefined): Promise<unknown> | undefined;
}

export interface WriteSettings<T> extends Required<QueueOptions> {
  /** Whether the stream ends with the source. */
  readonly end: boolean;
  readonly onDrop: (value: T, reason: DropReason) => void;
  readonly where: string;
}

/** Writes each value of `source` at the pace of the stream that `open` makes a writer for, and then emits their count. */
export function writeAll<T>(
  source: Observable<T>,
  destination: Subscriber<number>,
  open: (events: WriterEvents) => ChunkWriter<T>,
  settings: WriteSettings<T>,
): void {
  const { end, onDrop, where, bufferSize, highWaterMark, overflow } = settings;
  const scope = findCleanupScope(destination);
  const counter = findLossCounter(destination);
  const waiting = new BoundedBuffer<T>(bufferSize, overflow);
  let sourceEnded = false;
  let failure: Failure | undefined;
  let streamIsOver = false;

  const write = (value: T) => {
    try {
      writer.write(value);
    } catch (thrown) {
      const unwritten = [value, ...waiting.takeAll()]; // to write on would leave a gap
      fail(thrown);
      for (const each of unwritten) drop(each, 'error');
    }
  };

  const drop = (value: T, reason: DropReason) => {
    if (reason !== 'overflow') counter?.lost('waiting', 1);
    try {
      onDrop(value, reason);
    } catch (thrown) {
      fail(thrown);
    }
  };

  /** Leaves the source; what came before is written first. */
  const fail = (error: unknown) => {
    if (failure || destination.closed) reportUnhandled(error);
    else {
      sourceEnded = true;
      failure = { error };
      try {
        subscriber.unsubscribe();
      } catch (thrown) {
        reportUnhandled(thrown);
      }
      settle();
    }
  };

  const settle = () => {
    if (destination.closed) return;
    const allHandedOver = sourceEnded && waiting.size === 0;
    if (allHandedOver && writer.isIdle && failure) destination.error(failure.error);
    else if (allHandedOver && writer.isIdle && !end) succeed();
    else if (writer.hasFailed) writer.expectOver();
    else if (allHandedOver && end && !failure) writer.end();
  };

  const succeed = () => {
    destination.next(writer.count);
    destination.complete();
  };

  const writer = open({
    onDrain: () => {
      while (waiting.size > 0 && !writer.full) write(waiting.shift());
      gate.wake();
      settle();
    },
    onConfirm: settle,
    onOver: (failed) => {
      if (destination.closed) return;
      streamIsOver = true;
      if (!failed && !failure && sourceEnded && waiting.size === 0) succeed();
      else {
        failure ??= failed ?? { error: new WritableEndedError(where) };
        destination.error(failure.error);
      }
    },
  });

  const stop = () => {
    for (const value of waiting.takeAll()) drop(value, streamIsOver ? 'error' : 'unsubscribe');
    if (!end) {
      writer.leave();
      return;
    }
    const closing = writer.close(failure);
    if (scope && closing) scope.track(closing);
    else closing?.catch(reportUnhandled);
  };

  const gate = new LevelGate(
    () => !sourceEnded && (waiting.size < highWaterMark || (waiting.size === 0 && !writer.full)),
  );

  const subscriber = operate<T, number>({
    destination,
    gate,
    next: (value) => {
      if (!writer.full && waiting.size === 0) write(value);
      else {
        const dropped = waiting.offer(value);
        if (!dropped) fail(new BufferOverflowError(where, 'values', waiting.size));
        for (const each of dropped ?? [value]) drop(each, 'overflow');
      }
    },
    error: fail,
    complete: () => {
      sourceEnded = true;
      settle();
    },
  });

  destination.add(stop);
  try {
    source.subscribe(subscriber);
  } catch (thrown) {
    // After its end only a teardown of the source can have thrown: what came before is written all the same.
    if (sourceEnded) reportUnhandled(thrown);
    else fail(thrown);
  }
}
