import { FollowingGate } from './FollowingGate.js';
import type { Gate } from './protocol.js';

/**
 * A level gate that is open only while the gate below it is open too.
 *
 * It waits below exactly while somebody waits here: without the registration a wake-up would be lost, and one that stays
 * when nobody waits any more would take the turn of others.
 */
export class DependentGate extends FollowingGate {
  private cancelBelow: (() => void) | undefined;

  constructor(
    isReady: () => boolean,
    private readonly below: Gate,
    private readonly onIdle?: () => void,
  ) {
    super(() => isReady() && below.ready);
  }

  protected override follow(): void {
    if (!this.hasWaiters) {
      const cancel = this.cancelBelow;
      this.cancelBelow = undefined;
      cancel?.();
      this.onIdle?.();
    } else if (!this.cancelBelow && !this.below.ready) {
      this.cancelBelow = this.below.onReady(() => {
        this.cancelBelow = undefined;
        this.wake();
      });
    }
  }
}
