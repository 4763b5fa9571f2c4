import { excerptBytes } from './excerpt.js';
import { decodeUtf8, utf8Length } from './utf8.js';

const empty = new Uint8Array(0);

/**
 * A line that has come in part, put together from strings and bytes.
 *
 * Bytes are copied, so that the chunk from which they are can go and a character may be spread over several; they are
 * decoded once, at the end of the line.
 */
export class PartialLine {
  /** In bytes of UTF-8. */
  size = 0;
  private text = '';
  private bytes = empty;
  private used = 0;

  /** Whether the last of it is a carriage return. */
  get endsWithReturn(): boolean {
    return this.used > 0 ? this.bytes[this.used - 1] === 13 : this.text.endsWith('\r');
  }

  append(piece: string | Uint8Array): void {
    if (typeof piece === 'string') {
      this.decode();
      this.text += piece;
      this.size += utf8Length(piece);
    } else {
      this.reserve(this.used + piece.length);
      this.bytes.set(piece, this.used);
      this.used += piece.length;
      this.size += piece.length;
    }
  }

  /** Enough of it for an excerpt. */
  beginning(): string {
    return this.text + decodeUtf8(this.bytes.subarray(0, Math.min(this.used, excerptBytes)));
  }

  take(): string {
    this.decode();
    const { text } = this;
    this.clear();
    return text;
  }

  clear(): void {
    this.text = '';
    this.used = 0;
    this.size = 0;
    if (this.bytes.length > 65_536) this.bytes = empty; // a long line does not keep its memory
  }

  private decode(): void {
    if (this.used === 0) return;
    this.text += decodeUtf8(this.bytes.subarray(0, this.used));
    this.used = 0;
  }

  private reserve(length: number): void {
    if (length <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(256, length, 2 * this.bytes.length));
    larger.set(this.bytes.subarray(0, this.used));
    this.bytes = larger;
  }
}
