import type { Observable, Subscriber } from 'rxjs';
import { DemandWindowError } from '../../errors/DemandWindowError.js';
import { Losses } from '../Losses.js';
import { WindowEntrance, type Occupancy } from './WindowEntrance.js';
import { WindowExit } from './WindowExit.js';
import type { WindowSettings } from './WindowSettings.js';

/**
 * One subscription to `demandWindow`: counts the values that are between the entrance and the exit.
 *
 * Nothing goes in while the operator emits: `bufferTime` would lose it, since it has no open buffer in that moment. So the
 * next goes in when the operator has returned: from `next`, if that is where it emitted, or else later.
 */
export class DemandWindow<T, R> implements Occupancy<T> {
  private inside = 0;
  /** So many were inside when the operator let go of its source: they may come out yet, or never. */
  private abandoned = 0;
  /** One, unless the operator subscribes to its source again or more than once. */
  private readonly entrances = new Set<WindowEntrance<T>>();
  private readonly losses: Losses;
  private readonly exit: WindowExit<R>;
  /** How deep in calls of the operator, and of it to the exit. */
  private entering = 0;
  private emitting = 0;
  private isLater = false;
  private cancelLater: (() => void) | undefined;

  constructor(
    private readonly destination: Subscriber<R>,
    private readonly settings: WindowSettings<T, R>,
  ) {
    this.losses = new Losses(destination);
    this.exit = new WindowExit(destination, settings, this.losses, this);
    destination.add(() => {
      this.cancelLater?.();
    });
  }

  /** What the operator gives is to be subscribed to with it. */
  get subscriber(): Subscriber<R> {
    return this.exit.subscriber;
  }

  get hasRoom(): boolean {
    return this.inside < this.settings.size && this.emitting === 0;
  }

  /** Lets the values of `source` in, to the operator that subscribes with `inside`. */
  admit(source: Observable<T>, inside: Subscriber<T>): void {
    const { entrances, losses, settings } = this;
    const entrance = new WindowEntrance(inside, settings, this, losses);
    losses.reason = 'unsubscribe'; // an operator that comes again has got over an error
    entrances.add(entrance);
    entrance.subscribeTo(source, () => {
      entrances.delete(entrance);
      if (entrance.isCompleted || entrances.size > 0) return;
      this.abandoned += this.inside;
      this.inside = 0;
    });
  }

  letIn(value: T, inside: Subscriber<T>): void {
    this.inside++; // before next, in which it may leave already
    this.entering++;
    try {
      inside.next(value);
    } finally {
      this.entering--;
      this.useRoom();
    }
  }

  beginEmission(): void {
    this.emitting++;
  }

  endEmission(): void {
    this.emitting--;
    this.useRoomLater();
  }

  /** Gives whether so many can have been inside. */
  take(count: number): boolean {
    const { inside } = this;
    this.inside = Math.max(0, inside - count);
    if (count <= inside) return true;
    this.abandoned -= count - inside;
    // Where nothing comes in any more, nothing has to be counted.
    if (this.abandoned >= 0 || this.entrances.size === 0) return true;
    this.losses.fail(new DemandWindowError(this.settings.where, inside, count));
    return false;
  }

  /** Values have left of which no result tells. */
  leave(count: number): void {
    if (!this.destination.closed && this.take(count)) this.useRoomLater();
  }

  /** Lets in what waits at the entrances, if the operator has returned. */
  useRoom(): void {
    if (!this.isRoomWanted) return;
    for (const entrance of this.entrances) entrance.open();
  }

  private useRoomLater(): void {
    if (!this.isRoomWanted || this.isLater || this.destination.closed) return;
    this.isLater = true;
    this.cancelLater = this.settings.later(() => {
      this.isLater = false;
      this.useRoom();
    });
  }

  private get isRoomWanted(): boolean {
    if (!this.hasRoom || this.entering > 0) return false;
    for (const entrance of this.entrances) if (entrance.isWaiting) return true;
    return false;
  }
}
