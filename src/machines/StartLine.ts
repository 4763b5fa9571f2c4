import { LinkedList, type Listed } from './LinkedList.js';

/** Who may start: at most `concurrent` at a time; the others wait, first come, first served, at most `bufferSize` of them. */
export class StartLine<Member extends Listed<Member>> {
  /** How many wait; only to be read. */
  waiting = 0;
  private active = 0;
  private readonly line = new LinkedList<Member>();

  constructor(
    private readonly concurrent: number,
    private readonly bufferSize: number,
  ) {}

  /** Whether one more may come. Those who can start now take no place of those who wait. */
  get hasRoom(): boolean {
    return this.waiting < this.bufferSize + this.concurrent - this.active;
  }

  /** Lets it wait for its start. Only if there is room. */
  add(member: Member): void {
    this.line.add(member);
    this.waiting++;
  }

  /** Takes the next out that may start now. */
  startNext(): Member | undefined {
    const { first } = this.line;
    if (!first || this.active >= this.concurrent) return undefined;
    this.leave(first);
    this.active++;
    return first;
  }

  /** One that had started has ended. */
  end(): void {
    this.active--;
  }

  /** It waits no longer. */
  leave(member: Member): void {
    if (this.line.remove(member)) this.waiting--;
  }
}
