import type { Subscriber } from 'rxjs';
import { BufferOverflowError } from '../errors/BufferOverflowError.js';
import { DependentGate } from '../link/DependentGate.js';
import { LevelGate } from '../link/LevelGate.js';
import { Passage } from '../link/Passage.js';
import { findGate } from '../link/walk.js';
import { BoundedBuffer } from '../machines/BoundedBuffer.js';
import type { QueueOptions } from '../options/queue.js';
import type { Pause } from './macrotask.js';
import { Losses } from './Losses.js';
import { Pace } from './Pace.js';

type PausableDropReason = 'overflow' | 'paused' | 'error' | 'unsubscribe';

export interface PausableLineSettings<T> extends Required<QueueOptions> {
  /** Values that come during a pause wait: all of them, within the bounds of the queue, or the newest. Else they are dropped. */
  readonly mode: 'buffer' | 'latest' | 'drop' | 'resubscribe';
  readonly initiallyPaused: boolean;
  /** How values leave that have waited for the end of a pause. `undefined`: all at once. */
  readonly pace: { readonly size: number; readonly rest: Pause } | undefined;
  readonly onDrop: (value: T, reason: PausableDropReason) => void;
  readonly where: string;
}

/** A line in front of `destination` in which values wait during a pause, behind others, and while the consumer below is full. */
export class PausableLine<T> {
  /** For the sources above. */
  readonly gate: LevelGate;
  /** After a pause, where values leave at a pace, others line up behind them until none waits. */
  private state: 'paused' | 'catching up' | 'live';
  private readonly waiting: BoundedBuffer<T>;
  private readonly passage: Passage;
  private readonly pace: Pace | undefined;
  private draining = false;
  private readonly losses: Losses;

  /** `onMoved` is called after whatever may have let values leave. */
  constructor(
    private readonly destination: Subscriber<T>,
    private readonly settings: PausableLineSettings<T>,
    private readonly onMoved: () => void,
  ) {
    const { initiallyPaused, bufferSize, overflow, highWaterMark, pace } = settings;
    this.state = initiallyPaused ? 'paused' : 'live';
    this.waiting = new BoundedBuffer(bufferSize, overflow);
    const below = findGate(destination);
    this.passage = new Passage(below, this.drain);
    this.losses = new Losses(destination);
    this.pace = pace && new Pace(pace.size, pace.rest, this.drain);
    const hasRoom = () => this.hasRoom();
    // Where some are asked for that will wait, what is below matters only to those that wait.
    this.gate = below && highWaterMark === 0 ? new DependentGate(hasRoom, below) : new LevelGate(hasRoom);
  }

  get isPaused(): boolean {
    return this.state === 'paused';
  }

  get isEmpty(): boolean {
    return this.waiting.size === 0;
  }

  receive(value: T): void {
    const { waiting, settings } = this;
    if (this.isEmpty && this.state === 'live' && this.passage.isOpen) this.destination.next(value);
    else if (this.isPaused && settings.mode === 'drop')
      this.losses.attempt(() => {
        settings.onDrop(value, 'paused');
      });
    else {
      const dropped = waiting.offer(value);
      if (!dropped) this.fail(new BufferOverflowError(settings.where, 'values', waiting.size));
      for (const each of dropped ?? [value]) this.losses.tellOverflow(settings.onDrop, each);
      this.drain();
    }
  }

  pause(): void {
    this.state = 'paused';
    this.passage.leave();
    this.drain();
  }

  resume(): void {
    const { pace } = this;
    this.state = pace && (pace.isResting || !this.isEmpty) ? 'catching up' : 'live';
    this.drain();
  }

  fail(error: unknown): void {
    this.losses.fail(error);
  }

  /** Drops what waits. To be called when the destination has ended and nothing is received any more. */
  stop(): void {
    this.passage.leave();
    this.pace?.stop();
    for (const value of this.waiting.takeAll()) this.losses.tell(this.settings.onDrop, value);
  }

  /** Lets values leave as far as they may. A loop, whatever happens inside of `next`. */
  readonly drain = (): void => {
    const { destination, waiting } = this;
    if (this.draining || destination.closed) return;
    this.draining = true;
    try {
      while (this.mayLeave() && this.passage.isOpen) {
        if (this.state === 'catching up') this.pace?.step();
        destination.next(waiting.shift());
      }
      if (this.state === 'catching up' && this.isEmpty && !this.pace?.isResting) this.state = 'live';
      if (this.mayLeave()) this.passage.wait();
    } catch (thrown) {
      this.fail(thrown);
    } finally {
      this.draining = false;
    }
    this.onMoved();
    this.gate.wake();
  };

  /** Whether a value waits that only the consumer below can hold up. */
  private mayLeave(): boolean {
    return !this.isEmpty && !this.isPaused && !(this.state === 'catching up' && this.pace?.isResting);
  }

  private hasRoom(): boolean {
    const { mode, highWaterMark } = this.settings;
    if (this.isPaused) return mode === 'buffer' && this.waiting.size < highWaterMark;
    return this.state === 'live' && (this.isEmpty || this.waiting.size < highWaterMark);
  }
}
