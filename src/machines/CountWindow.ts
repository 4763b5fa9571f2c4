import type { OutcomeWindow } from './OutcomeWindow.js';
import { RingBuffer } from './RingBuffer.js';

/** The last so many calls. */
export class CountWindow implements OutcomeWindow {
  failures = 0;
  private outcomes = new RingBuffer<boolean>();

  constructor(private readonly size: number) {}

  get calls(): number {
    return this.outcomes.size;
  }

  add(_now: number, failed: boolean): void {
    const { outcomes } = this;
    if (outcomes.size === this.size && outcomes.shift()) this.failures--;
    outcomes.push(failed);
    if (failed) this.failures++;
  }

  clear(): void {
    this.outcomes = new RingBuffer();
    this.failures = 0;
  }
}
