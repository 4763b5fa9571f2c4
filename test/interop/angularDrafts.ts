import { HttpClient } from '@angular/common/http';
import { inject, Injectable, signal } from '@angular/core';
import { takeUntilDestroyed } from '@angular/core/rxjs-interop';
import { catchError, EMPTY, Subject } from 'rxjs';
import { bufferedMergeMap } from '../../src/index.js';

export interface Draft {
  readonly id: string;
  readonly text: string;
}

/** Saves drafts: two at a time, one at a time of the same id, and of those that wait for their id only the newest. */
@Injectable({ providedIn: 'root' })
export class Drafts {
  private readonly http = inject(HttpClient);
  private readonly changed = new Subject<Draft>();
  readonly failed = signal<Draft | undefined>(undefined);

  constructor() {
    this.changed
      .pipe(
        bufferedMergeMap((draft) => this.put(draft), {
          concurrent: 2,
          key: ({ id }) => id,
          maxPerKey: 1,
          overflow: 'drop-oldest',
        }),
        takeUntilDestroyed(),
      )
      .subscribe();
  }

  save(draft: Draft): void {
    this.changed.next(draft);
  }

  private put(draft: Draft) {
    return this.http.put(`/api/drafts/${draft.id}`, draft).pipe(
      catchError(() => {
        this.failed.set(draft); // an error that passed would end the queue
        return EMPTY;
      }),
    );
  }
}
