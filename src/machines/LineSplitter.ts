import { ByteChunk, StringChunk, type Chunk } from './Chunk.js';
import { excerpt, excerptBytes } from './excerpt.js';
import { PartialLine } from './PartialLine.js';
import { WholeLines } from './WholeLines.js';

/** What is given in place of a line that is longer than allowed. */
export interface OverlongLine {
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
  private readonly partial = new PartialLine();
  private partialStart = 0;
  /** The line under way is too long, which has been told: the rest of it is passed over. */
  private passingOver = false;

  /** How many lines have been taken or left out. */
  private counted = 0;
  /** How many bytes have come. */
  private received = 0;
  /** Where the line that was taken last begins, as far as it is known. */
  private start: number | undefined = undefined;
  /** Among the whole lines there may be one that is too long. */
  private measures = false;
  /** A byte order mark would be behind. */
  private started = false;
  /** The first half of a surrogate pair, which a string ended with. */
  private halfPair = '';

  constructor(private readonly settings: LineSplitterSettings) {}

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
    if (typeof input === 'string') this.receive(new StringChunk(this.wholePairs(input)));
    else {
      this.releaseHalfPair();
      this.receive(new ByteChunk(input));
    }
  }

  /** No more chunks come, and there is no more: what has come of a line is the last one. */
  end(): void {
    this.releaseHalfPair();
    const { partial, partialStart: start, settings } = this;
    if (partial.size === 0) return;
    const isOverlong = partial.size > settings.maxLineLength;
    const isFirst = !this.started;
    const line = this.withoutMark(isOverlong ? partial.beginning() : partial.take());
    partial.clear();
    if (isOverlong) this.tail = { line: { excerpt: excerpt(line) }, start };
    else if (!(isFirst && line === '') && !this.leavesOut(line)) this.tail = { line, start };
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

  private receive(chunk: Chunk): void {
    const { whole, settings } = this;
    const chunkStart = this.received;
    this.received += chunk.size(0, chunk.length);

    let from = 0;
    if (this.passingOver || this.partial.size > 0) {
      const end = chunk.lineFeed(0);
      this.continueLine(chunk, end);
      if (end === -1) return;
      from = end + 1;
    }
    const to = Math.max(from, chunk.lastLineFeed() + 1);
    const start = chunkStart + chunk.size(0, from);
    const size = chunk.size(from, to);
    this.measures = size > settings.maxLineLength;
    if (to > from) whole.set(this.withoutMark(chunk.text(from, to)), chunk, from, start);
    this.partialStart = start + size;
    if (to < chunk.length) this.beginLine(chunk, to);
    if (!this.head) this.leaveOutBlank();
  }

  /** `end` is where the chunk ends the line that began before it, or -1. */
  private continueLine(chunk: Chunk, end: number): void {
    const { partial, partialStart: start, passingOver } = this;
    const to = end === -1 ? chunk.length : end;
    if (passingOver) this.passingOver = end === -1;
    else if (this.isOverlong(chunk, 0, to)) {
      this.head = this.passOver(chunk, 0, to);
      this.passingOver = end === -1;
    } else {
      partial.append(chunk.part(0, to));
      if (end === -1) return;
      const { endsWithReturn } = partial;
      const text = this.withoutMark(partial.take());
      const line = endsWithReturn ? text.slice(0, -1) : text;
      if (this.leavesOut(line)) this.counted++;
      else this.head = { line, start };
    }
  }

  private beginLine(chunk: Chunk, from: number): void {
    if (this.isOverlong(chunk, from, chunk.length)) {
      const overlong = this.passOver(chunk, from, chunk.length);
      if (this.hasMore) this.tail = overlong;
      else this.head = overlong;
      this.passingOver = true;
    } else this.partial.append(chunk.part(from, chunk.length));
  }

  /** Whether the line is too long with this part of `chunk`, where a carriage return may belong to its end. */
  private isOverlong(chunk: Chunk, from: number, to: number): boolean {
    const { partial, settings } = this;
    const endsWithReturn = to > from ? chunk.returnBefore(to) : partial.endsWithReturn;
    return partial.size + chunk.size(from, to) - Number(endsWithReturn) > settings.maxLineLength;
  }

  private passOver(chunk: Chunk, from: number, to: number): Apart {
    const { partial, partialStart: start } = this;
    partial.append(chunk.part(from, Math.min(to, from + excerptBytes)));
    const line = { excerpt: excerpt(this.withoutMark(partial.beginning())) };
    partial.clear();
    return { line, start };
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

  private leavesOut(line: string): boolean {
    return this.settings.skipBlank && /^[ \t\r]*$/.test(line);
  }

  private withoutMark(text: string): string {
    const hasMark = !this.started && text.startsWith('\uFEFF');
    this.started = true;
    return hasMark ? text.slice(1) : text;
  }

  private wholePairs(input: string): string {
    const text = this.halfPair + input;
    const last = text.charCodeAt(text.length - 1);
    this.halfPair = last >= 0xd800 && last < 0xdc00 ? text.slice(-1) : '';
    return this.halfPair === '' ? text : text.slice(0, -1);
  }

  /** Nothing comes that could complete it. */
  private releaseHalfPair(): void {
    if (this.halfPair === '') return;
    const chunk = new StringChunk(this.halfPair);
    this.halfPair = '';
    this.receive(chunk);
  }
}
