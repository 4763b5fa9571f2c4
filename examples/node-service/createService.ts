import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { lastValueFrom } from 'rxjs';
import { answer, refuse } from './answer.js';
import type { Context } from './Context.js';
import { health } from './health.js';
import { Refusal } from './Refusal.js';
import { isGone, refusalOf } from './refusalOf.js';
import { route } from './route.js';
import { showMessage } from './report.js';

/** Answers requests until it is stopped; then those that run come to their end, and later ones are turned away. */
export function createService(context: Context): Server {
  const { settings, shutdown } = context;
  let stopping = false;
  void lastValueFrom(shutdown.stopping$, { defaultValue: undefined }).then(() => {
    stopping = true;
  });

  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    try {
      if (stopping) throw new Refusal(503, 'the service is stopping', { connection: 'close' });
      await route(request, response, context);
    } catch (error) {
      if (response.headersSent) response.destroy();
      else if (!response.destroyed) refuse(request, response, refusalFor(error));
    }
  };

  const refusalFor = (error: unknown): Refusal => {
    if (shutdown.signal.aborted) return new Refusal(503, 'the service has stopped', { connection: 'close' });
    const refusal = refusalOf(error);
    if (refusal) return refusal;
    if (!isGone(error)) showMessage(String((error as Error).stack));
    return new Refusal(500, 'the service has failed');
  };

  const listener = (request: IncomingMessage, response: ServerResponse) => {
    if (request.url === '/health' && request.method === 'GET') {
      answer(response, stopping ? 503 : 200, health(context, stopping));
      return;
    }
    const over = Promise.all([handle(request, response), closed(response)]);
    if (stopping) return;
    const leave = shutdown.drain(`${String(request.method)} ${String(request.url)}`, () => over);
    void over.then(leave);
  };

  // There is no limit for the whole of a request: a large body takes its time, the more so where it is held back.
  const server = createServer({
    requestTimeout: 0,
    headersTimeout: settings.idle,
    connectionsCheckingInterval: Math.min(settings.idle / 2, 5000),
  });
  return server.on('request', listener).on('checkContinue', listener);
}

const closed = (response: ServerResponse) =>
  new Promise<void>((resolve) => {
    response.once('close', resolve);
  });
