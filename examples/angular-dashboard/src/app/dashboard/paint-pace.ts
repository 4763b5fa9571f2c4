import { animationFrames, concat, ignoreElements, map, take, timer, type MonoTypeOperatorFunction } from 'rxjs';
import { bufferedMergeMap } from 'rxjs-flow-control';

/**
 * Passes a value on in the next frame of the page, and then rests for so many ms. Until then it is full: `conflate` and
 * `latest` above it see that, and keep what comes. A hidden page has no frames.
 */
export function paintPace<T>(rest = 0): MonoTypeOperatorFunction<T> {
  const resting = timer(rest).pipe(ignoreElements());
  return bufferedMergeMap(
    (value: T) =>
      concat(
        animationFrames().pipe(
          take(1),
          map(() => value),
        ),
        resting,
      ),
    { concurrent: 1, highWaterMark: 0 },
  );
}
