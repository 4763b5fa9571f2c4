import type { IncomingMessage } from 'node:http';
import { tooLong } from './ByteLimit.js';
import type { Context } from './Context.js';
import { Refusal } from './Refusal.js';
import type { ErrorPolicy } from './Tally.js';

export interface Admission {
  readonly client: string;
  readonly encoding: 'identity' | 'gzip';
  readonly onError: ErrorPolicy;
}

const types = ['application/x-ndjson', 'application/jsonl', 'application/x-jsonlines'];

/** What can be said of an upload before its body is read. Throws if it is to be refused. */
export function admit({ headers, socket }: IncomingMessage, query: URLSearchParams, context: Context): Admission {
  const { starts, settings } = context;
  const client = socket.remoteAddress ?? '';
  if (!starts.tryAcquire({ key: client }))
    throw new Refusal(429, `more than ${String(settings.starts)} uploads in a second`, { 'retry-after': '1' });
  const [type = ''] = (headers['content-type'] ?? '').split(';');
  if (!types.includes(type.trim().toLowerCase()))
    throw new Refusal(415, `the content-type must be ${types.join(' or ')}`);
  if (Number(headers['content-length'] ?? 0) > settings.maxBytes) throw tooLong(settings.maxBytes);
  return { client, encoding: encodingOf(headers), onError: policyOf(query) };
}

function encodingOf(headers: IncomingMessage['headers']): Admission['encoding'] {
  const encoding = (headers['content-encoding'] ?? 'identity').toLowerCase();
  if (encoding === 'identity' || encoding === 'gzip') return encoding;
  throw new Refusal(415, 'the content-encoding must be gzip, if there is any', { 'accept-encoding': 'gzip' });
}

function policyOf(query: URLSearchParams): ErrorPolicy {
  const policy = query.get('onError') ?? 'fail';
  if (policy === 'skip' || policy === 'fail') return policy;
  throw new Refusal(400, `onError must be skip or fail, got '${policy}'`);
}
