import type { Observable } from 'rxjs';

/**
 * What a handler of `keyedSessions` is given: the values of one key, from its opening to its closing.
 * @public
 */
export interface Session<K, T> {
  /** As the first value had it. */
  readonly key: K;
  /**
   * Its values, in the order in which they came; completes when the session is closed. One subscriber at a time: the next goes
   * on where the one before has left off. They wait while there is none, and while a consumer in the handler is full.
   */
  readonly values: Observable<T>;
  /** Aborted when the session is cut off: the operator fails or is unsubscribed. It is made when it is first read. */
  readonly signal: AbortSignal;
}

/**
 * Why a session is closed: nothing happened for `idleTimeout`, it reached `maxAge`, it made room for another, its handler
 * completed, the source completed; or it was cut off, because the operator failed or was unsubscribed.
 * @public
 */
export type SessionCloseReason = 'idle' | 'age' | 'max-sessions' | 'handler' | 'source' | 'error' | 'unsubscribe';
