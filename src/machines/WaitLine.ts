interface Waiter {
  callback: () => void;
  previous: Waiter | undefined;
  next: Waiter | undefined;
}

/** Callbacks that wait for their turn: each is called once, first in, first out, and leaves at O(1) when it is cancelled. */
export class WaitLine {
  size = 0;
  private first: Waiter | undefined;
  private last: Waiter | undefined;

  /** Returns the cancellation; it does nothing once the callback has had its turn. */
  add(callback: () => void): () => void {
    const waiter: Waiter = { callback, previous: this.last, next: undefined };
    if (this.last) this.last.next = waiter;
    else this.first = waiter;
    this.last = waiter;
    this.size++;
    return () => {
      this.remove(waiter);
    };
  }

  /** Calls the first of the line; only when `size > 0`. */
  callFirst(): void {
    const { first } = this;
    if (!first) return;
    this.remove(first);
    first.callback();
  }

  private remove(waiter: Waiter): void {
    const { previous, next } = waiter;
    if (!previous && this.first !== waiter) return; // it has left already
    if (previous) previous.next = next;
    else this.first = next;
    if (next) next.previous = previous;
    else this.last = previous;
    waiter.previous = waiter.next = undefined;
    this.size--;
  }
}
