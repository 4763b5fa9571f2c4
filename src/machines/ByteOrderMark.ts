const mark = new Uint8Array([0xef, 0xbb, 0xbf]);

/** Leaves out a byte order mark at the very beginning; as bytes it may come piece by piece. */
export class ByteOrderMark {
  /** What comes now is behind the beginning. */
  isPast = false;
  /** How many bytes were left out. */
  size = 0;
  /** How many bytes of it have come, and are kept until it is clear what they are. */
  private matched = 0;

  /** Gives what is no mark, and nothing as long as it may become one. Only until it is past. */
  leaveOut(input: string | Uint8Array): (string | Uint8Array)[] {
    if (input.length === 0) return [];
    if (typeof input !== 'string') return this.leaveOutBytes(input);
    const kept = this.release();
    if (kept.length > 0 || !input.startsWith('\uFEFF')) return [...kept, input];
    this.size = mark.length;
    return [input.slice(1)];
  }

  /** Gives what was kept: the rest of a mark does not come. */
  release(): Uint8Array[] {
    const kept = mark.slice(0, this.matched);
    this.isPast = true;
    this.matched = 0;
    return kept.length > 0 ? [kept] : [];
  }

  private leaveOutBytes(bytes: Uint8Array): Uint8Array[] {
    const rest = mark.subarray(this.matched, this.matched + bytes.length);
    if (rest.some((byte, at) => byte !== bytes[at])) return [...this.release(), bytes];
    this.matched += rest.length;
    if (this.matched < mark.length) return [];
    this.release();
    this.size = mark.length;
    return [bytes.subarray(rest.length)];
  }
}
