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
  return signal === undefined ? undefined : signalOf('signal', signal);
}

export function signalOf(name: string, value: AbortSignal): AbortSignal {
  const { aborted, addEventListener } = (value ?? {}) as Partial<AbortSignal>;
  const holds = typeof aborted === 'boolean' && typeof addEventListener === 'function';
  return check(holds, TypeError, name, 'be an AbortSignal', value);
}
