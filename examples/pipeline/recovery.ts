import type { Writable } from 'node:stream';
import type { MonoTypeOperatorFunction } from 'rxjs';
import { deadLetter, retryBackoff } from 'rxjs-flow-control';
import { BadRecord, ServiceUnavailable } from './locate.js';
import type { Tally } from './Tally.js';

/** Asks again when the service fails: after some 0.1, 0.2, 0.4, ... s, or when the service says. */
export const askAgain = <T>(tally: Tally): MonoTypeOperatorFunction<T> =>
  retryBackoff({
    count: 5,
    jitter: 'equal',
    shouldRetry: (error) => !(error instanceof BadRecord),
    delayFor: (error) => (error instanceof ServiceUnavailable ? error.retryAfter : undefined),
    onRetry: () => tally.retries++,
  });

/** Writes to the side file what is wrong with a line. The slot of the record waits for that. */
export const setAside = <T>(line: number, rejected: Writable, tally: Tally): MonoTypeOperatorFunction<T> =>
  deadLetter(line, {
    attempts: 1,
    to: async ({ value, error }) => {
      if (!(error instanceof BadRecord)) throw error; // the service is down: the next record would not fare better
      await written(rejected, `${JSON.stringify({ line: value, reason: error.message })}\n`);
      tally.bad++;
    },
  });

const written = (file: Writable, text: string) =>
  new Promise<void>((resolve, reject) => {
    file.write(text, (failure) => {
      if (failure) reject(failure);
      else resolve();
    });
  });
