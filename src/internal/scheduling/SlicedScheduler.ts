import { ActionScheduler } from './ActionScheduler.js';

/** A slice that is to come. */
interface Request {
  /** As it was then: fake timers that are taken away have taken the slice with them, in whatever way it was asked for. */
  readonly setTimeout: unknown;
  readonly cancel: () => void;
}

/** Runs its actions in slices, one after the other until a slice is over; `Turn` is what the platform gives with each. */
export abstract class SlicedScheduler<Turn = void> extends ActionScheduler {
  private request: Request | undefined;
  private inSlice = false;

  /** Sees to it that a slice is to come exactly as long as somebody waits for it. */
  arrange(): void {
    if (this.inSlice) return;
    const isWaiting = (this.ready.first ?? this.fired.first) !== undefined;
    if (isWaiting && this.request?.setTimeout === setTimeout) return;
    this.request?.cancel();
    this.request = undefined;
    if (isWaiting) this.ask();
  }

  /** Calls `runSlice` later. Returns the cancellation. */
  protected abstract requestSlice(runSlice: (turn: Turn) => void): () => void;

  /** Runs from the line what the slice has time for. */
  protected abstract runReady(turn: Turn): void;

  private ask(): void {
    let began = false; // what stands in for the platform in a test may call back at once
    const cancel = this.requestSlice((turn) => {
      began = true;
      this.runSlice(turn);
    });
    if (!began) this.request = { setTimeout, cancel };
  }

  private runSlice(turn: Turn): void {
    this.request = undefined;
    this.inSlice = true;
    try {
      this.lineUpFired();
      this.runReady(turn);
    } finally {
      this.inSlice = false; // a stand-in for the platform may have given a turn that does not tell the time
      this.arrange();
    }
  }
}
