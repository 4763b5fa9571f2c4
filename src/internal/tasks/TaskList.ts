import { Observable, Subject } from 'rxjs';
import { reportUnhandled } from '../reportUnhandled.js';
import type { Task } from './TaskScope.js';

/** The tasks that are there, for all to see. One that has ended leaves no trace. */
export class TaskList<Member extends Task> {
  readonly tasks$ = new Observable<readonly Task[]>((subscriber) => {
    if (!this.completed) this.changes.subscribe(subscriber); // before the first value, in which a task may be run
    subscriber.next([...this.members]);
    if (this.completed) subscriber.complete();
  });
  private readonly members = new Set<Member>();
  private readonly changes = new Subject<readonly Task[]>();
  private changed = false;
  private telling = false;
  private completed = false;

  get size(): number {
    return this.members.size;
  }

  [Symbol.iterator](): Iterator<Member> {
    return this.members[Symbol.iterator]();
  }

  add(member: Member): void {
    this.members.add(member);
    this.changed = true;
  }

  remove(member: Member): void {
    this.members.delete(member);
    this.changed = true;
  }

  /** The state of one has changed. */
  change(): void {
    this.changed = true;
  }

  /** Tells of what has changed. A subscriber that changes something hears of it after the others have heard of the first. */
  tell(): void {
    if (this.telling) return;
    this.telling = true;
    while (this.changed) {
      this.changed = false;
      if (!this.changes.observed) continue;
      try {
        this.changes.next([...this.members]);
      } catch (thrown) {
        reportUnhandled(thrown); // by a teardown below: the tasks must not suffer from it
      }
    }
    this.telling = false;
    if (this.completed) this.changes.complete();
  }

  complete(): void {
    this.completed = true;
    this.tell();
  }
}
