import type { Limiter } from './Limiter.js';

// A registered symbol, so that a limiter that one copy of the package has made is known to the other.
const limiterKey = Symbol.for('rxjs-flow-control.limiter');

/** Lets `limiterOf` find the limiter behind the object that a user has. */
export function withLimiter<O extends object>(object: O, limiter: Limiter): O {
  return Object.defineProperty(object, limiterKey, { value: limiter });
}

export function limiterOf(object: unknown): Limiter | undefined {
  return (object as { readonly [limiterKey]?: Limiter } | null | undefined)?.[limiterKey];
}
