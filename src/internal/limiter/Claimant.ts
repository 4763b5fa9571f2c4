import type { Listed } from '../../machines/LinkedList.js';

/**
 * One line of those who want permits of a key: a pipeline, or all who call `acquire`. They have their turns one after the
 * other; in each, the first of the line gets its permits. Nobody overtakes, so who wants many is not starved by who wants few.
 */
export interface Claimant extends Listed<Claimant> {
  /** When it has come to its place: only the lane writes it. */
  turn: number;
  /** Whether it waits for permits that are not free; else it is refused them. */
  readonly patient: boolean;
  /** How many wait in it. */
  readonly size: number;
  /** How many permits its first wants. */
  readonly cost: number;
  /** Asked when it is its turn: whether it can use permits now. */
  isReady(): boolean;
  /** It is out, because it was its turn and it was not ready: it comes back by itself. */
  skip(): void;
  /** Permits were taken for its first. It is out, and comes back by itself if it wants more. */
  receive(): void;
  /** There are none for its first. It is out, and comes back by itself if it wants more. */
  refuse(retryAfter: number, failure: ErrorOptions | undefined): void;
}
