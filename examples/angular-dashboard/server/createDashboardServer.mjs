// @ts-check
import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { detailOf, detailDelay, Traffic } from './traffic.mjs';

/** How often events are written: as a real server would, in batches. */
const period = 20;

const types = /** @type {Record<string, string>} */ ({
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
});

/** Nothing is loaded from elsewhere. Angular and Chart.js write styles into the page. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; img-src data:";

/**
 * - `GET /events`: server-sent events. The id of a message, `first-last`, says which requests are in it.
 * - `GET /detail/:id`: why a request has failed, after a while that looks random and is the same each time.
 * - `GET /statistics`: what the server has done, for the test; reading it sets `mostRunning` back.
 * - all else: files of the build.
 *
 * @param {{ pages: string, rate: number }} options
 */
export function createDashboardServer({ pages, rate }) {
  const traffic = new Traffic(rate);
  /** @type {Set<import('node:http').ServerResponse>} */
  const readers = new Set();
  let sent = 0;
  const details = { asked: 0, running: 0, mostRunning: 0, answered: 0 };

  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const detail = /^\/detail\/(\d+)$/.exec(pathname);
    if (request.method !== 'GET') response.writeHead(405, { allow: 'GET' }).end();
    else if (pathname === '/events') stream(response);
    else if (detail) answerDetail(Number(detail[1]), response);
    else if (pathname === '/statistics') answerStatistics(response);
    else sendFile(pathname, response);
  });

  /** @param {import('node:http').ServerResponse} response */
  function stream(response) {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.flushHeaders();
    readers.add(response);
    response.on('close', () => readers.delete(response));
  }

  const timer = setInterval(() => {
    const requests = traffic.take();
    const first = requests[0];
    const last = requests.at(-1);
    if (!first || !last) return;
    sent += requests.length;
    const message = `id: ${String(first.id)}-${String(last.id)}\ndata: ${JSON.stringify(requests)}\n\n`;
    // Who does not keep up misses messages, instead of filling the memory; the ids tell him how many.
    for (const reader of readers) if (!reader.writableNeedDrain) reader.write(message);
  }, period);
  server.on('close', () => {
    clearInterval(timer);
  });

  /**
   * @param {number} id
   * @param {import('node:http').ServerResponse} response
   */
  function answerDetail(id, response) {
    details.asked++;
    details.running++;
    details.mostRunning = Math.max(details.mostRunning, details.running);
    const answer = setTimeout(() => {
      details.answered++;
      sendJson(response, detailOf(id));
    }, detailDelay(id));
    response.on('close', () => {
      clearTimeout(answer);
      details.running--;
    });
  }

  /** @param {import('node:http').ServerResponse} response */
  function answerStatistics(response) {
    sendJson(response, { readers: readers.size, sent, details });
    details.mostRunning = details.running;
  }

  /**
   * @param {string} pathname
   * @param {import('node:http').ServerResponse} response
   */
  function sendFile(pathname, response) {
    const name = pathname === '/' ? 'index.html' : pathname.slice(1);
    const path = join(pages, name);
    const type = types[extname(name)];
    if (!/^[\w-]+(\.[\w-]+)*$/.test(name) || !type || !statSync(path, { throwIfNoEntry: false })?.isFile()) {
      response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' }).end('not found\n');
      return;
    }
    response.writeHead(200, { 'content-type': type, 'content-security-policy': policy, 'cache-control': 'no-cache' });
    createReadStream(path).pipe(response);
  }

  return server;
}

/**
 * @param {import('node:http').ServerResponse} response
 * @param {object} body
 */
function sendJson(response, body) {
  response
    .writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    .end(JSON.stringify(body));
}
