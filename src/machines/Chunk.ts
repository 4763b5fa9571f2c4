import { decodeUtf8, utf8Length } from './utf8.js';

/** Text that has come in one piece; indices count what it is made of, sizes are in bytes of UTF-8. */
export interface Chunk {
  readonly length: number;
  /** Where the first line feed from `from` on is, or -1. */
  lineFeed(from: number): number;
  lastLineFeed(): number;
  /** Whether a carriage return stands before `to`. */
  returnBefore(to: number): boolean;
  size(from: number, to: number): number;
  part(from: number, to: number): string | Uint8Array;
  text(from: number, to: number): string;
}

const lineFeed = 10;
const carriageReturn = 13;

export class ByteChunk implements Chunk {
  readonly length: number;

  constructor(private readonly bytes: Uint8Array) {
    this.length = bytes.length;
  }

  lineFeed(from: number): number {
    return this.bytes.indexOf(lineFeed, from);
  }

  lastLineFeed(): number {
    return this.bytes.lastIndexOf(lineFeed);
  }

  returnBefore(to: number): boolean {
    return this.bytes[to - 1] === carriageReturn;
  }

  size(from: number, to: number): number {
    return to - from;
  }

  part(from: number, to: number): Uint8Array {
    return this.bytes.subarray(from, to);
  }

  text(from: number, to: number): string {
    return decodeUtf8(this.bytes.subarray(from, to));
  }
}

export class StringChunk implements Chunk {
  readonly length: number;

  constructor(private readonly string: string) {
    this.length = string.length;
  }

  lineFeed(from: number): number {
    return this.string.indexOf('\n', from);
  }

  lastLineFeed(): number {
    return this.string.lastIndexOf('\n');
  }

  returnBefore(to: number): boolean {
    return this.string.charCodeAt(to - 1) === carriageReturn;
  }

  size(from: number, to: number): number {
    return utf8Length(this.text(from, to));
  }

  part(from: number, to: number): string {
    return this.text(from, to);
  }

  text(from: number, to: number): string {
    return this.string.slice(from, to);
  }
}
