import type { Subscriber } from 'rxjs';
import { BufferOverflowError } from '../../errors/BufferOverflowError.js';
import { Passage } from '../../link/Passage.js';
import { findGate } from '../../link/walk.js';
import { RingBuffer } from '../../machines/RingBuffer.js';
import { shown } from '../arguments.js';
import { drainLoop } from '../drainLoop.js';
import type { Losses } from '../Losses.js';
import { operate } from '../operate.js';
import type { WindowSettings } from './WindowSettings.js';

interface Waiting<R> {
  readonly result: R;
  /** So many values leave with it. */
  readonly count: number;
}

/** What is inside. */
interface Occupancy {
  beginEmission(): void;
  endEmission(): void;
  /** So many leave; gives whether they can have been inside. */
  take(count: number): boolean;
  /** Lets others in. */
  useRoom(): void;
}

/** Where results wait until the consumer below can take them: the values that they stand for are inside as long. */
export class WindowExit<R> {
  readonly subscriber: Subscriber<R>;
  private readonly waiting = new RingBuffer<Waiting<R>>();
  private readonly passage: Passage;
  private readonly drain: () => void;
  private completed = false;

  constructor(
    private readonly destination: Subscriber<R>,
    private readonly settings: Pick<
      WindowSettings<never, R>,
      'size' | 'bufferSize' | 'valuesIn' | 'onDropResult' | 'where'
    >,
    private readonly losses: Losses,
    private readonly occupancy: Occupancy,
  ) {
    const fail = (error: unknown) => {
      losses.fail(error);
    };
    this.drain = drainLoop(destination, this.step, fail);
    this.passage = new Passage(findGate(destination), this.drain);
    this.subscriber = operate<R, R>({
      destination,
      next: (result) => {
        occupancy.beginEmission();
        try {
          this.receive(result);
        } finally {
          occupancy.endEmission();
        }
      },
      error: fail,
      complete: () => {
        this.completed = true;
        this.drain();
      },
    });
    destination.add(() => {
      this.close();
    });
  }

  private receive(result: R): void {
    const { waiting, settings, losses } = this;
    const count = this.countOf(result);
    if (count === undefined) losses.tell(settings.onDropResult, result);
    else if (waiting.size === 0 && this.passage.isOpen) this.deliver(result, count);
    else if (waiting.size >= settings.size + settings.bufferSize) {
      losses.fail(new BufferOverflowError(settings.where, 'results', waiting.size));
      losses.tell(settings.onDropResult, result);
    } else {
      waiting.push({ result, count });
      this.drain();
    }
  }

  private countOf(result: R): number | undefined {
    try {
      const count = this.settings.valuesIn(result);
      if (Number.isInteger(count) && count >= 0) return this.destination.closed ? undefined : count;
      throw new RangeError(`valuesIn must give a non-negative integer, got ${shown(count)}`);
    } catch (thrown) {
      this.losses.fail(thrown);
      return undefined;
    }
  }

  private readonly step = (): void => {
    const { waiting, passage, destination } = this;
    while (waiting.size > 0 && passage.isOpen) {
      const { result, count } = waiting.shift();
      this.deliver(result, count);
    }
    if (waiting.size > 0) passage.wait();
    else {
      passage.leave();
      if (this.completed) destination.complete();
    }
  };

  private deliver(result: R, count: number): void {
    const { losses, settings, destination, occupancy } = this;
    if (!occupancy.take(count)) losses.tell(settings.onDropResult, result);
    else {
      destination.next(result);
      occupancy.useRoom(); // not before, or the next result could come first
    }
  }

  private close(): void {
    const { waiting, losses, settings } = this;
    this.passage.leave();
    for (const { result } of waiting.takeAll()) losses.tell(settings.onDropResult, result);
  }
}
