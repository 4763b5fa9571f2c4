import type { Gate } from '../link/protocol.js';

/** Checks of what a caller passes: a wrong argument throws at the call, nothing is clamped. */

export function positiveInteger(name: string, value: number): number {
  if (Number.isInteger(value) && value > 0) return value;
  throw new RangeError(`${name} must be a positive integer, got ${shown(value)}`);
}

export function positiveIntegerOrInfinity(name: string, value: number): number {
  if (value === Infinity || (Number.isInteger(value) && value > 0)) return value;
  throw new RangeError(`${name} must be a positive integer or Infinity, got ${shown(value)}`);
}

export function nonNegativeIntegerOrInfinity(name: string, value: number): number {
  if (value === Infinity || (Number.isInteger(value) && value >= 0)) return value;
  throw new RangeError(`${name} must be a non-negative integer or Infinity, got ${shown(value)}`);
}

/** In milliseconds. */
export function nonNegativeDurationOrInfinity(name: string, value: number): number {
  if (typeof value === 'number' && value >= 0) return value;
  throw new RangeError(`${name} must be a non-negative number of milliseconds or Infinity, got ${shown(value)}`);
}

export function oneOf<const Choice extends string>(name: string, choices: readonly Choice[], value: Choice): Choice {
  if (choices.includes(value)) return value;
  throw new RangeError(
    `${name} must be one of ${choices.map((choice) => `'${choice}'`).join(', ')}, got ${shown(value)}`,
  );
}

export function functionOf<F extends (...args: never[]) => unknown>(name: string, value: F): F {
  if (typeof value === 'function') return value;
  throw new TypeError(`${name} must be a function, got ${shown(value)}`);
}

export function optionalFunction<F extends (...args: never[]) => unknown>(
  name: string,
  value: F | undefined,
): F | undefined {
  return value === undefined ? undefined : functionOf(name, value);
}

export function gateOf(name: string, value: Gate): Gate {
  if (typeof (value as Gate | undefined)?.onReady === 'function' && typeof value.ready === 'boolean') return value;
  throw new TypeError(`${name} must have a boolean 'ready' and a function 'onReady', got ${shown(value)}`);
}

/** Options are one object: a bare number, as `mergeMap` takes, would else be ignored in silence. */
export function optionsObject<O extends object>(value: O): O {
  if (typeof (value as unknown) === 'object' && (value as unknown) !== null) return value;
  throw new TypeError(`options must be an object, got ${shown(value)}`);
}

/** How a wrong argument is quoted; never throws, whatever it is. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  return String(value);
}
