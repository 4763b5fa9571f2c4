import { macrotask } from '../macrotask.js';

/** The platform's `IdleDeadline`. */
export interface IdleTurn {
  readonly didTimeout: boolean;
  timeRemaining(): number;
}

interface Platform {
  requestIdleCallback?: (callback: (turn: IdleTurn) => void, options: { timeout?: number }) => unknown;
  cancelIdleCallback?: (handle: unknown) => void;
}

/** How much of the time is taken where the platform does not say how much there is, in ms. */
export const shortTurn = 5;

/**
 * Calls `callback` when there is nothing else to do, or `timeout` ms have passed. Where the platform cannot tell: after the event
 * loop has had a turn, or if `afterPause` after a timer. Returns the cancellation.
 */
export function requestIdleTurn(
  callback: (turn: IdleTurn) => void,
  { timeout, afterPause }: { timeout: number; afterPause: boolean },
): () => void {
  const { requestIdleCallback, cancelIdleCallback } = globalThis as Platform;
  if (requestIdleCallback && cancelIdleCallback) {
    // Without a timeout if it is 0, and what cannot be set does not end while anybody waits.
    const handle = requestIdleCallback(callback, timeout < 2 ** 31 ? { timeout: Math.max(timeout, 1) } : {});
    return () => {
      cancelIdleCallback(handle);
    };
  }
  const begin = () => {
    const end = performance.now() + shortTurn;
    callback({ didTimeout: false, timeRemaining: () => end - performance.now() });
  };
  if (!afterPause) return macrotask(begin);
  const timer = setTimeout(begin);
  return () => {
    clearTimeout(timer);
  };
}
