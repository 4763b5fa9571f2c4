import { constants } from 'node:os';
import { finished } from 'node:stream/promises';
import { lastValueFrom } from 'rxjs';
import { readArguments, usage, UsageError, type Settings } from './arguments.js';
import { openFiles, PathError } from './files.js';
import { enrich } from './pipeline.js';
import { showMessage, showProgress, showReport } from './report.js';
import { startService } from './service.js';
import { stopSignals$, type StopSignal } from './signals.js';
import { Tally } from './Tally.js';

/** Gives the exit code. */
async function main(): Promise<number> {
  try {
    const settings = readArguments(process.argv.slice(2));
    if (settings) return await run(settings);
    process.stdout.write(usage);
    return 0;
  } catch (error) {
    return explain(error as Error);
  }
}

async function run(settings: Settings): Promise<number> {
  const { records } = settings;
  const { shareRead, ...files } = await openFiles(settings);
  const service = await startService(settings.failures);
  const tally = new Tally();
  const endProgress = showProgress(tally, () => {
    const share = shareRead();
    return records === Infinity ? share : Math.max(tally.read / records, share ?? 0);
  });
  process.once('exit', endProgress); // where a second signal ends it

  let exitCode = 0;
  const signals = stopSignals$.subscribe((signal) => {
    if (exitCode > 0) process.exit(exitCodeOf(signal));
    exitCode = exitCodeOf(signal);
    endProgress();
    showMessage('stopping: what has been read is finished; once more to exit at once');
  });
  try {
    const written$ = enrich({ ...files, url: service.url, records, stop$: stopSignals$, tally });
    await lastValueFrom(written$, { defaultValue: undefined });
    await finished(files.rejected.end());
    return exitCode;
  } finally {
    signals.unsubscribe();
    service.stop();
    endProgress();
    showReport(tally, settings);
  }
}

/** Says what went wrong, and gives the exit code. */
function explain(error: NodeJS.ErrnoException): number {
  if (error.code === 'EPIPE') {
    showMessage('nobody reads the output any more');
    return exitCodeOf('SIGPIPE');
  }
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : '';
  showMessage(`${error.message}${cause}`);
  if (error instanceof UsageError) process.stderr.write(`\n${usage}`);
  return error instanceof UsageError || error instanceof PathError ? 2 : 1;
}

/** As a shell reports an end by signal. */
function exitCodeOf(signal: StopSignal | 'SIGPIPE'): number {
  return 128 + constants.signals[signal];
}

process.exitCode = await main();
