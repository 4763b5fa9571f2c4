import { FollowingGate } from './FollowingGate.js';
import type { Gate } from './protocol.js';

/**
 * When a source that is shared is asked for a value: when all who share it can take one, or when any of them can.
 * @public
 */
export type DemandPolicy = 'all' | 'any';

/** Without a gate it can always take a value. */
interface Member {
  readonly gate: Gate | undefined;
}

/**
 * A level gate over the gates of those who share a source. It is closed while there is nobody, and while `isOpen` denies.
 *
 * While somebody waits here, it waits at closed gates of members and nowhere else: for `'all'` at one, since it cannot open
 * before that one does; for `'any'` at each.
 */
export class CombinedGate extends FollowingGate {
  private readonly members: Member[] = [];
  /** Where the last search has ended. The next begins there: thousands that open one after the other cost one look each. */
  private cursor = 0;
  private readonly cancels = new Map<Member, () => void>();

  constructor(
    private readonly policy: DemandPolicy,
    isOpen: () => boolean,
  ) {
    super(() => isOpen() && this.canTake());
  }

  /** Returns the way out. To be followed by `wake`. */
  join(gate: Gate | undefined): () => void {
    const member = { gate };
    this.members.push(member);
    return () => {
      this.members.splice(this.members.indexOf(member), 1);
      this.wake();
    };
  }

  protected override follow(): void {
    const closed = this.hasWaiters && !this.ready ? this.closedMembers() : nobody;
    for (const [member, cancel] of this.cancels) {
      if (closed.has(member)) continue;
      this.cancels.delete(member);
      cancel();
    }
    for (const member of closed) {
      const { gate } = member;
      if (!gate || this.cancels.has(member)) continue;
      this.cancels.set(
        member,
        gate.onReady(() => {
          this.cancels.delete(member);
          this.wake();
        }),
      );
    }
  }

  private canTake(): boolean {
    if (this.policy === 'any') return this.find(true) !== undefined;
    return this.members.length > 0 && this.find(false) === undefined;
  }

  /** Those to wait for. */
  private closedMembers(): ReadonlySet<Member> {
    if (this.policy === 'any') return new Set(this.members.filter((member) => !isReady(member)));
    const closed = this.find(false);
    return closed ? new Set([closed]) : nobody;
  }

  /** Somebody who is ready, or who is not. */
  private find(ready: boolean): Member | undefined {
    const { members } = this;
    for (let looks = members.length; looks > 0; looks--) {
      if (this.cursor >= members.length) this.cursor = 0;
      const member = members[this.cursor] as Member;
      if (isReady(member) === ready) return member;
      this.cursor++;
    }
    return undefined;
  }
}

const nobody: ReadonlySet<Member> = new Set();

const isReady = ({ gate }: Member): boolean => gate?.ready ?? true;
