import { from, Subscription, type ObservableInput, type Subscriber } from 'rxjs';
import { BufferOverflowError } from '../errors/BufferOverflowError.js';
import { DependentGate } from '../link/DependentGate.js';
import { LevelGate } from '../link/LevelGate.js';
import type { Gate, LossCounter } from '../link/protocol.js';
import { findGate, findLossCounter } from '../link/walk.js';
import { TupleBuffer } from '../machines/TupleBuffer.js';
import { pullsInner, subscribeByPull } from './innerPull.js';
import { operate } from './operate.js';
import { reportUnhandled } from './reportUnhandled.js';

/** `'complete'`: another input had come to its end. */
type DropReason = 'overflow' | 'error' | 'unsubscribe' | 'complete';

export interface ZipSettings<V> {
  readonly highWaterMark: number;
  readonly bufferSize: number;
  readonly onDrop: (value: V, reason: DropReason, input: number) => void;
  readonly where: string;
}

/** One subscription to `zipPull`. */
export class ZipOperation<V> {
  private readonly waiting: TupleBuffer<V>;
  private readonly gates: readonly LevelGate[];
  private readonly below: Gate | undefined;
  private readonly counter: LossCounter | undefined;
  private readonly subscriptions = new Subscription();
  private reasonAtEnd: DropReason = 'unsubscribe';
  private cancelWait: (() => void) | undefined;

  constructor(
    private readonly destination: Subscriber<readonly V[]>,
    private readonly inputs: readonly ObservableInput<V>[],
    private readonly settings: ZipSettings<V>,
  ) {
    this.below = findGate(destination);
    this.counter = findLossCounter(destination);
    this.waiting = new TupleBuffer(inputs.length, settings.bufferSize);
    this.gates = inputs.map((_, input) => this.gateOf(input));
  }

  start(): void {
    for (let input = 0; input < this.inputs.length && !this.destination.closed; input++) this.subscribeTo(input);
  }

  /** First the inputs; then what waited is handed over. */
  stop(): void {
    const { subscriptions } = this; // goes on when one of them throws
    subscriptions.add(() => {
      this.stopWaiting();
      this.waiting.takeAll().forEach((values, input) => {
        for (const value of values) this.drop(value, this.reasonAtEnd, input);
      });
    });
    subscriptions.unsubscribe();
  }

  /** Open while an input is not ahead of the others, and tuples can leave. */
  private gateOf(input: number): LevelGate {
    const isBehind = () => this.waiting.sizeOf(input) < this.settings.highWaterMark;
    return this.below ? new DependentGate(isBehind, this.below) : new LevelGate(isBehind);
  }

  private subscribeTo(index: number): void {
    const subscriber = operate<V, readonly V[]>({
      destination: this.destination,
      gate: this.gates[index],
      next: (value) => {
        this.receive(value, index);
      },
      error: (error) => {
        this.fail(error);
      },
      complete: () => {
        if (this.waiting.end(index)) this.complete();
      },
    });
    this.subscriptions.add(subscriber);
    const input = this.inputs[index] as ObservableInput<V>;
    if (!pullsInner(input, true)) from(input).subscribe(subscriber);
    else {
      subscribeByPull(input, subscriber, (value) => {
        this.drop(value, this.reasonAtEnd, index);
      });
    }
  }

  private receive(value: V, input: number): void {
    const { waiting, settings } = this;
    if (waiting.hasTuple) this.drain(); // it may be able to go, though its turn has not come yet
    if (this.destination.closed) this.drop(value, this.reasonAtEnd, input);
    else if (!waiting.offer(input, value)) {
      const where = `${settings.where}, input ${String(input)}`;
      this.fail(new BufferOverflowError(where, 'results', waiting.sizeOf(input)));
      this.drop(value, 'overflow', input);
    } else if (waiting.hasTuple) this.drain();
  }

  private drain(): void {
    const { waiting, below, destination } = this;
    while (waiting.hasTuple) {
      if (below && !below.ready) {
        this.cancelWait ??= below.onReady(this.resume);
        return;
      }
      destination.next(waiting.shift());
    }
    if (destination.closed) return;
    this.stopWaiting();
    if (waiting.isOver) this.complete();
    else for (const gate of this.gates) gate.wake();
  }

  private readonly resume = (): void => {
    this.cancelWait = undefined;
    this.drain();
  };

  private stopWaiting(): void {
    this.cancelWait?.();
    this.cancelWait = undefined;
  }

  private complete(): void {
    this.reasonAtEnd = 'complete';
    this.destination.complete();
  }

  private fail(error: unknown): void {
    this.reasonAtEnd = 'error';
    this.destination.error(error);
  }

  /** It is over by then. */
  private drop(value: V, reason: DropReason, input: number): void {
    if (reason === 'error' || reason === 'unsubscribe') this.counter?.lost('waiting', 1);
    try {
      this.settings.onDrop(value, reason, input);
    } catch (thrown) {
      reportUnhandled(thrown);
    }
  }
}
