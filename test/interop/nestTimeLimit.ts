import { Injectable, RequestTimeoutException, type CallHandler, type NestInterceptor } from '@nestjs/common';
import { throwError, type Observable } from 'rxjs';
import { timeoutWithCleanup } from '../../src/index.js';

/** Answers 408 when a handler has not answered in time, and not before its work has stopped. */
@Injectable()
export class TimeLimit implements NestInterceptor {
  intercept(_: unknown, next: CallHandler<unknown>): Observable<unknown> {
    return next.handle().pipe(
      timeoutWithCleanup({
        total: 5000,
        with: () => throwError(() => new RequestTimeoutException()),
      }),
    );
  }
}
