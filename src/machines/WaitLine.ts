import { LinkedList, type Listed } from './LinkedList.js';

interface Waiter extends Listed<Waiter> {
  readonly callback: () => void;
}

/** Callbacks that wait for their turn: each is called once, first in, first out, and leaves at O(1) when it is cancelled. */
export class WaitLine {
  size = 0;
  private readonly waiters = new LinkedList<Waiter>();

  /** Returns the cancellation; it does nothing once the callback has had its turn. */
  add(callback: () => void): () => void {
    const waiter: Waiter = { callback, previous: undefined, following: undefined };
    this.waiters.add(waiter);
    this.size++;
    return () => {
      this.remove(waiter);
    };
  }

  /** Calls the first of the line, if there is one. */
  callFirst(): void {
    const { first } = this.waiters;
    if (!first) return;
    this.remove(first);
    first.callback();
  }

  private remove(waiter: Waiter): void {
    if (this.waiters.remove(waiter)) this.size--;
  }
}
