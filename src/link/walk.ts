import type { Subscriber, Subscription } from 'rxjs';
import {
  cancellerKey,
  cleanupScopeKey,
  gateKey,
  lossCounterKey,
  type Canceller,
  type CleanupScope,
  type Gate,
  type Linked,
  type LossCounter,
} from './protocol.js';

/**
 * The one file that knows RxJS's insides. In RxJS 7 each operator subscribes to its source with a subscriber whose field
 * `destination` is the subscriber below; since 7.5.6 an observer that is not a subscriber hangs on `partialObserver`.
 * The fields are read with a dot, so that a bundler that renames properties renames them here as in RxJS.
 */
interface Chained extends Linked {
  readonly destination?: unknown;
  readonly partialObserver?: unknown;
}

/** Looks down the chain from `subscriber` for what the nearest consumer put under `key`. */
function walk<K extends keyof Linked>(subscriber: unknown, key: K): Linked[K] {
  let link = subscriber as Chained | null | undefined;
  while (link !== null && link !== undefined) {
    const found = link[key];
    if (found !== undefined) return found;
    link = (link.destination ?? link.partialObserver) as Chained | null | undefined;
  }
  return undefined;
}

/**
 * The gate of the nearest consumer below `subscriber`, or `undefined` where none is to be heeded (there is none, or
 * `ungated` stands in between).
 *
 * For authors of sources and operators. Call it when you are subscribed: once unsubscribed, the chain is gone.
 * @public
 */
export function findGate(subscriber: Subscriber<never>): Gate | undefined {
  return walk(subscriber, gateKey) ?? undefined;
}

/**
 * The clean-up scope of the nearest consumer below `subscriber`, or `undefined` if nobody waits.
 *
 * For authors of sources and operators. Call it when you are subscribed: once unsubscribed, the chain is gone.
 * @public
 */
export function findCleanupScope(subscriber: Subscriber<never>): CleanupScope | undefined {
  return walk(subscriber, cleanupScopeKey);
}

/** Who asks the work above `subscriber` to stop before it unsubscribes, if anybody does. Call it when you are subscribed. */
export function findCanceller(subscriber: Subscriber<never>): Canceller | undefined {
  return walk(subscriber, cancellerKey);
}

/** Who counts what is given up above `subscriber`, if anybody does. Call it when you are subscribed. */
export function findLossCounter(subscriber: Subscriber<never>): LossCounter | undefined {
  return walk(subscriber, lossCounterKey);
}

/** Lets those go to whom `subscription` has been added, as RxJS does when one of its own ends. */
export function leaveParents(subscription: Subscription): void {
  const child = subscription as unknown as { _parentage?: Subscription | readonly Subscription[] | null };
  const parents = child._parentage;
  if (!parents) return;
  child._parentage = null;
  for (const parent of Array.isArray(parents) ? parents : [parents]) (parent as Subscription).remove(subscription);
}
