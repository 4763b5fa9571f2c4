import type { Subscriber } from 'rxjs';
import type { LossCounter } from '../link/protocol.js';
import { findLossCounter } from '../link/walk.js';
import { reportUnhandled } from './reportUnhandled.js';

/** How a subscription fails, and how it tells of the values that it loses: of each once, also when the callback throws. */
export class Losses {
  /** Why what waits at the end is lost. */
  reason: 'error' | 'unsubscribe' = 'unsubscribe';

  private readonly counter: LossCounter | undefined;

  constructor(private readonly destination: Subscriber<never>) {
    this.counter = findLossCounter(destination);
  }

  /** After the end nobody can be told of an error: it is reported. */
  fail(error: unknown): void {
    if (this.destination.closed) reportUnhandled(error);
    else {
      this.reason = 'error';
      this.destination.error(error);
    }
  }

  /** Of what did not find room. */
  tellOverflow<T>(onDrop: (value: T, reason: 'overflow') => void, value: T): void {
    this.attempt(() => {
      onDrop(value, 'overflow');
    });
  }

  /** Of what the end has come before. */
  tell<T>(onDrop: (value: T, reason: 'error' | 'unsubscribe') => void, value: T): void {
    this.counter?.lost('waiting', 1);
    this.attempt(() => {
      onDrop(value, this.reason);
    });
  }

  /** Calls a callback; what it throws is the error. */
  attempt(tell: () => void): void {
    try {
      tell();
    } catch (thrown) {
      this.fail(thrown);
    }
  }
}
