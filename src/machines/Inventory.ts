import { ClaimLine, type Claim } from './ClaimLine.js';
import { LinkedList } from './LinkedList.js';
import { afterwards, Place, type PlaceState } from './Place.js';

export interface InventoryRules {
  /** How many resources there are even if nobody needs them. */
  readonly min: number;
  readonly max: number;
  /** How many may wait for a resource that somebody else uses. */
  readonly maxWaiting: number;
  /** Which of those that are idle is used first: the one that was returned last, or first. */
  readonly order: 'lifo' | 'fifo';
  /** A resource has to be checked before it is used again. */
  readonly checks: boolean;
  readonly acquireTimeout: number;
  /** How long a state may last; of `idle`, while there are more than `min`. */
  readonly lasts: Readonly<Record<Exclude<PlaceState, 'gone'>, number>>;
}

export interface Expired<R> {
  readonly place: Place<R>;
  readonly was: PlaceState;
}

/** What a pool has, who waits for it, and what is to be done next. */
export class Inventory<R, C extends Claim<C>> {
  /** How many places are in which state. */
  readonly counts: Record<PlaceState, number> = {
    creating: 0,
    abandoned: 0,
    idle: 0,
    checking: 0,
    used: 0,
    destroying: 0,
    gone: 0,
  };
  /** Those who wait for a resource. */
  readonly claims = new ClaimLine<C>();
  /** Takes no more claims; what nobody waits for is given up. */
  closed = false;
  private readonly places = new Set<Place<R>>();
  /** In the order in which they were returned. */
  private readonly idle = new LinkedList<Place<R>>();
  /** Not after a create has failed, until somebody asks again: else it would be tried without end. */
  private fills = true;
  /** None that is idle is due before. */
  private idleDue = Infinity;
  /** No other is due before. */
  private busyDue = Infinity;

  constructor(
    private readonly rules: InventoryRules,
    private readonly now: () => number,
  ) {}

  get size(): number {
    return this.places.size;
  }

  /** Nothing is left, and nothing comes. */
  get isDone(): boolean {
    return this.closed && this.size === 0 && this.claims.size === 0;
  }

  /** When something will have lasted for too long, if nothing changes. May be too early, never too late. */
  get nextDue(): number {
    const { creating, abandoned, checking, destroying, idle } = this.counts;
    if (idle === 0) this.idleDue = Infinity;
    if (creating + abandoned + checking + destroying === 0) this.busyDue = Infinity;
    return Math.min(this.idleDue, this.busyDue, this.claims.due);
  }

  /** More wait than will be served by what is on its way. */
  get isShort(): boolean {
    return this.counts.creating + this.counts.checking < this.claims.size;
  }

  /** Another claim may wait. */
  get accepts(): boolean {
    const { counts, rules } = this;
    const served = counts.creating + counts.checking + counts.idle + Math.max(0, rules.max - this.size);
    return this.claims.size < served + rules.maxWaiting;
  }

  /** Uses one that is idle, if nothing stands against that. */
  take(): Place<R> | undefined {
    if (this.counts.idle === 0 || this.claims.size > 0 || this.rules.checks || this.closed) return undefined;
    const place = this.nextIdle();
    this.move(place, 'used');
    return place;
  }

  join(claim: C): void {
    this.claims.add(claim, this.after(this.rules.acquireTimeout));
    this.fills = true;
  }

  /** The first who waits has waited for too long. */
  get hasLate(): boolean {
    const { due } = this.claims;
    return due < Infinity && due <= this.now();
  }

  /** Decides what is to be done next, as the state of the place that it gives. */
  next(): Place<R> | undefined {
    const { counts, rules } = this;
    if (counts.idle > 0 && this.claims.size > counts.checking) {
      const place = this.nextIdle();
      this.move(place, rules.checks ? 'checking' : 'used');
      return place;
    }
    if (this.closed && this.claims.size === 0) return this.giveUp();
    if (this.size >= rules.max || !(this.isShort || this.isBelowMin)) return undefined;
    const place = new Place<R>();
    this.places.add(place);
    this.idleDue = Math.min(this.idleDue, this.after(rules.lasts.idle)); // what is idle may be too much now
    this.move(place, 'creating');
    return place;
  }

  /** Whoever it was for, nobody is to try again unasked. */
  failToCreate(place: Place<R>): void {
    this.fills = false;
    this.move(place, 'gone');
  }

  move(place: Place<R>, state: PlaceState): void {
    const { counts } = this;
    if (place.state === 'idle') this.idle.remove(place);
    if (place.state !== 'gone') counts[place.state]--;
    place.state = state;
    if (state === 'gone') {
      this.places.delete(place);
      return;
    }
    counts[state]++;
    if (state === 'idle') this.idle.add(place);
    place.due = this.after(this.rules.lasts[state]);
    if (state === 'idle') this.idleDue = Math.min(this.idleDue, place.due, place.expiresAt);
    else this.busyDue = Math.min(this.busyDue, place.due);
  }

  /** Ends the states that have lasted for too long, of those that have been idle for the longest time first, and tells what they were. */
  expire(): Expired<R>[] {
    const now = this.now();
    const over: Place<R>[] = [];
    let spare = this.alive - this.rules.min;
    this.idleDue = this.busyDue = Infinity;
    for (const place of this.idle) {
      const due = spare > 0 ? Math.min(place.due, place.expiresAt) : place.expiresAt;
      if (due <= now) {
        over.push(place);
        spare--;
      } else this.idleDue = Math.min(this.idleDue, due);
    }
    for (const place of this.places) {
      if (place.state === 'idle') continue;
      if (place.due <= now) over.push(place);
      else this.busyDue = Math.min(this.busyDue, place.due);
    }
    return over.map((place) => {
      const was = place.state;
      this.move(place, afterwards[was]);
      return { place, was };
    });
  }

  /** Those that are or will be of use. */
  private get alive(): number {
    return this.size - this.counts.destroying - this.counts.abandoned;
  }

  private get isBelowMin(): boolean {
    return this.fills && !this.closed && this.alive < this.rules.min;
  }

  private nextIdle(): Place<R> {
    return (this.rules.order === 'lifo' ? this.idle.last : this.idle.first) as Place<R>;
  }

  /** To tell the time costs more than all the rest. */
  private after(ms: number): number {
    return ms === Infinity ? ms : this.now() + ms;
  }

  private giveUp(): Place<R> | undefined {
    for (const place of this.places) {
      if (place.state !== 'idle' && place.state !== 'creating') continue;
      this.move(place, afterwards[place.state]);
      return place;
    }
    return undefined;
  }
}
