/** Time that never goes back, from a clock that may be set back: by as much as it was set back, no time has passed. */
export class SteadyTime {
  private last = -Infinity;
  private ahead = 0;

  at(clock: number): number {
    const time = clock + this.ahead;
    if (time < this.last) this.ahead = this.last - clock;
    else this.last = time;
    return this.last;
  }
}
