import { timer, type Observable } from 'rxjs';
import type { Place } from './place.js';
import type { Tally } from './Tally.js';

/** The record is at fault: to ask again would not help. */
export class BadRecord extends Error {}

class ServiceUnavailable extends Error {
  constructor(
    status: number,
    /** How long the service wants to be left alone, in ms. */
    readonly retryAfter: number,
  ) {
    super(`the service answered ${String(status)}`);
  }
}

/** Asks the service about the coordinates of a record, and gives the record with what it says. */
export async function locate(json: string, url: string, signal: AbortSignal): Promise<object> {
  const record = parse(json);
  const query = new URLSearchParams({ lat: String(record['lat']), lng: String(record['lng']) });
  const response = await fetch(`${url}?${query.toString()}`, { signal });
  const answer = (await response.json()) as Place & { error: string };
  if (response.ok) return { ...record, place: answer };
  if (response.status < 500) throw new BadRecord(answer.error);
  throw new ServiceUnavailable(response.status, 1000 * Number(response.headers.get('retry-after')));
}

function parse(json: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(json)) as Record<string, unknown>;
  } catch (error) {
    throw new BadRecord((error as Error).message);
  }
}

/** When to ask again, after so many attempts that failed: in 0.1, 0.2, 0.4, ... s, or later if the service says so. */
export const backOff =
  (tally: Tally) =>
  (error: unknown, attempts: number): Observable<unknown> => {
    if (error instanceof BadRecord) throw error;
    tally.retries++;
    const retryAfter = error instanceof ServiceUnavailable ? error.retryAfter : 0;
    return timer(Math.max(retryAfter, 50 * 2 ** attempts));
  };
