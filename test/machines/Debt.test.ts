import { expect, it } from 'vitest';
import { Debt } from '../../src/machines/Debt.js';

it('is paid back in time, and who comes late by less than a ms has that to his credit', () => {
  const debt = new Debt(3);
  expect([0, 1e9].map((now) => debt.at(now))).toEqual([0, 0]);
  debt.add(100, 10);
  expect([100, 101, 103, 104, 105].map((now) => debt.at(now))).toEqual([10, 7, 1, -2, 0]);
  debt.add(104, 5);
  expect([104, 105, 106].map((now) => debt.at(now))).toEqual([3, 0, 0]); // not after a whole ms
});
