import type { Readable, Writable } from 'node:stream';
import { catchError, filter, map, retry, take, tap, type Observable } from 'rxjs';
import {
  abortable,
  bufferedMergeMap,
  formatJsonLines,
  gracefulShutdown,
  splitLines,
  type Shutdown,
} from 'rxjs-flow-control';
import { fromReadable, writeTo } from 'rxjs-flow-control/node';
import { backOff, locate } from './locate.js';
import { setAside } from './setAside.js';
import type { Tally } from './Tally.js';

export interface Job {
  input: Readable;
  output: Writable;
  /** Takes the number of each bad line, and what is wrong with it. */
  rejected: Writable;
  /** The service that is asked. */
  url: string;
  /** How many records are read at most. */
  records: number;
  /** Ends the reading; what has been read is finished. */
  shutdown: Shutdown;
  tally: Tally;
}

/** Asks a service about the place of each record, 16 at a time, writes the records with what it says, and emits how many these are. */
export function enrich({ input, output, rejected, url, records, shutdown, tally }: Job): Observable<number> {
  const lines$ = fromReadable(input).pipe(
    splitLines(),
    map((text, index) => ({ text, line: index + 1 })),
    filter(({ text }) => text.trim() !== ''),
    take(records),
  );

  const finish = (line$: typeof lines$) =>
    line$.pipe(
      tap(() => tally.read++),
      bufferedMergeMap(
        ({ text, line }) => {
          tally.start();
          return abortable((signal) => locate(text, url, signal)).pipe(
            retry({ count: 5, delay: backOff(tally) }),
            catchError(setAside(line, rejected, tally)),
          );
        },
        { concurrent: 16, highWaterMark: 64 },
      ),
      tap(() => tally.finished++),
      formatJsonLines(),
      writeTo(output, { end: output !== process.stdout }),
    );

  return lines$.pipe(gracefulShutdown(finish, { on: shutdown }));
}
