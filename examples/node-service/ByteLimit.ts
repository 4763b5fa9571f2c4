import { Transform, type TransformCallback } from 'node:stream';
import { Refusal } from './Refusal.js';

/** Passes so many bytes, counts them, and fails at one more. */
export class ByteLimit extends Transform {
  bytes = 0;

  constructor(private readonly limit: number) {
    super();
  }

  override _transform(chunk: Buffer, _: BufferEncoding, done: TransformCallback): void {
    this.bytes += chunk.length;
    if (this.bytes > this.limit) done(tooLong(this.limit));
    else done(null, chunk);
  }
}

export const tooLong = (limit: number): Refusal => new Refusal(413, `the body is longer than ${String(limit)} bytes`);
