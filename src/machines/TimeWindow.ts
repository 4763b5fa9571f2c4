import type { OutcomeWindow } from './OutcomeWindow.js';

const parts = 10;

/** The calls of the last so many ms, counted in tenths of that: each is forgotten after nine tenths at the earliest, ten at the latest. */
export class TimeWindow implements OutcomeWindow {
  calls = 0;
  failures = 0;
  private readonly callsOf = new Array<number>(parts).fill(0);
  private readonly failuresOf = new Array<number>(parts).fill(0);
  /** Which tenth since time began the newest is. */
  private newest = -Infinity;

  constructor(private readonly length: number) {}

  add(now: number, failed: boolean): void {
    this.move(Math.floor((now * parts) / this.length));
    const part = placeOf(this.newest);
    this.callsOf[part] = (this.callsOf[part] as number) + 1;
    this.calls++;
    if (!failed) return;
    this.failuresOf[part] = (this.failuresOf[part] as number) + 1;
    this.failures++;
  }

  clear(): void {
    this.callsOf.fill(0);
    this.failuresOf.fill(0);
    this.calls = this.failures = 0;
  }

  private move(newest: number): void {
    for (let tenth = Math.max(this.newest + 1, newest - parts + 1); tenth <= newest; tenth++) {
      const part = placeOf(tenth);
      this.calls -= this.callsOf[part] as number;
      this.failures -= this.failuresOf[part] as number;
      this.callsOf[part] = this.failuresOf[part] = 0;
    }
    this.newest = newest;
  }
}

/** Time may begin before 0. */
const placeOf = (tenth: number): number => ((tenth % parts) + parts) % parts;
