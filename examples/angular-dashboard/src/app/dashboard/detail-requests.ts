import { HttpClient } from '@angular/common/http';
import { computed, ErrorHandler, inject, Injectable, signal } from '@angular/core';
import { takeUntilDestroyed, toObservable, toSignal } from '@angular/core/rxjs-interop';
import { catchError, EMPTY, filter, map, mergeAll, Subject, tap, type Observable } from 'rxjs';
import { bufferedMergeMap, latest, retryBackoff } from 'rxjs-flow-control';
import { LiveRequests } from './live-requests';
import { paintPace } from './paint-pace';
import { hasFailed, type ServedRequest } from './served-request';

/** Why a request has failed. */
export interface Detail {
  readonly id: number;
  readonly cause: string;
}

/** What has become of every failed request: `asked` = `queued` + `running` + `done` + `failed` + `dropped`. */
export interface DetailState {
  readonly queued: number;
  readonly running: number;
  readonly done: number;
  readonly failed: number;
  readonly dropped: number;
  readonly asked: number;
  /** The newest answers, the newest first. */
  readonly answers: readonly Detail[];
}

/** So many may wait; then the oldest makes room, and is counted. */
export const mostQueued = 300;

/** Asks the server about each request that has failed: a few at a time, as a slider says, and none while paused. */
@Injectable()
export class DetailRequests {
  /** How many may run at a time. A browser has 6 connections to an HTTP/1.1 server, and the events take one of them. */
  readonly concurrent = signal(3);
  readonly paused = signal(false);

  private readonly http = inject(HttpClient);
  private readonly changed$ = new Subject<void>();
  private asked = 0;
  private started = 0;
  private done = 0;
  private failed = 0;
  private dropped = 0;
  private answers: readonly Detail[] = [];

  readonly state = toSignal(
    this.changed$.pipe(
      latest(),
      paintPace(),
      map(() => this.now()),
    ),
    { initialValue: this.now() },
  );

  constructor() {
    const errors = inject(ErrorHandler);
    inject(LiveRequests)
      .batches$.pipe(
        mergeAll(),
        filter(hasFailed),
        tap(() => {
          this.asked++;
          this.changed$.next();
        }),
        bufferedMergeMap((request) => this.ask(request), {
          concurrent: toObservable(computed(() => (this.paused() ? 0 : this.concurrent()))),
          bufferSize: mostQueued,
          overflow: 'drop-oldest',
          onDrop: () => this.dropped++,
          name: 'details',
        }),
        takeUntilDestroyed(),
      )
      .subscribe({
        next: (detail) => {
          this.done++;
          this.answers = [detail, ...this.answers].slice(0, 8);
          this.changed$.next();
        },
        error: (error: unknown) => {
          errors.handleError(error);
        },
      });
  }

  private ask({ id }: ServedRequest): Observable<Detail> {
    this.started++;
    this.changed$.next();
    return this.http.get<Detail>(`detail/${String(id)}`).pipe(
      retryBackoff({ count: 10, initialDelay: 250, maxDelay: 3000 }),
      catchError(() => {
        this.failed++;
        this.changed$.next();
        return EMPTY;
      }),
    );
  }

  private now(): DetailState {
    const { asked, started, done, failed, dropped, answers } = this;
    return {
      asked,
      queued: asked - started - dropped,
      running: started - done - failed,
      done,
      failed,
      dropped,
      answers,
    };
  }
}
