/**
 * Whether a consumer can take another value: a level, not a count.
 *
 * A producer emits only synchronously after it has read `ready === true`. Otherwise it leaves a callback with `onReady`,
 * which is called once, in the order of arrival, and reads `ready` again when it is called.
 * @public
 */
export interface Gate {
  /** Whether a value may be emitted now. */
  readonly ready: boolean;
  /** Calls `callback` once, when the gate has opened. Returns the cancellation. */
  onReady(callback: () => void): () => void;
}

/**
 * Whoever waits for asynchronous clean-up: a producer that is torn down hands over the promise of its clean-up.
 * @public
 */
export interface CleanupScope {
  /** Waits for `cleanup` to settle, and answers for its failure. */
  track(cleanup: PromiseLike<unknown>): void;
}

// Registered symbols, so that two copies of the package (ESM and CommonJS, two bundles) find each other's.
export const gateKey: unique symbol = Symbol.for('rxjs-flow-control.gate');
export const cleanupScopeKey: unique symbol = Symbol.for('rxjs-flow-control.cleanup-scope');

/** What a subscriber carries for the producers above it. */
export interface Linked {
  /** `null` is a barrier: everything above runs ungated. */
  readonly [gateKey]?: Gate | null | undefined;
  readonly [cleanupScopeKey]?: CleanupScope | undefined;
}
