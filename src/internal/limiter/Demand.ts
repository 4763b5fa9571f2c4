import { DependentGate } from '../../link/DependentGate.js';
import { LevelGate } from '../../link/LevelGate.js';
import type { Gate } from '../../link/protocol.js';

/**
 * How the sources above are asked: not while more is about to leave, since what one that cannot wait brings then would have
 * to wait for that.
 */
export class Demand {
  readonly gate: LevelGate;
  private isHeld = false;

  constructor(hasRoom: () => boolean, below: Gate | undefined) {
    this.gate = below ? new DependentGate(hasRoom, below) : new LevelGate(hasRoom);
  }

  /** To be called when there may be room. */
  wake(): void {
    if (!this.isHeld) this.gate.wake();
  }

  /** Asks when `lane` has drained, which it is doing. */
  wakeAfter(lane: { whenDrained(call: () => void): void }): void {
    if (this.isHeld) return;
    this.isHeld = true;
    lane.whenDrained(this.release);
  }

  /** Asks when `leave` is done. */
  wakeAfterAll(leave: () => void): void {
    const isWithin = this.isHeld;
    this.isHeld = true;
    leave();
    if (!isWithin) this.release();
  }

  private readonly release = (): void => {
    this.isHeld = false;
    this.gate.wake();
  };
}
