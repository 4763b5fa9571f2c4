import type { ObservableInput, Subscriber } from 'rxjs';
import { Cleanups, type CleanupPatience, type CleanupResult } from '../link/Cleanups.js';
import type { CleanupScope } from '../link/protocol.js';
import { findCanceller, findCleanupScope } from '../link/walk.js';
import { subscribeWorkWith } from './abortableWork.js';
import { answerCleanup } from './answerCleanup.js';
import { Completion } from './Completion.js';
import { isCancellation } from './isCancellation.js';
import { operate } from './operate.js';
import { isThenable } from './puller.js';
import { releaseErrorOf } from './releaseErrorOf.js';
import { reportUnhandled } from './reportUnhandled.js';
import { resolveOnce } from './resolveOnce.js';
import { runCleanup } from './runCleanup.js';
import { UseCanceller } from './UseCanceller.js';
import type { WorkContext } from './workContext.js';

/**
 * How the use of a resource has ended: by itself, with an error, or because it was no longer wanted.
 * @public
 */
export type ReleaseOutcome =
  { readonly kind: 'complete' } | { readonly kind: 'error'; readonly error: unknown } | { readonly kind: 'cancel' };

const cancelled: ReleaseOutcome = { kind: 'cancel' };

export interface ResourceSettings<R, T> {
  readonly acquire: () => R | PromiseLike<R>;
  readonly use: (resource: R, context: WorkContext) => ObservableInput<T>;
  readonly release: (resource: R, outcome: ReleaseOutcome) => unknown;
  readonly patience: CleanupPatience;
  /** Who uses it, for messages. */
  readonly where: string;
}

/**
 * One resource from `acquire` to the end of `release`. Each step begins when the one before is over, and none is cut off:
 * acquire, use, the clean-ups of the use, release, the end.
 *
 * The last step tells the consumer, or, if that has gone meanwhile, the scope below, which has been told of it at once.
 */
export class ResourceUse<R, T> {
  private readonly scope: CleanupScope | undefined;
  /** Of what uses the resource. */
  private readonly cleanups: Cleanups;
  /** Only until it is released. */
  private resource: R | undefined;
  private outcome: ReleaseOutcome | undefined;
  private useFailure: { readonly error: unknown } | undefined;
  /** `use` is being called or subscribed to: what it gives may be torn down only when it has come back. */
  private starting = false;
  private ended = false;
  private over = false;
  private unsubscribed = false;
  /** For the scope below, once it is unsubscribed. */
  private readonly remainder = new Completion();
  private readonly canceller: UseCanceller | undefined;

  constructor(
    private readonly destination: Subscriber<T>,
    private readonly settings: ResourceSettings<R, T>,
  ) {
    this.scope = findCleanupScope(destination);
    this.cleanups = new Cleanups(this.scope);
    const canceller = findCanceller(destination);
    if (canceller) this.canceller = new UseCanceller(canceller, settings.patience.scheduler);
  }

  start(): void {
    if (this.destination.closed) return;
    this.destination.add(() => {
      this.unsubscribe();
    });
    this.acquire();
  }

  /** Before anything above is torn down, so that the scope below is never without something to wait for. */
  private unsubscribe(): void {
    if (!this.over) this.scope?.track(this.remainder);
    if (!this.ended) this.cleanups.answer();
    this.unsubscribed = true;
    this.canceller?.leave();
  }

  private acquire(): void {
    let given: R | PromiseLike<R>;
    try {
      given = this.settings.acquire();
      if (isThenable(given)) {
        resolveOnce(given as PromiseLike<R>, this.onAcquired, this.onAcquireFailed);
        return;
      }
    } catch (thrown) {
      this.onAcquireFailed(thrown);
      return;
    }
    this.onAcquired(given);
  }

  private readonly onAcquireFailed = (error: unknown): void => {
    this.end({ error });
  };

  private readonly onAcquired = (resource: R): void => {
    const { destination, settings, canceller } = this;
    this.resource = resource;
    if (!this.unsubscribed && canceller?.wasAsked()) {
      this.useFailure = { error: canceller.asked?.reason };
      this.cleanUp();
      return;
    }
    this.starting = true; // ends at once where it was unsubscribed meanwhile
    const completed = () => {
      this.outcome = { kind: 'complete' };
    };
    const user = operate<T, T>({
      destination,
      cleanupScope: this.cleanups,
      canceller,
      error: (error) => {
        this.cleanups.answer(); // before the teardown: what fails in it is answered for, too
        this.useFailure = { error };
        const asked = canceller?.asked;
        this.outcome = asked && isCancellation(error, asked.reason) ? cancelled : { kind: 'error', error };
      },
      complete: () => {
        this.cleanups.answer();
        completed();
      },
      finalize: () => {
        this.ended = true;
        if (!this.starting) this.cleanUp();
      },
    });
    // To capture the resource would keep it.
    subscribeWorkWith((context) => settings.use(this.resource as R, context), user, completed);
    this.starting = false;
    if (this.ended) this.cleanUp();
  };

  private cleanUp(): void {
    if (this.outcome) this.canceller?.stay();
    this.cleanups.answerWhenSettled(this.settings.patience, (cleaned) => {
      this.release(cleaned);
    });
  }

  private release(cleaned: CleanupResult): void {
    const { outcome = cancelled, scope, settings, useFailure } = this;
    answerCleanup(this.callRelease(), scope, settings.patience, (released) => {
      const { where } = settings;
      const error = releaseErrorOf({
        where,
        outcome: outcome.kind,
        useError: useFailure?.error,
        cleaned,
        released,
      });
      if (error) this.end({ error });
      else this.end(this.unsubscribed ? undefined : useFailure); // of which `release` was told
    });
  }

  private callRelease(): PromiseLike<unknown> | undefined {
    const { outcome = cancelled, resource, settings } = this;
    this.resource = undefined;
    return runCleanup(() => settings.release(resource as R, outcome));
  }

  private end(failure: { readonly error: unknown } | undefined): void {
    const { destination, remainder } = this;
    this.over = true;
    if (!this.unsubscribed) {
      if (failure) destination.error(failure.error);
      else destination.complete();
    } else if (!failure) remainder.resolve();
    else if (this.scope) remainder.reject(failure.error);
    else reportUnhandled(failure.error);
  }
}
