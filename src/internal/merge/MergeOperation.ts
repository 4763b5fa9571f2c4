import { from, Observable, UnsubscriptionError, type ObservableInput, type Subscriber } from 'rxjs';
import { BufferOverflowError } from '../../errors/BufferOverflowError.js';
import { Cleanups, type CleanupPatience } from '../../link/Cleanups.js';
import { DependentGate } from '../../link/DependentGate.js';
import { LevelGate } from '../../link/LevelGate.js';
import type { Gate } from '../../link/protocol.js';
import { findCleanupScope, findGate } from '../../link/walk.js';
import { BoundedBuffer } from '../../machines/BoundedBuffer.js';
import type { DropReason, QueueOptions } from '../../options/queue.js';
import { pullsInner, subscribeByPull } from '../innerPull.js';
import { reportUnhandled } from '../reportUnhandled.js';
import type { WorkContext } from '../workContext.js';
import { InnerList } from './InnerList.js';
import { InnerWork, type WorkRegister } from './InnerWork.js';
import { InnerSubscriber, OuterSubscriber } from './MergeSubscribers.js';
import { ResultOutlet } from './ResultOutlet.js';

export interface MergeSettings<T, R> extends Required<QueueOptions> {
  readonly project: (value: T, index: number, context: WorkContext) => ObservableInput<R>;
  readonly concurrent: number;
  readonly ordered: boolean;
  readonly onDrop: (value: T, reason: DropReason) => void;
  readonly onDropResult: (result: R, reason: Exclude<DropReason, 'overflow'>) => void;
  readonly patience: CleanupPatience;
  /** The operator's name, for messages. */
  readonly where: string;
}

/** A promise takes a slot too, but needs no object for it. */
type Slot<T, R> = InnerSubscriber<T, R> | undefined;

/** One subscription to `bufferedMergeMap`. */
export class MergeOperation<T, R> implements WorkRegister {
  /** Nothing is started or emitted any more. */
  closed = false;
  readonly gate: LevelGate;
  readonly outer: OuterSubscriber<T, R>;

  private readonly waiting: BoundedBuffer<T>;
  private readonly inners = new InnerList<InnerSubscriber<T, R>>();
  /** Only where a result may have to wait: in source order, or above a consumer that can be full. */
  private readonly outlet: ResultOutlet<Slot<T, R>, R> | undefined;
  private active = 0;
  private index = 0;
  private sourceCompleted = false;
  private draining = false;

  private readonly works = new Set<InnerWork>();
  /** Only when somebody may have something to clean up: an inner source asked for its scope, or a signal was read. */
  private cleanups: Cleanups | undefined;
  private dropReason: Exclude<DropReason, 'overflow'> = 'unsubscribe';

  constructor(
    readonly destination: Subscriber<R>,
    private readonly settings: MergeSettings<T, R>,
  ) {
    const { bufferSize, overflow, ordered } = settings;
    const below = findGate(destination);
    this.waiting = new BoundedBuffer(bufferSize, overflow);
    if (ordered || below) this.outlet = this.makeOutlet(below);
    this.gate = this.makeGate(below);
    this.outer = new OuterSubscriber(this);
  }

  receive(value: T): void {
    if (this.active < this.settings.concurrent && this.waiting.size === 0) {
      this.start(value);
      return;
    }
    const dropped = this.waiting.offer(value);
    if (dropped) for (const each of dropped) this.dropValue(each, 'overflow');
    else {
      this.fail(new BufferOverflowError(this.settings.where, 'values', this.waiting.size));
      this.dropValue(value, 'overflow');
    }
  }

  completeSource(): void {
    this.sourceCompleted = true;
    this.completeIfDone();
  }

  private readonly drain = (): void => {
    if (this.draining) return;
    const { waiting, settings } = this;
    this.draining = true;
    try {
      while (waiting.size > 0 && this.active < settings.concurrent && !this.closed) this.start(waiting.shift());
    } finally {
      this.draining = false;
    }
    this.completeIfDone();
    if (!this.closed) this.gate.wake();
  };

  private start(value: T): void {
    const { project, ordered } = this.settings;
    this.active++; // before project, which may push into the source
    try {
      const work = new InnerWork(this);
      const inner = project(value, this.index++, work);
      if (inner instanceof Promise) work.runsUntil(inner);
      if (inner instanceof Promise && !ordered) inner.then(this.onResolved, this.onRejected);
      else if (Array.isArray(inner) && !this.outlet) this.emitAll(inner as readonly R[], work);
      else this.subscribe(inner, work);
    } catch (thrown) {
      this.fail(thrown);
    }
  }

  // One callback for all promises: no subscriber and no closure for each, which is what makes them four times as fast.

  private readonly onResolved = (result: R): void => {
    if (!this.closed && this.emit(result, undefined)) this.freeSlot();
  };

  private readonly onRejected = (error: unknown): void => {
    if (!this.closed) this.fail(error);
  };

  private emitAll(results: readonly R[], work: InnerWork): void {
    for (let i = 0; i < results.length && !this.closed; i++) this.destination.next(results[i] as R);
    work.end();
    this.freeSlot();
  }

  private subscribe(inner: ObservableInput<R>, work: InnerWork): void {
    const slot = new InnerSubscriber<T, R>(this, work);
    const subscriber = slot.asSubscriber();
    this.outlet?.open(slot);
    if (inner instanceof Observable) inner.subscribe(subscriber);
    else if (pullsInner(inner, !!this.outlet)) subscribeByPull(inner, subscriber);
    else from(inner).subscribe(subscriber);
  }

  // What inner subscribers report

  addInner(inner: InnerSubscriber<T, R>): void {
    if (this.closed) inner.unsubscribe();
    else this.inners.add(inner);
  }

  removeInner(inner: InnerSubscriber<T, R>): void {
    this.inners.remove(inner);
  }

  gateFor(inner: InnerSubscriber<T, R>): Gate | undefined {
    return this.outlet?.sharedGate ?? (inner.gate ??= this.outlet?.gateOf(inner));
  }

  /** Gives whether the result has left; else it waits. */
  emit(result: R, slot: Slot<T, R>): boolean {
    if (this.outlet) return this.outlet.emit(result, slot);
    this.destination.next(result);
    return true;
  }

  completeInner(inner: InnerSubscriber<T, R>): void {
    inner.completed = true;
    this.outlet?.close(inner);
    this.freeSlotOf(inner);
  }

  expectCleanup(): Cleanups {
    return (this.cleanups ??= new Cleanups(findCleanupScope(this.destination)));
  }

  track(cleanup: PromiseLike<unknown>, inner: InnerSubscriber<T, R>): void {
    inner.cleanups++;
    this.expectCleanup().track(cleanup, () => {
      inner.cleanups--;
      this.freeSlotOf(inner);
    });
  }

  // Slots

  private freeSlotOf(inner: InnerSubscriber<T, R>): void {
    if (!inner.completed || inner.held > 0 || inner.cleanups > 0 || inner.freed) return;
    inner.freed = true;
    this.freeSlot();
  }

  private freeSlot(): void {
    this.active--;
    if (this.closed) return;
    if (this.waiting.size > 0) this.drain();
    else this.completeIfDone();
    if (!this.draining) this.gate.wake();
  }

  private completeIfDone(): void {
    if (this.sourceCompleted && this.active === 0 && this.waiting.size === 0 && !this.closed) this.destination.complete();
  }

  private hasRoom(): boolean {
    const { size } = this.waiting;
    const { concurrent, highWaterMark } = this.settings;
    return !this.closed && (size < highWaterMark || (size === 0 && this.active < concurrent));
  }

  private makeOutlet(below: Gate | undefined): ResultOutlet<Slot<T, R>, R> {
    const { ordered, bufferSize, where } = this.settings;
    return new ResultOutlet({
      destination: this.destination,
      below,
      ordered,
      capacity: () => this.active + bufferSize,
      onFull: (result, waiting) => {
        this.fail(new BufferOverflowError(where, 'results', waiting));
        this.dropResult(result);
      },
      onDelivered: (slot) => {
        if (!slot) this.freeSlot();
        else {
          slot.gate?.wake();
          this.freeSlotOf(slot);
        }
      },
      onFlushed: () => {
        this.gate.wake();
      },
    });
  }

  private makeGate(below: Gate | undefined): LevelGate {
    const { outlet, settings } = this;
    if (!below || !outlet || settings.concurrent !== Infinity) return new LevelGate(() => this.hasRoom());
    // Slots without number bound nothing: the gate itself has to look at what is below.
    return new DependentGate(() => this.hasRoom() && outlet.isEmpty && !outlet.sharedGate?.hasWaiters, below);
  }

  // The end

  /** Where nobody has anything to clean up, the error passes first and the teardown follows, as in RxJS. */
  fail(error: unknown): void {
    if (this.closed) return;
    const { cleanups, settings } = this;
    this.dropReason = 'error';
    if (!cleanups) {
      this.destination.error(error);
      return;
    }
    try {
      this.stop();
    } catch (thrown) {
      reportUnhandled(thrown);
    }
    this.destination.add(
      cleanups.whenSettled(settings.patience, () => {
        this.destination.error(error);
      }),
    );
  }

  /** First the source, then the works, then the inner sources; then what waited is handed over. */
  stop(): void {
    if (this.closed) return;
    this.closed = true;
    const errors: unknown[] = [];
    const attempt = (step: () => void) => {
      try {
        step();
      } catch (thrown) {
        errors.push(thrown);
      }
    };
    attempt(() => { this.outer.unsubscribe(); });
    for (const work of this.works) {
      const end = work.abort();
      if (end) this.expectCleanup().track(end);
    }
    this.works.clear();
    for (let inner = this.inners.first; inner; inner = this.inners.first) attempt(() => { inner.unsubscribe(); });
    for (const result of this.outlet?.stop() ?? []) this.dropResult(result); // the older first
    for (const value of this.waiting.takeAll()) this.dropValue(value, this.dropReason);
    if (errors.length > 0) throw new UnsubscriptionError(errors);
  }

  addWork(work: InnerWork): void {
    this.expectCleanup();
    this.works.add(work);
  }

  removeWork(work: InnerWork): void {
    this.works.delete(work);
  }

  private dropValue(value: T, reason: DropReason): void {
    try {
      this.settings.onDrop(value, reason);
    } catch (thrown) {
      this.failToDrop(thrown);
    }
  }

  private dropResult(result: R): void {
    try {
      this.settings.onDropResult(result, this.dropReason);
    } catch (thrown) {
      this.failToDrop(thrown);
    }
  }

  private failToDrop(error: unknown): void {
    if (this.closed) reportUnhandled(error);
    else this.fail(error);
  }
}
