import { once } from 'node:events';
import { createServer } from 'node:http';
import { answerTo } from './records.mjs';

/** For how long it asks to be left alone, in s. */
const pause = 1;

/** The service that the example asks: a real server, which does what the weather of the run says. */
export class FaultyService {
  /** How often each fault was done. */
  faults = new Map();
  /** What the example did against the rules. */
  complaints = [];
  requests = 0;
  /** When the last one came. */
  lastRequest = 0;
  #server = createServer((request, response) => this.#handle(request, response));
  #weather;
  #onRequest;
  /** How often each record that has no answer yet was asked for. */
  #attempts = new Map();
  /** Who must not be asked for before. */
  #notBefore = new Map();

  async start() {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.url = `http://127.0.0.1:${this.#server.address().port}`;
  }

  stop() {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /** For the next run; `onRequest` is told the number of each request. */
  begin(weather, onRequest) {
    this.#weather = weather;
    this.#onRequest = onRequest;
    this.#attempts.clear();
    this.#notBefore.clear();
    this.faults = new Map();
    this.complaints = [];
    this.requests = 0;
    this.lastRequest = performance.now();
  }

  #handle({ url }, response) {
    this.lastRequest = performance.now();
    this.#onRequest(++this.requests);
    const { id, place, error } = answerTo(new URL(url, 'http://localhost').searchParams);
    if (error) {
      send(response, 422, { error });
      return;
    }
    const attempt = (this.#attempts.get(id) ?? 0) + 1;
    this.#attempts.set(id, attempt);
    this.#checkPause(id);
    const fault = this.#weather.faultOf(id, attempt);
    const timer = setTimeout(
      () => {
        if (fault) this.#fail(fault, id, place, response);
        else {
          this.#attempts.delete(id);
          send(response, 200, place);
        }
      },
      this.#weather.delayOf(id, attempt),
    );
    response.on('close', () => clearTimeout(timer));
  }

  #checkPause(id) {
    const early = (this.#notBefore.get(id) ?? 0) - performance.now();
    this.#notBefore.delete(id);
    // Timers count in whole ms.
    if (early > 2)
      this.complaints.push(`record ${id} was asked for ${early.toFixed(0)} ms before Retry-After was over`);
  }

  #fail(fault, id, place, response) {
    this.faults.set(fault, (this.faults.get(fault) ?? 0) + 1);
    const answer = JSON.stringify(place);
    switch (fault) {
      case '502 in HTML':
        response.writeHead(502, { 'content-type': 'text/html' }).end('<html><h1>Bad Gateway</h1></html>');
        break;
      case '503, Retry-After':
      case '429, Retry-After':
        this.#notBefore.set(id, performance.now() + 1000 * pause);
        send(response, Number(fault.slice(0, 3)), { error: 'overloaded' }, { 'retry-after': pause });
        break;
      case 'reset':
        response.socket.resetAndDestroy();
        break;
      case 'cut off':
        response.writeHead(200, { 'content-length': answer.length });
        response.write(answer.slice(0, 10), () => response.socket?.resetAndDestroy());
        break;
      case 'garbage':
        response.end(answer.slice(0, -5));
        break;
      case 'nothing':
        response.end();
        break;
      case 'half, then hangs':
        response.write(answer.slice(0, 10));
        break;
      case 'hangs':
        break;
      default:
        send(response, Number(fault), { error: 'failed' });
    }
  }
}

function send(response, status, body, headers = {}) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}
