import { Subscription, type SchedulerLike } from 'rxjs';
import { Passage } from '../../link/Passage.js';
import type { Gate } from '../../link/protocol.js';

export interface HedgeTimerEvents {
  /** Nothing has come for so long, though the consumer could have taken it. */
  readonly onDue: () => void;
  /** Time was up while the consumer could take nothing, and now it can: that was no silence, and time begins anew. */
  readonly onOpen: () => void;
}

/** Knows when the next attempt may begin because of time. */
export class HedgeTimer {
  private timer = Subscription.EMPTY;
  private readonly passage: Passage;

  constructor(
    private readonly scheduler: SchedulerLike,
    gate: Gate | undefined,
    private readonly events: HedgeTimerEvents,
  ) {
    this.passage = new Passage(gate, events.onOpen);
  }

  /** To be called when it is not set. 0 is at once, `Infinity` never. */
  set(ms: number): void {
    const { scheduler } = this;
    const dueAt = scheduler.now() + ms;
    if (ms === 0) this.end();
    else if (ms < Infinity) {
      this.timer = scheduler.schedule(() => {
        // A timer that comes late says that the event loop was busy: what has come meanwhile has its turn first.
        if (scheduler.now() > dueAt) this.timer = scheduler.schedule(this.end);
        else this.end();
      }, ms);
    }
  }

  cancel(): void {
    this.timer.unsubscribe();
    this.passage.leave();
  }

  private readonly end = (): void => {
    if (this.passage.isOpen) this.events.onDue();
    else this.passage.wait();
  };
}
