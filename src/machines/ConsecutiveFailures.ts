import type { FailurePolicy } from './FailurePolicy.js';

/** So many failures with no success in between. */
export class ConsecutiveFailures implements FailurePolicy {
  private inRow = 0;

  constructor(private readonly limit: number) {}

  get isReached(): boolean {
    return this.inRow >= this.limit;
  }

  record(_now: number, failed: boolean): void {
    this.inRow = failed ? this.inRow + 1 : 0;
  }

  reset(): void {
    this.inRow = 0;
  }
}
