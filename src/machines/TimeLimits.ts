export type TimeLimit = 'first' | 'each' | 'total';

/** In milliseconds, as long as one likes, but none of them negative. */
export type TimeLimitSettings = Readonly<Partial<Record<TimeLimit, number>>>;

/**
 * When time is up: for the whole, and for silence, which counts only from when it is said to until it is said not to.
 *
 * `each` also limits the silence before the first value, unless `first` does.
 */
export class TimeLimits {
  private readonly end: number;
  private silenceLimit: 'first' | 'each';
  /** How long silence may be that begins now. */
  private silence: number;
  private silenceEnd = Infinity;

  constructor(
    private readonly settings: TimeLimitSettings,
    now: number,
  ) {
    const { first, each = Infinity, total = Infinity } = settings;
    this.end = now + total;
    this.silenceLimit = first === undefined ? 'each' : 'first';
    this.silence = first ?? each;
  }

  /** When time is up, as things are; `Infinity`: never. */
  get due(): number {
    return Math.min(this.end, this.silenceEnd);
  }

  /** For what it is up then. Where it is for both, it is for the whole. */
  get limit(): TimeLimit {
    return this.end <= this.silenceEnd ? 'total' : this.silenceLimit;
  }

  /** Whether silence is limited that begins now. */
  get limitsSilence(): boolean {
    return this.silence < Infinity;
  }

  /** A value has come. */
  pass(): void {
    this.silenceEnd = Infinity;
    if (this.silenceLimit === 'each') return;
    this.silenceLimit = 'each';
    this.silence = this.settings.each ?? Infinity;
  }

  /** Silence counts from now on. */
  count(now: number): void {
    this.silenceEnd = now + this.silence;
  }

  /** Silence does not count. */
  pause(): void {
    this.silenceEnd = Infinity;
  }
}
