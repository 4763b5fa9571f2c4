import type { Gate } from '../../src/index.js';

/** A gate that a test opens and closes. */
export class ManualGate implements Gate {
  readonly waiters = new Set<() => void>();
  private open: boolean;

  constructor(open = false) {
    this.open = open;
  }

  get ready(): boolean {
    return this.open;
  }

  set ready(open: boolean) {
    this.open = open;
    if (!open) return;
    for (const waiter of [...this.waiters]) {
      if (!this.open) return;
      // Opened again inside of one of them, it may have called the next already.
      if (this.waiters.delete(waiter)) waiter();
    }
  }

  onReady(callback: () => void): () => void {
    // Each call is a registration of its own, also of the same callback.
    const waiter = () => {
      callback();
    };
    this.waiters.add(waiter);
    return () => this.waiters.delete(waiter);
  }

  /** Lets through what comes while it is open for one synchronous moment: `count` values of a consumer that closes it. */
  pass(): void {
    this.ready = true;
    this.ready = false;
  }
}
