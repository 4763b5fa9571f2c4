import { Cleanups } from '../../link/Cleanups.js';
import type { Place } from '../../machines/Place.js';
import { isThenable } from '../puller.js';
import { runCleanup } from '../runCleanup.js';
import { LazySignal } from '../workContext.js';
import type { PoolFunctions } from './PoolSettings.js';

/** Who is told what has come of it: at once, or when a promise has settled, however late that is. */
export interface PoolEvents<R> {
  created(place: Place<R>, resource: R): void;
  notCreated(place: Place<R>, error: unknown): void;
  checked(place: Place<R>, isValid: boolean): void;
  destroyed(place: Place<R>): void;
  /** To destroy a resource. */
  failed(error: unknown): void;
}

/** Calls the functions of the user, whatever they throw, and whatever kind of promise they give. */
export class PoolCalls<R> {
  /** Those that are still wanted. */
  private readonly creations = new Map<Place<R>, LazySignal>();
  private readonly destructions: Cleanups;

  constructor(
    private readonly functions: PoolFunctions<R>,
    private readonly events: PoolEvents<R>,
  ) {
    this.destructions = new Cleanups(undefined, (error) => {
      events.failed(error);
    });
  }

  create(place: Place<R>): void {
    const { creations, events } = this;
    const context = new LazySignal();
    creations.set(place, context);
    settleOnce(
      () => this.functions.create(context),
      (resource) => {
        creations.delete(place);
        events.created(place, resource);
      },
      (error) => {
        creations.delete(place);
        events.notCreated(place, error);
      },
    );
  }

  /** Tells a create that its resource is no longer wanted. */
  giveUp(place: Place<R>): void {
    const creation = this.creations.get(place);
    this.creations.delete(place);
    creation?.abort();
  }

  check(place: Place<R>): void {
    const { events } = this;
    settleOnce(
      () => this.functions.validate(place.resource as R),
      (isValid) => {
        events.checked(place, isValid);
      },
      () => {
        events.checked(place, false);
      },
    );
  }

  destroy(place: Place<R>): void {
    const resource = place.resource as R;
    const destroyed = () => {
      this.events.destroyed(place);
    };
    const end = runCleanup(() => this.functions.destroy(resource));
    if (end) this.destructions.track(end, destroyed);
    else destroyed();
  }
}

/** Calls back once: a promise that is not the platform's may call back twice, or call back and throw. */
function settleOnce<T>(
  call: () => T | PromiseLike<T>,
  onValue: (value: T) => void,
  onError: (error: unknown) => void,
): void {
  let settled = false;
  const once = <V>(callback: (value: V) => void) => {
    return (value: V) => {
      if (settled) return;
      settled = true;
      callback(value);
    };
  };
  const [resolve, reject] = [once(onValue), once(onError)];
  try {
    const given = call();
    if (isThenable(given)) (given as PromiseLike<T>).then(resolve, reject);
    else resolve(given);
  } catch (thrown) {
    reject(thrown);
  }
}
