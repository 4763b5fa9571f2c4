import type { Subscriber } from 'rxjs';
import { BufferOverflowError } from '../../errors/BufferOverflowError.js';
import { PermitCostError } from '../../errors/PermitCostError.js';
import { RateLimitError } from '../../errors/RateLimitError.js';
import { Passage } from '../../link/Passage.js';
import { findGate } from '../../link/walk.js';
import { KeyedBuffer } from '../../machines/KeyedBuffer.js';
import { WaitLine } from '../../machines/WaitLine.js';
import type { QueueOptions } from '../../options/queue.js';
import { Demand } from './Demand.js';
import { nonNegativeInteger } from './nonNegativeInteger.js';
import { Losses } from '../Losses.js';
import { reportUnhandled } from '../reportUnhandled.js';
import type { Lane } from './Lane.js';
import type { Limiter } from './Limiter.js';
import { ValueLine, type Priced } from './ValueLine.js';

export interface LimitedValuesSettings<T> extends Required<QueueOptions> {
  readonly mode: 'shape' | 'enforce' | 'drop';
  readonly cost: number | ((value: T) => number);
  readonly key: ((value: T) => unknown) | undefined;
  readonly onDrop: (value: T, reason: 'overflow' | 'rate-limit' | 'error' | 'unsubscribe') => void;
  readonly where: string;
}

/** One subscription to `rateLimit`: values wait in a line for each key until there are permits and the consumer can take them. */
export class LimitedValues<T> {
  readonly patient: boolean;
  readonly demand: Demand;
  private readonly waiting: KeyedBuffer<Priced<T>, ValueLine<T>>;
  private readonly passage: Passage;
  /** Lines whose turn came while the consumer below was full. */
  private readonly below = new WaitLine();
  private readonly losses: Losses;
  private sourceCompleted = false;

  constructor(
    private readonly destination: Subscriber<T>,
    private readonly limiter: Limiter,
    private readonly settings: LimitedValuesSettings<T>,
  ) {
    const { bufferSize, overflow, highWaterMark, mode } = settings;
    const below = findGate(destination);
    this.patient = mode === 'shape';
    this.waiting = new KeyedBuffer(bufferSize, overflow, (key) => new ValueLine<T>(key, this));
    this.passage = new Passage(below, this.resume);
    this.losses = new Losses(destination);
    const hasRoom = () => this.waiting.size === 0 || this.waiting.size < highWaterMark;
    this.demand = new Demand(hasRoom, highWaterMark === 0 ? below : undefined);
  }

  get isOpen(): boolean {
    return !this.destination.closed && this.passage.isOpen;
  }

  receive(value: T): void {
    const { destination, losses, settings, waiting } = this;
    let key: unknown;
    let cost = 0;
    try {
      key = settings.key?.(value);
      cost = this.costOf(value);
    } catch (thrown) {
      losses.fail(thrown);
    }
    if (destination.closed) losses.tell(settings.onDrop, value);
    else if (!waiting.has(key) && this.passage.isOpen && this.laneOf(key).tryTake(cost)) destination.next(value);
    else this.enqueue({ value, cost }, key);
  }

  fail(error: unknown): void {
    this.losses.fail(error);
  }

  complete(): void {
    this.sourceCompleted = true;
    this.moved();
  }

  /** Drops what waits. To be called when the destination has ended and nothing is received any more. */
  stop(): void {
    const dropped = this.waiting.takeAll();
    this.passage.leave();
    for (const { line } of dropped) line.update();
    for (const { value } of dropped) this.losses.tell(this.settings.onDrop, value.value);
  }

  laneOf(key: unknown): Lane {
    return this.limiter.lane(key);
  }

  waitBelow(resume: () => void): () => void {
    this.passage.wait();
    return this.below.add(resume);
  }

  emit(line: ValueLine<T>, lane: Lane): void {
    const { value } = this.waiting.shift(line);
    this.demand.wakeAfter(lane);
    outOfLane(() => {
      try {
        line.update();
        this.destination.next(value);
      } catch (thrown) {
        this.fail(thrown);
      }
      this.moved();
    });
  }

  refuse(line: ValueLine<T>, lane: Lane, retryAfter: number, failure: ErrorOptions | undefined): void {
    const { limiter, losses, settings } = this;
    limiter.refused++;
    this.demand.wakeAfter(lane);
    outOfLane(() => {
      if (settings.mode === 'enforce') this.fail(new RateLimitError(settings.where, retryAfter, failure));
      else {
        const { value } = this.waiting.shift(line);
        losses.attempt(() => {
          settings.onDrop(value, 'rate-limit');
        });
        line.update();
        this.moved();
      }
    });
  }

  private enqueue(priced: Priced<T>, key: unknown): void {
    const { waiting, losses, settings } = this;
    const entry = waiting.entry(priced, key);
    const dropped = waiting.offer(entry);
    if (!dropped) losses.fail(new BufferOverflowError(settings.where, 'values', waiting.size));
    for (const { value } of dropped ?? [entry]) losses.tellOverflow(settings.onDrop, value.value);
    for (const { line } of dropped ?? []) line.update();
    entry.line.update();
    this.moved();
  }

  private costOf(value: T): number {
    const { cost, where } = this.settings;
    const { capacity } = this.limiter.settings;
    const permits = typeof cost === 'number' ? cost : nonNegativeInteger('cost', cost(value));
    if (permits > capacity) throw new PermitCostError(where, permits, capacity);
    return permits;
  }

  private readonly resume = (): void => {
    const { below, passage } = this;
    this.demand.wakeAfterAll(() => {
      while (below.size > 0 && this.isOpen) below.callFirst();
      if (below.size > 0) passage.wait();
    });
  };

  /** To be called when values may have left. */
  private moved(): void {
    if (this.destination.closed) return;
    if (this.sourceCompleted && this.waiting.size === 0) this.destination.complete();
    else this.demand.wake();
  }
}

/** A teardown below may throw at the end: that is reported, since others wait in the lane who have nothing to do with it. */
function outOfLane(tell: () => void): void {
  try {
    tell();
  } catch (thrown) {
    reportUnhandled(thrown);
  }
}
