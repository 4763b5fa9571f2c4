import { PoolClosedError } from '../../errors/PoolClosedError.js';
import { PoolFullError } from '../../errors/PoolFullError.js';
import { PoolTimeoutError } from '../../errors/PoolTimeoutError.js';
import type { Claim } from '../../machines/ClaimLine.js';
import { Inventory } from '../../machines/Inventory.js';
import type { Place } from '../../machines/Place.js';
import { SteadyTime } from '../../machines/SteadyTime.js';
import { reportUnhandled } from '../reportUnhandled.js';
import { Alarm } from '../Alarm.js';
import { PoolCalls, type PoolEvents } from './PoolCalls.js';
import type { PoolSettings } from './PoolSettings.js';

/** Somebody who waits for a resource. */
export interface PoolClaim<R> extends Claim<PoolClaim<R>> {
  /** Gives it a place, which is its own until it gives it back. Gives `false` if it does not want one any more. */
  admit(place: Place<R>): boolean;
  refuse(error: unknown): void;
}

/** One pool: asks the inventory what is to be done, and does it. */
export class PoolEngine<R> implements PoolEvents<R> {
  readonly inventory: Inventory<R, PoolClaim<R>>;
  private readonly calls: PoolCalls<R>;
  private readonly alarm: Alarm;
  private readonly time = new SteadyTime();
  private working = false;
  /** Of those that are destroyed while somebody waits in `close`. */
  private failures: unknown[] | undefined;
  private onClosed: ((failures: readonly unknown[]) => void) | undefined;

  constructor(readonly settings: PoolSettings<R>) {
    this.inventory = new Inventory(settings.rules, () => this.now());
    this.alarm = new Alarm(settings.patience.scheduler, () => {
      this.expire();
    });
    this.calls = new PoolCalls(settings, this);
    this.work();
  }

  claim(claim: PoolClaim<R>): void {
    const { inventory, settings } = this;
    if (inventory.closed) claim.refuse(new PoolClosedError(settings.where));
    else if (!inventory.accepts)
      claim.refuse(new PoolFullError(settings.where, settings.rules.max, inventory.claims.size));
    else {
      inventory.join(claim);
      this.work();
    }
  }

  /** Does nothing if it does not wait. */
  leave(claim: PoolClaim<R>): void {
    this.inventory.claims.remove(claim);
    this.work();
  }

  /** `tell` is called when it is free again, and before it is given to the next. */
  giveBack(place: Place<R>, isBroken: boolean, tell?: () => void): void {
    if (isBroken || (place.expiresAt < Infinity && place.expiresAt <= this.now())) this.destroy(place);
    else this.inventory.move(place, 'idle');
    tell?.();
    this.work();
  }

  /** Calls `done` with what has failed, when nothing is left. */
  close(done: (failures: readonly unknown[]) => void): void {
    this.failures = [];
    this.onClosed = done;
    this.inventory.closed = true;
    this.work();
  }

  /** A loop: what it calls may call it. */
  private work(): void {
    if (this.working) return;
    this.working = true;
    const { inventory } = this;
    for (let place = inventory.next(); place; place = inventory.next()) {
      if (place.state === 'used') this.serve(place);
      else if (place.state === 'checking') this.calls.check(place);
      else if (place.state === 'creating') this.calls.create(place);
      else if (place.state === 'abandoned') this.calls.giveUp(place);
      else this.calls.destroy(place);
    }
    this.working = false;
    this.alarm.set(inventory.nextDue, this.now());
    if (inventory.isDone) this.finish();
  }

  created(place: Place<R>, resource: R): void {
    place.resource = resource;
    place.expiresAt = this.now() + this.settings.lifetime();
    if (place.state === 'creating') this.serve(place);
    else if (place.state === 'abandoned') this.destroy(place);
    else this.calls.destroy(place); // later than anybody has waited for
    this.work();
  }

  /** What a create fails with that was given up is no news. */
  notCreated(place: Place<R>, error: unknown): void {
    if (place.state === 'creating') {
      this.inventory.failToCreate(place);
      this.refuseIfShort(error);
    } else this.inventory.move(place, 'gone');
    this.work();
  }

  /** Only if what is on its way is not enough for all who wait. */
  private refuseIfShort(error: unknown): void {
    if (this.inventory.isShort) this.inventory.claims.shift()?.refuse(error);
  }

  checked(place: Place<R>, isValid: boolean): void {
    if (place.state !== 'checking') return; // it has taken too long
    if (isValid) this.serve(place);
    else this.destroy(place);
    this.work();
  }

  /** Gives it to the first who wants it. */
  private serve(place: Place<R>): void {
    const { inventory } = this;
    for (let claim = inventory.claims.shift(); claim; claim = inventory.claims.shift()) {
      if (place.state !== 'used') inventory.move(place, 'used');
      if (claim.admit(place)) return;
    }
    inventory.move(place, 'idle');
  }

  private destroy(place: Place<R>): void {
    this.inventory.move(place, 'destroying');
    this.calls.destroy(place);
  }

  destroyed(place: Place<R>): void {
    this.inventory.move(place, 'gone');
    this.work();
  }

  failed(error: unknown): void {
    if (this.failures) this.failures.push(error);
    else reportUnhandled(error);
  }

  private expire(): void {
    const { inventory } = this;
    const { lasts, acquireTimeout } = this.settings.rules;
    for (const { place, was } of inventory.expire()) {
      if (was === 'creating') {
        const error = this.timeout('create', lasts.creating);
        this.calls.giveUp(place);
        this.refuseIfShort(error);
      } else if (was === 'destroying') this.failed(this.timeout('destroy', lasts.destroying));
      else if (was !== 'abandoned') this.calls.destroy(place);
    }
    // Not those who come meanwhile: who may wait for 0 ms and tries again at once would keep it here for ever.
    for (let turns = inventory.claims.size; turns > 0 && inventory.hasLate; turns--) {
      const error = this.timeout('acquire', acquireTimeout);
      inventory.claims.shift()?.refuse(error);
    }
    this.work();
  }

  private timeout(operation: PoolTimeoutError['operation'], ms: number): PoolTimeoutError {
    const { counts, claims } = this.inventory;
    return new PoolTimeoutError(this.settings.where, operation, ms, counts.used, claims.size);
  }

  private now(): number {
    return this.time.at(this.settings.patience.scheduler.now());
  }

  private finish(): void {
    const { failures = [] } = this;
    this.failures = undefined;
    this.onClosed?.(failures);
  }
}
