import type { DropReason } from '../../options/queue.js';
import type { LossCounter } from '../../link/protocol.js';
import type { MergeSettings } from './MergeSettings.js';

/** Hands over what is dropped, each once, also when the callback throws; what the end has come before is counted too. */
export class Drops<T, R> {
  /** Why what waits at the end is dropped. */
  reason: 'error' | 'unsubscribe' = 'unsubscribe';

  constructor(
    private readonly settings: Pick<MergeSettings<T, R>, 'onDrop' | 'onDropResult'>,
    private readonly onThrow: (error: unknown) => void,
    private readonly counter: LossCounter | undefined,
  ) {}

  /** Work that has not ended is cut off. */
  work(count: number): void {
    if (count > 0) this.counter?.lost('running', count);
  }

  value(value: T, reason: DropReason | 'age' = this.reason): void {
    if (reason === this.reason) this.counter?.lost('waiting', 1);
    this.tell(value, reason);
  }

  /** Its work had begun, with which it is counted, but not come to it. */
  unstarted(value: T): void {
    this.tell(value, this.reason);
  }

  result(result: R): void {
    this.counter?.lost('waiting', 1);
    try {
      this.settings.onDropResult(result, this.reason);
    } catch (thrown) {
      this.onThrow(thrown);
    }
  }

  private tell(value: T, reason: DropReason | 'age'): void {
    try {
      this.settings.onDrop(value, reason);
    } catch (thrown) {
      this.onThrow(thrown);
    }
  }
}
