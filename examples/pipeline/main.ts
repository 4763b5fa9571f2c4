import { finished } from 'node:stream/promises';
import { lastValueFrom, Subject } from 'rxjs';
import { readArguments, usage, UsageError, type Settings } from './arguments.js';
import { openFiles, PathError } from './files.js';
import { enrich } from './pipeline.js';
import { showMessage, showProgress, showReport } from './report.js';
import { startService } from './service.js';
import { exitCodeOf, onStopRequest } from './signals.js';
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
  const stop$ = new Subject<void>();
  onStopRequest((code) => {
    exitCode = code;
    stop$.next();
    endProgress();
    showMessage('stopping: what has been read is finished; once more to exit at once');
  });
  try {
    tally.written = await lastValueFrom(enrich({ ...files, url: service.url, records, stop$, tally }), {
      defaultValue: 0,
    });
    await finished(files.rejected.end());
    return exitCode;
  } finally {
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

process.exitCode = await main();
