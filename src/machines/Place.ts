import type { Listed } from './LinkedList.js';

/**
 * What becomes of a place: `creating`, then `idle`, `checking` and `used` in turns, then `destroying`, then `gone`; `abandoned` if
 * what is being created is no longer wanted.
 */
export type PlaceState = 'creating' | 'abandoned' | 'idle' | 'checking' | 'used' | 'destroying' | 'gone';

/** What a resource takes of a pool, from before it is created until it has been destroyed. */
export class Place<R> implements Listed<Place<R>> {
  previous: Place<R> | undefined = undefined;
  following: Place<R> | undefined = undefined;
  state: PlaceState = 'gone';
  resource: R | undefined = undefined;
  /** When its state has lasted for too long. */
  due = Infinity;
  /** When the resource is too old to be used again. */
  expiresAt = Infinity;
}

/** What a state that has lasted for too long is followed by. */
export const afterwards: Readonly<Record<PlaceState, PlaceState>> = {
  creating: 'abandoned',
  abandoned: 'gone',
  idle: 'destroying',
  checking: 'destroying',
  used: 'used',
  destroying: 'gone',
  gone: 'gone',
};
