import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { between } from './draw.mjs';

/**
 * A file that takes its time. The example opens a named pipe and writes to that as to any file: `write` blocks a thread of
 * libuv while the pipe is full, as it does on a disk that does not keep up. Here it is read, at a pace that changes, and
 * what has come is added to a file.
 */
export class SlowDisk {
  /** How often it took nothing for a while. */
  stalls = 0;
  #pipe;
  #target;
  #roll;
  #isOver = false;
  #copied;

  /** `roll` gives a number from 0 to 1 for each turn. */
  constructor(path, target, roll) {
    this.path = path;
    this.#roll = roll;
    execFileSync('mkfifo', [path]);
    // Does not wait for somebody who writes.
    this.#pipe = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    this.#target = openSync(target, 'a');
    this.#copied = this.#copy();
  }

  /** To be called when nobody writes any more: the rest is read at once. */
  async end() {
    this.#isOver = true;
    await this.#copied;
    closeSync(this.#pipe);
    closeSync(this.#target);
    rmSync(this.path);
  }

  async #copy() {
    const buffer = Buffer.alloc(65_536);
    for (let turn = 0; ; turn++) {
      const isOver = this.#isOver; // before it reads: afterwards there is no more
      const length = this.#read(buffer, isOver ? buffer.length : between(512, buffer.length, this.#roll(turn)));
      writeSync(this.#target, buffer, 0, length);
      if (isOver && length === 0) return;
      if (!isOver) await sleep(this.#pauseAfter(turn));
    }
  }

  #read(buffer, length) {
    try {
      return readSync(this.#pipe, buffer, 0, length, null);
    } catch (error) {
      if (error.code === 'EAGAIN') return 0;
      throw error;
    }
  }

  #pauseAfter(turn) {
    const share = this.#roll(turn, 1);
    if (share > 0.01) return between(2, 60, share);
    this.stalls++;
    return 300 + 120_000 * share; // to 1.5 s
  }
}
