import { Debt } from './Debt.js';
import type { PermitRule } from './PermitRule.js';

/**
 * A bucket of `burst` permits, full at first, into which `limit` permits come back in each `interval`, evenly.
 *
 * So by definition up to `burst + limit` of them in an interval: those that were saved up, and those that come meanwhile.
 * It keeps two numbers.
 */
export class TokenBucket implements PermitRule {
  private readonly taken: Debt;

  constructor(
    private readonly limit: number,
    private readonly interval: number,
    readonly capacity: number,
  ) {
    this.taken = new Debt(limit);
  }

  delay(now: number, cost: number): number {
    const lacking = this.taken.at(now) - (this.capacity - cost) * this.interval;
    return Math.max(0, lacking) / this.limit;
  }

  take(now: number, cost: number): void {
    this.taken.add(now, cost * this.interval);
  }

  isIdle(now: number): boolean {
    return this.taken.at(now) <= 0;
  }
}
