import type { Readable, Writable } from 'node:stream';
import type { Agent } from 'node:http';
import { filter, map, skip, take, tap, type Observable } from 'rxjs';
import {
  bufferedMergeMap,
  formatJsonLines,
  gracefulShutdown,
  splitLines,
  type Pool,
  type RateLimiter,
  type Shutdown,
} from 'rxjs-flow-control';
import { fromReadable, writeTo } from 'rxjs-flow-control/node';
import { locate } from './locate.js';
import { askAgain, setAside } from './recovery.js';
import type { Tally } from './Tally.js';

export interface Job {
  input: Readable;
  output: Writable;
  /** Takes the number of each bad line, and what is wrong with it. */
  rejected: Writable;
  /** The service that is asked. */
  url: string;
  connections: Pool<Agent>;
  /** Of the requests. */
  limiter: RateLimiter;
  /** How long an answer may take, in ms. */
  timeout: number;
  /** How many records are left out. */
  skipped: number;
  /** How many records are read at most. */
  records: number;
  /** Ends the reading; what has been read is finished. */
  shutdown: Shutdown;
  tally: Tally;
}

/** Asks a service about the place of each record, 16 at a time, writes the records with what it says, and emits how many these are. */
export function enrich(job: Job): Observable<number> {
  const { input, output, rejected, url, connections, limiter, timeout, skipped, records, shutdown, tally } = job;
  const line$ = fromReadable(input).pipe(
    splitLines(),
    map((text, index) => ({ text, line: index + 1 })),
    filter(({ text }) => text.trim() !== ''),
    skip(skipped),
    take(records),
  );

  const finish = (accepted$: typeof line$) =>
    accepted$.pipe(
      tap(() => tally.read++),
      bufferedMergeMap(
        ({ text, line }) => {
          tally.start();
          return connections
            .use((connection) => locate(text, { url, connection, limiter, timeout }))
            .pipe(askAgain(tally), setAside(line, rejected, tally));
        },
        { concurrent: 16, highWaterMark: 64 },
      ),
      tap(() => tally.finished++),
      formatJsonLines(),
      writeTo(output, { end: output !== process.stdout }),
    );

  return line$.pipe(gracefulShutdown(finish, { on: shutdown }));
}
