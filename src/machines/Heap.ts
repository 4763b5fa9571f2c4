/** A member of a heap. */
export interface Ranked {
  /** The lowest goes first; of the same rank, the first that came. */
  readonly rank: number;
  readonly arrival: number;
  /** Where it is in the heap; -1: it is in none. Only the heap writes it. */
  place: number;
}

/** How many are below each: with four, half as many are moved as with two, and that is what costs (`npm run bench -- keyed`). */
const children = 4;

/**
 * A heap: the first in rank leaves at O(log n), and so does any other that has to.
 *
 * Each member has four below it (LaMarca and Ladner, "The influence of caches on the performance of heaps", 1996).
 */
export class Heap<Member extends Ranked> {
  private readonly members: Member[] = [];

  get size(): number {
    return this.members.length;
  }

  push(member: Member): void {
    this.members.push(member);
    this.rise(member, this.members.length - 1);
  }

  /** Takes the first out; only when `size > 0`. */
  shift(): Member {
    const first = this.members[0] as Member;
    this.remove(first);
    return first;
  }

  remove(member: Member): void {
    const { members } = this;
    const { place } = member;
    const last = members.pop() as Member;
    member.place = -1;
    if (last === member) return;
    this.sink(last, place);
    this.rise(last, last.place);
  }

  private rise(member: Member, from: number): void {
    const { members } = this;
    let place = from;
    while (place > 0) {
      const above = Math.floor((place - 1) / children);
      const parent = members[above] as Member;
      if (!precedes(member, parent)) break;
      members[place] = parent;
      parent.place = place;
      place = above;
    }
    members[place] = member;
    member.place = place;
  }

  private sink(member: Member, from: number): void {
    const { members } = this;
    let place = from;
    for (;;) {
      const below = this.firstBelow(place);
      if (below < 0) break;
      const child = members[below] as Member;
      if (!precedes(child, member)) break;
      members[place] = child;
      child.place = place;
      place = below;
    }
    members[place] = member;
    member.place = place;
  }

  /** The place of the first of those below; -1: there are none. */
  private firstBelow(place: number): number {
    const { members } = this;
    const begin = place * children + 1;
    const end = Math.min(begin + children, members.length);
    if (begin >= end) return -1;
    let first = begin;
    for (let i = begin + 1; i < end; i++) if (precedes(members[i] as Member, members[first] as Member)) first = i;
    return first;
  }
}

const precedes = (a: Ranked, b: Ranked): boolean => a.rank < b.rank || (a.rank === b.rank && a.arrival < b.arrival);
