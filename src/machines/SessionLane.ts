import type { Listed } from './LinkedList.js';

/** A value that waits: by arrival among all, and in the lane of its key. */
export interface LaneEntry<K, T, S> extends Listed<LaneEntry<K, T, S>> {
  readonly value: T;
  readonly lane: SessionLane<K, T, S>;
  /** The next of its lane. */
  behind: LaneEntry<K, T, S> | undefined;
}

/** A key that has a session, or of which values wait for one. Only `SessionLanes` writes it. */
export class SessionLane<K, T, S> implements Listed<SessionLane<K, T, S>> {
  previous: SessionLane<K, T, S> | undefined = undefined;
  following: SessionLane<K, T, S> | undefined = undefined;
  /** How many values wait. */
  size = 0;
  /** How many of them are for its session; those behind are for the next. `Infinity`: all, and those to come. */
  share = Infinity;
  session: S | undefined = undefined;
  first: LaneEntry<K, T, S> | undefined = undefined;
  last: LaneEntry<K, T, S> | undefined = undefined;
  isFull = false;

  constructor(readonly key: K) {}
}

/** One that is in no lane yet. */
export function entryOf<K, T, S>(lane: SessionLane<K, T, S>, value: T): LaneEntry<K, T, S> {
  return { value, lane, behind: undefined, previous: undefined, following: undefined };
}

/** All that wait in a lane. */
export function entriesOf<K, T, S>(lane: SessionLane<K, T, S>): LaneEntry<K, T, S>[] {
  const entries: LaneEntry<K, T, S>[] = [];
  for (let entry = lane.first; entry; entry = entry.behind) entries.push(entry);
  return entries;
}
