import { expect, it } from 'vitest';
import { reasonOf } from '../../src/machines/reasonOf.js';

it.each<[unknown, string]>([
  [new TypeError('it failed'), 'it failed'],
  ['it failed', 'it failed'],
  [undefined, 'undefined'],
  [{ toString: () => 'in its own words' }, 'in its own words'],
  [Object.create(null), 'what was thrown has no text'],
])('says what was thrown: %o', (thrown, reason) => {
  expect(reasonOf(thrown)).toBe(reason);
});
