import type { Subscriber } from 'rxjs';
import type { Gate } from '../../link/protocol.js';
import type { Handover, Taker } from '../../machines/Handover.js';
import { reportUnhandled } from '../reportUnhandled.js';

/**
 * One subscriber of a queue, beside others. It takes a value only when the gate below is open, and emits it at once: a value
 * that one cannot take stays for the others.
 */
export class QueueSubscription<T> implements Taker<T> {
  previous: Taker<T> | undefined = undefined;
  following: Taker<T> | undefined = undefined;
  private cancelWait: (() => void) | undefined;

  constructor(
    private readonly handover: Handover<T>,
    private readonly subscriber: Subscriber<T>,
    private readonly gate: Gate | undefined,
  ) {}

  get ready(): boolean {
    return !this.subscriber.closed && (!this.gate || this.gate.ready);
  }

  /** Takes what there is, then waits. */
  drain(): void {
    const { handover, subscriber } = this;
    while (!subscriber.closed) {
      if (handover.drained) subscriber.complete();
      else if (!this.ready) {
        this.skip();
        return;
      } else if (handover.hasNext) handover.takeInto(this.emit);
      else {
        handover.waitToTake(this);
        return;
      }
    }
  }

  receive(value: T): void {
    this.emit(value);
    this.drain();
  }

  skip(): void {
    if (this.subscriber.closed) return;
    this.handover.stepAside(this);
    try {
      this.cancelWait = this.gate?.onReady(this.resume);
    } catch (thrown) {
      this.fail(thrown);
    }
  }

  end(): void {
    this.resume();
  }

  /** It waits no longer, neither for a value nor at the gate. */
  stop(): void {
    this.cancelWait?.();
    this.cancelWait = undefined;
    this.handover.leave(this);
  }

  private readonly resume = (): void => {
    this.stop();
    this.drain();
  };

  private readonly emit = (value: T): void => {
    try {
      this.subscriber.next(value);
    } catch (thrown) {
      this.fail(thrown);
    }
  };

  /** What a teardown below, or the gate, has thrown. */
  private fail(thrown: unknown): void {
    if (this.subscriber.closed) reportUnhandled(thrown);
    else this.subscriber.error(thrown);
  }
}
