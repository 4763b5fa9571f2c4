import type { Writable } from 'node:stream';
import { Observable } from 'rxjs';
import { BadRecord } from './locate.js';
import type { Tally } from './Tally.js';

/** Writes to the side file what is wrong with a line. It completes when that is written: the slot of the record waits for it. */
export const setAside =
  (line: number, rejected: Writable, tally: Tally) =>
  (error: unknown): Observable<never> => {
    if (!(error instanceof BadRecord)) throw error;
    return new Observable((subscriber) => {
      rejected.write(`${JSON.stringify({ line, reason: error.message })}\n`, (failure) => {
        if (failure) subscriber.error(failure);
        else {
          tally.bad++;
          subscriber.complete();
        }
      });
    });
  };
