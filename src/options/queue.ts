import { nonNegativeIntegerOrInfinity, oneOf } from '../internal/arguments.js';
import type { Overflow } from '../machines/BoundedBuffer.js';

/**
 * Why a value was dropped: more came than may wait, the operator failed, or it was unsubscribed.
 * @public
 */
export type DropReason = 'overflow' | 'error' | 'unsubscribe';

/**
 * Options of everything in which values wait.
 * @public
 */
export interface QueueOptions {
  /** How many values may wait before sources that can wait are asked to. Default: stated by the operator. */
  highWaterMark?: number;
  /** How many values may wait at all; `Infinity` is the loud way to say unbounded. Default: 1000. */
  bufferSize?: number;
  /** What becomes of a value beyond `bufferSize`. Default: `'error'`, a `BufferOverflowError`. */
  overflow?: Overflow;
}

const overflows: readonly Overflow[] = ['error', 'drop-oldest', 'drop-newest', 'drop-buffer'];

export function readQueueOptions(options: QueueOptions, defaultHighWaterMark: number): Required<QueueOptions> {
  const { bufferSize = 1000, overflow = 'error' } = options;
  const { highWaterMark = Math.min(defaultHighWaterMark, bufferSize) } = options;
  nonNegativeIntegerOrInfinity('bufferSize', bufferSize);
  nonNegativeIntegerOrInfinity('highWaterMark', highWaterMark);
  if (highWaterMark > bufferSize)
    throw new RangeError(
      `highWaterMark must be at most bufferSize (${String(bufferSize)}), got ${String(highWaterMark)}`,
    );
  return { highWaterMark, bufferSize, overflow: oneOf('overflow', overflows, overflow) };
}
