import { Observable, type Subscriber } from 'rxjs';
import type { Cleanups } from '../../link/Cleanups.js';
import type { LossCounter } from '../../link/protocol.js';
import { findCleanupScope, findLossCounter } from '../../link/walk.js';
import { operate } from '../operate.js';

/** Where the chain to them is broken within the pipeline, these take what the source hands down. */
interface Below {
  readonly scope: Cleanups;
  readonly counter: LossCounter;
}

/**
 * What a pipeline subscribes to: the source, until it is stopped. Each subscription is one to the source, as if nothing stood
 * in between; so the source sees the gate of whatever the pipeline begins with.
 */
export class PipelineInput<T> {
  readonly values$ = new Observable<T>((inside) => {
    if (this.stopped) inside.complete();
    else this.admit(inside);
  });
  private stopped = false;
  /** Those to the source, and for whom they are. */
  private readonly subscriptions = new Map<Subscriber<T>, Subscriber<T>>();

  constructor(
    private readonly source: Observable<T>,
    private readonly below: Below,
  ) {}

  /** First nothing comes in any more, for none of them; then they hear that it is the end. One that throws keeps no other from it. */
  stop(): void {
    const { scope } = this.below;
    const open = [...this.subscriptions];
    this.stopped = true;
    for (const [subscriber] of open) {
      scope.attempt(() => {
        subscriber.unsubscribe();
      });
    }
    for (const [, inside] of open) {
      scope.attempt(() => {
        inside.complete();
      });
    }
  }

  private admit(inside: Subscriber<T>): void {
    const { source, below, subscriptions } = this;
    const subscriber: Subscriber<T> = operate<T, T>({
      destination: inside,
      cleanupScope: findCleanupScope(inside) ?? below.scope,
      lossCounter: findLossCounter(inside) ?? below.counter,
      finalize: () => {
        subscriptions.delete(subscriber);
      },
    });
    if (!subscriber.closed) subscriptions.set(subscriber, inside);
    source.subscribe(subscriber);
  }
}
