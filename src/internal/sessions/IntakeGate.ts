import { FollowingGate } from '../../link/FollowingGate.js';
import { Passage } from '../../link/Passage.js';
import type { Gate } from '../../link/protocol.js';

/** A level gate that the gate below may open, but need not: it is watched while somebody waits here. */
export class IntakeGate extends FollowingGate {
  private readonly below: Passage;

  constructor(isReady: () => boolean, below: Gate | undefined) {
    super(isReady);
    this.below = new Passage(below, () => {
      this.wake();
    });
  }

  /** Whether the gate below is open. */
  get isBelowOpen(): boolean {
    return this.below.isOpen;
  }

  protected override follow(): void {
    if (!this.hasWaiters || this.below.isOpen) this.below.leave();
    else this.below.wait();
  }
}
