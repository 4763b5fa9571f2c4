import { sum } from './judge.mjs';

/** What all runs together have done. */
export class Score {
  rounds = 0;
  fullRounds = 0;
  ends = { done: 0, stopped: 0, failed: 0 };
  read = 0;
  located = 0;
  setAside = 0;
  /** Records that were reported as dropped, or may have been, and that another run has done. */
  doneAgain = 0;
  lost = 0;
  doubled = 0;
  wrong = 0;
  requests = 0;
  retries = 0;
  faults = new Map();
  slowRuns = 0;
  stalls = 0;
  /** From SIGTERM to the end of the process, in ms. */
  stops = [];
  /** Records per second, of the runs that took more than a second. */
  rates = [];
  memory = [];
  /** Of the long run. */
  growth;

  add(run, { end, read, found }, growth) {
    this.ends[end]++;
    if (end === 'failed') this.doneAgain += read;
    else {
      this.read += read;
      this.located += found.located;
      this.setAside += found.setAside;
      this.lost += found.missing.length;
    }
    this.doubled += found.doubled.length;
    this.wrong += found.wrong.length;
    this.requests += run.requests;
    this.retries += run.report?.retries ?? 0;
    for (const [kind, times] of run.faults) this.faults.set(kind, (this.faults.get(kind) ?? 0) + times);
    if (run.weather.slowDisk) this.slowRuns++;
    this.stalls += run.stalls;
    if (run.stopMs !== undefined) this.stops.push(run.stopMs);
    if (run.seconds > 1) this.rates.push(read / run.seconds);
    this.memory.push(...run.memory);
    this.growth ??= growth;
  }

  get runs() {
    return sum(Object.values(this.ends));
  }
}
