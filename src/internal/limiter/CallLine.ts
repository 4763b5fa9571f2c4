import { LinkedList, type Listed } from '../../machines/LinkedList.js';
import { WaitingCall } from '../WaitingCall.js';
import type { Claimant } from './Claimant.js';

/** Where its permits come from. */
interface CallLane {
  join(claimant: Claimant): void;
  leave(claimant: Claimant): void;
  drain(): void;
}

/** All who wait in `acquire` for permits of one key: first come, first served. */
export class CallLine implements Claimant {
  previous: Claimant | undefined = undefined;
  following: Claimant | undefined = undefined;
  turn = 0;
  readonly patient = true;
  size = 0;
  private readonly calls = new LinkedList<WaitingAcquire>();

  constructor(private readonly lane: CallLane) {}

  get cost(): number {
    return this.calls.first?.cost ?? 0;
  }

  add(call: WaitingAcquire): void {
    this.calls.add(call);
    if (this.size++ === 0) this.lane.join(this);
  }

  /** It has been called off. */
  withdraw(call: WaitingAcquire): void {
    const wasFirst = this.calls.first === call;
    if (!this.remove(call)) return;
    if (this.size === 0) this.lane.leave(this);
    else if (wasFirst) this.lane.drain();
  }

  /** Without those who have been called off and not been told yet. */
  isReady(): boolean {
    for (let { first } = this.calls; first && !first.ready; { first } = this.calls) {
      this.remove(first);
      first.skip();
    }
    return this.size > 0;
  }

  skip(): void {
    // It is empty: the next call lets it join again.
  }

  receive(): void {
    const call = this.calls.first as WaitingAcquire;
    this.remove(call);
    if (this.size > 0) this.lane.join(this);
    call.admit();
  }

  refuse(): void {
    // It is patient.
  }

  private remove(call: WaitingAcquire): boolean {
    if (!this.calls.remove(call)) return false;
    this.size--;
    return true;
  }
}

/** A call of `acquire` that waits for its permits. */
export class WaitingAcquire extends WaitingCall<void> implements Listed<WaitingAcquire> {
  previous: WaitingAcquire | undefined = undefined;
  following: WaitingAcquire | undefined = undefined;

  constructor(
    private readonly line: CallLine,
    readonly cost: number,
    resolve: () => void,
    reject: (error: unknown) => void,
    signal: AbortSignal | undefined,
  ) {
    super(resolve, reject, signal);
  }

  admit(): void {
    this.answer();
  }

  protected leave(): void {
    this.line.withdraw(this);
  }
}
