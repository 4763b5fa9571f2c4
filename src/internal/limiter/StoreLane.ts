import { shown } from '../arguments.js';
import { reportUnhandled } from '../reportUnhandled.js';
import type { Claimant } from './Claimant.js';
import { Lane, type LaneHost } from './Lane.js';
import type { LimitSettings, PermitAnswer, StoreSettings } from './LimitSettings.js';

/** What the store has granted, and when it was asked. */
interface Granted {
  readonly cost: number;
  readonly at: number;
}

/**
 * A lane whose permits are counted by a store. At most one request is on its way; it is for whoever is the first when the
 * answer comes, so who leaves meanwhile takes nothing. If nobody can use them then, the permits are kept for the next, until
 * the store has forgotten them too.
 */
export class StoreLane extends Lane {
  protected failure: ErrorOptions | undefined = undefined;
  private isAsking = false;
  private granted: Granted | undefined = undefined;
  private refusedUntil = -Infinity;

  constructor(
    host: LaneHost,
    key: unknown,
    private readonly settings: LimitSettings,
    private readonly stored: StoreSettings,
  ) {
    super(host, key);
  }

  /** Nobody passes without having asked. */
  tryTake(): boolean {
    return false;
  }

  isIdle(now: number): boolean {
    this.discard(now);
    return !this.isInUse && !this.isAsking && !this.granted && Math.max(this.ownPause, this.refusedUntil) <= now;
  }

  protected serve(claimant: Claimant, now: number): 'served' | number | undefined {
    const { cost } = claimant;
    if (this.isAsking) return undefined;
    this.discard(now, cost);
    if (this.granted) {
      this.host.unused += this.granted.cost - cost;
      this.granted = undefined;
      this.take(claimant);
      claimant.receive();
      return 'served';
    }
    if (this.refusedUntil > now) return this.refusedUntil - now;
    this.ask(cost, now);
    return this.isAsking ? undefined : 'served'; // whoever answers at once
  }

  protected delayFor(): number {
    return 0;
  }

  private ask(cost: number, now: number): void {
    const { settings, stored, key } = this;
    const { limit, interval, algorithm, capacity: burst } = settings;
    let answered = false; // a promise that is not the platform's may call back twice
    const settle = (act: () => void) => {
      if (answered) return;
      answered = true;
      this.isAsking = false;
      this.failure = undefined;
      act();
      this.drain();
    };
    const fail = (error: unknown) => {
      settle(() => {
        this.fail(error, { cost, at: now });
      });
    };
    this.isAsking = true;
    try {
      stored.store.take({ key, cost, limit, interval, algorithm, burst }).then((answer) => {
        settle(() => {
          this.hear(answer, { cost, at: now });
        });
      }, fail);
    } catch (thrown) {
      fail(thrown);
    }
  }

  private hear(answer: PermitAnswer, asked: Granted): void {
    const { granted, retryAfter } = (answer ?? {}) as Partial<PermitAnswer>;
    if (granted === true) this.grant(asked);
    else if (granted === false && Number.isFinite(retryAfter)) this.refuse(retryAfter as number);
    else {
      const told = granted === false ? `retryAfter: ${shown(retryAfter)}` : shown(answer);
      this.fail(new TypeError(`store.take must give { granted, retryAfter }, got ${told}`), asked);
    }
  }

  private fail(error: unknown, asked: Granted): void {
    const { failure, retryDelay, onStoreFailure } = this.stored;
    if (failure === 'open') this.grant(asked);
    else {
      this.failure = { cause: error };
      this.refuse(retryDelay);
    }
    try {
      onStoreFailure(error);
    } catch (thrown) {
      reportUnhandled(thrown);
    }
  }

  private grant(asked: Granted): void {
    this.granted = asked;
    this.host.taken += asked.cost;
  }

  /** At least a millisecond, or a store that says 0 would be asked without end. */
  private refuse(retryAfter: number): void {
    this.refusedUntil = this.host.now() + Math.max(1, retryAfter);
  }

  /** Of permits that the store has forgotten, or that are too few. */
  private discard(now: number, cost = 0): void {
    const { granted, host, settings } = this;
    if (!granted || (granted.cost >= cost && now < granted.at + settings.interval)) return;
    host.unused += granted.cost;
    this.granted = undefined;
  }
}
