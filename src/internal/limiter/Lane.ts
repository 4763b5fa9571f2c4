import type { Ranked } from '../../machines/Heap.js';
import { LinkedList } from '../../machines/LinkedList.js';
import type { CallLine } from './CallLine.js';
import type { Claimant } from './Claimant.js';

/** The limiter that a lane is of. */
export interface LaneHost {
  /** Until when nobody passes, of any key. */
  readonly pausedUntil: number;
  /** How many permits have been taken. */
  taken: number;
  /** How many permits a store has taken that nobody has used. */
  unused: number;
  now(): number;
  /** Wakes the lane at `due`. */
  wake(lane: Lane, due: number): void;
  /** It need not be woken. */
  forget(lane: Lane): void;
}

/** The limit of one key, and those who wait for it. */
export abstract class Lane implements Ranked {
  /** When it is to be woken. */
  rank = Infinity;
  readonly arrival = 0;
  place = -1;
  /** Those who call `acquire` are one line. */
  calls: CallLine | undefined = undefined;
  /** Until when nobody passes, because of this key. */
  protected ownPause = -Infinity;
  private readonly patient = new LinkedList<Claimant>();
  private readonly impatient = new LinkedList<Claimant>();
  private turns = 0;
  private draining = false;
  /** To be called when it has drained. */
  private onDrained: (() => void)[] | undefined = undefined;

  constructor(
    protected readonly host: LaneHost,
    readonly key: unknown,
  ) {}

  get isWaitedFor(): boolean {
    return this.first !== undefined;
  }

  /** Whether somebody waits, or is being served and may come back. */
  protected get isInUse(): boolean {
    return this.draining || this.isWaitedFor;
  }

  /** How many wait. */
  get waiting(): number {
    let sum = 0;
    for (const line of [this.patient, this.impatient]) for (const { size } of line) sum += size;
    return sum;
  }

  isPaused(now: number): boolean {
    return this.ownPause > now || this.host.pausedUntil > now;
  }

  pause(until: number): void {
    this.ownPause = Math.max(this.ownPause, until);
  }

  /** Takes permits if they are free and nobody waits for them. Gives whether it has. */
  abstract tryTake(cost: number): boolean;

  /** Whether nothing has to be remembered of it. */
  abstract isIdle(now: number): boolean;

  /** Serves the first of all. Gives in how many ms it is worth to try again; `undefined`: somebody will say. */
  protected abstract serve(claimant: Claimant, now: number): 'served' | number | undefined;

  /** How long permits are not free for somebody who has to wait behind the first. */
  protected abstract delayFor(cost: number, now: number): number;

  /** What has failed, if that is why nobody passes. */
  protected abstract readonly failure: ErrorOptions | undefined;

  /** To the end of the line. */
  join(claimant: Claimant): void {
    claimant.turn = this.turns++;
    (claimant.patient ? this.patient : this.impatient).add(claimant);
    this.drain();
  }

  /** Wakes the next, who may want less. */
  leave(claimant: Claimant): void {
    if ((claimant.patient ? this.patient : this.impatient).remove(claimant)) this.drain();
  }

  /** Serves as many as it can. A loop, whatever happens when one is served. */
  drain(): void {
    if (this.draining) return;
    this.draining = true;
    try {
      while (this.serveFirst());
    } finally {
      this.draining = false;
    }
    if (!this.isWaitedFor) this.host.forget(this);
    const { onDrained } = this;
    this.onDrained = undefined;
    for (const call of onDrained ?? []) call();
  }

  /** Calls back when it has served as many as it can, of which somebody is being served now. */
  whenDrained(call: () => void): void {
    (this.onDrained ??= []).push(call);
  }

  /** To be called before it is told. */
  protected take(claimant: Claimant): void {
    (claimant.patient ? this.patient : this.impatient).remove(claimant);
  }

  private get first(): Claimant | undefined {
    const { patient, impatient } = this;
    if (!patient.first || !impatient.first) return patient.first ?? impatient.first;
    return patient.first.turn < impatient.first.turn ? patient.first : impatient.first;
  }

  /** Gives whether to go on. */
  private serveFirst(): boolean {
    const { first } = this;
    if (!first) return false;
    if (!first.isReady()) {
      this.take(first);
      first.skip();
      return true;
    }
    const now = this.host.now(); // each time: what was served before may have lasted
    const delay = this.isPaused(now) ? Math.max(this.ownPause, this.host.pausedUntil) - now : this.serve(first, now);
    if (delay === 'served') return true;
    if (delay === undefined) return false;
    // Whole ms, and at least one, so that time passes whatever the rounding says.
    if (this.patient.first) this.host.wake(this, now + Math.max(1, Math.ceil(delay)));
    const refused = this.impatient.first;
    if (!refused) return false;
    this.take(refused);
    if (refused.isReady()) refused.refuse(Math.ceil(Math.max(delay, this.delayFor(refused.cost, now))), this.failure);
    else refused.skip();
    return true;
  }
}
