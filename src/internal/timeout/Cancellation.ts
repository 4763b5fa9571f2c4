import { noop } from 'rxjs';
import type { Canceller } from '../../link/protocol.js';
import { reportUnhandled } from '../reportUnhandled.js';

export interface CancellationEvents {
  /** Somebody below has asked, and so all work here is asked too. */
  readonly onAskedBelow: () => void;
  /** All have left that were asked. */
  readonly onAllLeft: () => void;
  /** Work is started anew, instead of coming to an end. */
  readonly onStartedAnew: () => void;
}

/** So often work may be started while that goes on which was asked: `retry` in between would do it for ever. */
const mostStarts = 100;

/**
 * Asks the work that has registered to stop, and knows when it has ended.
 *
 * It registers below itself and passes on what is asked there: work finds the nearest canceller only.
 */
export class Cancellation implements Canceller {
  private readonly members = new Set<{ readonly cancel: (reason: unknown) => void }>();
  private asked: { readonly reason: unknown; readonly below: boolean } | undefined;
  private starts = 0;
  private leaveBelow = noop;

  constructor(
    private readonly below: Canceller | undefined,
    private readonly events: CancellationEvents,
  ) {}

  /** To be called before there is work. */
  join(): void {
    const leave = this.below?.onCancel((reason) => {
      if (this.asked) return;
      this.events.onAskedBelow();
      this.tell({ reason, below: true });
    });
    if (leave) this.leaveBelow = leave;
    if (this.asked) this.leave(); // was asked before it came
  }

  /** To be called when all has ended here. */
  leave(): void {
    const { leaveBelow } = this;
    this.leaveBelow = noop;
    leaveBelow();
  }

  /** Gives whether there is anybody to ask. */
  ask(reason: unknown): boolean {
    if (this.members.size === 0) return false;
    this.tell({ reason, below: false });
    return true;
  }

  onCancel(cancel: (reason: unknown) => void): () => void {
    const { asked } = this;
    if (asked?.below) return this.below?.onCancel(cancel) ?? noop;
    if (asked) {
      attempt(cancel, asked.reason);
      this.starts++;
      if (this.members.size === 0 || this.starts > mostStarts) this.events.onStartedAnew();
      return noop;
    }
    const member = { cancel };
    this.members.add(member);
    return () => {
      if (this.members.delete(member)) this.check();
    };
  }

  private tell(asked: { readonly reason: unknown; readonly below: boolean }): void {
    this.asked = asked;
    this.check();
    for (const { cancel } of this.members) attempt(cancel, asked.reason); // those who leave meanwhile are passed over
  }

  private check(): void {
    if (!this.asked || this.members.size > 0) return;
    if (this.asked.below) this.leave();
    else this.events.onAllLeft();
  }
}

function attempt(cancel: (reason: unknown) => void, reason: unknown): void {
  try {
    cancel(reason);
  } catch (thrown) {
    reportUnhandled(thrown); // one that fails must not stop the others
  }
}
