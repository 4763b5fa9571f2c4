import type { PermitRule } from './PermitRule.js';

/** Small, because there may be one for each of many keys. */
const initialCapacity = 1;

/**
 * In any `interval`, whenever it begins, at most `limit` permits: the sliding window log.
 *
 * A permit that is taken at `t` is free again at `t + interval` exactly. It keeps when each was taken, those of one moment
 * together: so at most `limit` entries.
 */
export class SlidingWindow implements PermitRule {
  /** Two rings, a power of two long. */
  private times: number[] = [0];
  private costs: number[] = [0];
  private head = 0;
  private size = 0;
  private used = 0;

  constructor(
    readonly capacity: number,
    private readonly interval: number,
  ) {}

  delay(now: number, cost: number): number {
    this.forget(now);
    let lacking = this.used + cost - this.capacity;
    if (lacking <= 0) return 0;
    let slot = this.head;
    for (;;) {
      lacking -= this.costs[slot] as number;
      if (lacking <= 0) return (this.times[slot] as number) + this.interval - now;
      slot = (slot + 1) & (this.times.length - 1);
    }
  }

  take(now: number, cost: number): void {
    if (cost === 0) return;
    const last = (this.head + this.size - 1) & (this.times.length - 1);
    this.used += cost;
    if (this.size > 0 && this.times[last] === now) this.costs[last] = (this.costs[last] as number) + cost;
    else this.push(now, cost);
  }

  isIdle(now: number): boolean {
    this.forget(now);
    return this.size === 0;
  }

  private push(time: number, cost: number): void {
    if (this.size === this.times.length) this.grow();
    const slot = (this.head + this.size) & (this.times.length - 1);
    this.times[slot] = time;
    this.costs[slot] = cost;
    this.size++;
  }

  /** The moments that an interval has passed since. */
  private forget(now: number): void {
    const { times, interval } = this;
    while (this.size > 0 && (times[this.head] as number) + interval <= now) {
      this.used -= this.costs[this.head] as number;
      this.head = (this.head + 1) & (times.length - 1);
      if (--this.size === 0 && times.length > 1024) this.resize(initialCapacity); // does not keep its memory
    }
  }

  private grow(): void {
    this.resize(this.times.length * 2);
  }

  private resize(length: number): void {
    const { times, costs, head, size } = this;
    this.times = new Array<number>(length).fill(0);
    this.costs = new Array<number>(length).fill(0);
    this.head = 0;
    for (let i = 0; i < size; i++) {
      const slot = (head + i) & (times.length - 1);
      this.times[i] = times[slot] as number;
      this.costs[i] = costs[slot] as number;
    }
  }
}
