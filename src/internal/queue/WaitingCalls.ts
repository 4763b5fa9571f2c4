import { QueueClosedError } from '../../errors/QueueClosedError.js';
import type { Handover, Putter, Taker } from '../../machines/Handover.js';
import type { LinkedList, Listed } from '../../machines/LinkedList.js';
import { WaitingCall } from '../WaitingCall.js';

/** A call of `put` that waits for room. */
export class WaitingPut<T> extends WaitingCall<void> implements Putter<T> {
  previous: Putter<T> | undefined = undefined;
  following: Putter<T> | undefined = undefined;

  constructor(
    private readonly handover: Handover<T>,
    readonly value: T,
    resolve: () => void,
    reject: (error: unknown) => void,
    signal: AbortSignal | undefined,
  ) {
    super(resolve, reject, signal);
  }

  admit(): void {
    this.answer();
  }

  refuse(): void {
    this.fail(new QueueClosedError(this.handover.where, 'put'));
  }

  protected leave(): void {
    this.handover.withdraw(this);
  }
}

/** A call of `take` that waits for a value. */
export class WaitingTake<T> extends WaitingCall<T> implements Taker<T> {
  previous: Taker<T> | undefined = undefined;
  following: Taker<T> | undefined = undefined;

  constructor(
    private readonly handover: Handover<T>,
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
    signal: AbortSignal | undefined,
  ) {
    super(resolve, reject, signal);
  }

  receive(value: T): void {
    this.answer(value);
  }

  end(): void {
    this.fail(new QueueClosedError(this.handover.where, 'take'));
  }

  protected leave(): void {
    this.handover.leave(this);
  }
}

/** A call of `join` that waits until all is done. */
export class WaitingJoin extends WaitingCall<void> implements Listed<WaitingJoin> {
  previous: WaitingJoin | undefined = undefined;
  following: WaitingJoin | undefined = undefined;

  constructor(
    private readonly joins: LinkedList<WaitingJoin>,
    resolve: () => void,
    reject: (error: unknown) => void,
    signal: AbortSignal | undefined,
  ) {
    super(resolve, reject, signal);
  }

  release(): void {
    this.leave();
    this.answer();
  }

  protected leave(): void {
    this.joins.remove(this);
  }
}
