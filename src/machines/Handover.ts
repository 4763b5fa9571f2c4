import { LinkedList, type Listed } from './LinkedList.js';
import { RingBuffer } from './RingBuffer.js';

/** Who wants a value. */
export interface Taker<T> extends Listed<Taker<T>> {
  /** Whether it can take one now. */
  readonly ready: boolean;
  receive(value: T): void;
  /** It was its turn, and it was not ready: it is out of the line, and comes back by itself if it wants. */
  skip(): void;
  /** No value comes any more. */
  end(): void;
}

/** Who has a value for which there was no room. */
export interface Putter<T> extends Listed<Putter<T>> {
  readonly value: T;
  /** Whether it still wants to put it. */
  readonly ready: boolean;
  /** The value is in. */
  admit(): void;
  /** It was its turn, and it was not ready: it is out of the line. */
  skip(): void;
  /** The value can no longer be put. */
  refuse(): void;
}

/**
 * Where values change hands: they wait for takers, takers wait for values, and putters for room; each first in, first out.
 *
 * Putters wait only while it is full, takers only while it is empty: who comes is served at once or waits behind the others.
 * A value goes from one hand to the other in one step, so there is no moment at which a cancellation could lose it. Everybody
 * is out of their line, and everything is counted, before they are told: they may come back while they are.
 */
export class Handover<T> {
  closed = false;
  takes = 0;
  dropped = 0;
  /** How many of those that were taken have been marked as done. */
  done = 0;
  /** How many values have ever waited at a time. */
  peakSize = 0;
  waitingPuts = 0;
  waitingTakes = 0;
  private readonly values = new RingBuffer<T>();
  private readonly putters = new LinkedList<Putter<T>>();
  private readonly takers = new LinkedList<Taker<T>>();
  /** Those who cannot take at the moment: they wait elsewhere, and here only for the end. */
  private readonly aside = new Set<Taker<T>>();

  /** With a capacity of 0 a value is put when it is taken. `where` is for messages. */
  constructor(
    readonly capacity: number,
    readonly where: string,
  ) {}

  get size(): number {
    return this.values.size;
  }

  get puts(): number {
    return this.takes + this.values.size + this.dropped;
  }

  /** How many have been taken and not been marked as done. */
  get underWork(): number {
    return this.takes - this.done;
  }

  get unfinished(): number {
    return this.values.size + this.underWork;
  }

  get hasNext(): boolean {
    return this.values.size > 0 || this.firstPutter() !== undefined;
  }

  /** It is closed, and all is taken. */
  get drained(): boolean {
    return this.closed && this.values.size === 0;
  }

  /** Hands `value` to the taker whose turn it is, or lets it wait. Gives whether there was one, or room. */
  offer(value: T): boolean {
    const taker = this.firstTaker();
    if (taker) {
      this.leave(taker);
      this.takes++;
      taker.receive(value);
      return true;
    }
    if (this.values.size >= this.capacity) return false;
    this.values.push(value);
    if (this.values.size > this.peakSize) this.peakSize = this.values.size;
    return true;
  }

  /** Only after `offer` has given `false`. */
  waitToPut(putter: Putter<T>): void {
    this.putters.add(putter);
    this.waitingPuts++;
  }

  /** Takes the first value out, which makes room for a putter; only when `hasNext`. */
  take(): T {
    const value = this.takeFirst();
    this.endIfDrained();
    return value;
  }

  /** As `take`; the others hear of the end when the value has arrived, since they may stop who takes it. */
  takeInto(receive: (value: T) => void): void {
    receive(this.takeFirst());
    this.endIfDrained();
  }

  /** Only when neither `hasNext` nor `drained`. */
  waitToTake(taker: Taker<T>): void {
    this.takers.add(taker);
    this.waitingTakes++;
  }

  /** `taker` cannot take at the moment, but wants to be told the end. */
  stepAside(taker: Taker<T>): void {
    this.aside.add(taker);
  }

  withdraw(putter: Putter<T>): void {
    if (this.putters.remove(putter)) this.waitingPuts--;
  }

  leave(taker: Taker<T>): void {
    if (this.takers.remove(taker)) this.waitingTakes--;
    else this.aside.delete(taker);
  }

  /** Nothing can be put any more. What waits can still be taken, or is dropped: then it gives that. */
  close(immediate: boolean): readonly T[] {
    this.closed = true;
    const dropped = immediate ? this.values.takeAll() : [];
    this.dropped += dropped.length;
    for (let putter = this.putters.first; putter; putter = this.putters.first) {
      this.withdraw(putter);
      putter.refuse();
    }
    this.endIfDrained();
    return dropped;
  }

  private firstPutter(): Putter<T> | undefined {
    for (;;) {
      const { first } = this.putters;
      if (!first || first.ready) return first;
      this.withdraw(first);
      first.skip();
    }
  }

  private firstTaker(): Taker<T> | undefined {
    for (;;) {
      const { first } = this.takers;
      if (!first || first.ready) return first;
      this.leave(first);
      first.skip();
    }
  }

  private takeFirst(): T {
    const putter = this.firstPutter();
    this.takes++;
    if (this.values.size === 0) return this.takeFrom(putter as Putter<T>);
    const value = this.values.shift();
    if (putter) this.values.push(this.takeFrom(putter));
    return value;
  }

  private takeFrom(putter: Putter<T>): T {
    this.withdraw(putter);
    putter.admit();
    return putter.value;
  }

  private endIfDrained(): void {
    if (!this.drained) return;
    for (let taker = this.takers.first; taker; taker = this.takers.first) this.end(taker);
    for (const taker of this.aside) this.end(taker);
  }

  private end(taker: Taker<T>): void {
    this.leave(taker);
    taker.end();
  }
}
