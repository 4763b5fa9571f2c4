import { ByteOrderMark } from './ByteOrderMark.js';
import { ByteChunk, StringChunk, type Chunk } from './Chunk.js';
import { excerpt } from './excerpt.js';
import { OpenLine, type ClosedLine } from './OpenLine.js';
import { SurrogatePairs } from './SurrogatePairs.js';
import { WholeLines } from './WholeLines.js';

/** What is given in place of a line that is longer than allowed. */
interface OverlongLine {
  /** How it begins. */
  readonly excerpt: string;
}

export type Line = string | OverlongLine;

export interface LineSplitterSettings {
  /** In bytes of UTF-8, without the end of the line; or `Infinity`. */
  readonly maxLineLength: number;
  /** Leaves out lines of nothing but spaces, tabs and carriage returns; they are counted. */
  readonly skipBlank: boolean;
}

interface Apart {
  readonly line: Line;
  readonly start: number;
}

/**
 * Splits strings and bytes of UTF-8 into lines, each taken out when it is wanted.
 *
 * A line ends with LF or CRLF, the last one also with the end; a lone CR stays in its line. What is at hand is, in this
 * order: the line that began before the chunk (`head`), the lines that the chunk has as a whole, and `tail`: the line that
 * the chunk begins, once it has become too long or turns out to be the last.
 */
export class LineSplitter {
  /** The number of the line that was taken last, from 1. */
  line = 0;

  private head: Apart | undefined = undefined;
  private readonly whole = new WholeLines();
  private tail: Apart | undefined = undefined;
  private readonly open: OpenLine;

  /** How many lines have been taken or left out. */
  private counted = 0;
  /** How many bytes have come. */
  private received = 0;
  /** Where the line that was taken last begins, as far as it is known. */
  private start: number | undefined = undefined;
  /** Among the whole lines there may be one that is too long. */
  private measures = false;
  private readonly mark = new ByteOrderMark();
  private readonly pairs = new SurrogatePairs();

  constructor(private readonly settings: LineSplitterSettings) {
    this.open = new OpenLine(settings.maxLineLength);
  }

  /** Whether `next` has something to give. */
  get hasMore(): boolean {
    return this.whole.hasMore || this.head !== undefined || this.tail !== undefined;
  }

  /** Where the line that was taken last begins, in bytes from the very beginning; only before `forget`. */
  get byteOffset(): number {
    return this.start ?? this.whole.byteOffset();
  }

  /** Only when there is no more. */
  push(input: string | Uint8Array): void {
    const { mark } = this;
    if (mark.isPast) this.add(input);
    else {
      const pieces = mark.leaveOut(input);
      this.received = mark.size;
      for (const piece of pieces) this.add(piece);
    }
  }

  /** No more chunks come, and there is no more: what has come of a line is the last one. */
  end(): void {
    for (const piece of this.mark.release()) this.add(piece);
    this.releaseHalfPair();
    const last = this.open.end();
    if (last) this.tail = this.apart(last);
  }

  /** Only when there is more. */
  next(): Line {
    const { whole } = this;
    this.line = ++this.counted;
    if (this.head !== undefined || this.measures || !whole.hasMore) return this.nextApart();
    const line = whole.take();
    this.start = undefined;
    if (whole.beginsBlank) this.leaveOutBlank();
    return line;
  }

  /** Lets go of the chunk, whose lines are taken or unwanted. What has come of the next line stays. */
  forget(): void {
    this.whole.clear();
    this.head = undefined;
    this.tail = undefined;
  }

  /** Lets go of everything. */
  clear(): void {
    this.forget();
    this.open.clear();
  }

  /** What is not just the next whole line. */
  private nextApart(): Line {
    const { head, whole, tail } = this;
    const apart = head ?? (tail && !whole.hasMore ? tail : this.takeMeasured());
    if (apart === tail) this.tail = undefined;
    this.head = undefined;
    this.start = apart.start;
    this.leaveOutBlank();
    return apart.line;
  }

  private add(input: string | Uint8Array): void {
    if (typeof input === 'string') this.receive(new StringChunk(this.pairs.join(input)));
    else {
      this.releaseHalfPair();
      this.receive(new ByteChunk(input));
    }
  }

  private receive(chunk: Chunk): void {
    const { whole, open, settings } = this;
    const chunkStart = this.received;
    this.received += chunk.size(0, chunk.length);

    let from = 0;
    if (open.isOpen) {
      const end = chunk.lineFeed(0);
      const closed = open.continue(chunk, end);
      if (closed) this.head = this.apart(closed);
      if (end === -1) return;
      from = end + 1;
    }
    const to = Math.max(from, chunk.lastLineFeed() + 1);
    const start = chunkStart + chunk.size(0, from);
    const size = chunk.size(from, to);
    this.measures = size > settings.maxLineLength;
    if (to > from) whole.set(chunk.text(from, to), chunk, from, start);
    if (to < chunk.length) this.begin(chunk, to, start + size);
    if (!this.head) this.leaveOutBlank();
  }

  private begin(chunk: Chunk, from: number, start: number): void {
    const closed = this.open.begin(chunk, from, start);
    if (!closed) return;
    if (this.hasMore) this.tail = this.apart(closed);
    else this.head = this.apart(closed);
  }

  /** What is given for a line that was spread over chunks, unless it is left out. */
  private apart({ text, isOverlong, start }: ClosedLine): Apart | undefined {
    if (isOverlong) return { line: { excerpt: excerpt(text) }, start };
    if (!this.settings.skipBlank || !/^[ \t\r]*$/.test(text)) return { line: text, start };
    this.counted++;
    return undefined;
  }

  private takeMeasured(): Apart {
    const { whole, settings } = this;
    const isOverlong = whole.nextSize() > settings.maxLineLength;
    const line = whole.take();
    const start = whole.byteOffset(); // before the cursor moves on to measure the next
    return { line: isOverlong ? { excerpt: excerpt(line) } : line, start };
  }

  private leaveOutBlank(): void {
    const { whole, settings } = this;
    while (settings.skipBlank && whole.nextIsBlank) {
      if (this.measures && whole.nextSize() > settings.maxLineLength) return;
      whole.skip();
      this.counted++;
    }
  }

  /** Nothing comes that could complete it. */
  private releaseHalfPair(): void {
    const half = this.pairs.take();
    if (half !== '') this.receive(new StringChunk(half));
  }
}
