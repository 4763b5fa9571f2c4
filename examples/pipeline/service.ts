import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Settings } from './arguments.js';

export interface Service {
  url: string;
  stop: () => void;
}

/** Starts the service, of whose answers the share `failures` is 503, unless there is another one to ask. */
export async function startService({ service, failures }: Settings): Promise<Service> {
  if (service !== undefined) return { url: service, stop: () => undefined };
  const server = fork(fileURLToPath(new URL('server.js', import.meta.url)), [String(failures)], {
    // Not our standard output: a pipe that a child inherits is made blocking, for us too, and then a reader that has
    // stopped reading stops the event loop, signals and all.
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const port = await new Promise((resolve, reject) => {
    server.once('message', resolve);
    server.once('error', reject);
    server.once('exit', (code) => {
      reject(new Error(`the service did not start (exit code ${String(code)})`));
    });
  });
  return {
    url: `http://127.0.0.1:${String(port)}`,
    stop: () => {
      if (server.connected) server.disconnect();
    },
  };
}
