import type { SchedulerLike, Subscription } from 'rxjs';
import type { Line } from '../../machines/Line.js';

interface ExpirySettings {
  /** How long a value may wait, in ms. */
  readonly maxAge: number;
  readonly patience: { readonly scheduler: SchedulerLike };
}

/** Who has waited too long. One timer, however many wait: for the one that came first. */
export class Expiry<T> {
  private timer: Subscription | undefined;

  constructor(
    private readonly line: Pick<Line<T, unknown>, 'oldest' | 'takeSince'>,
    private readonly settings: ExpirySettings,
    private readonly onDue: () => void,
  ) {}

  /** Takes out what is due. */
  take(): readonly T[] {
    const { line, settings } = this;
    return line.oldest === undefined ? [] : line.takeSince(settings.patience.scheduler.now() - settings.maxAge);
  }

  /** To be called when somebody has come or gone. */
  watch(): void {
    const { oldest } = this.line;
    if (oldest === undefined) this.stop();
    else if (!this.timer) {
      const { maxAge, patience } = this.settings;
      const due = oldest + maxAge - patience.scheduler.now();
      this.timer = patience.scheduler.schedule(
        () => {
          this.timer = undefined;
          this.onDue();
        },
        Math.max(0, due),
      );
    }
  }

  stop(): void {
    this.timer?.unsubscribe();
    this.timer = undefined;
  }
}
