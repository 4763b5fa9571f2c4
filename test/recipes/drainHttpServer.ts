import type { Server, ServerResponse } from 'node:http';
import type { Shutdown } from '../../src/index.js';

/** On stop, takes no more connections and finishes the requests that run; cuts them off when the drain is over. */
export function drainHttpServer(shutdown: Shutdown, server: Server): void {
  const running = new Set<ServerResponse>();
  let stopping = false;
  const sayGoodbye = (response: ServerResponse) => {
    if (!response.headersSent) response.setHeader('Connection', 'close');
  };
  server.prependListener('request', (_, response) => {
    running.add(response);
    if (stopping) sayGoodbye(response);
    response.once('close', () => {
      running.delete(response);
      if (stopping) server.closeIdleConnections(); // else the server waits for it until keepAliveTimeout
    });
  });
  shutdown.drain('http', async ({ signal }) => {
    stopping = true;
    const closed = new Promise((resolve) => server.close(resolve)); // closes the idle connections too, since Node 19
    running.forEach(sayGoodbye);
    signal.addEventListener('abort', () => {
      server.closeAllConnections();
    });
    await closed;
  });
}
