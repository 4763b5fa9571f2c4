import { constants } from 'node:os';
import { finished } from 'node:stream/promises';
import { firstValueFrom, lastValueFrom } from 'rxjs';
import { createRateLimiter, DeadLetterError, type ResourceReport } from 'rxjs-flow-control';
import { createShutdown } from 'rxjs-flow-control/node';
import { readArguments, usage, UsageError, type Settings } from './arguments.js';
import { createConnections } from './connections.js';
import { openFiles, PathError } from './files.js';
import { enrich } from './pipeline.js';
import { showMessage, showProgress, showReport, showRest } from './report.js';
import { startService } from './service.js';
import { Tally } from './Tally.js';

async function run(settings: Settings): Promise<void> {
  const { skip, records, rate, timeout } = settings;
  const { shareRead, ...files } = await openFiles(settings);
  const service = await startService(settings);
  const tally = new Tally();
  const endProgress = showProgress(tally, () => {
    const share = shareRead();
    return records === Infinity ? share : Math.max(tally.read / records, share ?? 0);
  });

  const shutdown = createShutdown({ drainTimeout: 30_000, sameWithin: 500 });
  const connections = createConnections(16);
  const limiter = createRateLimiter({ limit: rate, interval: 1000 });
  shutdown.add('service', service.stop);
  shutdown.add('connections', () => connections.drain());
  shutdown.add('rejected', () => finished(files.rejected.end()));
  void firstValueFrom(shutdown.stopping$, { defaultValue: theEnd }).then((reason) => {
    endProgress();
    if (reason !== theEnd) showMessage('stopping: what has been read is finished; once more to stop at once');
  });
  let failed: readonly ResourceReport[];
  try {
    const job = { ...files, url: service.url, connections, limiter, timeout, skipped: skip, records, shutdown, tally };
    tally.written = await lastValueFrom(enrich(job), { defaultValue: 0 });
  } finally {
    const { reason, resources } = await shutdown.stop(theEnd);
    failed = resources.filter(({ state }) => state !== 'closed');
    showReport(tally, settings);
    if (reason !== theEnd && tally.missing === 0 && tally.read > 0) showRest(skip + tally.read, records - tally.read);
  }
  for (const { name, state, error } of failed) throw new Error(`${name} ${state}`, { cause: error });
}

const theEnd = 'the end of the input';

/** Says what went wrong, and gives the exit code. */
function explain(error: NodeJS.ErrnoException): number {
  if (error.code === 'EPIPE') {
    showMessage('nobody reads the output any more');
    return 128 + constants.signals.SIGPIPE;
  }
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : '';
  showMessage(`${error.message}${cause}`);
  if (error instanceof UsageError) process.stderr.write(`\n${usage}`);
  return error instanceof UsageError || error instanceof PathError ? 2 : 1;
}

try {
  const settings = readArguments(process.argv.slice(2));
  if (settings) await run(settings);
  else process.stdout.write(usage);
} catch (error) {
  const code = explain((error instanceof DeadLetterError ? error.cause : error) as Error);
  process.exitCode ??= code; // a signal has set it
}
