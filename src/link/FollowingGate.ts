import { LevelGate } from './LevelGate.js';

/** A level gate that hangs on other gates: it waits at them exactly while somebody waits here. */
export abstract class FollowingGate extends LevelGate {
  override onReady(callback: () => void): () => void {
    const cancel = super.onReady(callback);
    this.follow();
    return () => {
      cancel();
      this.follow();
    };
  }

  override wake(): void {
    super.wake();
    this.follow();
  }

  /** Waits where it has to, and nowhere else. */
  protected abstract follow(): void;
}
