/** Keeps the halves of a surrogate pair together, where two strings were cut between them. */
export class SurrogatePairs {
  private half = '';

  /** Gives `text` behind the half that the last one ended with, and without the half that it ends with itself. */
  join(text: string): string {
    const joined = this.take() + text;
    const last = joined.charCodeAt(joined.length - 1);
    if (!(last >= 0xd800 && last < 0xdc00)) return joined;
    this.half = joined.slice(-1);
    return joined.slice(0, -1);
  }

  /** Gives the half that nothing has completed, or nothing. */
  take(): string {
    const { half } = this;
    this.half = '';
    return half;
  }
}
