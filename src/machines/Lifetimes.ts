import { LinkedList, type Listed } from './LinkedList.js';

/** What has a lifetime. Only `Lifetimes` writes it. */
export interface Living extends Listed<Living> {
  /** Since when it rests. */
  restsSince: number;
  birth: Birth | undefined;
}

export interface Birth extends Listed<Birth> {
  readonly member: Living;
  readonly at: number;
}

export interface LifetimeSettings {
  /** How long a member may rest. */
  readonly idleTimeout: number;
  /** How long a member may live. */
  readonly maxAge: number;
}

/** Whose time is up: of those that rest, and of all. Whatever happens to a member costs O(1). */
export class Lifetimes<Member extends Living> {
  /** Those that rest, the longest first. */
  private readonly resting = new LinkedList<Living>();
  private readonly births = new LinkedList<Birth>();

  constructor(private readonly settings: LifetimeSettings) {}

  /** Who has rested longest. */
  get idlest(): Member | undefined {
    return this.resting.first as Member | undefined;
  }

  /** When the next is due; `Infinity`: nobody ever is, as things are. */
  get due(): number {
    const { resting, births, settings } = this;
    const idle = resting.first ? resting.first.restsSince + settings.idleTimeout : Infinity;
    return births.first ? Math.min(idle, births.first.at + settings.maxAge) : idle;
  }

  begin(member: Member, now: number): void {
    if (this.settings.maxAge === Infinity) return;
    member.birth = { member, at: now, previous: undefined, following: undefined };
    this.births.add(member.birth);
  }

  /** It rests from now on, also if it did before. */
  rest(member: Member, now: number): void {
    this.work(member);
    member.restsSince = now;
    this.resting.add(member);
  }

  /** Something has come of it: if it rests, it does so from now on. */
  touch(member: Member, now: number): void {
    if (!this.resting.remove(member)) return;
    member.restsSince = now;
    this.resting.add(member);
  }

  /** It does not rest. */
  work(member: Member): void {
    this.resting.remove(member);
  }

  end(member: Member): void {
    this.work(member);
    if (member.birth) this.births.remove(member.birth);
    member.birth = undefined;
  }

  /** Who has rested for too long, if anybody. */
  idleAt(now: number): Member | undefined {
    const { first } = this.resting;
    return first && first.restsSince + this.settings.idleTimeout <= now ? (first as Member) : undefined;
  }

  /** Takes out who has lived for too long, if anybody. */
  agedAt(now: number): Member | undefined {
    const { first } = this.births;
    if (!first || first.at + this.settings.maxAge > now) return undefined;
    this.births.remove(first);
    first.member.birth = undefined;
    return first.member as Member;
  }
}
