import type { SourceConsumedError } from '../../errors/SourceConsumedError.js';

/** By its name: it may be of another copy of this package. */
export function isConsumed(error: unknown): error is SourceConsumedError {
  return (Object(error) as { readonly name?: unknown }).name === 'SourceConsumedError';
}

/** Of a source that can be gone through only once, the first failure is the one that matters: it becomes the `cause`. */
export function blameFirstFailure(error: SourceConsumedError, failure: unknown): void {
  if (!('cause' in error))
    Object.defineProperty(error, 'cause', { value: failure, configurable: true, writable: true });
}
