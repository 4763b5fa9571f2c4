import type { Breaker } from './Breaker.js';

// A registered symbol, so that a breaker that one copy of the package has made is known to the other.
const breakerKey = Symbol.for('rxjs-flow-control.breaker');

/** Lets `breakerOf` find the breaker behind the object that a user has. */
export function withBreaker<O extends object>(object: O, breaker: Breaker): O {
  return Object.defineProperty(object, breakerKey, { value: breaker });
}

export function breakerOf(object: unknown): Breaker | undefined {
  return (object as { readonly [breakerKey]?: Breaker } | null | undefined)?.[breakerKey];
}
