export interface ModelCall {
  readonly id: number;
  readonly at: number;
  /** In how many states it has been before. */
  readonly period: number;
}

export interface ModelRules {
  /** Given the outcomes of the calls of this state, `true` where they have failed, the oldest first. */
  readonly opens: (outcomes: readonly { readonly at: number; readonly failed: boolean }[], now: number) => boolean;
  readonly openFor: (openings: number) => number;
  readonly probes: number;
  readonly successes: number;
  readonly slowAfter: number;
}

/** A circuit breaker as plainly as can be: it looks at everything in each millisecond, and forgets nothing but by a new list. */
export class CircuitModel {
  status: 'closed' | 'open' | 'half-open' = 'closed';
  readonly history: string[] = ['0 closed'];
  private period = 0;
  private until = Infinity;
  private openings = 0;
  private byHand = false;
  private outcomes: { at: number; failed: boolean }[] = [];
  private running: ModelCall[] = [];

  constructor(private readonly rules: ModelRules) {}

  /** To be called for each millisecond, and again after each step in it. */
  tick(now: number): void {
    for (let changed = true; changed;) {
      changed = false;
      const slow = this.trials().some(({ at }) => now - at >= this.rules.slowAfter);
      if (this.status === 'open' && now >= this.until) {
        this.move('half-open', now);
        changed = true;
      } else if (this.status === 'half-open' && slow) {
        this.trip(now);
        changed = true;
      }
    }
  }

  trials(): ModelCall[] {
    return this.running.filter(({ period }) => period === this.period);
  }

  start(id: number, now: number): boolean {
    if (this.status === 'open') return false;
    if (this.status === 'half-open' && this.trials().length >= this.rules.probes) return false;
    this.running.push({ id, at: now, period: this.period });
    return true;
  }

  end(id: number, now: number, outcome: 'success' | 'failure' | 'none'): void {
    const call = this.running.find((each) => each.id === id) as ModelCall;
    this.running = this.running.filter((each) => each !== call);
    if (call.period !== this.period || outcome === 'none') return;
    const failed = outcome === 'failure' || now - call.at >= this.rules.slowAfter;
    this.outcomes.push({ at: now, failed });
    if (this.status === 'closed') {
      if (this.rules.opens(this.outcomes, now)) this.trip(now);
    } else if (failed) this.trip(now);
    else if (this.outcomes.length === this.rules.successes) this.close(now);
  }

  open(now: number): void {
    if (this.status === 'open' && this.byHand) return;
    this.until = Infinity;
    this.byHand = true;
    this.openings++;
    this.move('open', now);
  }

  close(now: number): void {
    this.openings = 0;
    if (this.status === 'closed') this.outcomes = [];
    else this.move('closed', now);
  }

  private trip(now: number): void {
    this.openings++;
    this.until = now + this.rules.openFor(this.openings);
    this.byHand = false;
    this.move('open', now);
  }

  private move(status: CircuitModel['status'], now: number): void {
    this.status = status;
    this.period++;
    this.outcomes = [];
    this.history.push(`${String(now)} ${status}`);
  }
}
