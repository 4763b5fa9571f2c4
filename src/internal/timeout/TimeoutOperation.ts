import { from, type ObservableInput, type Subscriber } from 'rxjs';
import { TimeoutWithCleanupError, type TimeoutWithCleanupInfo } from '../../errors/TimeoutWithCleanupError.js';
import { findGate } from '../../link/walk.js';
import type { TimeLimit, TimeLimitSettings } from '../../machines/TimeLimits.js';
import { pullsInner, subscribeByPull } from '../innerPull.js';
import { operate } from '../operate.js';
import { reportUnhandled } from '../reportUnhandled.js';
import { GivingUp, type GivingUpSettings, type Surrender } from './GivingUp.js';
import { Watch } from './Watch.js';

export interface TimeoutSettings<T, R> extends GivingUpSettings<T> {
  readonly limits: TimeLimitSettings;
  readonly fallback: ((info: TimeoutWithCleanupInfo<T>) => ObservableInput<R>) | undefined;
}

/** One subscription with limited time. */
export class TimeoutOperation<T, R> {
  readonly subscriber: Subscriber<T>;
  private seen = 0;
  private lastValue: T | undefined;
  private readonly gate;
  private readonly watch: Watch;
  private readonly givingUp: GivingUp<T>;

  constructor(
    private readonly destination: Subscriber<T | R>,
    private readonly settings: TimeoutSettings<T, R>,
  ) {
    const { limits, patience } = settings;
    this.gate = findGate(destination);
    this.watch = new Watch(limits, patience.scheduler, this.gate, (limit) => {
      this.expire(limit);
    });
    this.givingUp = new GivingUp(destination, settings, {
      onAskedBelow: () => {
        this.watch.stop();
      },
      onStop: () => {
        this.subscriber.unsubscribe();
      },
      onOver: (surrender) => {
        this.surrender(surrender);
      },
    });
    this.subscriber = this.newSubscriber();
  }

  /** To be called before the source is subscribed. */
  join(): void {
    const { destination, givingUp } = this;
    destination.add(() => {
      this.watch.stop();
      givingUp.end();
      this.lastValue = undefined;
    });
    if (!destination.closed) givingUp.cancellation?.join();
  }

  /** To be called when it is. */
  start(): void {
    this.watch.start();
  }

  private newSubscriber(): Subscriber<T> {
    const { destination, watch, givingUp } = this;
    return operate<T, T | R>({
      destination,
      cleanupScope: givingUp.cleanups,
      canceller: givingUp.cancellation,
      next: (value) => {
        this.seen++;
        this.lastValue = value;
        destination.next(value);
        watch.pass();
      },
      error: (error) => {
        watch.stop();
        if (!givingUp.takes(error)) destination.error(error);
      },
      complete: () => {
        watch.stop();
        destination.complete();
      },
    });
  }

  private expire(limit: TimeLimit): void {
    const { settings, seen, lastValue } = this;
    const { [limit]: ms = 0 } = settings.limits;
    this.givingUp.begin({ limit, ms, seen, ...(seen > 0 && { lastValue: lastValue as T }) });
  }

  private surrender({ info, result, cause }: Surrender<T>): void {
    const { destination, settings, givingUp } = this;
    const { fallback, where } = settings;
    this.lastValue = undefined;
    if (!fallback) {
      destination.error(new TimeoutWithCleanupError(where, info, result, cause?.error));
      return;
    }
    if (cause) givingUp.tellBelow(cause.error);
    if ('cleanupError' in result) givingUp.tellBelow(result.cleanupError);
    try {
      this.goOn(fallback(info));
    } catch (thrown) {
      if (destination.closed) reportUnhandled(thrown);
      else destination.error(thrown);
    }
    givingUp.leave();
  }

  private goOn(input: ObservableInput<R>): void {
    const subscriber = operate<R, T | R>({ destination: this.destination });
    if (pullsInner(input, !!this.gate)) subscribeByPull(input, subscriber);
    else if (!subscriber.closed) from(input).subscribe(subscriber); // unsubscribed inside of `with`
  }
}
