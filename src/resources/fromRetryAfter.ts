import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { optionsObject, schedulerOf, shown } from '../internal/arguments.js';

/**
 * What has headers: a `Response` of `fetch`, or of a client that gives them as an object.
 * @public
 */
export interface RetryAfterResponse {
  /** Names of an object are looked for in any case. */
  readonly headers: { get(name: string): string | null } | Readonly<Record<string, unknown>>;
}

/**
 * Options of `fromRetryAfter`.
 * @public
 */
export interface FromRetryAfterOptions {
  /** Says what time it is, for a header that gives a date. Default: `asyncScheduler`. */
  scheduler?: SchedulerLike;
}

/**
 * Gives how long a response asks to wait in its `Retry-After` header, in ms; `undefined` if it does not say.
 *
 * The header is a number of seconds or a date in any of the three forms of HTTP (RFC 9110, 10.2.3 and 5.6.7). A date that has
 * passed is 0 ms away. A date counts by the clock here, which may be another than that of the server.
 *
 * @throws TypeError if the response has no headers
 *
 * @example
 * ```ts
 * import { createRateLimiter, fromRetryAfter } from 'rxjs-flow-control';
 *
 * const limiter = createRateLimiter({ limit: 10, interval: 1000 });
 * const response = new Response('', { status: 429, headers: { 'retry-after': '3' } });
 * const wait = fromRetryAfter(response);
 * if (wait !== undefined) limiter.pause(wait);
 * console.log(wait, limiter.tryAcquire()); // prints: 3000 false
 * ```
 * @public
 */
export function fromRetryAfter(response: RetryAfterResponse, options: FromRetryAfterOptions = {}): number | undefined {
  const { scheduler = asyncScheduler } = optionsObject(options);
  schedulerOf('scheduler', scheduler);
  const header = readHeader(response);
  if (header === undefined) return undefined;
  const now = scheduler.now();
  const wait = /^\d+(\.\d+)?$/.test(header) ? Number(header) * 1000 : dateOf(header, now) - now;
  return Number.isFinite(wait) ? Math.max(0, wait) : undefined;
}

function readHeader(response: RetryAfterResponse): string | undefined {
  const { headers } = (response ?? {}) as Partial<RetryAfterResponse>;
  if (typeof headers !== 'object' || (headers as unknown) === null)
    throw new TypeError(`response must have headers, got ${shown(response)}`);
  const value: unknown =
    'get' in headers && typeof headers.get === 'function'
      ? (headers as Headers).get('retry-after')
      : Object.entries(headers).find(([name]) => name.toLowerCase() === 'retry-after')?.[1];
  return typeof value === 'string' || typeof value === 'number' ? String(value).trim() : undefined;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const forms = [
  /^\w{3}, (?<day>\d\d) (?<month>\w{3}) (?<year>\d{4}) (?<hours>\d\d):(?<minutes>\d\d):(?<seconds>\d\d) GMT$/, // Sun, 06 Nov 1994 08:49:37 GMT
  /^\w+day, (?<day>\d\d)-(?<month>\w{3})-(?<year>\d\d) (?<hours>\d\d):(?<minutes>\d\d):(?<seconds>\d\d) GMT$/, // Sunday, 06-Nov-94 08:49:37 GMT
  /^\w{3} (?<month>\w{3}) (?<day>[ \d]\d) (?<hours>\d\d):(?<minutes>\d\d):(?<seconds>\d\d) (?<year>\d{4})$/, // Sun Nov  6 08:49:37 1994
];

/** Not by `Date.parse`, which reads almost anything, and the last form in the time zone of this place. */
function dateOf(header: string, now: number): number {
  const parts = forms.map((form) => form.exec(header)?.groups).find((groups) => groups !== undefined);
  if (!parts) return NaN;
  const { day, month, year, hours, minutes, seconds } = parts as Record<string, string>;
  const monthIndex = months.indexOf(month ?? '');
  if (monthIndex < 0) return NaN;
  return Date.UTC(
    fullYear(String(year), now),
    monthIndex,
    Number(day),
    Number(hours),
    Number(minutes),
    Number(seconds),
  );
}

/** Of two digits: the last year that ends so and is not more than 50 years ahead (RFC 9110, 5.6.7). */
function fullYear(year: string, now: number): number {
  if (year.length === 4) return Number(year);
  const latest = new Date(now).getUTCFullYear() + 50;
  return latest - ((((latest - Number(year)) % 100) + 100) % 100);
}
