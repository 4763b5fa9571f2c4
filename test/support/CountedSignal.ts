/** A controller whose signal counts the listeners that it has. */
export class CountedSignal {
  readonly signal: AbortSignal;
  /** How many listeners it has now. */
  listeners = 0;
  /** How many were ever added. */
  added = 0;
  private readonly controller = new AbortController();

  constructor() {
    const { signal } = this.controller;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    const present = new Set<unknown>();
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      present.add(args[1]);
      this.listeners = present.size;
      this.added++;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      present.delete(args[1]);
      this.listeners = present.size;
      remove(...args);
    };
    this.signal = signal;
  }

  abort(reason?: unknown): void {
    this.controller.abort(reason);
  }
}
