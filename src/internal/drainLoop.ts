import type { Subscriber } from 'rxjs';

/**
 * For an operator in which several things go on: each event records what has happened and calls the function that this
 * gives; `step` alone decides and emits.
 *
 * A call from within `step` (by a consumer that pushes into the source) does not nest: `step` runs once more afterwards. It
 * never runs when `destination` has ended. What it throws goes to `fail`. Whoever may push in large numbers is to be asked in
 * `after`, where what comes of it has its step at once.
 */
export function drainLoop(
  destination: Subscriber<never>,
  step: () => void,
  fail: (error: unknown) => void,
  after?: () => void,
): () => void {
  let running = false;
  let requested = false;

  return () => {
    requested = true;
    if (running) return;
    running = true;
    try {
      while (requested && !destination.closed) {
        requested = false;
        step();
      }
    } catch (thrown) {
      fail(thrown);
    } finally {
      running = false;
    }
    if (!destination.closed) after?.();
  };
}
