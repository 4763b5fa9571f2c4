import { webcrypto } from 'node:crypto';
import { LineTooLongError, type InvalidLineError, type JsonLine } from 'rxjs-flow-control';

export interface Accepted {
  readonly record: object;
}

export interface Rejection {
  /** The number of the line, from 1. */
  readonly line: number;
  readonly reason: string;
}

/** How deep arrays and objects may stand in each other. */
const maxDepth = 32;

/** Looks at a line, and adds to its record what has to be found out: here, for want of a database to ask, a fingerprint. */
export async function examine(line: JsonLine<unknown>): Promise<Accepted | Rejection> {
  const fault = line.ok ? faultOf(line.value) : reasonOf(line.error);
  if (fault !== undefined) return { line: line.line, reason: fault };
  const record = (line as { value: object }).value;
  return { record: { ...record, sha256: await fingerprint(JSON.stringify(record)) } };
}

function reasonOf(error: InvalidLineError): string {
  if (error instanceof LineTooLongError) return `longer than ${String(error.limit)} bytes`;
  return `not JSON: ${(error.cause as Error).message}`;
}

function faultOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'not an object';
  return faultWithin(value, 1);
}

/** To copy a record with a key `__proto__` the wrong way, here or wherever it is read again, would give it a prototype. */
function faultWithin(value: object, depth: number): string | undefined {
  if (depth > maxDepth) return `deeper than ${String(maxDepth)}`;
  if (Object.hasOwn(value, '__proto__')) return 'has a key __proto__';
  for (const each of Object.values(value) as unknown[]) {
    const fault = typeof each === 'object' && each !== null ? faultWithin(each, depth + 1) : undefined;
    if (fault !== undefined) return fault;
  }
  return undefined;
}

async function fingerprint(text: string): Promise<string> {
  const digest = await webcrypto.subtle.digest('SHA-256', Buffer.from(text));
  return Buffer.from(digest).toString('hex');
}
