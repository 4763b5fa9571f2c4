import type { Chunk } from './Chunk.js';
import { excerptBytes } from './excerpt.js';
import { PartialLine } from './PartialLine.js';

/** A line that was spread over chunks. */
export interface ClosedLine {
  /** All of it; if it is too long, its beginning. */
  readonly text: string;
  readonly isOverlong: boolean;
  /** Where it begins, in bytes from the very beginning. */
  readonly start: number;
}

/**
 * The line whose end has not come.
 *
 * It holds no more than `maxLength` bytes: as soon as there are more, the line is given for too long, and the rest of it is
 * passed over.
 */
export class OpenLine {
  private readonly partial = new PartialLine();
  private start = 0;
  private passingOver = false;

  constructor(private readonly maxLength: number) {}

  get isOpen(): boolean {
    return this.passingOver || this.partial.size > 0;
  }

  /** A line begins at index `from` of `chunk`, and in all at byte `start`. Gives it if it is too long already. */
  begin(chunk: Chunk, from: number, start: number): ClosedLine | undefined {
    this.start = start;
    return this.add(chunk, from, chunk.length);
  }

  /** Goes on with `chunk`, as far as the line feed at `end`, or -1. Gives the line if it is complete or too long. */
  continue(chunk: Chunk, end: number): ClosedLine | undefined {
    const isComplete = end !== -1;
    const passesOver = this.passingOver;
    const overlong = passesOver ? undefined : this.add(chunk, 0, isComplete ? end : chunk.length);
    if (isComplete) this.passingOver = false;
    if (passesOver || overlong || !isComplete) return overlong;
    const { endsWithReturn } = this.partial;
    const text = this.partial.take();
    return { text: endsWithReturn ? text.slice(0, -1) : text, isOverlong: false, start: this.start };
  }

  /** It ends without a line feed, so a carriage return belongs to it. */
  end(): ClosedLine | undefined {
    const { partial, start } = this;
    if (partial.size === 0) return undefined;
    if (partial.size > this.maxLength) return this.takeOverlong();
    return { text: partial.take(), isOverlong: false, start };
  }

  clear(): void {
    this.partial.clear();
  }

  /** Gives the line if it has become too long; what might be half of its end does not count. */
  private add(chunk: Chunk, from: number, to: number): ClosedLine | undefined {
    const { partial } = this;
    const endsWithReturn = to > from ? chunk.returnBefore(to) : partial.endsWithReturn;
    const size = partial.size + chunk.size(from, to) - Number(endsWithReturn);
    const isOverlong = size > this.maxLength;
    partial.append(chunk.part(from, isOverlong ? Math.min(to, from + excerptBytes) : to));
    if (!isOverlong) return undefined;
    this.passingOver = true;
    return this.takeOverlong();
  }

  private takeOverlong(): ClosedLine {
    const text = this.partial.beginning();
    this.partial.clear();
    return { text, isOverlong: true, start: this.start };
  }
}
