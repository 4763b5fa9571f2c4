import { ActionScheduler } from './ActionScheduler.js';

/** Runs its actions in slices, one after the other until a slice is over; `Turn` is what the platform gives with each. */
export abstract class SlicedScheduler<Turn = void> extends ActionScheduler {
  private cancelSlice: (() => void) | undefined;
  private inSlice = false;

  /** Sees to it that a slice is to come exactly as long as somebody waits for it. */
  arrange(): void {
    if (this.inSlice) return;
    if (this.ready.first || this.fired.first) {
      this.cancelSlice ??= this.requestSlice(this.runSlice);
    } else {
      this.cancelSlice?.();
      this.cancelSlice = undefined;
    }
  }

  /** Calls `runSlice` later, never at once. Returns the cancellation. */
  protected abstract requestSlice(runSlice: (turn: Turn) => void): () => void;

  /** Runs from the line what the slice has time for. */
  protected abstract runReady(turn: Turn): void;

  private readonly runSlice = (turn: Turn): void => {
    this.cancelSlice = undefined;
    this.inSlice = true;
    this.lineUpFired();
    this.runReady(turn);
    this.inSlice = false;
    this.arrange();
  };
}
