import type { Observable, Subscriber } from 'rxjs';
import { BufferOverflowError } from '../../errors/BufferOverflowError.js';
import { DependentGate } from '../../link/DependentGate.js';
import { LevelGate } from '../../link/LevelGate.js';
import { Passage } from '../../link/Passage.js';
import { findGate } from '../../link/walk.js';
import { BoundedBuffer } from '../../machines/BoundedBuffer.js';
import { drainLoop } from '../drainLoop.js';
import type { Losses } from '../Losses.js';
import { operate } from '../operate.js';
import type { WindowSettings } from './WindowSettings.js';

/** What is inside. */
export interface Occupancy<T> {
  readonly hasRoom: boolean;
  letIn(value: T, inside: Subscriber<T>): void;
}

/** Where values wait until there is room inside, and how the source is asked to wait. */
export class WindowEntrance<T> {
  private readonly waiting: BoundedBuffer<T>;
  private readonly passage: Passage;
  private readonly gate: LevelGate;
  private readonly drain: () => void;
  private sourceCompleted = false;

  constructor(
    private readonly inside: Subscriber<T>,
    private readonly settings: Pick<WindowSettings<T, never>, 'bufferSize' | 'overflow' | 'onDrop' | 'where'>,
    private readonly occupancy: Occupancy<T>,
    private readonly losses: Losses,
  ) {
    const { bufferSize, overflow } = settings;
    const below = findGate(inside);
    this.waiting = new BoundedBuffer(bufferSize, overflow);
    this.drain = drainLoop(inside, this.step, this.fail);
    this.passage = new Passage(below, this.drain);
    const isReady = () => this.waiting.size === 0 && occupancy.hasRoom;
    this.gate = below ? new DependentGate(isReady, below) : new LevelGate(isReady);
  }

  get isCompleted(): boolean {
    return this.sourceCompleted;
  }

  /** Whether a value waits, or a source to be asked for one. */
  get isWaiting(): boolean {
    return this.waiting.size > 0 || this.gate.hasWaiters;
  }

  /** The teardown comes after that of the source; `onClose` is called last. */
  subscribeTo(source: Observable<T>, onClose: () => void): void {
    const { inside, gate } = this;
    const subscriber = operate<T, T>({
      destination: inside,
      gate,
      next: (value) => {
        this.receive(value);
      },
      error: this.fail,
      complete: () => {
        this.sourceCompleted = true;
        this.drain();
      },
    });
    inside.add(() => {
      this.close();
      onClose();
    });
    source.subscribe(subscriber);
  }

  /** To be called when there may be room. */
  open(): void {
    this.drain();
    this.gate.wake();
  }

  private receive(value: T): void {
    const { waiting, settings, losses, occupancy } = this;
    if (waiting.size === 0 && occupancy.hasRoom && this.passage.isOpen) {
      occupancy.letIn(value, this.inside);
      return;
    }
    const dropped = waiting.offer(value);
    if (!dropped) this.fail(new BufferOverflowError(settings.where, 'values', waiting.size));
    for (const each of dropped ?? [value]) losses.tellOverflow(settings.onDrop, each);
    this.drain();
  }

  private readonly step = (): void => {
    const { waiting, occupancy, passage, inside } = this;
    while (waiting.size > 0 && occupancy.hasRoom && passage.isOpen) occupancy.letIn(waiting.shift(), inside);
    if (waiting.size > 0 && occupancy.hasRoom) passage.wait();
    else passage.leave();
    if (waiting.size === 0 && this.sourceCompleted) inside.complete();
  };

  private readonly fail = (error: unknown): void => {
    this.losses.reason = 'error';
    this.inside.error(error);
  };

  private close(): void {
    const { waiting, losses, settings } = this;
    this.passage.leave();
    for (const value of waiting.takeAll()) losses.tell(settings.onDrop, value);
  }
}
