import type { Subscriber } from 'rxjs';
import { DependentGate } from '../../link/DependentGate.js';
import { LevelGate } from '../../link/LevelGate.js';
import type { Gate } from '../../link/protocol.js';
import { ArrivalOrder, SourceOrder, type ResultLine } from '../../machines/ResultLine.js';

/** A slot is taken as long as one of its results waits. */
interface HeldSlot {
  hold(): void;
}

export interface OutletSettings<Slot, R> {
  readonly destination: Subscriber<R>;
  readonly below: Gate | undefined;
  readonly ordered: boolean;
  /** How many results may wait now. */
  readonly capacity: () => number;
  /** A result came that may not wait any more, beside so many that do. */
  readonly onFull: (result: R, waiting: number) => void;
  /** A result that had waited has been emitted. */
  readonly onDelivered: (slot: Slot) => void;
  /** All that may go has gone, and no inner source waits for the consumer below any more. */
  readonly onIdle: () => void;
}

/**
 * Where results leave: at once if it is their turn and the consumer below can take them, else they wait in a line.
 *
 * A result that waits keeps its slot. So a full consumer below slows the work itself; to hold back only the start of work
 * would let all that runs already overshoot.
 */
export class ResultOutlet<Slot extends HeldSlot | undefined, R> {
  /** What inner sources see where one result that waits holds back all of them. */
  readonly sharedGate: LevelGate | undefined;
  /** Results that come meanwhile have to wait for the end of that, so none are asked for. */
  isFlushing = false;
  private readonly line: ResultLine<Slot, R>;
  private cancelBelow: (() => void) | undefined;
  private closed = false;

  constructor(private readonly settings: OutletSettings<Slot, R>) {
    this.line = settings.ordered ? new SourceOrder() : new ArrivalOrder();
    if (!settings.ordered) this.sharedGate = this.gate(() => this.isIdle, settings.onIdle);
  }

  /** Nothing waits for the consumer below. */
  get isIdle(): boolean {
    return !this.line.hasFirst;
  }

  open(slot: Slot): void {
    this.line.open(slot);
  }

  /** No more results come from `slot`: it may be the turn of the next. */
  endTurn(slot: Slot): void {
    this.line.close(slot);
    this.flush();
  }

  /** A gate for the inner source in `slot`, where each has one of its own. */
  gateOf(slot: Slot): LevelGate {
    return this.gate(() => this.line.isClear(slot));
  }

  /** Gives whether the result has left; else it waits. */
  emit(result: R, slot: Slot): boolean {
    const { below, destination, capacity, onFull } = this.settings;
    if (this.closed) return false;
    if (this.line.mayPass(slot) && (!below || below.ready)) {
      destination.next(result);
      return true;
    }
    if (this.line.size >= capacity()) onFull(result, this.line.size);
    else {
      slot?.hold();
      this.line.push(result, slot);
      this.flush();
    }
    return false;
  }

  /** Nothing leaves any more. */
  close(): void {
    this.closed = true;
    this.cancelBelow?.();
    this.cancelBelow = undefined;
  }

  /** Gives what can no longer be emitted. */
  takeAll(): R[] {
    return this.line.takeAll();
  }

  private readonly resume = (): void => {
    this.cancelBelow = undefined;
    this.flush();
  };

  private flush(): void {
    if (this.isFlushing || !this.line.hasFirst) return;
    const { below, onIdle } = this.settings;
    this.isFlushing = true;
    try {
      while (this.line.hasFirst && !this.closed) {
        if (below && !below.ready) {
          this.cancelBelow ??= below.onReady(this.resume);
          break;
        }
        this.line.takeFirst(this.deliver);
      }
    } finally {
      this.isFlushing = false;
    }
    this.sharedGate?.wake();
    onIdle();
  }

  private readonly deliver = (result: R, slot: Slot): void => {
    this.settings.destination.next(result);
    this.settings.onDelivered(slot);
  };

  private gate(isReady: () => boolean, onIdle?: () => void): LevelGate {
    const { below } = this.settings;
    return below ? new DependentGate(isReady, below, onIdle) : new LevelGate(isReady);
  }
}
