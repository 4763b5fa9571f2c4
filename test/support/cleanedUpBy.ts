import { Observable, type MonoTypeOperatorFunction } from 'rxjs';
import { operate } from '../../src/internal/operate.js';
import { runCleanup } from '../../src/internal/runCleanup.js';
import { findCleanupScope } from '../../src/link/walk.js';

/** Has something to clean up when it is unsubscribed from before the source has ended. */
export function cleanedUpBy<T>(cleanup: () => unknown): MonoTypeOperatorFunction<T> {
  return (source) =>
    new Observable((destination) => {
      const scope = findCleanupScope(destination);
      let ended = false;
      destination.add(() => {
        const cleaning = ended ? undefined : runCleanup(cleanup);
        if (cleaning) scope?.track(cleaning);
      });
      source.subscribe(
        operate<T, T>({
          destination,
          error: (error) => {
            ended = true;
            destination.error(error);
          },
          complete: () => {
            ended = true;
            destination.complete();
          },
        }),
      );
    });
}
