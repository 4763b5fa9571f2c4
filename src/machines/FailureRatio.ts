import type { FailurePolicy } from './FailurePolicy.js';
import type { OutcomeWindow } from './OutcomeWindow.js';

/** So large a share of the calls in a window; of fewer than `minimum` calls none is. */
export class FailureRatio implements FailurePolicy {
  constructor(
    private readonly ratio: number,
    private readonly minimum: number,
    private readonly window: OutcomeWindow,
  ) {}

  get isReached(): boolean {
    const { calls, failures } = this.window;
    return calls >= this.minimum && failures / calls >= this.ratio;
  }

  record(now: number, failed: boolean): void {
    this.window.add(now, failed);
  }

  reset(): void {
    this.window.clear();
  }
}
