import type { Overflow } from './BoundedBuffer.js';
import { Heap } from './Heap.js';
import { emptyLane, type Lane, type LaneTicket } from './Lane.js';
import type { Line } from './Line.js';
import { LinkedList } from './LinkedList.js';

export interface LaneRules<T> {
  /** How many may wait at all, and what gives way to one more. */
  readonly bufferSize: number;
  readonly overflow: Overflow;
  /** Values of the same key share a lane. `undefined`: each value has a lane of its own. */
  readonly key: ((value: T) => unknown) | undefined;
  /** How many of a lane may run. */
  readonly concurrentPerKey: number;
  /** How many of a lane may wait. */
  readonly maxPerKey: number;
  /** The lowest of those that may start is the next; of the same rank, the first that came. */
  readonly rank: (value: T, now: number) => number;
}

/** Values wait by key: in order within a key, of which only so many may run; by rank between keys. */
export class LaneLine<T> implements Line<T, LaneTicket<T>> {
  /** Those in which somebody waits or runs. */
  private readonly lanes = new Map<unknown, Lane<T>>();
  private readonly byArrival = new LinkedList<LaneTicket<T>>();
  /** Those that may start: of each lane the first, while there is room beside those that run. */
  private readonly ready = new Heap<LaneTicket<T>>();
  private arrivals = 0;
  size = 0;

  constructor(private readonly rules: LaneRules<T>) {}

  get hasNext(): boolean {
    return this.ready.size > 0;
  }

  get takesAny(): boolean {
    return this.size === 0 && this.lanes.size === 0;
  }

  get oldest(): number | undefined {
    return this.byArrival.first?.since;
  }

  admit(value: T, now: () => number): LaneTicket<T> {
    const { rules } = this;
    const since = now();
    const rank = rules.rank(value, since);
    const key = rules.key?.(value); // the last that is asked: what is called here may bring other values in
    return {
      rank,
      since,
      startedAt: 0,
      lane: (rules.key && this.lanes.get(key)) ?? emptyLane(key),
      arrival: this.arrivals++,
      place: -1,
      value: undefined,
      behind: undefined,
      previous: undefined,
      following: undefined,
    };
  }

  isClear({ lane }: LaneTicket<T>): boolean {
    return this.ready.size === 0 && lane.waiting === 0 && lane.running < this.rules.concurrentPerKey;
  }

  enter({ lane }: LaneTicket<T>): void {
    this.keep(lane);
    lane.running++;
  }

  leave({ lane }: LaneTicket<T>): void {
    lane.running--;
    this.promote(lane);
    this.forget(lane);
  }

  offer(value: T, ticket: LaneTicket<T>): readonly T[] | undefined {
    const { bufferSize, overflow } = this.rules;
    const { lane } = ticket;
    const laneIsFull = this.fullLane(ticket) !== undefined;
    let dropped: readonly T[] = nothing;
    if (laneIsFull || this.size >= bufferSize) {
      const oldest = laneIsFull ? lane.first : this.byArrival.first;
      if (overflow === 'error') return undefined;
      if (overflow === 'drop-newest' || !oldest) return [value];
      dropped = overflow === 'drop-oldest' ? [this.remove(oldest)] : laneIsFull ? this.takeLane(lane) : this.takeAll();
    }
    this.add(value, ticket);
    return dropped;
  }

  fullLane({ lane }: LaneTicket<T>): number | undefined {
    return lane.waiting >= this.rules.maxPerKey ? lane.waiting : undefined;
  }

  takeNext(start: (value: T, ticket: LaneTicket<T>) => void): void {
    const ticket = this.ready.shift();
    ticket.lane.running++; // before it leaves: who is behind it may start only if there is room beside it
    start(this.remove(ticket), ticket);
  }

  takeSince(time: number): T[] {
    const taken: T[] = [];
    for (let { first } = this.byArrival; first && first.since <= time; { first } = this.byArrival)
      taken.push(this.remove(first));
    return taken;
  }

  takeAll(): T[] {
    return this.takeSince(Infinity);
  }

  private takeLane(lane: Lane<T>): T[] {
    const taken: T[] = [];
    while (lane.first) taken.push(this.remove(lane.first));
    return taken;
  }

  private add(value: T, ticket: LaneTicket<T>): void {
    const { lane } = ticket;
    this.keep(lane);
    ticket.value = value;
    if (lane.last) lane.last.behind = ticket;
    else lane.first = ticket;
    lane.last = ticket;
    lane.waiting++;
    this.size++;
    this.byArrival.add(ticket);
    this.promote(lane);
  }

  /** It is always the first of its lane. */
  private remove(ticket: LaneTicket<T>): T {
    const { lane, behind } = ticket;
    const value = ticket.value as T;
    this.byArrival.remove(ticket);
    if (ticket.place >= 0) this.ready.remove(ticket);
    ticket.value = ticket.behind = undefined;
    lane.first = behind;
    if (!behind) lane.last = undefined;
    lane.waiting--;
    this.size--;
    this.promote(lane);
    this.forget(lane);
    return value;
  }

  /** Only the first of a lane: so nobody overtakes in it, whatever the ranks are. */
  private promote({ first, running }: Lane<T>): void {
    if (first && first.place < 0 && running < this.rules.concurrentPerKey) this.ready.push(first);
  }

  /** Before its first value starts or waits. */
  private keep(lane: Lane<T>): void {
    if (this.rules.key && isIdle(lane)) this.lanes.set(lane.key, lane);
  }

  /** A key of which nothing is left leaves nothing behind. */
  private forget(lane: Lane<T>): void {
    if (this.rules.key && isIdle(lane)) this.lanes.delete(lane.key);
  }
}

const isIdle = (lane: Lane<unknown>): boolean => lane.running === 0 && lane.waiting === 0;

const nothing: readonly never[] = [];
