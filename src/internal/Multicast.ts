import type { SubjectLike, Subscriber, Unsubscribable } from 'rxjs';
import { CombinedGate, type DemandPolicy } from '../link/CombinedGate.js';
import type { CleanupScope } from '../link/protocol.js';
import { findCleanupScope, findGate } from '../link/walk.js';
import { reportUnhandled } from './reportUnhandled.js';

/** A value on its way to those who were there when it came, and how many of them it has reached. */
interface Delivery<T> {
  readonly value: T;
  readonly subscribers: readonly Subscriber<T>[];
  reached: number;
}

/**
 * A Subject that is linked: whoever feeds it sees the gates of its subscribers as one, and hands clean-up to all of them.
 *
 * A value that comes while another is being delivered comes after it for everybody; in RxJS those behind the one who caused
 * it get the two in the wrong order.
 */
export class Multicast<T> implements SubjectLike<T>, CleanupScope {
  readonly gate: CombinedGate;
  private readonly scopes = new Map<Subscriber<T>, CleanupScope | undefined>();
  /** Those who are there, until it changes. */
  private present: readonly Subscriber<T>[] | undefined;
  /** The first one is under way; behind it what has come meanwhile, from within `next` of one of them. */
  private readonly deliveries: Delivery<T>[] = [];
  /** Tells a subscriber of the end. */
  private end: ((subscriber: Subscriber<T>) => void) | undefined;

  /** `onMissed` is told of a value for each subscriber who was there when it came and has left before it reached him. */
  constructor(
    policy: DemandPolicy,
    private readonly onMissed: (value: T) => void,
  ) {
    this.gate = new CombinedGate(policy, () => this.deliveries.length === 0);
  }

  /** Who calls it wakes the gate afterwards: the first value may come of that, and the end. */
  subscribe(subscriber: Subscriber<T>): Unsubscribable {
    if (this.end) this.end(subscriber);
    else this.join(subscriber);
    return subscriber;
  }

  next(value: T): void {
    this.present ??= [...this.scopes.keys()];
    this.deliveries.push({ value, subscribers: this.present, reached: 0 });
    this.deliver();
    this.gate.wake();
  }

  error(error: unknown): void {
    this.endWith((subscriber) => {
      subscriber.error(error);
    });
  }

  complete(): void {
    this.endWith((subscriber) => {
      subscriber.complete();
    });
  }

  /** Each that is there answers for a clean-up that fails. */
  track(cleanup: PromiseLike<unknown>): void {
    const scopes = new Set(this.scopes.values());
    scopes.delete(undefined);
    for (const scope of scopes) scope?.track(cleanup);
    if (scopes.size === 0) cleanup.then(undefined, reportUnhandled);
  }

  private join(subscriber: Subscriber<T>): void {
    this.scopes.set(subscriber, findCleanupScope(subscriber));
    this.present = undefined;
    const leaveGate = this.gate.join(findGate(subscriber));
    subscriber.add(() => {
      this.scopes.delete(subscriber);
      this.present = undefined;
      leaveGate();
    });
  }

  /** Also from within `next` of a subscriber: then those behind him get what they have to get before. */
  private deliver(): void {
    const { deliveries } = this;
    for (let first = deliveries[0]; first; first = deliveries[0]) {
      const { value, subscribers } = first;
      while (first.reached < subscribers.length) {
        const subscriber = subscribers[first.reached++] as Subscriber<T>;
        if (subscriber.closed) this.onMissed(value);
        else subscriber.next(value);
      }
      deliveries.shift(); // or nothing: all has been delivered from within
    }
  }

  private endWith(end: (subscriber: Subscriber<T>) => void): void {
    this.deliver();
    this.end = end;
    for (const subscriber of [...this.scopes.keys()]) end(subscriber);
  }
}
