import { once } from 'node:events';
import { Agent, createServer, get, type IncomingMessage, type RequestListener } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createShutdown, type CreateShutdownOptions } from '../../src/resources/createShutdown.js';
import { deferred } from '../support/settle.js';
import { drainHttpServer } from './drainHttpServer.js';

/** Longer than a test may take: what waits for it hangs. */
const forever = 3_600_000;

async function serve(listener: RequestListener, options: CreateShutdownOptions = {}) {
  const server = createServer({ keepAliveTimeout: forever }, listener);
  const shutdown = createShutdown({ drainTimeout: forever, cleanupTimeout: forever, ...options });
  drainHttpServer(shutdown, server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => {
    agent.destroy();
    server.closeAllConnections();
  });
  const ask = (path: string) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      get({ host: '127.0.0.1', port, path, agent }, resolve).on('error', reject);
    });
  const read = async (path: string) => text(await ask(path));
  const refused = async () => {
    const [error] = (await once(connect(port, '127.0.0.1'), 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNREFUSED');
  };
  return { server, shutdown, ask, read, refused, port };
}

describe('an HTTP server that is drained', () => {
  it('closes at once where nothing runs, keep-alive connections included', async () => {
    const { shutdown, read, server, refused } = await serve((_, response) => response.end('hello'));
    expect(await read('/')).toBe('hello');
    const { clean, drains } = await shutdown.stop('enough');
    expect(clean).toBe(true);
    expect(drains).toMatchObject([{ name: 'http', state: 'drained' }]);
    expect(server.listening).toBe(false);
    await refused();
  });

  it('finishes the requests that run, takes no new connection, and then does not wait for the idle ones', async () => {
    const [started, release] = [deferred(), deferred()];
    const { shutdown, ask, refused } = await serve((_, response) => {
      started.resolve();
      void release.promise.then(() => response.end('done'));
    });
    const asked = ask('/');
    await started.promise;
    const stopped = shutdown.stop();
    await refused();
    release.resolve();
    const response = await asked;
    expect(await text(response)).toBe('done');
    expect(response.headers.connection).toBe('close'); // so that the client does not use the connection again
    expect(await stopped).toMatchObject({ clean: true, timedOut: false });
  });

  it('finishes a response that had begun, and closes its connection then', async () => {
    const release = deferred();
    const { shutdown, ask } = await serve((_, response) => {
      response.write('first, ');
      void release.promise.then(() => response.end('last'));
    });
    const response = await ask('/');
    const stopped = shutdown.stop();
    release.resolve();
    expect(await text(response)).toBe('first, last');
    expect(await stopped).toMatchObject({ clean: true, timedOut: false });
  });

  it('answers what has come meanwhile over a connection that is busy, and says that it is the last', async () => {
    const [started, startedSecond, release] = [deferred(), deferred(), deferred()];
    const { shutdown, port } = await serve(({ url }, response) => {
      if (url === '/second') {
        startedSecond.resolve();
        response.end('second');
      } else {
        response.write('first');
        started.resolve();
        void release.promise.then(() => response.end());
      }
    });
    const socket = connect(port, '127.0.0.1');
    const received = text(socket);
    socket.write('GET /first HTTP/1.1\r\nHost: a\r\n\r\n');
    await started.promise;
    const stopped = shutdown.stop();
    socket.write('GET /second HTTP/1.1\r\nHost: a\r\n\r\n');
    await startedSecond.promise;
    release.resolve();
    expect(await received).toMatch(/keep-alive[^]*first[^]*Connection: close[^]*second$/);
    expect(await stopped).toMatchObject({ clean: true, timedOut: false });
  });

  it('cuts off a request that is stuck when the drain is over', async () => {
    const started = deferred();
    const { shutdown, read } = await serve(() => {
      started.resolve();
    });
    const cut = expect(read('/')).rejects.toMatchObject({ code: 'ECONNRESET' });
    await started.promise;
    void shutdown.stop();
    const summary = await shutdown.abort();
    await cut;
    expect(summary.drains).toMatchObject([{ name: 'http', state: 'aborted' }]);
  });

  it('cuts it off after drainTimeout', async () => {
    const started = deferred();
    const { shutdown, read } = await serve(
      () => {
        started.resolve();
      },
      { drainTimeout: 50 },
    );
    const cut = expect(read('/')).rejects.toMatchObject({ code: 'ECONNRESET' });
    await started.promise;
    expect(await shutdown.stop()).toMatchObject({ timedOut: true, drains: [{ state: 'aborted' }] });
    await cut;
  });
});
