// The service that the pipeline asks: GET /?lat=..&lng=.. tells what the coordinates say about a place. It takes a few
// milliseconds to answer, and sometimes it is unavailable: half of these answers have a Retry-After.
//
// A process of its own, so that its work does not take time of the pipeline's; it ends with the process that started it.
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { placeAt } from './place.js';

const [failureShare = 0, seed = 0] = process.argv.slice(2).map(Number);
const random = mulberry32(seed);

const server = createServer(({ url = '/' }, response) => {
  // Drawn in the order of the requests: so many requests, so many failures.
  const delay = 1 + 4 * random();
  const failure = random() / failureShare;
  setTimeout(() => {
    if (failure < 1) answer(response, 503, { error: 'overloaded' }, failure < 0.5 ? { 'retry-after': '1' } : {});
    else answerFor(new URL(url, 'http://localhost').searchParams, response);
  }, delay);
});

function answerFor(query: URLSearchParams, response: ServerResponse): void {
  const lat = coordinate(query.get('lat'), 90);
  const lng = coordinate(query.get('lng'), 180);
  if (lat === undefined || lng === undefined) {
    const error = `expected lat from -90 to 90 and lng from -180 to 180, got lat ${String(query.get('lat'))}, lng ${String(query.get('lng'))}`;
    answer(response, 422, { error });
  } else answer(response, 200, placeAt(lat, lng));
}

function coordinate(text: string | null, limit: number): number | undefined {
  const degrees = text ? Number(text) : NaN;
  return Math.abs(degrees) <= limit ? degrees : undefined;
}

function answer(response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** T. Ettinger's generator: small, and the same numbers on every machine. */
function mulberry32(state: number): () => number {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

// Ctrl-C reaches every process of the terminal, but the pipeline still has requests to finish: it says when to end.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => undefined);
process.on('disconnect', () => process.exit());
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
