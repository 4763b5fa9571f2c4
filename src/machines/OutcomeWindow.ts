/** What has become of the last calls. */
export interface OutcomeWindow {
  readonly calls: number;
  readonly failures: number;
  /** `now`, in ms, never goes back. */
  add(now: number, failed: boolean): void;
  clear(): void;
}
