import { Subscriber, Subscription, type TeardownLogic } from 'rxjs';
import { leaveParents } from '../link/walk.js';

/**
 * A subscriber for hot paths, where one is made for each value: an `instanceof Subscriber`, on which RxJS's own constructors
 * and methods hardly ever run. They are shared by all operators of an application, and slow for that (`npm run bench -- sync`).
 *
 * A real `Subscription` is made for it when something is added.
 */
export abstract class LeanSubscriber<T> {
  closed = false;
  private teardowns: Subscription | undefined = undefined;

  /** The walk goes on at `destination`. */
  constructor(public destination: unknown) {}

  abstract next(value: T): void;
  abstract error(error?: unknown): void;
  abstract complete(): void;

  /** As what RxJS takes it for. */
  asSubscriber(): Subscriber<T> {
    return this as unknown as Subscriber<T>;
  }

  add(teardown: TeardownLogic): void {
    if (!teardown || (teardown as unknown) === this) return;
    if (this.closed) Subscription.EMPTY.add(teardown);
    else (this.teardowns ??= new Subscription()).add(teardown);
  }

  remove(teardown: Exclude<TeardownLogic, void>): void {
    this.teardowns?.remove(teardown);
  }

  unsubscribe(): void {
    if (this.closed) return;
    this.closed = true;
    leaveParents(this.asSubscriber());
    try {
      this.teardowns?.unsubscribe();
    } finally {
      this.teardowns = undefined;
      this.destination = undefined;
    }
  }
}

Object.setPrototypeOf(LeanSubscriber.prototype, Subscriber.prototype);
