import { reportUnhandled } from '../internal/reportUnhandled.js';
import { WaitLine } from '../machines/WaitLine.js';
import type { Gate } from './protocol.js';

/**
 * A gate over a level that its owner knows. The owner calls `wake` after anything that may have opened it.
 *
 * In one round each waiter is called at most once, and only while the gate is open; a waiter that comes back goes to the
 * end of the line. If the round ends with the gate still open, the rest has its turn in a microtask: no wake-up is lost,
 * and nothing spins.
 */
export class LevelGate implements Gate {
  private readonly line = new WaitLine();
  private waking = false;

  constructor(private readonly isReady: () => boolean) {}

  get ready(): boolean {
    return this.isReady();
  }

  get hasWaiters(): boolean {
    return this.line.size > 0;
  }

  onReady(callback: () => void): () => void {
    const cancel = this.line.add(callback);
    if (!this.waking && this.isReady()) this.wakeLater();
    return cancel;
  }

  wake(): void {
    const { line } = this;
    if (line.size === 0 || this.waking) return;
    this.waking = true;
    for (let turns = line.size; turns > 0 && line.size > 0 && this.isReady(); turns--) {
      try {
        line.callFirst();
      } catch (thrown) {
        reportUnhandled(thrown); // one producer that fails must not stop the others
      }
    }
    this.waking = false;
    if (line.size > 0 && this.isReady()) this.wakeLater();
  }

  private wakeLater(): void {
    queueMicrotask(() => {
      this.wake();
    });
  }
}
