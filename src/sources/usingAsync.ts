import { Observable, type ObservableInput, type ObservedValueOf } from 'rxjs';
import { check, functionOf, optionsObject } from '../internal/arguments.js';
import { ResourceUse, type ReleaseOutcome, type ResourceSettings } from '../internal/ResourceUse.js';
import type { WorkContext } from '../internal/workContext.js';
import { readCleanupOptions, type CleanupOptions } from '../options/cleanup.js';
import { readName, type NameOptions } from '../options/name.js';

/**
 * How `usingAsync` lets go of a resource: one function that is told how the use has ended, or one for each ending. What they
 * give is waited for, if it is a promise or an Observable.
 * @public
 */
export type Release<R> =
  | ((resource: R, outcome: ReleaseOutcome) => unknown)
  | {
      /** The use has come to its end. */
      complete(resource: R): unknown;
      /** The use has failed. */
      error(resource: R, error: unknown): unknown;
      /** The use was no longer wanted, or has stopped because it was asked to. */
      cancel(resource: R): unknown;
    };

/**
 * Options of `usingAsync`.
 * @public
 */
export interface UsingAsyncOptions<R, O> extends CleanupOptions, NameOptions {
  /** Gets hold of the resource, or promises it. It is never called off half-way. */
  acquire: () => R | PromiseLike<R>;
  /** Uses the resource. What it gives is emitted; if that is a promise, it is waited for also once it is no longer wanted. */
  use: (resource: R, context: WorkContext) => O;
  /** Lets go of the resource: called once for each that was acquired, after its use and the clean-ups of that. */
  release: Release<R>;
}

/**
 * Acquires a resource, emits what its use gives, and releases the resource before it ends; each step may be asynchronous.
 *
 * ```marble
 * query                                  -a--b|
 * close                                  --------|
 * usingAsync({ acquire, use, release })  -a--b---|
 * ```
 *
 * Here `use` gives `query` and `release` gives `close`. It is RxJS's `using` with the steps of Reactor's `usingWhen` and Python's
 * `async with`: what ends is the last to begin, so the clean-ups of `use` come before `release`. Each of these two is waited for
 * `cleanupTimeout` at the most; then the next step begins, and the error tells of it. All is synchronous that can be. Where `timeoutWithCleanup` asks work to stop, a
 * `use` that has read its `signal` is asked, too.
 *
 * - **Completes** when `use` has and the resource is released.
 * - **Errors** when `acquire` fails; then nothing is released. When `use` does, with its error, after the release. With a
 *   `ReleaseError` when `release` or a clean-up before it fails or does not end in time; it carries the error of `use`.
 * - **Unsubscribed**, it aborts the `signal`, unsubscribes from what `use` gave, waits for its clean-ups and for a promise that it
 *   gave, and releases; `acquire` under way is let come to its end before. The promise of all that is handed to the nearest
 *   consumer below that waits for such. If `use` had ended already, as a promise has with its value, it has not
 *   been cancelled.
 * - **Backpressure**: what `use` gives sees the consumer below; iterables and streams are pulled at its pace.
 * - **Drops** nothing: values pass as they come.
 * - **Rather** `using` or `finalize` when the release is synchronous and needs not to know how the use has ended; a pool for a
 *   resource that is to be used again.
 *
 * @throws TypeError if called without one of the functions, or with an option of another type
 * @throws RangeError if called with an option out of range
 *
 * @example
 * ```ts
 * import { usingAsync } from 'rxjs-flow-control';
 *
 * const open = async () => ({ rows: [1, 2], close: async (how: string) => console.log(how) });
 * usingAsync({
 *   acquire: open,
 *   use: (connection) => connection.rows,
 *   release: (connection, { kind }) => connection.close(kind === 'complete' ? 'commit' : 'rollback'),
 * }).subscribe({ next: console.log, complete: () => console.log('done') });
 * // prints: 1, 2, commit, done
 * ```
 * @public
 */
export function usingAsync<R, T>(options: UsingAsyncOptions<R, ObservableInput<T>>): Observable<T>;
/** @public */
export function usingAsync<R, O extends ObservableInput<unknown>>(
  options: UsingAsyncOptions<R, O>,
): Observable<ObservedValueOf<O>>;
export function usingAsync<R, T>(options: UsingAsyncOptions<R, ObservableInput<T>>): Observable<T> {
  const settings = readOptions(options);
  return new Observable((destination) => {
    new ResourceUse(destination, settings).start();
  });
}

function readOptions<R, T>(options: UsingAsyncOptions<R, ObservableInput<T>>): ResourceSettings<R, T> {
  const { acquire, use, release } = optionsObject(options);
  return {
    acquire: functionOf('acquire', acquire),
    use: functionOf('use', use),
    release: readRelease(release),
    patience: readCleanupOptions(options),
    where: readName('usingAsync', options),
  };
}

function readRelease<R>(release: Release<R>): ResourceSettings<R, never>['release'] {
  if (typeof release === 'function') return release;
  const { complete, error, cancel } = (release ?? {}) as Partial<typeof release>;
  const holds = [complete, error, cancel].every((each) => typeof each === 'function');
  const checked = check(holds, TypeError, 'release', "be a function or have 'complete', 'error' and 'cancel'", release);
  return (resource, outcome) =>
    outcome.kind === 'error' ? checked.error(resource, outcome.error) : checked[outcome.kind](resource);
}
