import { observable as interop, type ObservableInput, type Subscriber } from 'rxjs';
import { findGate } from '../link/walk.js';
import { macrotask } from './macrotask.js';
import { defaultSlice, pull } from './pull.js';
import { isThenable, openPuller, type Pullable } from './puller.js';

type AnyInput<T> = Partial<AsyncIterable<T> & Iterable<T>> & {
  readonly subscribe?: unknown;
  readonly getReader?: unknown;
};

/**
 * Whether an operator pulls this inner source itself instead of leaving it to `from`: what is asynchronous always, so that
 * it is told at once when it is no longer wanted; what is synchronous where somebody below can be full.
 */
export function pullsInner<T>(inner: ObservableInput<T>, gated: boolean): inner is ObservableInput<T> & Pullable<T> {
  if (typeof inner === 'string') return gated;
  if (typeof inner !== 'object' || (inner as unknown) === null || isThenable(inner) || interop in inner) return false;
  const { [Symbol.asyncIterator]: openAsync, [Symbol.iterator]: open, getReader } = inner as AnyInput<T>;
  return !!openAsync || !!getReader || (gated && !!open);
}

/** `onDrop` sees what was pulled but can no longer be emitted. */
export function subscribeByPull<T>(inner: Pullable<T>, subscriber: Subscriber<T>, onDrop?: (value: T) => void): void {
  const given: unknown = inner;
  const input = typeof given === 'string' ? (given.split('') as unknown[] as T[]) : inner; // not by code points, as RxJS
  pull(openPuller(input), subscriber, {
    gate: findGate(subscriber),
    slice: defaultSlice,
    now: Date.now,
    pause: macrotask,
    onDrop,
  });
}
