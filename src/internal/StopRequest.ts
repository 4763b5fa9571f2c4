import { noop, type Subscriber } from 'rxjs';
import type { Canceller } from '../link/protocol.js';
import { findCanceller } from '../link/walk.js';

/**
 * Knows whether somebody below has asked all work to stop: then none is begun anew.
 *
 * It only listens: the work that runs is asked, too, and who has asked waits for that alone.
 */
export class StopRequest {
  isMade = false;
  private leaveCanceller = noop;
  private readonly canceller: Canceller | undefined;

  constructor(
    private readonly destination: Subscriber<never>,
    private readonly onMade: () => void,
  ) {
    this.canceller = findCanceller(destination);
  }

  /** To be called before there is work; what leaves has to be added to the destination before. */
  join(): void {
    const leave = this.canceller?.onCancel(() => {
      this.isMade = true;
      this.onMade();
      this.leave();
    });
    if (!leave) return;
    this.leaveCanceller = leave;
    if (this.isMade || this.destination.closed) this.leave(); // it was made before, or nobody is there any more
  }

  leave(): void {
    const { leaveCanceller } = this;
    this.leaveCanceller = noop;
    leaveCanceller();
  }
}
