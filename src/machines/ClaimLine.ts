import { LinkedList, type Listed } from './LinkedList.js';

/** Somebody who waits. */
export interface Claim<Self> extends Listed<Self> {
  /** Until when. */
  deadline: number;
}

/** Those who wait for the same time at the most, first come, first served. */
export class ClaimLine<C extends Claim<C>> {
  size = 0;
  private readonly claims = new LinkedList<C>();

  /** When the first has waited for too long. */
  get due(): number {
    return this.claims.first?.deadline ?? Infinity;
  }

  add(claim: C, deadline: number): void {
    claim.deadline = deadline;
    this.claims.add(claim);
    this.size++;
  }

  /** Does nothing if it does not wait. */
  remove(claim: C): void {
    if (this.claims.remove(claim)) this.size--;
  }

  shift(): C | undefined {
    const { first } = this.claims;
    if (first) this.remove(first);
    return first;
  }
}
