import type { SchedulerLike } from 'rxjs';
import type { Gate } from '../link/protocol.js';

/** Checks of what a caller passes: a wrong argument throws at the call, nothing is clamped. */

export function check<T>(holds: boolean, Kind: ErrorConstructor, name: string, expected: string, value: T): T {
  if (holds) return value;
  throw new Kind(`${name} must ${expected}, got ${shown(value)}`);
}

const isIntegerFrom = (least: number, value: number): boolean => Number.isInteger(value) && value >= least;

export function positiveIntegerOrInfinity(name: string, value: number): number {
  const holds = value === Infinity || isIntegerFrom(1, value);
  return check(holds, RangeError, name, 'be a positive integer or Infinity', value);
}

export function positiveInteger(name: string, value: number): number {
  return check(isIntegerFrom(1, value), RangeError, name, 'be a positive integer', value);
}

export function finiteNumberFrom(name: string, least: number, value: number): number {
  const holds = Number.isFinite(value) && value >= least;
  return check(holds, RangeError, name, `be a number from ${String(least)}`, value);
}

export function nonNegativeIntegerOrInfinity(name: string, value: number): number {
  const holds = value === Infinity || isIntegerFrom(0, value);
  return check(holds, RangeError, name, 'be a non-negative integer or Infinity', value);
}

/** What the timers of every platform can hold, in ms: with more they fire at once. */
export const longestDelay = 2 ** 31 - 1;

/** In milliseconds. */
export function nonNegativeDurationOrInfinity(name: string, value: number): number {
  const holds = typeof value === 'number' && value >= 0 && (value <= longestDelay || value === Infinity);
  const expected = `be a number of milliseconds from 0 to ${String(longestDelay)} or Infinity`;
  return check(holds, RangeError, name, expected, value);
}

/** In milliseconds. */
export function nonNegativeDuration(name: string, value: number): number {
  const holds = typeof value === 'number' && value >= 0 && value <= longestDelay;
  return check(holds, RangeError, name, `be a number of milliseconds from 0 to ${String(longestDelay)}`, value);
}

export function oneOf<const Choice extends string>(name: string, choices: readonly Choice[], value: Choice): Choice {
  return check(choices.includes(value), RangeError, name, `be one of ${choices.map(shown).join(', ')}`, value);
}

export function booleanOf(name: string, value: boolean): boolean {
  return check(typeof value === 'boolean', TypeError, name, 'be a boolean', value);
}

export function optionalString(name: string, value: string | undefined): string | undefined {
  return check(value === undefined || typeof value === 'string', TypeError, name, 'be a string', value);
}

export function functionOf<F extends (...args: never[]) => unknown>(name: string, value: F): F {
  return check(typeof value === 'function', TypeError, name, 'be a function', value);
}

export function optionalFunction<F extends (...args: never[]) => unknown>(
  name: string,
  value: F | undefined,
): F | undefined {
  return value === undefined ? undefined : functionOf(name, value);
}

export function gateOf(name: string, value: Gate): Gate {
  const { ready, onReady } = (value ?? {}) as Partial<Gate>;
  const holds = typeof ready === 'boolean' && typeof onReady === 'function';
  return check(holds, TypeError, name, "have a boolean 'ready' and a function 'onReady'", value);
}

export function schedulerOf(name: string, value: SchedulerLike): SchedulerLike {
  const { now, schedule } = (value ?? {}) as Partial<SchedulerLike>;
  const holds = typeof now === 'function' && typeof schedule === 'function';
  return check(holds, TypeError, name, "have the functions 'now' and 'schedule'", value);
}

/** Options are one object: a bare number, as `mergeMap` takes, would else be ignored in silence. */
export function optionsObject<O extends object>(value: O): O {
  const holds = typeof value === 'object' && (value as unknown) !== null && !Array.isArray(value);
  return check(holds, TypeError, 'options', 'be an object', value);
}

/** How a wrong argument is quoted; never throws, whatever it is. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  return String(value);
}
