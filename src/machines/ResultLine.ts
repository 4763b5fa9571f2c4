import { RingBuffer } from './RingBuffer.js';

/** Results that have to wait before they are emitted, and in which order they may go. Each belongs to a slot. */
export interface ResultLine<Slot, R> {
  readonly size: number;
  /** A slot has been taken. */
  open(slot: Slot): void;
  /** No more results come from this slot. */
  close(slot: Slot): void;
  /** Whether nothing waits in front of a result that comes from `slot` now. */
  mayPass(slot: Slot): boolean;
  /** Whether nothing waits that `slot` would have to wait for before it adds another result. */
  isClear(slot: Slot): boolean;
  push(result: R, slot: Slot): void;
  /** Whether the first of the line may go, as far as the order is concerned. */
  readonly hasFirst: boolean;
  /** Takes the first out; only when `hasFirst`. */
  takeFirst(deliver: (result: R, slot: Slot) => void): void;
  /** Takes everything out, whoever's turn it is. */
  takeAll(): R[];
}

/** Results go in the order in which they came. */
export class ArrivalOrder<Slot, R> implements ResultLine<Slot, R> {
  private readonly results = new RingBuffer<R>();
  private readonly slots = new RingBuffer<Slot>();

  get size(): number {
    return this.results.size;
  }

  get hasFirst(): boolean {
    return this.results.size > 0;
  }

  open(): void {
    // every slot is alike
  }

  close(): void {
    // every slot is alike
  }

  mayPass(): boolean {
    return this.results.size === 0;
  }

  isClear(): boolean {
    return this.results.size === 0;
  }

  push(result: R, slot: Slot): void {
    this.results.push(result);
    this.slots.push(slot);
  }

  takeFirst(deliver: (result: R, slot: Slot) => void): void {
    deliver(this.results.shift(), this.slots.shift());
  }

  takeAll(): R[] {
    this.slots.takeAll();
    return this.results.takeAll();
  }
}

/**
 * Results go in the order in which their slots were taken: only the first open slot may emit, the others wait for their turn.
 */
export class SourceOrder<Slot, R> implements ResultLine<Slot, R> {
  size = 0;
  /** The slots in the order in which they were taken, the one whose turn it is first; each with what waits. */
  private readonly lines = new Map<Slot, RingBuffer<R> | undefined>();
  private readonly over = new Set<Slot>();
  private turn: Slot | undefined;

  get hasFirst(): boolean {
    return this.turn !== undefined && !this.isClear(this.turn);
  }

  open(slot: Slot): void {
    this.lines.set(slot, undefined);
    this.turn ??= slot;
  }

  close(slot: Slot): void {
    this.over.add(slot);
    this.passTurn();
  }

  mayPass(slot: Slot): boolean {
    return slot === this.turn && this.isClear(slot);
  }

  isClear(slot: Slot): boolean {
    return (this.lines.get(slot)?.size ?? 0) === 0;
  }

  push(result: R, slot: Slot): void {
    let line = this.lines.get(slot);
    if (!line) this.lines.set(slot, (line = new RingBuffer()));
    line.push(result);
    this.size++;
  }

  takeFirst(deliver: (result: R, slot: Slot) => void): void {
    const slot = this.turn as Slot;
    const result = (this.lines.get(slot) as RingBuffer<R>).shift();
    this.size--;
    this.passTurn();
    deliver(result, slot);
  }

  takeAll(): R[] {
    const results = [...this.lines.values()].flatMap((line) => line?.takeAll() ?? []);
    this.size = 0;
    return results;
  }

  /** As long as the slot whose turn it is has nothing more to say. */
  private passTurn(): void {
    while (this.turn !== undefined && this.over.has(this.turn) && this.isClear(this.turn)) {
      this.lines.delete(this.turn);
      this.over.delete(this.turn);
      const next = this.lines.keys().next();
      this.turn = next.done ? undefined : next.value;
    }
  }
}
