import type { SchedulerLike, Subscription } from 'rxjs';
import { reportUnhandled } from '../reportUnhandled.js';
import { runUntilOver, type Failure } from './runUntilOver.js';
import type { CloseContext, ResourceReport } from './Shutdown.js';

interface Resource {
  readonly name: string;
  readonly close: (context: CloseContext) => unknown;
}

interface Closing {
  readonly name: string;
  /** Its place among the reports. */
  readonly index: number;
  readonly startedAt: number;
}

interface Run {
  readonly reason: unknown;
  readonly onEnd: () => void;
}

/**
 * Resources, closed one after the other, the last that was opened first, in limited time.
 *
 * Of the time that is left each has an equal part. Then the next is closed all the same, so that one that hangs does not keep
 * the others open; it may still close until the end. When no time is left the others are closed without waiting.
 */
export class ResourceStack {
  /** In the order in which they were closed. */
  readonly reports: ResourceReport[] = [];
  private readonly open: Resource[] = [];
  private readonly closing = new Set<Closing>();
  /** For which the next one waits. */
  private awaited: Closing | undefined;
  private run: Run | undefined;
  private deadline = Infinity;
  private expired = false;
  private ended = false;
  private stepping = false;
  private timer: Subscription | undefined;
  private partTimer: Subscription | undefined;

  constructor(private readonly scheduler: SchedulerLike) {}

  get isEmpty(): boolean {
    return this.open.length === 0;
  }

  add(name: string, close: Resource['close']): () => void {
    const { open } = this;
    const resource = { name, close };
    open.push(resource);
    this.waitForPart(); // which has become smaller
    this.step();
    return () => {
      const index = open.indexOf(resource);
      if (index >= 0) open.splice(index, 1);
    };
  }

  closeAll(reason: unknown, timeLeft: number, onEnd: () => void): void {
    this.run = { reason, onEnd };
    this.limit(timeLeft);
    this.step();
  }

  /** No more than so much time is left, in milliseconds. */
  limit(timeLeft: number): void {
    const { scheduler } = this;
    if (this.ended || timeLeft >= this.deadline - scheduler.now()) return;
    this.deadline = scheduler.now() + timeLeft;
    this.timer?.unsubscribe();
    this.timer = scheduler.schedule(() => {
      this.expire();
    }, timeLeft);
    this.waitForPart();
    if (timeLeft <= 0) this.expire();
  }

  private expire(): void {
    this.expired = true;
    this.awaited = undefined;
    this.step();
  }

  /** A loop, because what is closed may be closed at once. */
  private step(): void {
    const { open, run } = this;
    if (!run || this.stepping || this.awaited || this.ended) return;
    this.stepping = true;
    while (!this.awaited && open.length > 0) this.close(open.pop() as Resource, run);
    this.stepping = false;
    if (this.closing.size > 0 && !this.expired) this.waitForPart();
    else this.end(run);
  }

  private close({ name, close }: Resource, run: Run): void {
    const closing = { name, index: this.reports.length, startedAt: this.scheduler.now() };
    this.closing.add(closing);
    this.report(closing, 'timed-out'); // keeps the place
    this.awaited = closing;
    runUntilOver(
      () => close({ reason: run.reason }),
      (failure) => {
        if (!this.ended) this.settle(closing, failure);
        else if (failure) reportUnhandled(failure.error);
      },
    );
    if (this.expired) this.awaited = undefined;
  }

  private settle(closing: Closing, failure: Failure | undefined): void {
    this.closing.delete(closing);
    this.report(closing, failure ? 'failed' : 'closed', failure);
    if (this.awaited === closing) this.awaited = undefined;
    this.step();
  }

  /** The last one has all the time that is left. */
  private waitForPart(): void {
    const { open, scheduler } = this;
    this.partTimer?.unsubscribe();
    if (!this.awaited || open.length === 0 || this.deadline === Infinity) return;
    const part = (this.deadline - scheduler.now()) / (open.length + 1);
    this.partTimer = scheduler.schedule(
      () => {
        this.awaited = undefined;
        this.step();
      },
      Math.max(0, Math.floor(part)),
    );
  }

  private end({ onEnd }: Run): void {
    this.ended = true;
    this.timer?.unsubscribe();
    this.partTimer?.unsubscribe();
    for (const closing of this.closing) this.report(closing, 'timed-out');
    onEnd();
  }

  private report({ name, index, startedAt }: Closing, state: ResourceReport['state'], failure?: Failure): void {
    this.reports[index] = { name, state, ...failure, ms: this.scheduler.now() - startedAt };
  }
}
