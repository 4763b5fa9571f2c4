const initialCapacity = 16;

/** First in, first out, in an array that is a power of two long: both ends cost O(1), however much waits. */
export class RingBuffer<T> {
  /** How many are in; only to be read. */
  size = 0;
  private slots: (T | undefined)[] = new Array<T | undefined>(initialCapacity);
  private head = 0;

  push(value: T): void {
    if (this.size === this.slots.length) this.grow();
    this.slots[(this.head + this.size) & (this.slots.length - 1)] = value;
    this.size++;
  }

  /** Only when `size > 0`. */
  shift(): T {
    const value = this.slots[this.head] as T;
    this.slots[this.head] = undefined; // so that a taken value can be collected
    this.head = (this.head + 1) & (this.slots.length - 1);
    if (--this.size === 0 && this.slots.length > 1024) this.reset(); // a long line does not keep its memory
    return value;
  }

  /** Takes everything out. */
  takeAll(): T[] {
    const values = Array.from(
      { length: this.size },
      (_, i) => this.slots[(this.head + i) & (this.slots.length - 1)] as T,
    );
    this.reset();
    return values;
  }

  private grow(): void {
    const { length } = this.slots;
    const larger = new Array<T | undefined>(length * 2);
    for (let i = 0; i < this.size; i++) larger[i] = this.slots[(this.head + i) & (length - 1)];
    this.slots = larger;
    this.head = 0;
  }

  private reset(): void {
    this.slots = new Array<T | undefined>(initialCapacity);
    this.head = 0;
    this.size = 0;
  }
}
