import { LinkedList, type Listed } from './LinkedList.js';

/**
 * Those of a lane go before those of the lanes after it, first in, first out; but a lane that has stood behind others for as long
 * as its patience goes next, for 1 ms of its own time.
 *
 * After the guard of Linux against starvation by real-time processes, the "fair server" (2023) and `sched_rt_runtime_us` before
 * it, which leave a share of the time to the others. Ageing by promotion (Silberschatz, "Operating System Concepts") would let a
 * long lane, once it has aged as a whole, go before all that come.
 */
export class AgeingLine<Member extends Listed<Member>> {
  readonly lanes: readonly LinkedList<Member>[];
  /** For how long those that are before it have run while it waited, less what it has had itself, in ms. */
  private readonly behind: number[];

  /** `patience`: of each lane, in ms; that of the first is not asked for. */
  constructor(private readonly patience: readonly number[]) {
    this.lanes = patience.map(() => new LinkedList<Member>());
    this.behind = patience.map(() => 0);
  }

  /** The lane whose first goes next; -1: nobody waits. */
  next(): number {
    const { lanes, behind, patience } = this;
    for (let lane = lanes.length - 1; lane > 0; lane--) {
      if (this.isOccupied(lane) && (behind[lane] as number) >= (patience[lane] as number)) return lane;
    }
    return this.foremost();
  }

  /** The first lane in which somebody waits; -1: there is none. */
  foremost(): number {
    const { lanes } = this;
    for (let lane = 0; lane < lanes.length; lane++) if (this.isOccupied(lane)) return lane;
    return -1;
  }

  /** Somebody of `lane` has run for `ms`. */
  ran(lane: number, ms: number): void {
    const { lanes, behind, patience } = this;
    for (let other = lane; other < lanes.length; other++) {
      const most = patience[other] as number;
      const before = behind[other] as number;
      if (!this.isOccupied(other)) behind[other] = 0;
      else if (other === lane) behind[other] = Math.max(before - ms * most, 0);
      else behind[other] = Math.min(before + ms, most);
    }
  }

  /** Nobody waits: who comes now has not stood behind anybody. */
  rest(): void {
    this.behind.fill(0);
  }

  private isOccupied(lane: number): boolean {
    return (this.lanes[lane] as LinkedList<Member>).first !== undefined;
  }
}
