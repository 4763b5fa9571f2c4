import type { FailurePolicy } from './FailurePolicy.js';

/**
 * What a circuit breaker does with calls at the moment. Times are those of its `scheduler`, in ms.
 *
 * - `'closed'`: it lets them pass, and counts those that fail.
 * - `'open'`: it refuses them.
 * - `'half-open'`: it lets a few pass, on trial, and refuses the others.
 * @public
 */
export type CircuitState =
  | { readonly status: 'closed'; readonly since: number }
  | {
      readonly status: 'open';
      readonly since: number;
      /** When it becomes half-open; `Infinity`: not by itself. */
      readonly until: number;
      /** How often it has opened in a row, from 1, without having been closed in between. */
      readonly openings: number;
      /** Opened by `open()`, and so until `close()`. */
      readonly byHand: boolean;
    }
  | { readonly status: 'half-open'; readonly since: number; readonly openings: number };

export interface CircuitRules {
  /** Decides while it is closed. */
  readonly policy: FailurePolicy;
  /** How long it stays open, in ms, when it has opened so many times in a row. */
  readonly openFor: (openings: number) => number;
  /** How many calls may run at a time while it is half-open. */
  readonly probes: number;
  /** How many of them have to succeed. */
  readonly successes: number;
  /** A call that takes as long, in ms, is a failure. */
  readonly slowAfter: number;
}

/** What has become of a call; `'none'`: that is not known. */
export type CallOutcome = 'success' | 'failure' | 'none';

export class CircuitCall {
  ended = false;

  constructor(
    /** In which it was let pass: once that is over, what becomes of the call no longer matters. */
    readonly state: CircuitState,
    readonly startedAt: number,
  ) {}
}

/**
 * The states of a circuit breaker (Nygard, "Release It!"). What it is told as `now`, in ms, never goes back.
 *
 * It has no timer: what has become due meanwhile is made up for, as of when it was due, whenever it is told the time.
 */
export class Circuit {
  state!: CircuitState;
  /** Of the state `'half-open'`, the oldest first. */
  private readonly trials = new Set<CircuitCall>();
  private successes = 0;
  private openedFor = 0;

  constructor(
    private readonly rules: CircuitRules,
    private readonly onState: (state: CircuitState) => void,
    now: number,
  ) {
    this.enter({ status: 'closed', since: now });
  }

  /** When it changes by itself. */
  get due(): number {
    const { state, trials } = this;
    if (state.status === 'open') return state.until;
    if (trials.size === 0) return Infinity;
    const [oldest] = trials;
    return (oldest as CircuitCall).startedAt + this.rules.slowAfter;
  }

  advance(now: number): void {
    for (let { due } = this; due <= now; { due } = this) {
      const { state, trials } = this;
      if (state.status === 'open') this.enter({ status: 'half-open', since: due, openings: state.openings });
      else {
        const [oldest] = trials;
        trials.delete(oldest as CircuitCall); // before openFor, which may throw: it must not be due again
        this.trip(due);
      }
    }
  }

  /** How long it will probably refuse calls, in ms. */
  retryAfter(now: number): number {
    return this.state.status === 'open' ? Math.max(0, this.state.until - now) : this.openedFor;
  }

  /** Gives nothing if the call is refused. */
  start(now: number): CircuitCall | undefined {
    this.advance(now);
    const { state, trials } = this;
    if (state.status === 'open' || trials.size >= this.rules.probes) return undefined;
    const call = new CircuitCall(state, now);
    if (state.status === 'half-open') trials.add(call);
    return call;
  }

  /** What has become of the call, as it counts. */
  judge(call: CircuitCall, now: number, outcome: CallOutcome): CallOutcome {
    return outcome === 'success' && now - call.startedAt >= this.rules.slowAfter ? 'failure' : outcome;
  }

  end(call: CircuitCall, now: number, outcome: CallOutcome): void {
    this.advance(now);
    if (call.state !== this.state) return;
    this.trials.delete(call);
    if (outcome === 'none') return;
    const { policy, successes } = this.rules;
    const failed = outcome === 'failure';
    if (this.state.status === 'closed') {
      policy.record(now, failed);
      if (policy.isReached) this.trip(now);
    } else if (failed) this.trip(now);
    else if (++this.successes >= successes) this.enter({ status: 'closed', since: now });
  }

  open(now: number): void {
    this.advance(now);
    if (this.state.status === 'open' && this.state.byHand) return;
    this.enter({ status: 'open', since: now, until: Infinity, openings: this.openings + 1, byHand: true });
  }

  close(now: number): void {
    this.advance(now);
    if (this.state.status === 'closed') this.rules.policy.reset();
    else this.enter({ status: 'closed', since: now });
  }

  private get openings(): number {
    return this.state.status === 'closed' ? 0 : this.state.openings;
  }

  private trip(now: number): void {
    const openings = this.openings + 1;
    this.openedFor = this.rules.openFor(openings);
    this.enter({ status: 'open', since: now, until: now + this.openedFor, openings, byHand: false });
  }

  private enter(state: CircuitState): void {
    this.state = Object.freeze(state);
    this.trials.clear();
    this.successes = 0;
    this.rules.policy.reset();
    this.onState(state);
  }
}
