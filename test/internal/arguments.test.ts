import { asyncScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  booleanOf,
  finiteNumberFrom,
  functionOf,
  gateOf,
  nonNegativeDuration,
  nonNegativeDurationOrInfinity,
  nonNegativeIntegerOrInfinity,
  oneOf,
  optionalFunction,
  optionalString,
  optionsObject,
  positiveInteger,
  positiveIntegerOrInfinity,
  schedulerOf,
  shown,
} from '../../src/internal/arguments.js';
import { ManualGate } from '../support/ManualGate.js';

interface Check {
  readonly check: (value: never) => unknown;
  readonly takes: readonly unknown[];
  readonly refuses: readonly unknown[];
  readonly error: RangeError | TypeError;
}

const longest = 2 ** 31 - 1;
const noNumbers = [NaN, -Infinity, '1', null, undefined, {}];
const work = () => undefined;

/** The message is that for the first which is refused. */
const checks: Record<string, Check> = {
  positiveIntegerOrInfinity: {
    check: (value) => positiveIntegerOrInfinity('x', value),
    takes: [1, 2, Infinity],
    refuses: [0, 1.5, -1, ...noNumbers],
    error: new RangeError('x must be a positive integer or Infinity, got 0'),
  },
  positiveInteger: {
    check: (value) => positiveInteger('x', value),
    takes: [1, 2],
    refuses: [0, 1.5, -1, Infinity, ...noNumbers],
    error: new RangeError('x must be a positive integer, got 0'),
  },
  nonNegativeIntegerOrInfinity: {
    check: (value) => nonNegativeIntegerOrInfinity('x', value),
    takes: [0, 1, Infinity],
    refuses: [-1, 0.5, ...noNumbers],
    error: new RangeError('x must be a non-negative integer or Infinity, got -1'),
  },
  finiteNumberFrom: {
    check: (value) => finiteNumberFrom('x', 1, value),
    takes: [1, 1.5],
    refuses: [0.5, Infinity, ...noNumbers],
    error: new RangeError('x must be a number from 1, got 0.5'),
  },
  nonNegativeDurationOrInfinity: {
    check: (value) => nonNegativeDurationOrInfinity('x', value),
    takes: [0, 0.5, longest, Infinity],
    refuses: [longest + 1, -1, ...noNumbers],
    error: new RangeError('x must be a number of milliseconds from 0 to 2147483647 or Infinity, got 2147483648'),
  },
  nonNegativeDuration: {
    check: (value) => nonNegativeDuration('x', value),
    takes: [0, 0.5, longest],
    refuses: [longest + 1, -1, Infinity, ...noNumbers],
    error: new RangeError('x must be a number of milliseconds from 0 to 2147483647, got 2147483648'),
  },
  oneOf: {
    check: (value) => oneOf('x', ['a', 'b'], value),
    takes: ['a', 'b'],
    refuses: ['c', '', null, undefined],
    error: new RangeError("x must be one of 'a', 'b', got 'c'"),
  },
  booleanOf: {
    check: (value) => booleanOf('x', value),
    takes: [true, false],
    refuses: [0, null, undefined],
    error: new TypeError('x must be a boolean, got 0'),
  },
  optionalString: {
    check: (value) => optionalString('x', value),
    takes: ['a', '', undefined],
    refuses: [null, 5],
    error: new TypeError('x must be a string, got null'),
  },
  functionOf: {
    check: (value) => functionOf<() => unknown>('x', value),
    takes: [work],
    refuses: [{}, null, undefined],
    error: new TypeError('x must be a function, got an object'),
  },
  optionalFunction: {
    check: (value) => optionalFunction<() => unknown>('x', value),
    takes: [work, undefined],
    refuses: [[], null],
    error: new TypeError('x must be a function, got an array'),
  },
  gateOf: {
    check: (value) => gateOf('x', value),
    takes: [new ManualGate(true), new ManualGate(false)],
    refuses: [null, undefined, {}, { ready: true }, { onReady: work }, { ready: 1, onReady: work }],
    error: new TypeError("x must have a boolean 'ready' and a function 'onReady', got null"),
  },
  schedulerOf: {
    check: (value) => schedulerOf('x', value),
    takes: [asyncScheduler],
    refuses: [work, null, undefined, { now: work }, { schedule: work }],
    error: new TypeError("x must have the functions 'now' and 'schedule', got a function"),
  },
  optionsObject: {
    check: (value) => optionsObject(value),
    takes: [{}],
    refuses: [null, 5, [], work],
    error: new TypeError('options must be an object, got null'),
  },
};

describe.each(Object.entries(checks))('%s', (_, { check, takes, refuses, error }) => {
  it.each(takes.map((value) => [value]))('gives back %o', (value) => {
    expect(check(value as never)).toBe(value);
  });

  it.each(refuses.map((value) => [value]))('refuses %o', (value) => {
    expect(() => check(value as never)).toThrow(error.constructor);
  });

  it('says what it wants and what it got', () => {
    expect(() => check(refuses[0] as never)).toThrow(error);
  });
});

it.each([
  ['text', "'text'"],
  [work, 'a function'],
  [{}, 'an object'],
  [[1], 'an array'],
  [null, 'null'],
  [undefined, 'undefined'],
  [1.5, '1.5'],
  [2n, '2'],
  [Symbol('s'), 'Symbol(s)'],
  [Object.create(null), 'an object'],
])('%o is quoted as %s', (value, text) => {
  expect(shown(value)).toBe(text);
});
