import { check } from '../internal/arguments.js';

/**
 * Options of everything that can be called off from outside.
 * @public
 */
export interface SignalOptions {
  /** Calls it off when it is aborted, or has been: it rejects with the reason of the signal. Default: none. */
  signal?: AbortSignal | undefined;
}

export function readSignal({ signal }: SignalOptions): AbortSignal | undefined {
  if (signal === undefined) return undefined;
  const { aborted, addEventListener } = (signal ?? {}) as Partial<AbortSignal>;
  const holds = typeof aborted === 'boolean' && typeof addEventListener === 'function';
  return check(holds, TypeError, 'signal', 'be an AbortSignal', signal);
}
