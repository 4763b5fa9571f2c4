import type { ObservableInput } from 'rxjs';
import type { CleanupPatience } from '../../link/Cleanups.js';
import type { LaneTicket } from '../../machines/Lane.js';
import type { Line } from '../../machines/Line.js';
import type { Concurrency } from '../../options/concurrency.js';
import type { DropReason } from '../../options/queue.js';
import type { WorkContext } from '../workContext.js';

/** What a value has from its arrival to its end, where values are more than first come, first served. */
export type Ticket<T> = LaneTicket<T> | undefined;

/** The options of `bufferedMergeMap`, checked and with their defaults. */
export interface MergeSettings<T, R> {
  readonly project: (value: T, index: number, context: WorkContext) => ObservableInput<R>;
  readonly concurrent: Concurrency;
  readonly ordered: boolean;
  /** `undefined`: as many as there are slots. */
  readonly highWaterMark: number | undefined;
  readonly bufferSize: number;
  readonly newLine: () => Line<T, Ticket<T>>;
  /** How long a value may wait, in ms. */
  readonly maxAge: number;
  readonly now: () => number;
  readonly onDrop: (value: T, reason: DropReason | 'age') => void;
  readonly onDropResult: (result: R, reason: 'error' | 'unsubscribe') => void;
  readonly patience: CleanupPatience;
  /** The operator's name, for messages. */
  readonly where: string;
}
