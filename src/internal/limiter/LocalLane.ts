import type { PermitRule } from '../../machines/PermitRule.js';
import type { Claimant } from './Claimant.js';
import { Lane, type LaneHost } from './Lane.js';

/** A lane whose permits are counted here. */
export class LocalLane extends Lane {
  protected readonly failure = undefined;

  constructor(
    host: LaneHost,
    key: unknown,
    private readonly rule: PermitRule,
  ) {
    super(host, key);
  }

  tryTake(cost: number): boolean {
    if (this.isWaitedFor) return false;
    const now = this.host.now();
    if (this.isPaused(now) || this.rule.delay(now, cost) > 0) return false;
    this.count(now, cost);
    return true;
  }

  isIdle(now: number): boolean {
    return !this.isInUse && this.ownPause <= now && this.rule.isIdle(now);
  }

  protected serve(claimant: Claimant, now: number): 'served' | number {
    const { cost } = claimant;
    const delay = this.rule.delay(now, cost);
    if (delay > 0) return delay;
    this.take(claimant);
    this.count(now, cost);
    claimant.receive();
    return 'served';
  }

  protected delayFor(cost: number, now: number): number {
    return this.rule.delay(now, cost);
  }

  private count(now: number, cost: number): void {
    this.rule.take(now, cost);
    this.host.taken += cost;
  }
}
