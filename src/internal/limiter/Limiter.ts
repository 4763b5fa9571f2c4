import { Heap } from '../../machines/Heap.js';
import { SteadyTime } from '../../machines/SteadyTime.js';
import { Alarm } from '../Alarm.js';
import type { Lane, LaneHost } from './Lane.js';
import type { LimitSettings } from './LimitSettings.js';
import { LocalLane } from './LocalLane.js';
import { StoreLane } from './StoreLane.js';

/** How many keys are looked at in each call, whether they can be forgotten: twice as many as can come. */
const looks = 2;

/**
 * A limit for all, or one for each key, with one timer for whatever waits.
 *
 * A key is forgotten when it is as if it had never been used: each call looks at two of them in turn, so there is no timer
 * for that, and keys that come and go leave nothing behind.
 */
export class Limiter implements LaneHost {
  taken = 0;
  unused = 0;
  /** How often somebody was told that there are no permits. */
  refused = 0;
  pausedUntil = -Infinity;
  private readonly time = new SteadyTime();
  private readonly unkeyed: Lane;
  private readonly keyed = new Map<unknown, Lane>();
  private sweep = this.keyed.values();
  private readonly due = new Heap<Lane>();
  private readonly alarm: Alarm;

  constructor(readonly settings: LimitSettings) {
    this.unkeyed = this.newLane(undefined);
    this.alarm = new Alarm(settings.scheduler, this.ring);
  }

  get keys(): number {
    return this.keyed.size;
  }

  get waiting(): number {
    let sum = this.unkeyed.waiting;
    for (const lane of this.keyed.values()) sum += lane.waiting;
    return sum;
  }

  now(): number {
    return this.time.at(this.settings.scheduler.now());
  }

  lane(key: unknown): Lane {
    if (key === undefined) return this.unkeyed;
    this.forgetIdle();
    let lane = this.keyed.get(key);
    if (!lane) this.keyed.set(key, (lane = this.newLane(key)));
    return lane;
  }

  /** Until `ms` from now nobody passes, of that key or of any. Never makes a pause shorter. */
  pause(ms: number, key: unknown): void {
    const until = this.now() + ms;
    if (key === undefined) this.pausedUntil = Math.max(this.pausedUntil, until);
    else this.lane(key).pause(until);
  }

  wake(lane: Lane, due: number): void {
    if (lane.place >= 0) this.due.remove(lane);
    lane.rank = due;
    this.due.push(lane);
    this.alarm.set(due, this.now());
  }

  forget(lane: Lane): void {
    if (lane.place >= 0) this.due.remove(lane);
    if (this.due.size === 0) this.alarm.stop();
  }

  private newLane(key: unknown): Lane {
    const { settings } = this;
    return settings.stored
      ? new StoreLane(this, key, settings, settings.stored)
      : new LocalLane(this, key, settings.newRule());
  }

  private readonly ring = (): void => {
    const { due } = this;
    const now = this.now();
    while (due.size > 0) {
      const lane = due.shift();
      if (lane.rank <= now) lane.drain();
      else {
        this.wake(lane, lane.rank);
        return;
      }
    }
  };

  private forgetIdle(): void {
    const { keyed } = this;
    if (keyed.size === 0) return;
    const now = this.now();
    for (let i = 0; i < looks; i++) {
      const next = this.sweep.next();
      if (next.done) this.sweep = keyed.values();
      else if (next.value.isIdle(now)) keyed.delete(next.value.key);
    }
  }
}
