/**
 * Where values wait: which of them may start, which is the next, and what gives way when too many wait.
 *
 * Each value has a ticket from its arrival to its end; a line that needs none gives `undefined`.
 */
export interface Line<T, Ticket> {
  /** How many wait. */
  readonly size: number;
  /** Whether one that waits may start. */
  readonly hasNext: boolean;
  /** Whether whatever comes now may start. */
  readonly takesAny: boolean;
  /** When the one came that has waited longest, where ages count. */
  readonly oldest: number | undefined;
  /** Asks where a value belongs that comes now; it does not wait yet. */
  admit(value: T, now: () => number): Ticket;
  /** Whether it may start before all that wait. */
  isClear(ticket: Ticket): boolean;
  /** It has started without having waited. */
  enter(ticket: Ticket): void;
  /** One that had started has ended. */
  leave(ticket: Ticket): void;
  /** Lets it wait. Gives what had to give way, or `undefined` when nothing may: then it does not wait. */
  offer(value: T, ticket: Ticket): readonly T[] | undefined;
  /** How many wait where one more may not, if that is not the whole line. */
  fullLane(ticket: Ticket): number | undefined;
  /** Takes the next out, as started; only when `hasNext`. */
  takeNext(start: (value: T, ticket: Ticket) => void): void;
  /** Takes those out that came at `time` or before. */
  takeSince(time: number): readonly T[];
  /** Takes everything out, in the order of arrival. */
  takeAll(): readonly T[];
}
