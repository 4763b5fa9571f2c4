import { KeyLine } from '../../machines/KeyedBuffer.js';
import type { Claimant } from './Claimant.js';
import type { Lane } from './Lane.js';

/** A value, and how many permits it needs. */
export interface Priced<T> {
  readonly value: T;
  readonly cost: number;
}

/** The subscription that a line is of. */
interface Subscription<T> {
  readonly patient: boolean;
  /** Whether the consumer below can take a value. */
  readonly isOpen: boolean;
  laneOf(key: unknown): Lane;
  /** Calls back when the consumer can take a value again. Returns the cancellation. */
  waitBelow(resume: () => void): () => void;
  /** There are permits for the first of the line, in `lane`. */
  emit(line: ValueLine<T>, lane: Lane): void;
  /** There are none. */
  refuse(line: ValueLine<T>, lane: Lane, retryAfter: number, failure: ErrorOptions | undefined): void;
}

/** The values of one key that wait in one subscription: for permits in the lane of the limiter, or for the consumer below. */
export class ValueLine<T> extends KeyLine<Priced<T>, ValueLine<T>> implements Claimant {
  previous: Claimant | undefined = undefined;
  following: Claimant | undefined = undefined;
  turn = 0;
  readonly patient: boolean;
  /** Where it waits for permits. */
  private lane: Lane | undefined = undefined;
  /** Ends the wait for the consumer below. */
  private cancelBelow: (() => void) | undefined = undefined;

  constructor(
    key: unknown,
    private readonly subscription: Subscription<T>,
  ) {
    super(key);
    this.patient = subscription.patient;
  }

  get cost(): number {
    return this.first?.value.cost ?? 0;
  }

  isReady(): boolean {
    return this.size > 0 && this.subscription.isOpen;
  }

  skip(): void {
    this.leaveLane();
    if (this.size > 0) this.cancelBelow = this.subscription.waitBelow(this.resume);
  }

  receive(): void {
    this.subscription.emit(this, this.leaveLane());
  }

  refuse(retryAfter: number, failure: ErrorOptions | undefined): void {
    this.subscription.refuse(this, this.leaveLane(), retryAfter, failure);
  }

  /** To be called when its first may be another: it waits where it has to, and nowhere else. */
  update(): void {
    const { lane } = this;
    if (this.size === 0) this.leave();
    else if (lane) lane.drain();
    else if (!this.cancelBelow) {
      this.lane = this.subscription.laneOf(this.key); // anew, since a key that is not used is forgotten
      this.lane.join(this);
    }
  }

  /** The lane has let it out. */
  private leaveLane(): Lane {
    const lane = this.lane as Lane;
    this.lane = undefined;
    return lane;
  }

  private leave(): void {
    const { lane, cancelBelow } = this;
    this.lane = this.cancelBelow = undefined;
    lane?.leave(this);
    cancelBelow?.();
  }

  private readonly resume = (): void => {
    this.cancelBelow = undefined;
    this.update();
  };
}
