import type { Place } from '../../machines/Place.js';
import { WaitingCall } from '../WaitingCall.js';
import type { Lease } from './Pool.js';
import type { PoolClaim, PoolEngine } from './PoolEngine.js';

export class PoolLease<R> implements Lease<R> {
  readonly resource: R;
  /** Until it is returned. */
  private place: Place<R> | undefined;

  constructor(
    private readonly engine: PoolEngine<R>,
    place: Place<R>,
  ) {
    this.place = place;
    this.resource = place.resource as R;
  }

  release(): void {
    this.end(false);
  }

  destroy(): void {
    this.end(true);
  }

  private end(isBroken: boolean): void {
    const { place } = this;
    this.place = undefined;
    if (place) this.engine.giveBack(place, isBroken);
  }
}

/** A call of `acquire` that waits. */
export class WaitingAcquire<R> extends WaitingCall<Lease<R>> implements PoolClaim<R> {
  previous: PoolClaim<R> | undefined = undefined;
  following: PoolClaim<R> | undefined = undefined;
  deadline = Infinity;

  constructor(
    private readonly engine: PoolEngine<R>,
    resolve: (lease: Lease<R>) => void,
    reject: (error: unknown) => void,
    signal: AbortSignal | undefined,
  ) {
    super(resolve, reject, signal);
  }

  admit(place: Place<R>): boolean {
    const { ready } = this;
    if (ready) this.answer(new PoolLease(this.engine, place));
    else this.skip();
    return ready;
  }

  refuse(error: unknown): void {
    this.fail(error);
  }

  protected leave(): void {
    this.engine.leave(this);
  }
}
