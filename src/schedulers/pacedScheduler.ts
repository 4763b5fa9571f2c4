import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { optionsObject } from '../internal/arguments.js';
import { Alarm } from '../internal/Alarm.js';
import type { RateAlgorithm } from '../internal/limiter/LimitSettings.js';
import { ActionScheduler } from '../internal/scheduling/ActionScheduler.js';
import type { PermitRule } from '../machines/PermitRule.js';
import { Slice } from '../machines/Slice.js';
import { SteadyTime } from '../machines/SteadyTime.js';
import { readLimitOptions } from '../options/limit.js';

/**
 * Options of `pacedScheduler`.
 * @public
 */
export interface PacedSchedulerOptions {
  /** How many actions may start in each `interval`. */
  limit: number;
  /** In ms. */
  interval: number;
  /** How the starts are spread in time, as in `rateLimit`. Default: `'sliding-window'`. */
  algorithm?: RateAlgorithm;
  /** Of `'token-bucket'`: how many starts can be saved up. Default: `limit`. */
  burst?: number;
  /** On which the actions start: the source of time. Default: `asyncScheduler`. */
  scheduler?: SchedulerLike;
}

/**
 * Creates a scheduler that starts no more actions in each interval than a limit allows; the others wait, and keep their order.
 *
 * ```marble
 * source                                                abc--d---|
 * observeOn(pacedScheduler({ limit: 2, interval: 5 }))  ab---cd---|
 * ```
 *
 * In any `interval`, whenever it begins, at most `limit` actions start, whoever has scheduled them: so one scheduler that several
 * pipelines are given limits all of them together. Here `c` starts 5 ms after `a`; and the end is an action, too, which starts
 * 5 ms after `c`. The other algorithms are those of `rateLimit`: `'spaced'` starts one in each `interval / limit`, evenly,
 * and no two in the same ms unless that is less than 1 ms.
 *
 * - **Order**: actions without a delay start first in, first out. A delayed action joins the end of the line when its delay is
 *   over. An action that schedules itself again joins the end of the line too, and each start counts.
 * - **Starts** in an action of `scheduler`, so never within `schedule()` if that one's do not. As many as may start do so one
 *   after the other; the event loop has its turn after 1000 of them or 10 ms.
 * - **Delays** are those of `scheduler`, as its clock is. An action that schedules itself again with the same delay keeps its
 *   beat: neither its work nor its wait in the line is part of the delay. A delay that is not positive is none, and one of
 *   `Infinity` does not end.
 * - **Errors**: an action that throws is unsubscribed, and its error is reported as RxJS reports unhandled errors: to
 *   `config.onUnhandledError`, else thrown in a task of its own. The other actions run.
 * - **Unsubscribed**, an action that waits leaves the line or clears its timer, and has used nothing: the next has its turn.
 *   There is one timer for the line, and none when nobody waits.
 * - **Backpressure**: none, and the line has no bound. `observeOn` takes whatever comes, and what RxJS itself keeps for each
 *   waiting value makes it slow where tens of thousands wait (`npm run bench -- schedulers`): there, put it into a `demandWindow`.
 * - **Drops** nothing.
 * - **Rather** `rateLimit` for the values of a pipeline: it has backpressure, keys, and no limit for the end.
 *
 * @throws RangeError if called with an option out of range
 * @throws TypeError if an option is of another type, or has no meaning beside the others
 *
 * @example
 * ```ts
 * import { from, mergeMap, of, subscribeOn } from 'rxjs';
 * import { pacedScheduler } from 'rxjs-flow-control/schedulers';
 *
 * const scheduler = pacedScheduler({ limit: 2, interval: 200 });
 * const request = (id: string) => of(id).pipe(subscribeOn(scheduler)); // starts when it may
 * from(['a', 'b', 'c']).pipe(mergeMap(request)).subscribe(console.log);
 * setTimeout(() => console.log('meanwhile'), 100);
 * // prints: a, b, meanwhile, c
 * ```
 * @public
 */
export function pacedScheduler(options: PacedSchedulerOptions): SchedulerLike {
  const { limit, interval, algorithm = 'sliding-window', burst, scheduler = asyncScheduler } = optionsObject(options);
  const limits = { limit, interval, algorithm, scheduler };
  const { newRule } = readLimitOptions(burst === undefined ? limits : { ...limits, burst });
  return new PacedScheduler(newRule(), scheduler);
}

/** The event loop has its turn after so many. */
const startsPerTurn = 1000;

class PacedScheduler extends ActionScheduler {
  private readonly time = new SteadyTime();
  private readonly alarm: Alarm;
  private starting = false;

  constructor(
    private readonly rule: PermitRule,
    private readonly scheduler: SchedulerLike,
  ) {
    super();
    this.alarm = new Alarm(scheduler, () => {
      this.startReady();
    });
  }

  override now(): number {
    return this.scheduler.now();
  }

  /** Those whose delay is over start at once if they may: another turn of `scheduler` may take a millisecond. */
  override startTimer(fire: () => void, ms: number): () => void {
    const timer = this.scheduler.schedule(() => {
      this.startReady(fire);
    }, ms);
    return () => {
      timer.unsubscribe();
    };
  }

  /** Sees to it that the alarm is set exactly as long as somebody waits in the line. */
  arrange(): void {
    if (this.starting) return;
    if (!this.ready.first && !this.fired.first) {
      this.alarm.stop();
      return;
    }
    const now = this.time.at(this.now());
    const delay = this.rule.delay(now, 1);
    this.alarm.set(now + Math.ceil(delay), now); // a timer that is cut to whole ms would ring too early
  }

  private startReady(fire?: () => void): void {
    if (this.starting) {
      fire?.(); // from a scheduler that calls back at once
      return;
    }
    this.starting = true;
    fire?.();
    this.lineUpFired();
    const turn = new Slice(startsPerTurn);
    while (this.ready.first && !turn.isOver(this.clock) && this.takePermit()) this.ready.first.run();
    this.starting = false;
    this.arrange();
  }

  private takePermit(): boolean {
    const now = this.time.at(this.now());
    if (this.rule.delay(now, 1) > 0) return false;
    this.rule.take(now, 1);
    return true;
  }

  private readonly clock = () => this.now();
}
