import { HttpClient } from '@angular/common/http';
import { Component, inject, resource, signal } from '@angular/core';
import { rxResource } from '@angular/core/rxjs-interop';
import { lastValueFrom, toArray } from 'rxjs';
import { bufferedMergeMap, fromPull, retryBackoff, takeUntilAborted } from '../../src/index.js';

interface User {
  readonly id: number;
}

@Component({
  selector: 'app-user',
  template: `{{ user.hasValue() ? user.value().id : '...' }}, friends:
    {{ friends.hasValue() ? friends.value().length : '...' }}`,
})
export class UserPage {
  private readonly http = inject(HttpClient);
  readonly id = signal(1);
  readonly friendIds = signal([2, 3]);

  /** Of an observable: it is unsubscribed when `id` changes, and the request is cancelled. */
  readonly user = rxResource({
    params: () => this.id(),
    stream: ({ params: id }) => this.load(id),
  });

  /** Of a promise: the signal is aborted when `friendIds` changes. */
  readonly friends = resource({
    params: () => this.friendIds(),
    loader: ({ params: ids, abortSignal }) =>
      lastValueFrom(
        fromPull(ids).pipe(
          bufferedMergeMap((id) => this.load(id), { ordered: true }),
          toArray(),
          takeUntilAborted(abortSignal, { onAbort: 'error' }),
        ),
      ),
  });

  private load(id: number) {
    return this.http
      .get<User>(`/api/users/${id}`)
      .pipe(retryBackoff({ count: 2, shouldRetry: (error) => (error as { status?: number }).status === 503 }));
  }
}
