import type { ObservableInput } from 'rxjs';
import type { CleanupPatience } from '../../link/Cleanups.js';
import type { LifetimeSettings } from '../../machines/Lifetimes.js';
import type { SessionLaneRules } from '../../machines/SessionLanes.js';
import type { DropReason } from '../../options/queue.js';
import type { Session, SessionCloseReason } from './Session.js';

/** The options of `keyedSessions`, checked and with their defaults. */
export interface SessionSettings<K, T, R> extends SessionLaneRules, LifetimeSettings {
  readonly key: (value: T) => K;
  readonly handler: (session: Session<K, T>) => ObservableInput<R>;
  readonly onMaxSessions: 'close-oldest-idle' | 'wait' | 'drop' | 'error';
  readonly highWaterMark: number;
  readonly onDrop: (value: T, reason: DropReason | 'max-sessions') => void;
  readonly onDropResult: (result: R, reason: 'error' | 'unsubscribe') => void;
  readonly onOpen: (key: K) => void;
  readonly onClose: (key: K, reason: SessionCloseReason) => void;
  readonly patience: CleanupPatience;
  /** The operator's name, for messages. */
  readonly where: string;
}
