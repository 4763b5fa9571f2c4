import { asyncScheduler, type SchedulerLike } from 'rxjs';
import {
  booleanOf,
  check,
  nonNegativeDurationOrInfinity,
  optionalFunction,
  optionsObject,
  positiveInteger,
  schedulerOf,
} from '../internal/arguments.js';
import type { BreakerSettings } from '../internal/breaker/Breaker.js';
import { ConsecutiveFailures } from '../machines/ConsecutiveFailures.js';
import { CountWindow } from '../machines/CountWindow.js';
import type { FailurePolicy } from '../machines/FailurePolicy.js';
import { FailureRatio } from '../machines/FailureRatio.js';
import { TimeWindow } from '../machines/TimeWindow.js';
import { readName, type NameOptions } from './name.js';

/**
 * How much has to fail for a circuit breaker to open.
 *
 * - `consecutive`: so many calls, with no success in between.
 * - `ratio`, from 0 to 1: so large a share of the calls of the last `window` ms, which are counted in tenths of that, or of the last
 *   `calls` calls, if they are `minimum` or more. Default of `minimum`: 10, and not more than `calls`.
 * @public
 */
export type CircuitThreshold =
  | { readonly consecutive: number; readonly ratio?: never }
  | { readonly ratio: number; readonly window: number; readonly minimum?: number; readonly calls?: never }
  | { readonly ratio: number; readonly calls: number; readonly minimum?: number; readonly window?: never };

/**
 * Options of a circuit breaker.
 * @public
 */
export interface CircuitBreakerOptions extends NameOptions {
  /** How much has to fail for it to open. Default: `{ consecutive: 5 }`. */
  threshold?: CircuitThreshold;
  /** How long it is open before it tries, in ms, or what gives that for how often it has opened in a row, from 1. Default: 10 000. */
  openFor?: number | ((this: void, openings: number) => number);
  /** How many calls may run at a time on trial, while it is half-open. Default: 1. */
  probes?: number;
  /** How many of them have to succeed for it to close; one that fails opens it again. Default: `probes`. */
  successes?: number;
  /** From how many ms on a call that succeeds is a failure too; one on trial, as soon as it takes so long. Default: Infinity. */
  slowAfter?: number;
  /** Whether an error tells that the other side does not work; one that does not (a 404) is a success. Default: each does. */
  isFailure?(this: void, error: unknown): boolean;
  /** Whether an error tells nothing of the other side (an abort): it does not count at all. Default: none. */
  isIgnored?(this: void, error: unknown): boolean;
  /** Source of time. Default: `asyncScheduler`. */
  scheduler?: SchedulerLike;
}

export function readBreakerOptions(who: string, options: CircuitBreakerOptions): BreakerSettings {
  const { threshold = { consecutive: 5 }, probes = 1, slowAfter = Infinity } = optionsObject(options);
  const { successes = probes, scheduler = asyncScheduler } = options;
  const where = readName(who, options);
  nonNegativeDurationOrInfinity('slowAfter', slowAfter);
  check(slowAfter > 0, RangeError, 'slowAfter', 'be more than 0', slowAfter);
  return {
    rules: {
      policy: readThreshold(threshold),
      openFor: readOpenFor(where, options.openFor),
      probes: positiveInteger('probes', probes),
      successes: positiveInteger('successes', successes),
      slowAfter,
    },
    isFailure: readPredicate(where, 'isFailure', options.isFailure) ?? (() => true),
    isIgnored: readPredicate(where, 'isIgnored', options.isIgnored) ?? (() => false),
    scheduler: schedulerOf('scheduler', scheduler),
    where,
  };
}

function readThreshold(threshold: CircuitThreshold): FailurePolicy {
  const { consecutive, ratio, window, calls, minimum } = (threshold ?? {}) as Record<string, number | undefined>;
  const parts = [consecutive, ratio, window, calls].map((part) => (part === undefined ? 0 : 1)).join('');
  check(
    (parts === '1000' && minimum === undefined) || parts === '0110' || parts === '0101',
    TypeError,
    'threshold',
    'have either consecutive, or ratio and one of window and calls',
    threshold,
  );
  if (consecutive !== undefined) return new ConsecutiveFailures(positiveInteger('consecutive', consecutive));
  const share = ratio as number;
  const isShare = typeof share === 'number' && share > 0 && share <= 1;
  check(isShare, RangeError, 'ratio', 'be more than 0 and at most 1', share);
  if (calls === undefined) {
    const isLength = Number.isFinite(window) && (window as number) > 0;
    check(isLength, RangeError, 'window', 'be a positive number of milliseconds', window);
    return new FailureRatio(share, positiveInteger('minimum', minimum ?? 10), new TimeWindow(window as number));
  }
  positiveInteger('calls', calls);
  const least = positiveInteger('minimum', minimum ?? Math.min(10, calls));
  if (least > calls) throw new RangeError(`minimum must be at most calls (${String(calls)}), got ${String(least)}`);
  return new FailureRatio(share, least, new CountWindow(calls));
}

function readOpenFor(where: string, openFor: CircuitBreakerOptions['openFor'] = 10_000): (openings: number) => number {
  if (typeof openFor === 'function')
    return (openings) => nonNegativeDurationOrInfinity(`${where}: what openFor gives`, openFor(openings));
  nonNegativeDurationOrInfinity('openFor', openFor);
  return () => openFor;
}

type Predicate = (error: unknown) => boolean;

function readPredicate(where: string, name: string, predicate: Predicate | undefined): Predicate | undefined {
  if (optionalFunction(name, predicate) === undefined) return undefined;
  return (error) => booleanOf(`${where}: what ${name} gives`, (predicate as Predicate)(error));
}
