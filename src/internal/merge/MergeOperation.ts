import { from, Observable, Subscription, type ObservableInput, type Subscriber } from 'rxjs';
import { BufferOverflowError } from '../../errors/BufferOverflowError.js';
import type { Cleanups } from '../../link/Cleanups.js';
import type { Gate } from '../../link/protocol.js';
import { findGate, findLossCounter } from '../../link/walk.js';
import { pullsInner, subscribeByPull } from '../innerPull.js';
import { isThenable } from '../puller.js';
import { reportUnhandled } from '../reportUnhandled.js';
import { ConcurrencyLimit } from './ConcurrencyLimit.js';
import { Drops } from './Drops.js';
import { LinkedList } from '../../machines/LinkedList.js';
import { Intake } from './Intake.js';
import { InnerWork } from './InnerWork.js';
import type { MergeSettings, Ticket } from './MergeSettings.js';
import { InnerSubscriber, OuterSubscriber } from './MergeSubscribers.js';
import { ResultOutlet } from './ResultOutlet.js';
import { Works } from './Works.js';

/** A promise takes a slot too, but needs no object for it. */
type Slot<T, R> = InnerSubscriber<T, R> | undefined;

/** One subscription to `bufferedMergeMap`. */
export class MergeOperation<T, R> {
  /** Nothing is started or emitted any more. */
  closed = false;
  /** `undefined` only when the destination was closed before. */
  private outer: OuterSubscriber<T, R> | undefined;

  private readonly intake: Intake<T>;
  private readonly inners = new LinkedList<InnerSubscriber<T, R>>();
  /** Only where a result may have to wait: in source order, or above a consumer that can be full. */
  private readonly outlet: ResultOutlet<Slot<T, R>, R> | undefined;
  private active = 0;
  private readonly slots: ConcurrencyLimit;
  private index = 0;
  private sourceCompleted = false;

  private readonly works: Works;
  /** `project` takes the context, or what it takes cannot be seen. */
  private readonly mayReadSignal: boolean;
  readonly drops: Drops<T, R>;

  constructor(
    readonly destination: Subscriber<R>,
    private readonly settings: MergeSettings<T, R>,
  ) {
    const below = findGate(destination);
    this.works = new Works(destination);
    this.mayReadSignal = settings.project.length !== 1 && settings.project.length !== 2;
    this.drops = new Drops(settings, this.onThrow, findLossCounter(destination));
    if (settings.ordered || below) this.outlet = this.makeOutlet(below);
    this.slots = new ConcurrencyLimit(settings.concurrent, {
      now: settings.now,
      onRaised: () => {
        this.intake.drain();
      },
      onError: (error) => {
        this.fail(error);
      },
    });
    this.intake = new Intake(settings, this, this.drops, this.looksBelow(below));
    destination.add(() => {
      this.stop();
    });
    destination.add(this.slots.follow());
  }

  /** Its teardown comes after that of the operation, which sees to the order. */
  asSubscriber(): Subscriber<T> {
    return (this.outer = new OuterSubscriber(this));
  }

  get gate(): Gate {
    return this.intake.gate;
  }

  /** How many may run. */
  get limit(): number {
    return this.slots.value;
  }

  get hasFree(): boolean {
    return this.active < this.slots.value;
  }

  /** What frees a slot now is not the last; after it the gate is woken. */
  get isDelivering(): boolean {
    return !!this.outlet?.isFlushing;
  }

  receive(value: T): void {
    if (!this.closed) this.intake.receive(value);
  }

  completeSource(): void {
    this.sourceCompleted = true;
    this.completeIfDone();
  }

  start(value: T, ticket: Ticket<T>): void {
    this.active++; // before project, which may push into the source
    const work = new InnerWork(this.works);
    try {
      const { project, ordered } = this.settings;
      this.slots.start(ticket);
      const turn = ordered ? this.openSlot(work, ticket) : undefined; // before project, which may bring in the next value
      const inner = project(value, this.index++, work);
      if (inner instanceof Observable) inner.subscribe(turn ?? this.openSlot(work, ticket));
      else if (inner instanceof Promise && !turn && !ticket) this.settle(inner as Promise<R>, work);
      else if (Array.isArray(inner) && !this.outlet && !ticket) this.emitAll(inner as readonly R[], work);
      else this.convert(inner, work, turn ?? this.openSlot(work, ticket));
    } catch (thrown) {
      this.works.running--; // it has its signal yet
      this.fail(thrown);
    }
  }

  private settle(inner: Promise<R>, work: InnerWork): void {
    work.runsUntil(inner, this.mayReadSignal);
    inner.then(this.onResolved, this.onRejected);
  }

  // One callback for all promises: no subscriber and no closure for each, which is what makes them four times as fast.

  private readonly onResolved = (result: R): void => {
    if (!this.mayReadSignal) this.works.running--; // else the work itself has told
    if (this.emit(result, undefined)) this.freeSlot(undefined);
  };

  private readonly onRejected = (error: unknown): void => {
    if (!this.mayReadSignal) this.works.running--;
    if (!this.closed) this.fail(error);
  };

  private emitAll(results: readonly R[], work: InnerWork): void {
    for (let i = 0; i < results.length && !this.closed; i++) this.destination.next(results[i] as R);
    work.end();
    this.freeSlot(undefined);
  }

  private convert(inner: ObservableInput<R>, work: InnerWork, subscriber: Subscriber<R>): void {
    if (isThenable(inner)) from(work.follow(inner, this.mayReadSignal)).subscribe(subscriber);
    else if (pullsInner(inner, !!this.outlet)) subscribeByPull(inner, subscriber, this.dropResult);
    else from(inner).subscribe(subscriber);
  }

  private openSlot(work: InnerWork, ticket: Ticket<T>): Subscriber<R> {
    const slot = new InnerSubscriber<T, R>(this, work, ticket);
    this.outlet?.open(slot);
    return slot.asSubscriber();
  }

  private readonly dropResult = (result: R): void => {
    this.drops.result(result);
  };

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

  /** Gives whether the result has left; else it waits, or nothing leaves any more. */
  emit(result: R, slot: Slot<T, R>): boolean {
    if (this.closed) return false;
    if (this.outlet) return this.outlet.emit(result, slot);
    this.destination.next(result);
    return true;
  }

  /** No more results come from `inner`. */
  closeInner(inner: InnerSubscriber<T, R>): void {
    this.slots.complete(inner.ticket, this.active);
    this.outlet?.endTurn(inner);
  }

  /** Somebody may have to be waited for in the end. */
  expectCleanup(): Cleanups {
    return this.works.expectCleanup();
  }

  freeSlot(ticket: Ticket<T>): void {
    this.active--;
    if (this.closed) return;
    if (ticket) this.intake.leave(ticket);
    this.intake.drain();
    this.completeIfDone();
  }

  completeIfDone(): void {
    if (this.sourceCompleted && this.active === 0 && this.intake.isEmpty && !this.closed) this.destination.complete();
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
        this.drops.result(result);
      },
      onDelivered: (slot) => {
        slot?.gate?.wake();
        if (slot) slot.release();
        else this.freeSlot(undefined);
      },
      onIdle: () => {
        this.intake.gate.wake();
      },
    });
  }

  /** Slots without number bound nothing: then the source has to heed what is below. */
  private looksBelow(gate: Gate | undefined): { gate: Gate; isIdle: () => boolean } | undefined {
    const { outlet, settings } = this;
    if (!gate || !outlet || settings.concurrent !== Infinity) return undefined;
    return { gate, isIdle: () => outlet.isIdle && !outlet.sharedGate?.hasWaiters };
  }

  // The end

  /** What a callback has thrown is never lost. */
  readonly onThrow = (thrown: unknown): void => {
    if (this.closed) reportUnhandled(thrown);
    else this.fail(thrown);
  };

  /** Where nobody has anything to clean up, the error passes first and the teardown follows, as in RxJS. */
  fail(error: unknown): void {
    if (this.closed) return;
    const { cleanups } = this.works;
    this.drops.reason = 'error';
    this.works.failed = true;
    this.outlet?.close(); // what follows may free the consumer below
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
      cleanups.whenSettled(this.settings.patience, () => {
        this.destination.error(error);
      }),
    );
  }

  /** First the source, then the works, then the inner sources; then what waited is handed over. */
  stop(): void {
    if (this.closed) return;
    this.closed = true;
    this.outlet?.close();
    this.drops.work(this.works.running);
    const teardown = new Subscription(); // goes on when one of them throws
    teardown.add(this.outer);
    teardown.add(() => {
      this.works.abort();
    });
    for (const inner of this.inners) teardown.add(inner.asSubscriber());
    teardown.add(() => {
      for (const result of this.outlet?.takeAll() ?? []) this.drops.result(result); // the older first
      for (const value of this.intake.takeAll()) this.drops.value(value);
    });
    teardown.unsubscribe();
  }
}
