/** When so much has failed that it is better to stop. What it is told as `now`, in ms, never goes back. */
export interface FailurePolicy {
  /** Told of each call that has ended. */
  record(now: number, failed: boolean): void;
  /** As of what was recorded last. */
  readonly isReached: boolean;
  /** Forgets all. */
  reset(): void;
}
