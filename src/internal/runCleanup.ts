import { from, observable as interop, type ObservableInput } from 'rxjs';
import { Completion } from './Completion.js';
import { isThenable } from './puller.js';

/**
 * Starts a clean-up. It is over when the promise that it gives has settled, or the Observable that it gives has ended;
 * gives nothing if it is over at once. What it throws, rejects with or errors with is its failure.
 */
export function runCleanup(cleanup: () => unknown): PromiseLike<unknown> | undefined {
  const completion = new Completion();
  try {
    const given = cleanup();
    if (isThenable(given)) return given;
    if (!isObservable(given)) return undefined;
    from(given).subscribe({ complete: completion.resolve, error: completion.reject });
  } catch (thrown) {
    completion.reject(thrown);
  }
  return completion;
}

/** Of any copy of RxJS. */
function isObservable(given: unknown): given is ObservableInput<unknown> {
  return typeof given === 'object' && given !== null && interop in given;
}
