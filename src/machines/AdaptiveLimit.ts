/**
 * A limit that follows what it is told of the work below it.
 * @public
 */
export interface AdaptiveLimit {
  /** How many may run now: a whole number. */
  readonly value: number;
  /** A piece of work has succeeded: how long it took, in ms, and how many ran when it ended, itself included. */
  record(latency: number, running: number): void;
}

export interface LimitRange {
  readonly min: number;
  readonly max: number;
  readonly initial: number;
}

const within = ({ min, max }: LimitRange, limit: number): number => Math.max(min, Math.min(max, limit));

/** How many answers make a measurement at least (Netflix concurrency-limits, `WindowedLimit`). */
const leastAnswers = 10;

/** Answers that are judged by their mean: single ones differ too much, whatever the load. */
class AnswerWindow {
  /** The most that ran when one of them came. */
  mostRunning = 0;
  private sum = 0;
  private count = 0;

  constructor(
    private readonly size: number,
    /** So many come first that tell of the load before. */
    private ignored = 0,
  ) {}

  get latency(): number {
    return this.sum / this.count;
  }

  /** Gives whether it is complete. */
  add(latency: number, running: number): boolean {
    if (this.ignored > 0) {
      this.ignored--;
      return false;
    }
    this.sum += latency;
    this.mostRunning = Math.max(this.mostRunning, running);
    return ++this.count >= Math.max(leastAnswers, this.size);
  }
}

/**
 * Additive increase, multiplicative decrease (Chiu and Jain 1989; Netflix concurrency-limits, `AIMDLimit` in a `WindowedLimit`):
 * one more in the time of an answer while the slots are in use, a tenth less when answers take longer than `maxLatency`.
 */
export class AimdLimit implements AdaptiveLimit {
  private limit: number;
  private window: AnswerWindow;

  constructor(
    private readonly range: LimitRange,
    private readonly maxLatency: number,
  ) {
    this.limit = range.initial;
    this.window = new AnswerWindow(this.limit);
  }

  get value(): number {
    return Math.floor(this.limit);
  }

  record(latency: number, running: number): void {
    const { window, range, limit } = this;
    if (!window.add(latency, running)) return;
    const isOverload = window.latency > this.maxLatency;
    if (isOverload) this.limit = within(range, limit * 0.9);
    else if (window.mostRunning * 2 >= limit) this.limit = within(range, limit + 1);
    this.window = new AnswerWindow(this.limit, isOverload ? running : 0);
  }
}

/** The latency without load is measured anew after so many windows, and when it seems to have changed, but not before these. */
const windowsPerProbe = 100;
const windowsBetweenProbes = 5;
/** How many answers a probe takes at least (Envoy, `min_rtt_calc_params.request_count`). */
const answersPerProbe = 50;

/**
 * The gradient of latency (Netflix concurrency-limits, `GradientLimit`): when answers take longer than they do without load, the limit
 * goes down in proportion; and it goes up by the square root of itself, which is the queue that it allows.
 *
 * What they take without load it measures from time to time with half as many, as BBR (version 2 and later) measures its minimal
 * round-trip time; while it finds that half as many are much faster, it halves again, and that is how it comes down from a limit
 * that was far too high. `Gradient2Limit` compares with a long average instead. That drifts upwards for ever where there is
 * always more to do, because there it is the limit itself that makes the latency.
 */
export class GradientLimit implements AdaptiveLimit {
  private limit: number;
  private window: AnswerWindow;
  /** How long an answer takes without load. */
  private noLoad: number | undefined;
  /** What it was at its last measurement, and how long that is ago. */
  private limitThen = 0;
  private windowsSince = 0;
  /** While it is measured: how many may run, and how long answers took before. */
  private probe: { readonly limit: number; readonly before: number } | undefined;

  constructor(
    private readonly range: LimitRange,
    /** How many times the latency without load is taken for normal. */
    private readonly tolerance: number,
  ) {
    this.limit = range.initial;
    this.window = new AnswerWindow(this.limit, this.limit); // the first to answer are the quick ones
  }

  get value(): number {
    return Math.floor(this.probe?.limit ?? this.limit);
  }

  record(latency: number, running: number): void {
    const { window, probe } = this;
    if (!window.add(latency, running)) return;
    if (probe) this.endProbe(probe, window.latency, running);
    else if (window.mostRunning * 2 >= this.limit) this.adjust(window.latency, running);
    else this.window = new AnswerWindow(this.limit); // it was not the limit that held it back
  }

  private adjust(latency: number, running: number): void {
    const { range, limit, tolerance, noLoad } = this;
    this.windowsSince++;
    if (noLoad === undefined || this.isProbeDue(latency, noLoad)) {
      if (limit > range.min) this.startProbe(latency, running);
      else this.learn(latency); // fewer cannot run
      return;
    }
    const gradient = latency <= tolerance * noLoad ? 1 : Math.max(0.5, (tolerance * noLoad) / latency);
    const next = gradient * limit + Math.sqrt(limit);
    this.limit = within(range, next > limit ? next : 0.8 * limit + 0.2 * next);
    this.window = new AnswerWindow(this.limit);
  }

  private isProbeDue(latency: number, noLoad: number): boolean {
    const { windowsSince, limit, limitThen } = this;
    const isStale = limit < limitThen / 2 || latency < 0.8 * noLoad;
    return windowsSince > (isStale ? windowsBetweenProbes : windowsPerProbe);
  }

  private startProbe(before: number, running: number): void {
    const limit = Math.max(this.range.min, this.limit / 2);
    this.probe = { limit, before };
    // Twice: those that began before are more than those that began since, and the slowest of them come late.
    this.window = new AnswerWindow(Math.max(answersPerProbe, this.limit), 2 * running);
  }

  private endProbe({ limit, before }: { limit: number; before: number }, latency: number, running: number): void {
    if (latency < 0.8 * before && latency > 1.5 * (this.noLoad ?? 0)) {
      this.limit = limit; // it was far too high, and may still be
      this.startProbe(latency, running);
      return;
    }
    this.probe = undefined;
    this.learn(latency);
  }

  private learn(latency: number): void {
    this.noLoad = latency;
    this.limitThen = this.limit;
    this.windowsSince = 0;
    this.window = new AnswerWindow(this.limit);
  }
}
