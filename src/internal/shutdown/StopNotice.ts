import { AsyncSubject, Observable } from 'rxjs';
import { reportUnhandled } from '../reportUnhandled.js';

/** Tells of the stop, once, and whoever comes later. */
export class StopNotice {
  private readonly subject = new AsyncSubject<unknown>();

  /** Each is a consumer of its own to the subject: where its teardown throws, that is reported, and the others are told. */
  readonly reason$ = new Observable<unknown>((subscriber) =>
    this.subject.subscribe({
      next: (reason) => {
        subscriber.next(reason);
      },
      error: reportUnhandled, // there is none
      complete: () => {
        subscriber.complete();
      },
    }),
  );

  give(reason: unknown): void {
    this.subject.next(reason);
    this.subject.complete();
  }
}
