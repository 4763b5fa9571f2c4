import { LinkedList, type Listed } from './LinkedList.js';
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

/** A slot that has been taken, in the order in which that happened. */
interface Turn<Slot, R> extends Listed<Turn<Slot, R>> {
  readonly slot: Slot;
  /** Only once one had to wait. */
  results: RingBuffer<R> | undefined;
  /** No more results come. */
  over: boolean;
}

/** Results go in the order in which their slots were taken: only the first slot may emit, the others wait for their turn. */
export class SourceOrder<Slot, R> implements ResultLine<Slot, R> {
  size = 0;
  private readonly turns = new LinkedList<Turn<Slot, R>>();
  private readonly bySlot = new Map<Slot, Turn<Slot, R>>();

  get hasFirst(): boolean {
    return !!this.turns.first?.results?.size;
  }

  open(slot: Slot): void {
    const turn: Turn<Slot, R> = {
      slot,
      results: undefined,
      over: false,
      previous: undefined,
      following: undefined,
    };
    this.bySlot.set(slot, turn);
    this.turns.add(turn);
  }

  close(slot: Slot): void {
    const turn = this.bySlot.get(slot);
    if (turn) turn.over = true;
    this.passTurn();
  }

  mayPass(slot: Slot): boolean {
    return this.turns.first?.slot === slot && this.isClear(slot);
  }

  isClear(slot: Slot): boolean {
    return !this.bySlot.get(slot)?.results?.size;
  }

  push(result: R, slot: Slot): void {
    const turn = this.bySlot.get(slot) as Turn<Slot, R>;
    (turn.results ??= new RingBuffer()).push(result);
    this.size++;
  }

  takeFirst(deliver: (result: R, slot: Slot) => void): void {
    const { slot, results } = this.turns.first as Turn<Slot, R>;
    const result = (results as RingBuffer<R>).shift();
    this.size--;
    this.passTurn();
    deliver(result, slot);
  }

  takeAll(): R[] {
    const results: R[] = [];
    for (const turn of this.turns) for (const result of turn.results?.takeAll() ?? []) results.push(result);
    this.size = 0;
    return results;
  }

  /** As long as the slot whose turn it is has nothing more to say. */
  private passTurn(): void {
    for (let turn = this.turns.first; turn?.over && !turn.results?.size; turn = this.turns.first) {
      this.turns.remove(turn);
      this.bySlot.delete(turn.slot);
    }
  }
}
