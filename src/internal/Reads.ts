import { RingBuffer } from '../machines/RingBuffer.js';

/** Somebody who waits for a value, or for the end. */
export interface Read<T> {
  readonly resolve: (result: IteratorResult<T, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

export const done: IteratorResult<never, undefined> = { done: true, value: undefined };

/** Reads that wait, first come, first served. */
export class Reads<T> {
  private readonly line = new RingBuffer<Read<T>>();
  private serving = false;

  get size(): number {
    return this.line.size;
  }

  /** Within a read that has called back: who comes then is served when that is over. */
  get isServing(): boolean {
    return this.serving;
  }

  push(read: Read<T>): void {
    this.line.push(read);
  }

  /** Gives the first one its value; only when there is one. */
  give(value: T): void {
    this.line.shift().resolve({ done: false, value });
  }

  /** Gives values out, as far as both reach. */
  serve(values: { readonly size: number; shift(): T }): void {
    this.serving = true;
    try {
      while (this.line.size > 0 && values.size > 0) this.give(values.shift());
    } finally {
      this.serving = false;
    }
  }

  /** Tells the first one of the end; only when there is one. */
  end(failure: { readonly error: unknown } | undefined): void {
    const { resolve, reject } = this.line.shift();
    if (failure) reject(failure.error);
    else resolve(done);
  }
}
