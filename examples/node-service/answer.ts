import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Refusal } from './Refusal.js';

/** Answers with JSON. */
export function answer(response: ServerResponse, status: number, content: object): void {
  begin(response, status, content);
  response.end();
}

/** In ms: how long somebody may go on sending what nobody wants. */
const lingerTime = 500;

/**
 * Answers that a request is refused. If more of its body is to come the connection is to be closed, but not at once: who is
 * sending when it is would be told of that, and not of the answer.
 */
export function refuse(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
  const { status, message, headers } = refusal;
  if (request.complete) {
    begin(response, status, { error: message }, headers);
    response.end();
    return;
  }
  begin(response, status, { error: message }, { ...headers, connection: 'close' });
  const end = () => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(end, lingerTime);
  request.on('error', end).once('close', end).unpipe();
  request.once('end', end).resume();
}

/** With its length, so that the client has all of it before it has ended. */
function begin(response: ServerResponse, status: number, content: object, headers: Record<string, string> = {}): void {
  const text = `${JSON.stringify(content)}\n`;
  const length = String(Buffer.byteLength(text));
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': length, ...headers }).write(text);
}
