import { isObservable, type Subscription } from 'rxjs';
import type { AdaptiveLimit } from '../../machines/AdaptiveLimit.js';
import type { Concurrency } from '../../options/concurrency.js';
import { check } from '../arguments.js';
import { operate } from '../operate.js';

interface LimitOwner {
  readonly now: () => number;
  /** More may run now. */
  readonly onRaised: () => void;
  readonly onError: (error: unknown) => void;
}

/** How many inner sources may run now: a number that stands, is told or finds itself. */
export class ConcurrencyLimit {
  value = 0;
  private adaptive: AdaptiveLimit | undefined;

  constructor(
    private readonly concurrent: Concurrency,
    private readonly owner: LimitOwner,
  ) {
    if (typeof concurrent === 'number') this.value = concurrent;
    else if (!isObservable(concurrent)) this.value = (this.adaptive = concurrent.newLimit()).value;
  }

  /** To be called when the owner can be told. There is no destination: a busy consumer must not hold it back. */
  follow(): Subscription | undefined {
    const { concurrent, owner } = this;
    if (!isObservable(concurrent)) return undefined;
    return concurrent.subscribe(
      operate<number, never>({
        next: (limit) => {
          this.set(limit);
        },
        error: owner.onError,
        complete: () => {
          if (this.value === 0) owner.onError(new RangeError('concurrent completed at 0: nothing could ever start'));
        },
      }),
    );
  }

  /** Work starts. */
  start(ticket: { startedAt: number } | undefined): void {
    if (this.adaptive && ticket) ticket.startedAt = this.owner.now();
  }

  /** Work has completed, beside so many that run. */
  complete(ticket: { readonly startedAt: number } | undefined, running: number): void {
    const { adaptive } = this;
    if (!adaptive || !ticket) return;
    const before = this.value;
    adaptive.record(this.owner.now() - ticket.startedAt, running);
    this.value = adaptive.value;
    if (this.value > before) this.owner.onRaised();
  }

  private set(limit: number): void {
    try {
      this.value = check(
        Number.isInteger(limit) && limit >= 0,
        RangeError,
        'concurrent',
        'emit non-negative integers',
        limit,
      );
      this.owner.onRaised();
    } catch (thrown) {
      this.owner.onError(thrown);
    }
  }
}
