import type { ObservableInput } from 'rxjs';
import type { CleanupPatience } from '../../link/Cleanups.js';
import type { DropReason, QueueOptions } from '../../options/queue.js';
import type { WorkContext } from '../workContext.js';

/** The options of `bufferedMergeMap`, checked and with their defaults. */
export interface MergeSettings<T, R> extends Required<QueueOptions> {
  readonly project: (value: T, index: number, context: WorkContext) => ObservableInput<R>;
  readonly concurrent: number;
  readonly ordered: boolean;
  readonly onDrop: (value: T, reason: DropReason) => void;
  readonly onDropResult: (result: R, reason: Exclude<DropReason, 'overflow'>) => void;
  readonly patience: CleanupPatience;
  /** The operator's name, for messages. */
  readonly where: string;
}
