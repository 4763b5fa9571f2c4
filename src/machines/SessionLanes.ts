import type { Overflow } from './BoundedBuffer.js';
import { LinkedList } from './LinkedList.js';
import { entriesOf, entryOf, SessionLane, type LaneEntry } from './SessionLane.js';

export interface SessionLaneRules {
  readonly bufferSize: number;
  readonly bufferSizePerKey: number;
  readonly highWaterMarkPerKey: number;
  readonly overflow: Overflow;
  /** How many keys may have a session at a time. */
  readonly maxSessions: number;
}

/** Values wait in a lane for each key until a session takes them. A key that has no session, and of which none waits, leaves nothing behind. */
export class SessionLanes<K, T, S> {
  /** How many values wait. */
  size = 0;
  /** How many keys have a session. */
  live = 0;
  /** How many keys wait for one. */
  pending = 0;
  /** Of how many keys `highWaterMarkPerKey` values wait. */
  full = 0;
  private readonly lanes = new Map<K, SessionLane<K, T, S>>();
  private readonly byArrival = new LinkedList<LaneEntry<K, T, S>>();
  private readonly line = new LinkedList<SessionLane<K, T, S>>();

  constructor(private readonly rules: SessionLaneRules) {}

  /** How many keys there are. */
  get keys(): number {
    return this.lanes.size;
  }

  /** Whether one more key could have a session at once. */
  get hasFreeSlot(): boolean {
    return this.live + this.pending < this.rules.maxSessions;
  }

  /** How many more slots are needed than are free. */
  get shortage(): number {
    return this.pending - (this.rules.maxSessions - this.live);
  }

  get(key: K): SessionLane<K, T, S> | undefined {
    return this.lanes.get(key);
  }

  /** Lets the first value of a key wait for a session; only where a slot is free, whatever waits. */
  open(key: K, value: T): readonly never[] {
    this.add(this.newLane(key), value);
    return nothing;
  }

  /** Lets `value` wait. Gives what had to give way, or `undefined` when nothing may: then it does not wait. */
  offer(key: K, value: T): readonly LaneEntry<K, T, S>[] | undefined {
    const { bufferSize, bufferSizePerKey, overflow } = this.rules;
    const found = this.lanes.get(key);
    const isLaneFull = found !== undefined && found.size >= bufferSizePerKey;
    let dropped = nothing as readonly LaneEntry<K, T, S>[];
    if (isLaneFull || this.size >= bufferSize) {
      if (overflow === 'error') return undefined;
      if (overflow === 'drop-newest') return [entryOf(found ?? new SessionLane(key), value)];
      const { first } = isLaneFull ? found : this.byArrival;
      if (overflow === 'drop-oldest') dropped = [first as LaneEntry<K, T, S>];
      else dropped = isLaneFull ? entriesOf(found) : [...this.byArrival];
    }
    const lane = found ?? this.newLane(key);
    this.add(lane, value);
    for (const entry of dropped) this.remove(entry);
    return dropped;
  }

  /** What has to give way because first values came in beyond the bound, one time; `undefined` when nothing may. */
  trim(): readonly LaneEntry<K, T, S>[] | undefined {
    const { bufferSize, overflow } = this.rules;
    const { first, last } = this.byArrival;
    if (this.size <= bufferSize) return nothing;
    if (overflow === 'error') return undefined;
    let dropped = [first as LaneEntry<K, T, S>];
    if (overflow === 'drop-newest') dropped = [last as LaneEntry<K, T, S>];
    else if (overflow === 'drop-buffer') dropped = [...this.byArrival].slice(0, -1);
    for (const entry of dropped) this.remove(entry);
    return dropped;
  }

  /** The key that has waited longest for a session, where there is a slot for one. */
  get next(): SessionLane<K, T, S> | undefined {
    return this.live < this.rules.maxSessions ? this.line.first : undefined;
  }

  /** Gives `lane` its session. */
  start(lane: SessionLane<K, T, S>, session: S): void {
    this.leaveLine(lane);
    this.live++;
    lane.session = session;
    lane.share = Infinity;
  }

  /** What comes from now on is for the next session. */
  seal(lane: SessionLane<K, T, S>): void {
    lane.share = Math.min(lane.share, lane.size);
  }

  /** The session of `lane` is over: what waits is for the next. */
  end(lane: SessionLane<K, T, S>): void {
    this.live--;
    lane.session = undefined;
    lane.share = Infinity;
    if (lane.size > 0) this.await(lane);
    else this.lanes.delete(lane.key);
  }

  /** Takes the first of a lane out; only when there is one. */
  shift(lane: SessionLane<K, T, S>): T {
    const first = lane.first as LaneEntry<K, T, S>;
    this.remove(first);
    return first.value;
  }

  /** Takes everything out, in the order of arrival. */
  takeAll(): T[] {
    const entries = [...this.byArrival];
    for (const entry of entries) this.remove(entry);
    return entries.map(({ value }) => value);
  }

  private newLane(key: K): SessionLane<K, T, S> {
    const lane = new SessionLane<K, T, S>(key);
    this.lanes.set(key, lane);
    this.await(lane);
    return lane;
  }

  private await(lane: SessionLane<K, T, S>): void {
    this.line.add(lane);
    this.pending++;
  }

  private leaveLine(lane: SessionLane<K, T, S>): void {
    if (this.line.remove(lane)) this.pending--;
  }

  private add(lane: SessionLane<K, T, S>, value: T): void {
    const entry = entryOf(lane, value);
    if (lane.last) lane.last.behind = entry;
    else lane.first = entry;
    lane.last = entry;
    this.byArrival.add(entry);
    this.size++;
    lane.size++;
    this.mark(lane);
  }

  /** It is always the first of its lane. */
  private remove(entry: LaneEntry<K, T, S>): void {
    const { lane, behind } = entry;
    this.byArrival.remove(entry);
    entry.behind = undefined;
    lane.first = behind;
    if (!behind) lane.last = undefined;
    this.size--;
    lane.size--;
    lane.share--;
    this.mark(lane);
    if (lane.size > 0 || lane.session !== undefined) return;
    this.leaveLine(lane);
    this.lanes.delete(lane.key);
  }

  private mark(lane: SessionLane<K, T, S>): void {
    const isFull = lane.size >= this.rules.highWaterMarkPerKey;
    if (isFull === lane.isFull) return;
    lane.isFull = isFull;
    this.full += isFull ? 1 : -1;
  }
}

const nothing: readonly never[] = [];
