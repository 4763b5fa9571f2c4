import type { FileHandle } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

type Done = (error?: Error | null) => void;

/** A file that is written one chunk after the other, and finishes when all of it is on the disk. */
export class DiskFile extends Writable {
  constructor(
    private readonly file: FileHandle,
    /** How long each write takes longer than it does, in ms. */
    private readonly delay: number,
  ) {
    super({ highWaterMark: 65_536, decodeStrings: true });
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: Done): void {
    settle(this.append(chunk), done);
  }

  override _final(done: Done): void {
    settle(this.file.sync(), done);
  }

  /** `close` waits for the write that is under way. */
  override _destroy(error: Error | null, done: Done): void {
    settle(this.file.close(), (failure) => {
      done(error ?? failure ?? null);
    });
  }

  private async append(chunk: Buffer): Promise<void> {
    if (this.delay > 0) await sleep(this.delay);
    // Not `write`, which may write less.
    await this.file.appendFile(chunk);
  }
}

function settle(work: Promise<void>, done: Done): void {
  work.then(
    () => {
      done();
    },
    done as (thrown: unknown) => void,
  );
}
