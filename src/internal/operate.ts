import { Subscriber, type Observer } from 'rxjs';
import {
  cancellerKey,
  cleanupScopeKey,
  gateKey,
  lossCounterKey,
  type Canceller,
  type CleanupScope,
  type Gate,
  type Linked,
  type LossCounter,
} from '../link/protocol.js';
import { reportUnhandled } from './reportUnhandled.js';

export interface OperateConfig<In, Out> extends Partial<Observer<In>> {
  /** Receives what the handlers do not handle, and whatever they throw. A sink, which has none, handles everything itself. */
  destination?: Subscriber<Out>;
  /** Runs once and last, however the subscription to the source ends. */
  finalize?: () => void;
  /** For the producers above; `null` lets them run ungated. Default: they see the gate below. */
  gate?: Gate | null | undefined;
  /** For the producers above. Default: they see the scope below. */
  cleanupScope?: CleanupScope | undefined;
  /** For the work above. Default: it sees who is below. */
  canceller?: Canceller | undefined;
  /** For those above who can lose something. Default: they see who is below. */
  lossCounter?: LossCounter | undefined;
}

/**
 * Creates the subscriber that an operator hands to its source: RxJS 8's `operate`, with the link.
 *
 * It is chained to `destination` before the source starts, so a source that emits synchronously sees `closed` as soon as
 * downstream has had enough. Teardown of the operator itself is to be added to `destination` before the source is subscribed.
 */
export function operate<In, Out>(config: OperateConfig<In, Out>): Subscriber<In> {
  return new OperatorSubscriber(config);
}

// Only public methods of Subscriber are overridden: `_next` and its kin break where a bundler renames properties.
class OperatorSubscriber<In, Out> extends Subscriber<In> implements Linked {
  readonly [gateKey]: Gate | null | undefined;
  readonly [cleanupScopeKey]: CleanupScope | undefined;
  readonly [cancellerKey]: Canceller | undefined;
  readonly [lossCounterKey]: LossCounter | undefined;
  // Copied from the config one by one, in this order, so that every instance has one hidden class.
  private readonly receiver: Subscriber<Out> | undefined;
  private readonly onNext: ((value: In) => void) | undefined;
  private readonly onError: ((error: unknown) => void) | undefined;
  private readonly onComplete: (() => void) | undefined;
  private readonly onFinalize: (() => void) | undefined;
  private ended: boolean;

  constructor(config: OperateConfig<In, Out>) {
    const { destination, finalize } = config;
    super(destination as Subscriber<unknown> | undefined);
    this[gateKey] = config.gate;
    this[cleanupScopeKey] = config.cleanupScope;
    this[cancellerKey] = config.canceller;
    this[lossCounterKey] = config.lossCounter;
    this.receiver = destination;
    this.onNext = config.next;
    this.onError = config.error;
    this.onComplete = config.complete;
    this.onFinalize = finalize;
    this.ended = this.closed; // the destination may have been closed before
    if (this.closed) finalize?.();
  }

  override next(value: In): void {
    if (this.ended) return;
    const { onNext, receiver } = this;
    try {
      if (onNext) onNext(value);
      else receiver?.next(value as unknown as Out);
    } catch (thrown) {
      this.failWith(thrown);
    }
  }

  override error(error?: unknown): void {
    this.end(() => {
      if (this.onError) this.onError(error);
      else this.receiver?.error(error);
    });
  }

  override complete(): void {
    this.end(() => {
      if (this.onComplete) this.onComplete();
      else this.receiver?.complete();
    });
  }

  // Not add(finalize): that would run before the teardown of the source.
  override unsubscribe(): void {
    if (this.closed) return;
    this.ended = true;
    try {
      super.unsubscribe();
    } finally {
      this.onFinalize?.();
    }
  }

  private end(notify: () => void): void {
    if (this.ended) return;
    this.ended = true;
    try {
      notify();
    } catch (thrown) {
      this.failWith(thrown);
    } finally {
      this.unsubscribe();
    }
  }

  private failWith(thrown: unknown): void {
    if (this.receiver && !this.receiver.closed) this.receiver.error(thrown);
    else reportUnhandled(thrown); // a teardown may throw when the end has passed already
  }
}
