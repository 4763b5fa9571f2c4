import type { Ranked } from './Heap.js';
import type { Listed } from './LinkedList.js';

/** Values of a lane start in the order in which they came. */
export interface Lane<T> {
  readonly key: unknown;
  running: number;
  waiting: number;
  first: LaneTicket<T> | undefined;
  last: LaneTicket<T> | undefined;
}

/** A value: by arrival among all, by arrival in its lane, and, if it may start, by rank among those. */
export interface LaneTicket<T> extends Listed<LaneTicket<T>>, Ranked {
  /** When it came, and when it started, where somebody asks. */
  readonly since: number;
  startedAt: number;
  readonly lane: Lane<T>;
  /** Only while it waits. */
  value: T | undefined;
  /** The next of its lane. */
  behind: LaneTicket<T> | undefined;
}

export const emptyLane = <T>(key: unknown): Lane<T> => ({
  key,
  running: 0,
  waiting: 0,
  first: undefined,
  last: undefined,
});
