import { noop, type Subscriber } from 'rxjs';
import type { Gate } from '../link/protocol.js';
import { findCleanupScope } from '../link/walk.js';
import { Slice } from '../machines/Slice.js';
import { shown } from './arguments.js';
import type { Pause } from './macrotask.js';
import { isThenable, type Puller } from './puller.js';
import { reportUnhandled } from './reportUnhandled.js';

export interface PullSettings<T> {
  /** Whose demand counts. */
  readonly gate: Gate | undefined;
  /** How many values may be emitted before the event loop gets a turn; `Infinity`: it never gets one. */
  readonly slice: number;
  /** For the time that a slice may take, in ms. */
  readonly now: () => number;
  /** Lets the event loop have its turn. */
  readonly pause: Pause;
  /** Sees a value that was pulled but can no longer be emitted. */
  readonly onDrop: ((value: T) => void) | undefined;
}

export const defaultSlice = 1000;

export function pull<T>(puller: Puller<T>, subscriber: Subscriber<T>, settings: PullSettings<T>): void {
  const pulling = new Pulling(puller, subscriber, settings);
  subscriber.add(() => {
    pulling.stop();
  });
  pulling.run();
}

const none = Symbol('none');

/**
 * Emits what `puller` gives, one value for each time that the gate was seen open.
 *
 * The gate is read before a pull, so that nothing is pulled that nobody wants, and again when the pull has come back, because
 * others may have filled the consumer meanwhile: until it is open the value is parked. No place is reserved during a pull: a
 * source that is slow to answer would starve the others.
 */
class Pulling<T> {
  private parked: T | typeof none = none;
  private cancelWait: (() => void) | undefined;
  /** `next` has been called and has not come back: it must not be called again, and `return` has to wait if it is synchronous. */
  private inNext = false;
  private pending: PromiseLike<IteratorResult<T>> | undefined;
  /** The source has ended by itself or has been told to. */
  private ended = false;
  private readonly slice: Slice;
  private readonly scope;

  constructor(
    private readonly puller: Puller<T>,
    private readonly subscriber: Subscriber<T>,
    private readonly settings: PullSettings<T>,
  ) {
    this.slice = new Slice(settings.slice);
    this.scope = puller.synchronous ? undefined : findCleanupScope(subscriber);
  }

  /** A field, because it is handed to gates and pauses as it is. */
  readonly run = (): void => {
    const { puller, subscriber, settings } = this;
    const { gate } = settings;
    this.cancelWait = undefined;
    try {
      while (!subscriber.closed) {
        if (gate && !gate.ready) {
          this.cancelWait = gate.onReady(this.run);
          return;
        }
        if (this.parked !== none) {
          subscriber.next(this.takeParked());
          continue;
        }
        if (this.slice.isOver(settings.now)) {
          this.rest();
          return;
        }
        this.inNext = true;
        const result = puller.next();
        if (isThenable(result)) {
          this.pending = result;
          // A foreign thenable may call back at once, and would nest.
          (result instanceof Promise ? result : Promise.resolve(result)).then(this.onResult, this.onError);
          if (subscriber.closed && !this.ended) this.close(); // from within next(), before its first await
          return;
        }
        this.inNext = false;
        if (!this.receive(result)) return;
      }
      if (!this.ended) this.close(); // unsubscribed from within next()
    } catch (thrown) {
      this.fail(thrown);
    }
  };

  stop(): void {
    this.cancelWait?.();
    this.cancelWait = undefined;
    if (this.parked !== none) this.drop(this.takeParked());
    if (!this.ended && (!this.inNext || this.pending)) this.close();
  }

  /** Lets the event loop have its turn. */
  private rest(): void {
    let over = false; // a scheduler may call back at once
    const cancel = this.settings.pause(() => {
      over = true;
      this.run();
    });
    if (!over) this.cancelWait = cancel;
  }

  private readonly onResult = (result: IteratorResult<T>): void => {
    this.inNext = false;
    this.pending = undefined;
    try {
      if (this.receive(result)) this.run();
    } catch (thrown) {
      this.fail(thrown);
    }
  };

  private readonly onError = (error: unknown): void => {
    this.pending = undefined;
    this.end(); // an iterator that has thrown is finished: return() is not called
    this.subscriber.error(error);
  };

  /** Gives whether to go on. */
  private receive(result: IteratorResult<T>): boolean {
    const { subscriber } = this;
    if (typeof result !== 'object') throw new TypeError(`next() must give an object, got ${shown(result)}`);
    if (result.done) {
      this.end();
      subscriber.complete();
      return false;
    }
    if (subscriber.closed) this.drop(result.value);
    else this.parked = result.value;
    return true;
  }

  private takeParked(): T {
    const value = this.parked as T;
    this.parked = none; // before it is emitted: what follows from that may end it all
    return value;
  }

  private fail(error: unknown): void {
    // If it was next() that has thrown, it still counts as under way: return() is not called.
    if (this.subscriber.closed) reportUnhandled(error);
    else this.subscriber.error(error);
  }

  /** The source has come to its end by itself. */
  private end(): void {
    if (!this.ended) this.puller.release?.();
    this.ended = true;
  }

  /** Tells the source to stop, at once even while a pull is under way, and hands on the promise of its clean-up. */
  private close(): void {
    const { pending, scope } = this;
    this.ended = true;
    try {
      // Without a return(), its work is over when the pull that is under way has come back.
      const cleanup = this.puller.close() ?? pending?.then(noop, noop);
      if (cleanup === undefined) return;
      if (scope) scope.track(cleanup);
      else cleanup.then(undefined, reportUnhandled);
    } catch (thrown) {
      reportUnhandled(thrown);
    }
  }

  private drop(value: T): void {
    try {
      this.settings.onDrop?.(value);
    } catch (thrown) {
      reportUnhandled(thrown);
    }
  }
}
