import { HttpClient, HttpErrorResponse } from '@angular/common/http';
import { inject, Injectable, InjectionToken } from '@angular/core';
import { switchMap, type Observable } from 'rxjs';
import {
  abortable,
  bufferedMergeMap,
  createRateLimiter,
  fromPull,
  fromRetryAfter,
  retryBackoff,
  timeoutWithCleanup,
} from '../../src/index.js';

export interface User {
  readonly id: number;
}

/** No connection, too many requests, and a server that is not there for the moment. */
const temporary = [0, 429, 502, 503, 504];

/** One limit for the whole application. */
export const API_LIMITER = new InjectionToken('API_LIMITER', {
  providedIn: 'root',
  factory: () => createRateLimiter({ limit: 10, interval: 1000 }),
});

@Injectable({ providedIn: 'root' })
export class Users {
  private readonly http = inject(HttpClient);
  private readonly limiter = inject(API_LIMITER);

  /** Four requests at a time, and the users in the order of the ids. */
  load(ids: Iterable<number>): Observable<User> {
    return fromPull(ids).pipe(bufferedMergeMap((id) => this.one(id), { concurrent: 4, ordered: true }));
  }

  one(id: number): Observable<User> {
    return abortable((signal) => this.limiter.acquire({ signal })).pipe(
      switchMap(() => this.http.get<User>(`/api/users/${id}`).pipe(timeoutWithCleanup({ first: 10_000 }))),
      retryBackoff({
        count: 3,
        shouldRetry: (error) => !(error instanceof HttpErrorResponse) || temporary.includes(error.status),
        delayFor: (error) => (error instanceof HttpErrorResponse ? fromRetryAfter(error) : undefined),
      }),
    );
  }
}
