/** How many permits are free, and when the next ones are. What it is told as `now`, in ms, never goes back. */
export interface PermitRule {
  /** How many can ever be free at a time. */
  readonly capacity: number;
  /** How long until `cost` permits are free, in ms; 0: they are. `cost` is at most `capacity`. */
  delay(now: number, cost: number): number;
  /** Takes them; only when they are free. */
  take(now: number, cost: number): void;
  /** Whether it is as if none had ever been taken, so that it can be forgotten. */
  isIdle(now: number): boolean;
}
