import type { CleanupPatience } from '../../link/Cleanups.js';
import type { InventoryRules } from '../../machines/Inventory.js';
import type { WorkContext } from '../workContext.js';

/** What the user of a pool says how to do. */
export interface PoolFunctions<R> {
  readonly create: (context: WorkContext) => R | PromiseLike<R>;
  readonly destroy: (resource: R) => unknown;
  readonly validate: (resource: R) => boolean | PromiseLike<boolean>;
}

/** The options of `createPool`, checked and with their defaults. */
export interface PoolSettings<R> extends PoolFunctions<R> {
  readonly rules: InventoryRules;
  readonly shouldDestroy: (error: unknown, resource: R) => boolean;
  /** How long the next one lives, in ms. */
  readonly lifetime: () => number;
  readonly patience: CleanupPatience;
  /** Who speaks, in messages. */
  readonly where: string;
}
