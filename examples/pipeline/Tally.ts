/** What has happened so far. */
export class Tally {
  /** Records taken from the input, well-formed or not. */
  read = 0;
  /** Records that have been handed to the output. */
  finished = 0;
  /** Records of which the output has said that they are written; known at the end, if that is a good one. */
  written: number | undefined;
  bad = 0;
  retries = 0;
  /** The most records that ever waited for a slot, the one about to take it included. */
  mostWaiting = 0;
  private started = 0;
  private readonly startTime = performance.now();

  start(): void {
    this.mostWaiting = Math.max(this.mostWaiting, this.waiting);
    this.started++;
  }

  get waiting(): number {
    return this.read - this.started;
  }

  /** Neither written nor set aside, and, once the pipeline has ended, never to be. */
  get missing(): number {
    return this.read - (this.written ?? this.finished) - this.bad;
  }

  get seconds(): number {
    return (performance.now() - this.startTime) / 1000;
  }

  /** Records per second. */
  get throughput(): number {
    return Math.round((this.finished + this.bad) / this.seconds);
  }
}
