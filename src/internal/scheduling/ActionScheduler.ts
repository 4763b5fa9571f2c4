import type { SchedulerLike, Subscription } from 'rxjs';
import { LinkedList } from '../../machines/LinkedList.js';
import { SteadyTime } from '../../machines/SteadyTime.js';
import { functionOf } from '../arguments.js';
import { ScheduledAction, type ActionLines, type Work } from './ScheduledAction.js';

/** A scheduler but for the one thing in which it differs from others: when those that are in the line run. */
export abstract class ActionScheduler implements SchedulerLike, ActionLines {
  private readonly steadyTime = new SteadyTime();

  constructor(
    readonly ready = new LinkedList<ScheduledAction>(),
    readonly fired = new LinkedList<ScheduledAction>(),
  ) {}

  now(): number {
    return Date.now();
  }

  /** `now` that never goes back, so that a clock that is put back cannot turn the order round. */
  steadyNow(): number {
    return this.steadyTime.at(this.now());
  }

  schedule<T>(work: Work<T>, delay = 0, state?: T): Subscription {
    return new ScheduledAction(this, functionOf('work', work) as Work<unknown>).schedule(state, delay);
  }

  startTimer(fire: () => void, ms: number): () => void {
    const timer = setTimeout(fire, ms);
    return () => {
      clearTimeout(timer);
    };
  }

  lineUpFired(): void {
    if (!this.fired.first) return;
    const actions = [...this.fired].sort((a, b) => a.dueTime - b.dueTime);
    for (const action of actions) action.join(this.ready);
  }

  abstract arrange(): void;
}
