import { Subscription, type Subscriber } from 'rxjs';
import type { CleanupPatience } from '../../link/Cleanups.js';
import { findLossCounter } from '../../link/walk.js';
import { Drops } from '../merge/Drops.js';
import type { MergeSettings } from '../merge/MergeSettings.js';
import { Works } from '../merge/Works.js';
import { reportUnhandled } from '../reportUnhandled.js';
import type { SessionSettings } from './SessionSettings.js';

interface Parts {
  /** Nothing is emitted any more, and no time matters. */
  close(): void;
  /** Adds what is to be torn down after the signals have been aborted. */
  addTo(teardown: Subscription): void;
  /** Hands over what waits. */
  drop(): void;
}

/** How a subscription to `keyedSessions` fails and is stopped. */
export class SessionsEnd<K, T, R> {
  /** Nothing is opened or passed on any more. */
  closed = false;
  private stopped = false;
  readonly works: Works;
  readonly drops: Drops<T, R>;
  private readonly patience: CleanupPatience;

  constructor(
    private readonly destination: Subscriber<R>,
    settings: SessionSettings<K, T, R>,
    private readonly parts: Parts,
  ) {
    this.patience = settings.patience;
    this.works = new Works(destination);
    // There is no age.
    const { onDrop, onDropResult } = settings as unknown as MergeSettings<T, R>;
    this.drops = new Drops({ onDrop, onDropResult }, this.onThrow, findLossCounter(destination));
    destination.add(() => {
      this.stop();
    });
  }

  /** What a callback has thrown is never lost. */
  readonly onThrow = (thrown: unknown): void => {
    if (this.closed) reportUnhandled(thrown);
    else this.fail(thrown);
  };

  /** Where nobody has anything to clean up, the error passes first and the teardown follows, as in RxJS. */
  fail(error: unknown): void {
    if (this.closed) return;
    const { works, destination } = this;
    this.closed = true; // what follows may free the consumer below
    this.parts.close();
    this.drops.reason = 'error';
    works.failed = true;
    if (!works.cleanups) {
      destination.error(error);
      return;
    }
    try {
      this.stop();
    } catch (thrown) {
      reportUnhandled(thrown);
    }
    destination.add(
      works.cleanups.whenSettled(this.patience, () => {
        destination.error(error);
      }),
    );
  }

  /** First the source, which is the first of `parts`, then the signals, then the handlers; then what waited is handed over. */
  private stop(): void {
    if (this.stopped) return;
    this.closed = this.stopped = true;
    const { parts, works, drops } = this;
    parts.close();
    drops.work(works.running);
    const teardown = new Subscription(); // goes on when one of them throws
    parts.addTo(teardown);
    teardown.add(() => {
      parts.drop();
    });
    teardown.unsubscribe();
  }
}
