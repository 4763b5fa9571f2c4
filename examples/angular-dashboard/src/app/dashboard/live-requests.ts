import { Injectable, signal } from '@angular/core';
import { map, share, tap, type Observable } from 'rxjs';
import { pausableBackpressure, retryBackoff, whileVisible } from 'rxjs-flow-control';
import { countOf, eventMessages, type EventMessage } from './event-messages';
import type { ServedRequest } from './served-request';

/** What has become of every request that was heard of: `received` = `shown` + `dropped` + `waiting`. */
export interface RequestCounts {
  readonly received: number;
  readonly shown: number;
  /** Because the page was hidden. */
  readonly dropped: number;
  readonly waiting: number;
  /** Not received at all, by the gaps between the messages. */
  readonly missed: number;
}

/** So many messages wait while the page is hidden, the newest: enough to fill the table when it is shown again. */
const keptWhileHidden = 10;

/** One connection to the server, shared by all that is shown, and open as long as anything is. */
@Injectable()
export class LiveRequests {
  /** Connecting until the first message; after a loss, the so-maniest attempt to come back. */
  readonly connection = signal<'connecting' | 'live' | { readonly attempt: number }>('connecting');
  readonly reconnected = signal(0);

  // Plain numbers: they change some hundred times a second, and who shows them asks when he paints.
  private received = 0;
  private shown = 0;
  private dropped = 0;
  private missed = 0;
  private last = Infinity;

  readonly batches$: Observable<readonly ServedRequest[]> = eventMessages('events').pipe(
    tap((message) => {
      this.receive(message);
    }),
    retryBackoff({
      count: Infinity,
      initialDelay: 250,
      maxDelay: 3000,
      jitter: 'equal',
      resetAfter: 5000,
      onRetry: ({ attempt }) => {
        this.connection.set({ attempt });
      },
    }),
    pausableBackpressure(whileVisible(), {
      bufferSize: keptWhileHidden,
      overflow: 'drop-oldest',
      onDrop: (message) => (this.dropped += countOf(message)),
      name: 'hidden page',
    }),
    map(({ text }) => JSON.parse(text) as ServedRequest[]), // behind the pause: a hidden page does not parse
    tap((batch) => (this.shown += batch.length)),
    share(), // each view below takes what it can, none makes the others wait
  );

  counts(): RequestCounts {
    const { received, shown, dropped, missed } = this;
    return { received, shown, dropped, waiting: received - shown - dropped, missed };
  }

  private receive(message: EventMessage): void {
    const connection = this.connection();
    if (connection !== 'live') {
      if (connection !== 'connecting') this.reconnected.update((times) => times + 1);
      this.connection.set('live');
    }
    this.received += countOf(message);
    this.missed += Math.max(0, message.first - this.last - 1); // a server that has begun anew begins at 1
    this.last = message.last;
  }
}
