import type { IncomingMessage } from 'node:http';
import { finished, pipeline, type Writable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { ByteLimit } from './ByteLimit.js';

/**
 * The body of a request, unpacked, as a stream of its own: who destroys it stops the reading, but can still answer. To
 * destroy the request itself would close the connection.
 */
export function bodyOf(request: IncomingMessage, encoding: 'identity' | 'gzip', maxBytes: number): ByteLimit {
  const body = new ByteLimit(maxBytes).on('error', ignore); // it may fail when nobody reads it yet, or any more
  const entrance: Writable = encoding === 'gzip' ? unpack(body, maxBytes) : body;
  finished(request, { writable: false }, (error) => {
    if (error) entrance.destroy(error);
  });
  request.pipe(entrance);
  return body;
}

/** What is packed is limited as well: it may be endless and unpack to nothing. */
function unpack(body: ByteLimit, maxBytes: number): Writable {
  const packed = new ByteLimit(maxBytes);
  pipeline(packed, createGunzip(), body, ignore); // `body` fails with whatever fails
  return packed;
}

const ignore = () => undefined;
