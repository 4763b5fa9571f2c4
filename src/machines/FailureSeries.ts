/**
 * The failures in a row. A source that gives a value now and then between two of them is no better for that: only one that has gone
 * on for `resetAfter`, from its first value on, ends the row.
 */
export class FailureSeries {
  /** How many there are. */
  length = 0;
  private start = 0;
  private fineSince: number | undefined;

  constructor(private readonly resetAfter: number) {}

  /** Whether there has been a value since the last failure. */
  get isFine(): boolean {
    return this.fineSince !== undefined;
  }

  /** A value has come. */
  pass(now: number): void {
    this.fineSince ??= now;
  }

  /** Gives whether it is the first of a new row. */
  fail(now: number): boolean {
    const { fineSince, resetAfter } = this;
    const isFirst = this.length === 0 || (fineSince !== undefined && now - fineSince >= resetAfter);
    this.fineSince = undefined;
    this.length = isFirst ? 1 : this.length + 1;
    if (isFirst) this.start = now;
    return isFirst;
  }

  /** How long ago the first of the row was. */
  elapsed(now: number): number {
    return now - this.start;
  }
}
