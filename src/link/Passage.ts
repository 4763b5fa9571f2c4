import type { Gate } from './protocol.js';

/** The way to a consumer that can be full: whether something may pass now, and one place in the line of its gate. */
export class Passage {
  private cancel: (() => void) | undefined;

  /** `onOpen` is called when something may pass that waited. Without a gate everything may. */
  constructor(
    private readonly gate: Gate | undefined,
    private readonly onOpen: () => void,
  ) {}

  get isOpen(): boolean {
    return !this.gate || this.gate.ready;
  }

  /** To be called when something waits: takes the place, unless it is taken. */
  wait(): void {
    if (this.cancel) return;
    let called = false; // a gate that is not ours may call back at once
    const cancel = this.gate?.onReady(() => {
      called = true;
      this.cancel = undefined;
      this.onOpen();
    });
    if (!called) this.cancel = cancel;
  }

  /** To be called when nothing waits any more: a place that is kept would take the turn of others. */
  leave(): void {
    this.cancel?.();
    this.cancel = undefined;
  }
}
