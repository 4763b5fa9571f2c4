import { Subscriber, type Observer } from 'rxjs';
import { cleanupScopeKey, gateKey, type CleanupScope, type Gate, type Linked } from '../link/protocol.js';
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
  // Copied from the config one by one, in this order, so that every instance has one hidden class.
  private readonly receiver: Subscriber<Out> | undefined;
  private readonly onNext: ((value: In) => void) | undefined;
  private readonly onError: ((error: unknown) => void) | undefined;
  private readonly onComplete: (() => void) | undefined;
  private readonly onFinalize: (() => void) | undefined;
  private ended: boolean;

  constructor({ destination, next, error, complete, finalize, gate, cleanupScope }: OperateConfig<In, Out>) {
    super(destination as Subscriber<unknown> | undefined);
    this[gateKey] = gate;
    this[cleanupScopeKey] = cleanupScope;
    this.receiver = destination;
    this.onNext = next;
    this.onError = error;
    this.onComplete = complete;
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
    if (this.receiver) this.receiver.error(thrown);
    else reportUnhandled(thrown);
  }
}
