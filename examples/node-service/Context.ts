import type { RateLimiter, Shutdown } from 'rxjs-flow-control';
import type { Settings } from './arguments.js';
import type { Store } from './Store.js';

/** What all requests share. */
export interface Context {
  readonly settings: Settings;
  readonly store: Store;
  readonly shutdown: Shutdown;
  /** Of the records of each client. */
  readonly records: RateLimiter;
  /** Of the uploads that each client begins. */
  readonly starts: RateLimiter;
  /** How many run now. */
  readonly running: { uploads: number; downloads: number };
}
