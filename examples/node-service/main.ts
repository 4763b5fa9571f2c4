import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { lastValueFrom } from 'rxjs';
import { createRateLimiter } from 'rxjs-flow-control';
import { createShutdown } from 'rxjs-flow-control/node';
import { readArguments, usage, UsageError, type Settings } from './arguments.js';
import { createService } from './createService.js';
import { FileStore } from './FileStore.js';
import { showMessage, showReport } from './report.js';

async function run(settings: Settings): Promise<void> {
  const store = await FileStore.in(settings.dir, settings.diskDelay);
  const shutdown = createShutdown({
    drainTimeout: settings.drain,
    sameWithin: 500,
    onReport: (summary) => {
      showReport(summary);
      if (summary.clean) process.exitCode = 0; // else it is that of the signal
    },
  });
  const service = createService({
    ...{ settings, store, shutdown },
    records: createRateLimiter({ limit: settings.rate, interval: 1000 }),
    starts: createRateLimiter({ limit: settings.starts, interval: 1000 }),
    running: { uploads: 0, downloads: 0 },
  });
  void lastValueFrom(shutdown.stopping$, { defaultValue: undefined }).then((reason) => {
    showMessage(`${String(reason)}: what runs is finished; once more to cut it off`);
  });
  await once(service.listen(settings.port, '127.0.0.1'), 'listening');
  shutdown.add('connections', () => close(service));
  // Not before: where a second one is started by mistake, it cannot listen.
  await store.sweep().catch((error: unknown) => {
    void close(service);
    throw error;
  });
  const { port } = service.address() as AddressInfo;
  showMessage(`listens on http://127.0.0.1:${String(port)}`);
}

/** Only now: until all was finished, who came later was to be told, and not to knock in vain. */
function close(service: Server): Promise<unknown> {
  const closing = once(service.close(), 'close');
  service.closeAllConnections();
  return closing;
}

try {
  const settings = readArguments(process.argv.slice(2));
  if (settings) await run(settings);
  else process.stdout.write(usage);
} catch (error) {
  showMessage((error as Error).message);
  if (error instanceof UsageError) process.stderr.write(`\n${usage}`);
  process.exitCode = 2;
}
