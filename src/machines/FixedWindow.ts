import type { PermitRule } from './PermitRule.js';

/**
 * At most `limit` permits in a window, which begins with the first permit after the last window has ended.
 *
 * It keeps two numbers, and lets twice the limit through where two windows meet: the last ones of one window and the first
 * ones of the next may be a moment apart.
 */
export class FixedWindow implements PermitRule {
  private start = -Infinity;
  private used = 0;

  constructor(
    readonly capacity: number,
    private readonly interval: number,
  ) {}

  delay(now: number, cost: number): number {
    const end = this.start + this.interval;
    return now >= end || this.used + cost <= this.capacity ? 0 : end - now;
  }

  take(now: number, cost: number): void {
    if (cost === 0) return;
    if (this.isIdle(now)) {
      this.start = now;
      this.used = 0;
    }
    this.used += cost;
  }

  isIdle(now: number): boolean {
    return now >= this.start + this.interval;
  }
}
