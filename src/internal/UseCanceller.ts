import { noop, Subscription, type SchedulerLike } from 'rxjs';
import type { Canceller } from '../link/protocol.js';

/**
 * The canceller for the work that uses a resource. Work that was asked to stop leaves as soon as it has ended; but its end is told
 * only after the release, and who asked would not wait so long. So from the first to the second somebody stays.
 */
export class UseCanceller implements Canceller {
  /** Once work was asked to stop: why. */
  asked: { readonly reason: unknown } | undefined;
  private readonly leaves: (() => void)[] = [];
  private readonly checks = new Subscription();
  private isEnding = false;

  constructor(
    private readonly below: Canceller,
    private readonly scheduler: SchedulerLike,
  ) {}

  /** To be called before there is work: gives whether there should be none. */
  wasAsked(): boolean {
    this.below.onCancel((reason) => {
      this.asked = { reason };
    })();
    return this.asked !== undefined;
  }

  onCancel(cancel: (reason: unknown) => void): () => void {
    const leave = this.below.onCancel((reason) => {
      this.asked = { reason };
      cancel(reason);
    });
    return () => {
      if (!this.asked || this.checks.closed) {
        leave();
        return;
      }
      this.leaves.push(leave);
      this.checks.add(this.scheduler.schedule(this.check));
    };
  }

  /** The use has ended by itself: what follows does, too. */
  stay(): void {
    this.isEnding = true;
    if (this.asked) return;
    this.leaves.push(this.below.onCancel(noop));
    if (this.checks.closed) this.leaveAll(); // called off before, or by that
  }

  /** All is over, or nobody waits for it. */
  leave(): void {
    this.checks.unsubscribe();
    this.leaveAll();
  }

  /** Work leaves before operators in between have passed its end on: only now it is seen whether the use ends with it. */
  private readonly check = (): void => {
    if (!this.isEnding) this.leaveAll();
  };

  private leaveAll(): void {
    for (const leave of this.leaves.splice(0)) leave();
  }
}
