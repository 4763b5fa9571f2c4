import { BufferOverflowError } from '../../errors/BufferOverflowError.js';
import { DependentGate } from '../../link/DependentGate.js';
import { LevelGate } from '../../link/LevelGate.js';
import type { Gate } from '../../link/protocol.js';
import { BoundedBuffer } from '../../machines/BoundedBuffer.js';
import type { Drops } from './Drops.js';
import type { MergeSettings } from './MergeSettings.js';

/** Where values go from here. */
interface Slots<T> {
  readonly hasFree: boolean;
  /** Nothing is started any more. */
  readonly closed: boolean;
  start(value: T): void;
  fail(error: unknown): void;
}

/** What slots without number depend on: finished results may pile up below them. */
interface Below {
  readonly gate: Gate;
  readonly isIdle: () => boolean;
}

/** Where values wait until a slot is free, and how the source is asked to wait. */
export class Intake<T> {
  readonly gate: LevelGate;
  readonly waiting: BoundedBuffer<T>;
  private draining = false;

  constructor(
    private readonly settings: Omit<MergeSettings<T, never>, 'project' | 'onDropResult'>,
    private readonly slots: Slots<T>,
    private readonly drops: Pick<Drops<T, never>, 'value'>,
    below: Below | undefined,
  ) {
    this.waiting = new BoundedBuffer(settings.bufferSize, settings.overflow);
    const hasRoom = () => this.hasRoom();
    this.gate = below ? new DependentGate(() => hasRoom() && below.isIdle(), below.gate) : new LevelGate(hasRoom);
  }

  receive(value: T): void {
    const { waiting, slots, drops } = this;
    if (waiting.size === 0 && slots.hasFree) {
      slots.start(value);
      return;
    }
    const dropped = waiting.offer(value);
    if (dropped) {
      for (const each of dropped) drops.value(each, 'overflow');
      this.gate.wake();
    } else {
      slots.fail(new BufferOverflowError(this.settings.where, 'values', waiting.size));
      drops.value(value, 'overflow');
    }
  }

  /** To be called when a slot is free. A loop, however many start and end synchronously. */
  drain(): void {
    if (this.draining) return;
    const { waiting, slots } = this;
    this.draining = true;
    while (waiting.size > 0 && slots.hasFree && !slots.closed) slots.start(waiting.shift());
    this.draining = false;
    this.gate.wake();
  }

  private hasRoom(): boolean {
    const { waiting, slots } = this;
    return !slots.closed && (waiting.size < this.settings.highWaterMark || (waiting.size === 0 && slots.hasFree));
  }
}
