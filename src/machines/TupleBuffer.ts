import { RingBuffer } from './RingBuffer.js';

/** Values of several inputs that wait for each other: the oldest of each make a tuple. */
export class TupleBuffer<V> {
  /** Whether no more tuples can come: an input has ended, and nothing of it waits. */
  isOver = false;
  private readonly lines: readonly RingBuffer<V>[];
  private readonly ended = new Set<RingBuffer<V>>();
  /** How many inputs have nothing that waits. */
  private lacking: number;

  /** For `width` inputs, of each of which at most `bufferSize` values may wait. */
  constructor(
    width: number,
    private readonly bufferSize: number,
  ) {
    this.lines = Array.from({ length: width }, () => new RingBuffer<V>());
    this.lacking = width;
  }

  get hasTuple(): boolean {
    return this.lacking === 0;
  }

  /** How many values of `input` wait. */
  sizeOf(input: number): number {
    return this.lineOf(input).size;
  }

  /** Lets `value` wait. Gives whether it may. */
  offer(input: number, value: V): boolean {
    const line = this.lineOf(input);
    if (line.size >= this.bufferSize) return false;
    if (line.size === 0) this.lacking--;
    line.push(value);
    return true;
  }

  /** No more values come from `input`. Gives whether no more tuples can come for that. */
  end(input: number): boolean {
    const line = this.lineOf(input);
    this.ended.add(line);
    if (line.size > 0) return false;
    this.isOver = true;
    return true;
  }

  /** Only when `hasTuple`. */
  shift(): V[] {
    return this.lines.map((line) => {
      const value = line.shift();
      if (line.size === 0) {
        this.lacking++;
        if (this.ended.has(line)) this.isOver = true;
      }
      return value;
    });
  }

  /** Takes everything out: for each input what waits. */
  takeAll(): V[][] {
    this.lacking = this.lines.length;
    return this.lines.map((line) => line.takeAll());
  }

  private lineOf(input: number): RingBuffer<V> {
    return this.lines[input] as RingBuffer<V>;
  }
}
