import { RingBuffer } from './RingBuffer.js';

/**
 * What becomes of a value that finds `bufferSize` values waiting.
 *
 * - `'error'`: the operator fails with a `BufferOverflowError`.
 * - `'drop-oldest'`: the value that has waited longest gives way.
 * - `'drop-newest'`: the arriving value is dropped.
 * - `'drop-buffer'`: everything that waits gives way.
 * @public
 */
export type Overflow = 'error' | 'drop-oldest' | 'drop-newest' | 'drop-buffer';

/** Who gives way to `arriving` in a full line: the values to drop. `undefined`: nobody, that is an error. */
const givesWay: Record<Overflow, <T>(line: RingBuffer<T>, arriving: T) => T[] | undefined> = {
  error: () => undefined,
  'drop-oldest': (line, arriving) => {
    line.push(arriving);
    return [line.shift()];
  },
  'drop-newest': (_, arriving) => [arriving],
  'drop-buffer': (line, arriving) => {
    if (line.size === 0) return [arriving];
    const dropped = line.takeAll();
    line.push(arriving);
    return dropped;
  },
};

/** A line in which at most `bufferSize` values wait, and the policy for those that come beyond. */
export class BoundedBuffer<T> extends RingBuffer<T> {
  constructor(
    private readonly bufferSize: number,
    private readonly overflow: Overflow,
  ) {
    super();
  }

  /**
   * Lets `arriving` wait. Gives what had to give way, or `undefined` when nothing may: then `arriving` does not wait.
   */
  offer(arriving: T): readonly T[] | undefined {
    if (this.size < this.bufferSize) {
      this.push(arriving);
      return nothing;
    }
    return givesWay[this.overflow](this, arriving);
  }
}

const nothing: readonly never[] = [];
