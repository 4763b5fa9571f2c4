import type { QueueOptions } from '../../options/queue.js';
import type { Pause } from '../macrotask.js';

/** The arguments of `demandWindow`, checked and with their defaults. */
export interface WindowSettings<T, R> extends Required<Omit<QueueOptions, 'highWaterMark'>> {
  /** How many values may be inside. */
  readonly size: number;
  readonly valuesIn: (result: R) => number;
  readonly onDrop: (value: T, reason: 'overflow' | 'error' | 'unsubscribe') => void;
  readonly onDropResult: (result: R, reason: 'error' | 'unsubscribe') => void;
  /** Lets an operator return that has emitted. */
  readonly later: Pause;
  /** The operator's name, for messages. */
  readonly where: string;
}
