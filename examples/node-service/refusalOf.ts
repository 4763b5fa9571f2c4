import { ReleaseError, TimeoutWithCleanupError } from 'rxjs-flow-control';
import { Refusal } from './Refusal.js';

/** What a client is told of an error, or `undefined` if that is no business of his. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error;
  if (error instanceof TimeoutWithCleanupError)
    return new Refusal(408, `too little has come within ${String(error.info.ms)} ms`);
  if (error instanceof ReleaseError) return refusalOf(error.cause);
  const { code, message } = error as NodeJS.ErrnoException;
  if (code?.startsWith('Z_')) return new Refusal(400, `the body is not gzip: ${message}`);
  if (code !== undefined && full.has(code)) return new Refusal(507, 'the disk is full');
  return undefined;
}

/** The disk is full, its user may have no more of it, or a file may not be larger. */
const full = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** The client has gone: there is nobody to answer, and nothing to repair. */
export function isGone(error: unknown): boolean {
  const { code = '' } = error as NodeJS.ErrnoException;
  return ['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_DESTROYED'].includes(code);
}
