import type { SchedulerLike, Subscription } from 'rxjs';
import { ShutdownEndedError } from '../../errors/ShutdownEndedError.js';
import type { ShutdownReport } from '../../errors/ShutdownError.js';
import { reportUnhandled } from '../reportUnhandled.js';
import type { CoordinatorSettings } from './CoordinatorSettings.js';
import { Drain } from './Drain.js';
import { Participants } from './Participants.js';
import type { Participant, Participation } from './participation.js';
import { ResourceStack } from './ResourceStack.js';
import { StopNotice } from './StopNotice.js';
import type { CloseContext, DrainContext, DrainReport, ShutdownSummary } from './Shutdown.js';
import { summaryOf } from './summaryOf.js';

/** Its phases: all who take part drain side by side; then the resources are closed one after the other. */
export class Coordinator implements Participation {
  readonly stopping = new StopNotice();
  readonly controller = new AbortController();
  readonly done: Promise<ShutdownSummary>;
  private phase: 'running' | 'draining' | 'closing' | 'done' = 'running';
  stopped: { readonly reason: unknown } | undefined;
  private cut: { readonly timedOut: boolean } | undefined;
  private startedAt = 0;
  /** When nobody is waited for any longer. */
  private deadline = Infinity;
  private readonly participants = new Participants();
  private readonly resources: ResourceStack;
  private readonly pipelines: ShutdownReport[] = [];
  private readonly drains: DrainReport[] = [];
  private timer: Subscription | undefined;
  private resolve!: (summary: ShutdownSummary) => void;

  constructor(private readonly settings: CoordinatorSettings) {
    this.resources = new ResourceStack(settings.scheduler);
    this.done = new Promise((resolve) => {
      this.resolve = resolve;
    });
  }

  stop(reason: unknown): void {
    if (this.phase !== 'running') return;
    const { drainTimeout, cleanupTimeout } = this.settings;
    this.phase = 'draining';
    this.stopped = { reason };
    this.startedAt = this.now();
    this.deadline = this.startedAt + drainTimeout + cleanupTimeout;
    this.wait(drainTimeout, () => {
      this.cutOff(true);
    });
    this.participants.hold(() => {
      this.stopping.give(reason);
      this.participants.stop(reason, this);
    });
    this.closeIfDrained();
  }

  abort(reason: unknown): void {
    this.stop(reason);
    this.cutOff(false);
  }

  join(pipeline: Participant): Participation {
    if (!this.hasDrained) this.participants.add(pipeline);
    return this;
  }

  get scheduler(): SchedulerLike {
    return this.settings.scheduler;
  }

  get aborted(): { readonly timedOut: boolean } | undefined {
    return this.cut ?? (this.hasDrained ? { timedOut: false } : undefined);
  }

  /** Half of the time is for the resources, if there are any: none is to be closed without waiting because somebody else hangs. */
  get cleanupTimeout(): number {
    const { cleanupTimeout } = this.settings;
    const share = this.resources.isEmpty ? cleanupTimeout : Math.ceil(cleanupTimeout / 2);
    return Math.min(share, Math.max(0, this.deadline - this.now()));
  }

  leave(participant: Participant, report?: ShutdownReport): boolean {
    if (!this.participants.remove(participant)) return false;
    if (report) this.pipelines.push(report);
    this.closeIfDrained();
    return true;
  }

  drain(name: string, drain: (context: DrainContext) => unknown): () => void {
    const { controller, settings, stopped } = this;
    if (this.hasDrained) throw new ShutdownEndedError(settings.where, 'drain', name);
    const participant = new Drain(name, drain, controller.signal, settings.scheduler, (report) => {
      this.drains.push(report);
      this.leave(participant);
    });
    this.participants.add(participant);
    if (stopped) participant.stop(stopped.reason);
    return () => {
      if (!participant.hasBegun) this.participants.remove(participant);
    };
  }

  add(name: string, close: (context: CloseContext) => unknown): () => void {
    if (this.phase === 'done') throw new ShutdownEndedError(this.settings.where, 'add', name);
    return this.resources.add(name, close);
  }

  private get hasDrained(): boolean {
    return this.phase === 'closing' || this.phase === 'done';
  }

  /** The time for the drain is over: once. */
  private cutOff(timedOut: boolean): void {
    const { cleanupTimeout } = this.settings;
    if (this.cut || this.phase === 'done') return;
    this.cut = { timedOut };
    this.deadline = Math.min(this.deadline, this.now() + cleanupTimeout);
    this.participants.hold(() => {
      this.controller.abort();
      this.participants.abort(timedOut);
    });
    if (this.phase === 'closing') this.resources.limit(cleanupTimeout);
    else {
      this.wait(this.cleanupTimeout, () => {
        this.participants.giveUp();
      });
      this.closeIfDrained();
    }
  }

  private closeIfDrained(): void {
    if (this.phase !== 'draining' || !this.participants.areGone) return;
    const { drainTimeout, cleanupTimeout } = this.settings;
    this.phase = 'closing';
    this.timer?.unsubscribe();
    const isUnbounded = drainTimeout === Infinity && !this.cut;
    const timeLeft = isUnbounded ? cleanupTimeout : Math.max(0, this.deadline - this.now());
    this.resources.closeAll(this.stopped?.reason, Math.min(timeLeft, drainTimeout + cleanupTimeout), () => {
      this.finish();
    });
  }

  private finish(): void {
    const { pipelines, drains, startedAt } = this;
    const { reports: resources } = this.resources;
    const timedOut = this.cut?.timedOut ?? false;
    this.phase = 'done';
    const ms = this.now() - startedAt;
    const summary = summaryOf({ reason: this.stopped?.reason, timedOut, pipelines, drains, resources, ms });
    try {
      this.settings.onReport(summary);
    } catch (thrown) {
      reportUnhandled(thrown);
    }
    this.resolve(summary);
  }

  private wait(ms: number, then: () => void): void {
    this.timer?.unsubscribe();
    if (ms < Infinity) this.timer = this.settings.scheduler.schedule(then, Math.max(0, ms));
  }

  private now(): number {
    return this.settings.scheduler.now();
  }
}
