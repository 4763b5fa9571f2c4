import { VirtualTimeScheduler } from 'rxjs';

/** A promise that the test settles; it calls back at once, so that virtual time is exact. */
export class Later<T> implements PromiseLike<T> {
  private readonly waiters: ((settle: { value: T } | { error: unknown }) => void)[] = [];
  private settled: { value: T } | { error: unknown } | undefined;

  readonly resolve = (value: T): void => {
    this.settle({ value });
  };

  readonly reject = (error: unknown): void => {
    this.settle({ error });
  };

  then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): PromiseLike<A | B> {
    const tell = (settled: { value: T } | { error: unknown }) => {
      if ('value' in settled) void onFulfilled?.(settled.value);
      else void onRejected?.(settled.error);
    };
    if (this.settled) tell(this.settled);
    else this.waiters.push(tell);
    return this as unknown as PromiseLike<A | B>;
  }

  private settle(settled: { value: T } | { error: unknown }): void {
    if (this.settled) return;
    this.settled = settled;
    for (const waiter of this.waiters.splice(0)) waiter(settled);
  }
}

/** Virtual time that goes on by so many ms, also where nothing is due. */
export class Clock extends VirtualTimeScheduler {
  advance(ms: number): void {
    this.maxFrames = this.frame + ms;
    this.flush();
    this.frame = this.maxFrames;
  }

  /** Settles so many ms from now. */
  in<T>(ms: number, value: T): Later<T> {
    const later = new Later<T>();
    this.schedule(() => {
      later.resolve(value);
    }, ms);
    return later;
  }
}
