import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context } from './Context.js';
import { download } from './download.js';
import { Refusal } from './Refusal.js';
import { upload } from './upload.js';

/** Does what a request asks for. Rejects if it is to be refused. */
export async function route(request: IncomingMessage, response: ServerResponse, context: Context): Promise<void> {
  const { pathname, searchParams: query } = urlOf(request);
  const [, name] = /^\/records\/([^/]+)$/.exec(pathname) ?? [];
  if (name === undefined) throw new Refusal(404, 'there are /records/:name and /health');
  if (!/^\w[\w.-]{0,63}$/.test(name))
    throw new Refusal(400, 'a name is up to 64 of A-Z a-z 0-9 _ . - and begins with no . or -');
  const { running } = context;
  switch (request.method) {
    case 'GET':
      running.downloads++;
      return download(response, { name, query, context }).finally(() => running.downloads--);
    case 'PUT':
    case 'POST':
      running.uploads++;
      return upload(request, response, { name, query, context }).finally(() => running.uploads--);
    default:
      throw new Refusal(405, 'records can be PUT, POSTed and GOT', { allow: 'GET, PUT, POST' });
  }
}

function urlOf({ url = '' }: IncomingMessage): URL {
  try {
    return new URL(url, 'http://localhost');
  } catch {
    throw new Refusal(400, 'the URL is none');
  }
}
