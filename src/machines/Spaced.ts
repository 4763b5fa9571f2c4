import { Debt } from './Debt.js';
import type { PermitRule } from './PermitRule.js';

/**
 * One permit in each `interval / limit`, evenly, and none saved up: the generic cell rate algorithm (ITU-T I.371) without
 * bursts. Who takes several at a time is followed by as long a pause as if they had been taken one by one.
 *
 * It keeps two numbers.
 */
export class Spaced implements PermitRule {
  private readonly taken: Debt;

  constructor(
    readonly capacity: number,
    private readonly interval: number,
  ) {
    this.taken = new Debt(capacity);
  }

  delay(now: number, cost: number): number {
    return cost === 0 ? 0 : Math.max(0, this.taken.at(now)) / this.capacity;
  }

  take(now: number, cost: number): void {
    this.taken.add(now, cost * this.interval);
  }

  isIdle(now: number): boolean {
    return this.taken.at(now) <= 0;
  }
}
