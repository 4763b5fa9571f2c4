import { reportUnhandled } from './reportUnhandled.js';

/**
 * Calls back once, and at once if `promise` does: one that is not the platform's may call back twice, or throw after it has.
 * What the callbacks throw is reported as unhandled.
 */
export function resolveOnce<T>(
  promise: PromiseLike<T>,
  done: (value: T) => void,
  failed: (error: unknown) => void,
): void {
  let settled = false;
  const once =
    <V>(callback: (value: V) => void) =>
    (value: V): void => {
      if (settled) return;
      settled = true;
      try {
        callback(value);
      } catch (thrown) {
        reportUnhandled(thrown);
      }
    };
  const fail = once(failed);
  try {
    promise.then(once(done), fail);
  } catch (thrown) {
    fail(thrown);
  }
}
