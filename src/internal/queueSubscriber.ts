import type { Subscriber } from 'rxjs';
import { BufferOverflowError } from '../errors/BufferOverflowError.js';
import { DependentGate } from '../link/DependentGate.js';
import { LevelGate } from '../link/LevelGate.js';
import { Passage } from '../link/Passage.js';
import { findGate } from '../link/walk.js';
import type { Gate } from '../link/protocol.js';
import { BoundedBuffer } from '../machines/BoundedBuffer.js';
import type { QueueOptions } from '../options/queue.js';
import { Losses } from './Losses.js';
import { operate } from './operate.js';

type DropReason = 'overflow' | 'error' | 'unsubscribe';

export interface QueueSettings<T> extends Required<QueueOptions> {
  readonly onDrop: (value: T, reason: DropReason) => void;
  /** Who is full, for messages. */
  readonly where: string;
}

/**
 * Creates a subscriber behind which values wait that `destination` cannot take, where that can be full.
 *
 * It can take a value while nothing waits and the gate below is open, or while fewer than `highWaterMark` values wait.
 * Completion waits for the values, an error does not.
 */
export function queueSubscriber<T>(destination: Subscriber<T>, settings: QueueSettings<T>): Subscriber<T> {
  const below = findGate(destination);
  return below ? queueAt(below, destination, settings) : operate({ destination });
}

function queueAt<T>(below: Gate, destination: Subscriber<T>, settings: QueueSettings<T>): Subscriber<T> {
  const { highWaterMark, bufferSize, overflow, onDrop, where } = settings;
  const waiting = new BoundedBuffer<T>(bufferSize, overflow);
  const losses = new Losses(destination);
  let completed = false;
  let draining = false;

  const receive = (value: T) => {
    if (waiting.size > 0) drain(); // what waits may be able to go, though its turn has not come yet
    if (destination.closed) losses.tell(onDrop, value);
    else if (waiting.size === 0 && passage.isOpen) destination.next(value);
    else enqueue(value);
  };

  const enqueue = (value: T) => {
    const dropped = waiting.offer(value);
    if (!dropped) losses.fail(new BufferOverflowError(where, 'values', waiting.size));
    for (const each of dropped ?? [value]) losses.tellOverflow(onDrop, each);
    drain();
  };

  const drain = () => {
    if (draining) return;
    draining = true;
    while (waiting.size > 0 && passage.isOpen) destination.next(waiting.shift());
    draining = false;
    if (waiting.size > 0) passage.wait();
    else {
      passage.leave();
      if (completed) destination.complete();
    }
    gate.wake();
  };

  const passage = new Passage(below, drain);
  const gate =
    highWaterMark > 0
      ? new LevelGate(() => waiting.size < highWaterMark)
      : new DependentGate(() => waiting.size === 0, below);

  const subscriber = operate<T, T>({
    destination,
    gate,
    next: receive,
    error: (error) => {
      losses.fail(error);
    },
    complete: () => {
      completed = true;
      drain();
    },
  });

  // After the subscriber, whose teardown is that of the source.
  destination.add(() => {
    passage.leave();
    for (const value of waiting.takeAll()) losses.tell(onDrop, value);
  });
  return subscriber;
}
