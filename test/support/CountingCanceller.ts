import { Observable } from 'rxjs';
import { operate } from '../../src/internal/operate.js';
import type { Canceller } from '../../src/link/protocol.js';

/** Counts who would be asked to stop. */
export class CountingCanceller implements Canceller {
  private readonly members = new Set<object>();

  get size(): number {
    return this.members.size;
  }

  onCancel(): () => void {
    const member = {};
    this.members.add(member);
    return () => this.members.delete(member);
  }

  /** What is above `source` finds it. */
  readonly below = <T>(source: Observable<T>): Observable<T> =>
    new Observable((destination) => {
      source.subscribe(operate<T, T>({ destination, canceller: this }));
    });
}
