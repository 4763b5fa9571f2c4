import type { CleanupPatience } from '../../link/Cleanups.js';

export interface HedgeSettings {
  readonly after: (attempt: number) => number;
  readonly max: number;
  readonly shouldHedge: (error: unknown, attempt: number) => boolean;
  readonly onHedge: ((hedge: { attempt: number; error?: unknown }) => void) | undefined;
  readonly patience: CleanupPatience;
}
