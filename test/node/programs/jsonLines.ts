// Works on JSON lines from standard input, two at a time, and writes what it has made of them. At its end it writes a report.
import { createWriteStream, writeFileSync } from 'node:fs';
import { lastValueFrom, tap } from 'rxjs';
import { bufferedMergeMap } from '../../../src/operators/bufferedMergeMap.js';
import { formatJsonLines } from '../../../src/operators/formatJsonLines.js';
import { gracefulShutdown } from '../../../src/operators/gracefulShutdown.js';
import { parseJsonLines } from '../../../src/operators/parseJsonLines.js';
import { createShutdown } from '../../../src/node/createShutdown.js';
import { fromReadable } from '../../../src/node/fromReadable.js';
import { writeTo } from '../../../src/node/writeTo.js';

export interface Job {
  readonly id: number;
  /** A number is how many ms it takes; `'stuck'` ends when it is aborted, and `'deaf'` never. */
  readonly takes: number | 'stuck' | 'deaf';
}

export interface Scenario {
  readonly out: string;
  readonly report: string;
  readonly drainTimeout: number;
  readonly cleanupTimeout: number;
  /** How many ms work takes to clean up when it is aborted. */
  readonly cleanup?: number;
  /** How many bytes it makes of a record. */
  readonly size?: number;
}

export interface Report {
  /** What has been read. */
  readonly accepted: readonly number[];
  /** What was started, and has given no result. */
  readonly unfinished: readonly number[];
  /** What was not started. */
  readonly dropped: readonly number[];
  /** What `gracefulShutdown` has to say; nothing if there was nothing left to stop. */
  readonly pipeline?: object;
}

const { out, report, cleanup = 0, size = 0, ...timeouts } = JSON.parse(process.argv[2] ?? '') as Scenario;
const accepted: number[] = [];
const dropped: number[] = [];
const unfinished = new Set<number>();

const work = async ({ id, takes }: Job, signal: AbortSignal): Promise<{ id: number; text: string }> => {
  unfinished.add(id);
  console.error(`started ${id}`);
  await new Promise<void>((resolve, reject) => {
    if (typeof takes === 'number') setTimeout(resolve, takes);
    if (takes === 'deaf') return;
    signal.addEventListener('abort', () => {
      console.error(`cleaning ${id}`);
      setTimeout(reject, cleanup, signal.reason);
    });
  });
  return { id, text: 'x'.repeat(size) };
};

const shutdown = createShutdown({
  ...timeouts,
  onReport: ({ pipelines: [pipeline] }) => {
    writeFileSync(report, JSON.stringify({ accepted, dropped, unfinished: [...unfinished], pipeline }));
  },
});
const written = lastValueFrom(
  fromReadable(process.stdin).pipe(
    parseJsonLines<Job>(),
    tap(({ id }) => {
      accepted.push(id);
      console.error(`read ${id}`);
    }),
    gracefulShutdown(
      (job$) =>
        job$.pipe(
          bufferedMergeMap((job, _, { signal }) => work(job, signal), {
            concurrent: 2,
            highWaterMark: 4,
            onDrop: ({ id }) => dropped.push(id),
          }),
          tap(({ id }) => unfinished.delete(id)),
        ),
      { on: shutdown, onTimeout: 'complete' },
    ),
    formatJsonLines(),
    tap(() => {
      console.error('wrote');
    }),
    writeTo(() => createWriteStream(out)), // below: what has been done is written, whatever becomes of the rest
  ),
);
shutdown.add('output', () => written);
console.error('ready');
