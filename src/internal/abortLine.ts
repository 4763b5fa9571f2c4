import { reportUnhandled } from './reportUnhandled.js';

/** Who is to be told that a signal has been aborted. */
export interface Abortable {
  aborted(): void;
}

/**
 * All who wait with one signal, behind one listener: with one for each, Node searches them all for each that comes, and from
 * the eleventh on warns of a leak.
 */
class AbortLine implements EventListenerObject {
  private readonly members = new Set<Abortable>();

  constructor(private readonly signal: AbortSignal) {}

  add(member: Abortable): void {
    if (this.members.size === 0) this.signal.addEventListener('abort', this);
    this.members.add(member);
  }

  remove(member: Abortable): void {
    if (this.members.delete(member) && this.members.size === 0) this.signal.removeEventListener('abort', this);
  }

  handleEvent(): void {
    for (const member of this.members) {
      this.remove(member);
      try {
        member.aborted();
      } catch (thrown) {
        reportUnhandled(thrown); // one that fails must not stop the others
      }
    }
  }
}

const lines = /* @__PURE__ */ new WeakMap<AbortSignal, AbortLine>();

export function listenToAbort(signal: AbortSignal, member: Abortable): void {
  let line = lines.get(signal);
  if (!line) lines.set(signal, (line = new AbortLine(signal)));
  line.add(member);
}

/** Does nothing if it does not listen. */
export function leaveAbort(signal: AbortSignal, member: Abortable): void {
  lines.get(signal)?.remove(member);
}
