import type { Handover, Taker } from '../../machines/Handover.js';

const done: IteratorResult<never, undefined> = { done: true, value: undefined };

/** One loop over a queue, beside others. It ends by `return()`, which leaves the queue as it is, or with the queue. */
export class QueueIterator<T> implements AsyncIterableIterator<T, undefined> {
  private readonly waiting = new Set<WaitingNext<T>>();
  private returned = false;

  constructor(private readonly handover: Handover<T>) {}

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const { handover, waiting } = this;
    if (this.returned) return Promise.resolve(done);
    if (handover.hasNext) return Promise.resolve({ done: false, value: handover.take() });
    if (handover.drained) return Promise.resolve(done);
    return new Promise((resolve) => {
      const next = new WaitingNext(waiting, resolve);
      waiting.add(next);
      handover.waitToTake(next);
    });
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.returned = true;
    for (const next of this.waiting) {
      this.handover.leave(next);
      next.end();
    }
    return Promise.resolve(done);
  }
}

class WaitingNext<T> implements Taker<T> {
  previous: Taker<T> | undefined = undefined;
  following: Taker<T> | undefined = undefined;
  readonly ready = true;

  constructor(
    private readonly waiting: Set<WaitingNext<T>>,
    private readonly resolve: (result: IteratorResult<T, undefined>) => void,
  ) {}

  receive(value: T): void {
    this.waiting.delete(this);
    this.resolve({ done: false, value });
  }

  skip(): void {
    // It is always ready.
  }

  end(): void {
    this.resolve(done);
  }
}
