import { constants } from 'node:os';

/** Calls `onStop` at the first request to stop; the second ends the process at once. */
export function onStopRequest(onStop: (exitCode: number) => void): void {
  let stoppedAt: number | undefined;
  const handle = (signal: NodeJS.Signals) => {
    if (stoppedAt === undefined) {
      stoppedAt = performance.now();
      onStop(exitCodeOf(signal));
    }
    // One Ctrl-C under `npm start` comes twice, from the terminal and from npm: that is one request.
    else if (performance.now() - stoppedAt > 500) process.exit(exitCodeOf(signal));
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, handle);
}

/** As a shell reports an end by signal. */
export function exitCodeOf(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}
