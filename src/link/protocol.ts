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

/**
 * Whoever asks work to stop, and lets it, before it unsubscribes from it.
 * @public
 */
export interface Canceller {
  /**
   * Calls `cancel` when the work is to stop: at once if that has been asked before. Returns the leave, to be called once the
   * work has ended and has told of it: when all have left that were asked, nobody is given more time.
   */
  onCancel(cancel: (reason: unknown) => void): () => void;
}

/**
 * Whoever counts what is given up when a stream is torn down.
 * @public
 */
export interface LossCounter {
  /** Told as it happens. `'waiting'`: values that have not been started, or results not passed on; `'running'`: work that was cut off. */
  lost(what: 'waiting' | 'running', count: number): void;
}

// Registered symbols, so that two copies of the package (ESM and CommonJS, two bundles) find each other's.
export const gateKey: unique symbol = Symbol.for('rxjs-flow-control.gate');
export const cleanupScopeKey: unique symbol = Symbol.for('rxjs-flow-control.cleanup-scope');
export const cancellerKey: unique symbol = Symbol.for('rxjs-flow-control.canceller');
export const lossCounterKey: unique symbol = Symbol.for('rxjs-flow-control.loss-counter');

/** What a subscriber carries for the producers above it. */
export interface Linked {
  /** `null` is a barrier: everything above runs ungated. */
  readonly [gateKey]?: Gate | null | undefined;
  readonly [cleanupScopeKey]?: CleanupScope | undefined;
  readonly [cancellerKey]?: Canceller | undefined;
  readonly [lossCounterKey]?: LossCounter | undefined;
}
