import { get, type Agent, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { concatMap, map, type Observable } from 'rxjs';
import { abortable, fromRetryAfter, timeoutWithCleanup, type RateLimiter } from 'rxjs-flow-control';
import type { Place } from './place.js';

/** The record is at fault: to ask again would not help. */
export class BadRecord extends Error {}

export class ServiceUnavailable extends Error {
  constructor(
    status: number,
    /** How long the service wants to be left alone, in ms, if it says so. */
    readonly retryAfter: number | undefined,
  ) {
    super(`the service answered ${String(status)}`);
  }
}

export interface Access {
  url: string;
  connection: Agent;
  limiter: RateLimiter;
  /** How long an answer may take, in ms. */
  timeout: number;
}

/** Asks the service about the coordinates of a record, and gives the record with what it says. */
export function locate(line: string, { url, connection, limiter, timeout }: Access): Observable<object> {
  const record = parse(line);
  const query = new URLSearchParams({ lat: String(record['lat']), lng: String(record['lng']) });
  const request = abortable((signal) => ask(`${url}?${query.toString()}`, connection, signal));
  return abortable((signal) => limiter.acquire({ signal })).pipe(
    concatMap(() => request.pipe(timeoutWithCleanup({ total: timeout, name: 'the service' }))),
    map((place) => ({ ...record, place })),
  );
}

async function ask(url: string, connection: Agent, signal: AbortSignal): Promise<Place> {
  const response = await responseOf(url, connection, signal);
  const body = await text(response); // of a failure too: the connection is free again when all of it has come
  const { statusCode = 0 } = response;
  if (statusCode >= 500 || statusCode === 429) throw new ServiceUnavailable(statusCode, fromRetryAfter(response));
  const answer = JSON.parse(body) as Place & { error: string };
  if (statusCode !== 200) throw new BadRecord(answer.error);
  return answer;
}

const responseOf = (url: string, agent: Agent, signal: AbortSignal) =>
  new Promise<IncomingMessage>((resolve, reject) => {
    get(url, { agent, signal }, resolve).on('error', reject);
  });

function parse(line: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(line)) as Record<string, unknown>;
  } catch (error) {
    throw new BadRecord((error as Error).message);
  }
}
