import type { DropReason } from '../../options/queue.js';
import type { MergeSettings } from './MergeSettings.js';

/** Hands over what is dropped, each once, also when the callback throws. */
export class Drops<T, R> {
  /** Why what waits at the end is dropped. */
  reason: 'error' | 'unsubscribe' = 'unsubscribe';

  constructor(
    private readonly settings: Pick<MergeSettings<T, R>, 'onDrop' | 'onDropResult'>,
    private readonly onThrow: (error: unknown) => void,
  ) {}

  value(value: T, reason: DropReason | 'age' = this.reason): void {
    try {
      this.settings.onDrop(value, reason);
    } catch (thrown) {
      this.onThrow(thrown);
    }
  }

  result(result: R): void {
    try {
      this.settings.onDropResult(result, this.reason);
    } catch (thrown) {
      this.onThrow(thrown);
    }
  }
}
