/** In ms; the clock is read after every 16th value. */
const longest = 10;
const clockMask = 15;

/** So many values, or as many as there are in 10 ms, after which others have their turn. */
export class Slice {
  private count = 0;
  private start = 0;

  /** `Infinity`: others never have their turn. */
  constructor(private readonly size: number) {}

  /** To be asked before each value. When it is over, the next one begins. */
  isOver(now: () => number): boolean {
    if (this.size === Infinity) return false;
    const count = this.count++;
    if (count === 0) this.start = now();
    else if (count >= this.size || ((count & clockMask) === 0 && now() - this.start >= longest)) {
      this.count = 0;
      return true;
    }
    return false;
  }
}
