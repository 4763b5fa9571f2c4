export interface Listed<Self> {
  previous: Self | undefined;
  following: Self | undefined;
}

/** A list that its members leave at O(1), in the order in which they came. */
export class InnerList<Inner extends Listed<Inner>> {
  first: Inner | undefined;
  private last: Inner | undefined;

  add(inner: Inner): void {
    inner.previous = this.last;
    if (this.last) this.last.following = inner;
    else this.first = inner;
    this.last = inner;
  }

  remove(inner: Inner): void {
    const { previous, following } = inner;
    if (!previous && this.first !== inner) return; // it never was in
    if (previous) previous.following = following;
    else this.first = following;
    if (following) following.previous = previous;
    else this.last = previous;
    inner.previous = inner.following = undefined;
  }
}
