import { StringChunk, type Chunk } from './Chunk.js';

const none = new StringChunk('');

/**
 * The whole lines of a chunk, of which one after the other is taken.
 *
 * Where a line stands in the chunk is found only when it is asked for, by a cursor that follows: to decode many lines at
 * once and to count nothing is what makes it fast.
 */
export class WholeLines {
  /** Each line with its end. */
  private text = '';
  private at = 0;
  private chunk: Chunk = none;
  /** How many lines have been taken or skipped, which one was taken last, and before which one the cursor stands. */
  private passed = 0;
  private last = 0;
  private cursorLine = 0;
  private cursor = 0;
  private cursorOffset = 0;

  get hasMore(): boolean {
    return this.at < this.text.length;
  }

  /** Whether what comes next may be blank. */
  get beginsBlank(): boolean {
    return this.text.charCodeAt(this.at) <= 32;
  }

  /** Whether there is more, and what comes next has nothing but spaces, tabs and carriage returns. */
  get nextIsBlank(): boolean {
    for (let at = this.at; ; at++) {
      const code = this.text.charCodeAt(at);
      if (code === 10) return true;
      if (code !== 32 && code !== 9 && code !== 13) return false;
    }
  }

  /** Takes over `text`, which was decoded from `chunk`, where it begins at index `from`, and in all at byte `offset`. */
  set(text: string, chunk: Chunk, from: number, offset: number): void {
    this.text = text;
    this.at = 0;
    this.chunk = chunk;
    this.passed = 0;
    this.cursorLine = 0;
    this.cursor = from;
    this.cursorOffset = offset;
  }

  /** Only when there is more. */
  take(): string {
    const { text, at } = this;
    const end = text.indexOf('\n', at);
    this.at = end + 1;
    this.last = this.passed++;
    return text.slice(at, text.charCodeAt(end - 1) === 13 ? end - 1 : end);
  }

  skip(): void {
    this.at = this.text.indexOf('\n', this.at) + 1;
    this.passed++;
  }

  /** Where the line that was taken last begins, in bytes from the very beginning. */
  byteOffset(): number {
    this.moveTo(this.last);
    return this.cursorOffset;
  }

  /** How long the next line is, in bytes and without its end. */
  nextSize(): number {
    this.moveTo(this.passed);
    const { chunk, cursor } = this;
    const end = chunk.lineFeed(cursor);
    return chunk.size(cursor, chunk.returnBefore(end) ? end - 1 : end);
  }

  clear(): void {
    this.set('', none, 0, 0);
  }

  private moveTo(line: number): void {
    for (; this.cursorLine < line; this.cursorLine++) {
      const end = this.chunk.lineFeed(this.cursor) + 1;
      this.cursorOffset += this.chunk.size(this.cursor, end);
      this.cursor = end;
    }
  }
}
