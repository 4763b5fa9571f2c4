import type { Overflow } from './BoundedBuffer.js';
import { RingBuffer } from './RingBuffer.js';

/**
 * Groups values as they come, in batches of at most `size`, the sum of their weights; of all of them together at most
 * `bufferSize` values are held, so that a batch with so many is full, too.
 *
 * A value that is heavier than `size` is a batch of its own, as in Akka's `groupedWeightedWithin`.
 */
export class BatchLine<T> {
  /** What is being filled; another one whenever it was full or taken. */
  open: readonly T[] = [];
  /** How many values are held. */
  held = 0;
  private readonly full = new RingBuffer<T[]>();
  /** The oldest that is full, if some of its values had to give way: how many. */
  private thinned: T[] | undefined;
  private missing = 0;
  private weight = 0;

  constructor(
    private readonly size: number,
    private readonly bufferSize: number,
    private readonly overflow: Overflow,
  ) {}

  get hasFull(): boolean {
    return this.full.size > 0 || this.thinned !== undefined;
  }

  /** Lets `value` wait. Gives what had to give way, or `undefined` when nothing may: then `value` does not wait. */
  offer(value: T, weight: number): readonly T[] | undefined {
    if (this.held < this.bufferSize) {
      this.add(value, weight);
      return nothing;
    }
    switch (this.overflow) {
      case 'error':
        return undefined;
      case 'drop-newest':
        return [value];
      default: {
        const dropped = this.overflow === 'drop-oldest' ? [this.takeOldest()] : this.takeAll();
        this.add(value, weight);
        return dropped;
      }
    }
  }

  /** Only when `hasFull`: the oldest of those that are full. */
  takeFull(): T[] {
    const batch = this.thinned ? this.thinned.slice(this.missing) : this.full.shift();
    this.thinned = undefined;
    this.missing = 0;
    this.held -= batch.length;
    return batch;
  }

  takeOpen(): T[] {
    const batch = this.open as T[];
    this.open = [];
    this.weight = 0;
    this.held -= batch.length;
    return batch;
  }

  /** Takes everything out, value by value. */
  takeAll(): T[] {
    const values: T[] = [];
    while (this.hasFull) for (const value of this.takeFull()) values.push(value);
    for (const value of this.takeOpen()) values.push(value);
    return values;
  }

  private add(value: T, weight: number): void {
    if (this.weight + weight > this.size && this.open.length > 0) this.close();
    (this.open as T[]).push(value);
    this.weight += weight;
    this.held++;
    if (this.weight >= this.size || this.open.length >= this.bufferSize) this.close();
  }

  private close(): void {
    this.full.push(this.open as T[]);
    this.open = [];
    this.weight = 0;
  }

  /** Where no room is left, one batch is full at the least. */
  private takeOldest(): T {
    const batch = (this.thinned ??= this.full.shift());
    const oldest = batch[this.missing] as T;
    batch[this.missing++] = undefined as T; // so that it can be collected
    if (this.missing === batch.length) this.takeFull();
    this.held--;
    return oldest;
  }
}

const nothing: readonly never[] = [];
