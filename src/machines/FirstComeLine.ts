import { BoundedBuffer } from './BoundedBuffer.js';
import type { Line } from './Line.js';

/** First come, first served: no keys, no ranks, no ages. */
export class FirstComeLine<T> extends BoundedBuffer<T> implements Line<T, undefined> {
  readonly oldest = undefined;

  get hasNext(): boolean {
    return this.size > 0;
  }

  get takesAny(): boolean {
    return this.size === 0;
  }

  admit(): undefined {
    // nobody needs a ticket
  }

  isClear(): boolean {
    return this.size === 0;
  }

  enter(): void {
    // nobody counts
  }

  leave(): void {
    // nobody counts
  }

  fullLane(): undefined {
    // all are in one
  }

  takeNext(start: (value: T, ticket: undefined) => void): void {
    start(this.shift(), undefined);
  }

  takeSince(): readonly T[] {
    return [];
  }
}
