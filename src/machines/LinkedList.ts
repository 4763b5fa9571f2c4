export interface Listed<Self> {
  previous: Self | undefined;
  following: Self | undefined;
}

/** A list that its members leave at O(1), in the order in which they came. */
export class LinkedList<Member extends Listed<Member>> implements Iterable<Member> {
  first: Member | undefined = undefined;
  last: Member | undefined = undefined;

  add(member: Member): void {
    member.previous = this.last;
    if (this.last) this.last.following = member;
    else this.first = member;
    this.last = member;
  }

  /** Gives whether it was in. */
  remove(member: Member): boolean {
    const { previous, following } = member;
    if (!previous && this.first !== member) return false;
    if (previous) previous.following = following;
    else this.first = following;
    if (following) following.previous = previous;
    else this.last = previous;
    member.previous = member.following = undefined;
    return true;
  }

  *[Symbol.iterator](): Iterator<Member> {
    for (let member = this.first; member; member = member.following) yield member;
  }
}
