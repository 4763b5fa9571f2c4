import { Subscription, type VirtualTimeScheduler, type SchedulerAction, type SchedulerLike } from 'rxjs';

/** Schedules on another scheduler, and counts what is still to come. */
export class CountingScheduler implements SchedulerLike {
  private readonly open = new Set<Subscription>();

  constructor(private readonly inner: VirtualTimeScheduler) {}

  /** How many timers there are. */
  get pending(): number {
    return this.open.size;
  }

  now(): number {
    return this.inner.now();
  }

  schedule<T>(work: (this: SchedulerAction<T>, state: T) => void, delay?: number, state?: T): Subscription {
    const { open } = this;
    const timer = new Subscription(() => {
      open.delete(timer);
    });
    open.add(timer);
    timer.add(
      this.inner.schedule<T>(
        function (given) {
          timer.unsubscribe();
          work.call(this, given as T);
        },
        delay,
        state,
      ),
    );
    return timer;
  }
}
