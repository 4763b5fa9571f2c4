/** A value with a name of its own, so that loss and doubling are exact. */
export class Parcel {
  private parts = 0;

  constructor(
    readonly name: string,
    /** Where it stands in the order of the sources, to be compared number by number. */
    readonly at: readonly number[],
    /** For what goes by keys; what is made of it has the same one. */
    readonly key: number,
  ) {}

  /** What is made of it next. */
  part(): Parcel {
    const index = this.parts++;
    return new Parcel(`${this.name}.${String(index)}`, [...this.at, index], this.key);
  }

  isBefore(other: Parcel): boolean {
    for (const [i, mine] of this.at.entries()) {
      const others = other.at[i];
      if (others === undefined) return false;
      if (mine !== others) return mine < others;
    }
    return true;
  }

  toString(): string {
    return this.name;
  }
}
