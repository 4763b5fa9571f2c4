import { BufferOverflowError } from '../../errors/BufferOverflowError.js';
import { DependentGate } from '../../link/DependentGate.js';
import { LevelGate } from '../../link/LevelGate.js';
import type { Gate } from '../../link/protocol.js';
import type { Line } from '../../machines/Line.js';
import type { Drops } from './Drops.js';
import { Expiry } from './Expiry.js';
import type { MergeSettings, Ticket } from './MergeSettings.js';

/** Where values go from here. */
interface Slots<T> {
  /** How many there are. */
  readonly limit: number;
  readonly hasFree: boolean;
  /** Nothing is started any more. */
  readonly closed: boolean;
  /** Results that had waited are leaving; the gate is woken when they have. */
  readonly isDelivering: boolean;
  start(value: T, ticket: Ticket<T>): void;
  completeIfDone(): void;
  fail(error: unknown): void;
  /** What a callback has thrown. */
  readonly onThrow: (thrown: unknown) => void;
}

/** What slots without number depend on: finished results may pile up below them. */
interface Below {
  readonly gate: Gate;
  readonly isIdle: () => boolean;
}

/** Where values wait until a slot is free, and how the source is asked to wait. */
export class Intake<T> {
  readonly gate: LevelGate;
  private readonly line: Line<T, Ticket<T>>;
  private readonly expiry: Expiry<T> | undefined;
  private draining = false;
  /** How many are being asked where they belong. */
  private asked = 0;

  constructor(
    private readonly settings: Omit<MergeSettings<T, never>, 'project' | 'onDropResult'>,
    private readonly slots: Slots<T>,
    private readonly drops: Pick<Drops<T, never>, 'value'>,
    below: Below | undefined,
  ) {
    this.line = settings.newLine();
    if (settings.maxAge < Infinity) {
      this.expiry = new Expiry(this.line, settings, () => {
        this.dropExpired();
        this.expiry?.watch();
      });
    }
    const hasRoom = () => this.hasRoom();
    this.gate = below ? new DependentGate(() => hasRoom() && below.isIdle(), below.gate) : new LevelGate(hasRoom);
  }

  get isEmpty(): boolean {
    return this.line.size === 0 && this.asked === 0;
  }

  receive(value: T): void {
    const { line, slots, settings } = this;
    let ticket: Ticket<T>;
    this.asked++; // the source may complete meanwhile
    try {
      ticket = line.admit(value, settings.now);
    } catch (thrown) {
      slots.onThrow(thrown);
      this.drops.value(value);
      return;
    } finally {
      this.asked--;
    }
    if (slots.closed)
      this.drops.value(value); // what was asked about it has ended it all
    else if (slots.hasFree && line.isClear(ticket)) {
      line.enter(ticket);
      slots.start(value, ticket);
    } else this.wait(value, ticket);
  }

  /** To be called when a slot is free. A loop, however many start and end synchronously. */
  drain(): void {
    if (this.draining) return;
    const { line, slots } = this;
    this.draining = true;
    this.dropExpired();
    while (line.hasNext && slots.hasFree && !slots.closed) line.takeNext(this.start);
    this.draining = false;
    this.expiry?.watch();
    this.wake();
  }

  /** What `ticket` stands for has ended. */
  leave(ticket: Ticket<T>): void {
    this.line.leave(ticket);
  }

  /** Gives what can no longer be started. */
  takeAll(): readonly T[] {
    this.expiry?.stop();
    return this.line.takeAll();
  }

  private readonly start = (value: T, ticket: Ticket<T>): void => {
    this.slots.start(value, ticket);
  };

  private wait(value: T, ticket: Ticket<T>): void {
    const { line, slots } = this;
    const expired = this.expiry?.take() ?? nothing; // what is too old gives way first; `onDrop` hears of it when all is in its place
    const dropped = line.offer(value, ticket);
    const error = dropped ? undefined : this.overflowError(ticket);
    this.drop(expired, 'age');
    if (dropped) this.drop(dropped, 'overflow');
    else {
      slots.fail(error);
      this.drops.value(value, 'overflow');
    }
    this.expiry?.watch();
  }

  private overflowError(ticket: Ticket<T>): BufferOverflowError {
    const { line, settings } = this;
    const ofKey = line.fullLane(ticket);
    return ofKey === undefined
      ? new BufferOverflowError(settings.where, 'values', line.size)
      : new BufferOverflowError(settings.where, 'values of a key', ofKey);
  }

  private dropExpired(): void {
    if (this.expiry) this.drop(this.expiry.take(), 'age');
  }

  private drop(values: readonly T[], reason: 'overflow' | 'age'): void {
    if (values.length === 0) return;
    for (const value of values) this.drops.value(value, reason);
    this.wake();
    this.slots.completeIfDone(); // where nothing may run, they may have been the last
  }

  /** Not while more is about to leave: what a burst brings then would have to wait for it. */
  private wake(): void {
    if (!this.draining && !this.slots.isDelivering) this.gate.wake();
  }

  /** Beyond the mark it reads on only while a slot is free and nothing that waits may take it. */
  private hasRoom(): boolean {
    const { line, slots, settings } = this;
    if (slots.closed) return false;
    const { bufferSize, highWaterMark = Math.min(slots.limit, bufferSize) } = settings;
    return line.size < highWaterMark || (slots.hasFree && !line.hasNext && (line.size < bufferSize || line.takesAny));
  }
}

const nothing: readonly never[] = [];
