/**
 * How the wait before a retry is spread, so that those who failed together do not come back together. Named as in "Exponential Backoff
 * And Jitter" (AWS Architecture Blog, 2015).
 *
 * - `'full'`: anything from 0 to the longest wait of this retry.
 * - `'equal'`: from half of it to all of it.
 * - `'decorrelated'`: from `initialDelay` to `factor` times the wait before, `maxDelay` at most.
 * - `'none'`: the longest wait itself.
 * @public
 */
export type Jitter = 'full' | 'equal' | 'decorrelated' | 'none';

export interface BackoffSettings {
  /** The longest wait before the first retry. */
  readonly initialDelay: number;
  /** At least `initialDelay`. */
  readonly maxDelay: number;
  /** At least 1: how much longer each is than the one before. */
  readonly factor: number;
  readonly jitter: Jitter;
  /** From 0 to 1. */
  readonly random: () => number;
}

/**
 * How long to wait before each retry.
 *
 * Each is made of the one before, and bounded: so no power of a large number is ever taken that would overflow.
 */
export class Backoff {
  /** What the next one is made of: the longest that it may be; with `'decorrelated'`, the wait before. */
  private basis: number;

  constructor(private readonly settings: BackoffSettings) {
    this.basis = settings.initialDelay;
  }

  /** The retries begin anew. */
  reset(): void {
    this.basis = this.settings.initialDelay;
  }

  next(): number {
    const { initialDelay, maxDelay, factor, jitter, random } = this.settings;
    const { basis } = this;
    if (jitter === 'decorrelated') {
      const most = Math.min(basis * factor, Number.MAX_VALUE); // of infinity nothing would be no number
      this.basis = Math.min(maxDelay, between(initialDelay, most, random()));
      return this.basis;
    }
    this.basis = Math.min(maxDelay, basis * factor);
    if (jitter === 'none') return basis;
    return between(jitter === 'equal' ? basis / 2 : 0, basis, random());
  }
}

function between(least: number, most: number, share: number): number {
  return least + (most - least) * share;
}
