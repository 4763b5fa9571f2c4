import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { breaks } from '../scripts/breaks/list.mjs';

it.each(breaks)('the defect "$name" has its place, once', ({ file, code, broken }) => {
  expect(readFileSync(file, 'utf8').split(code)).toHaveLength(2);
  expect(broken).not.toBe(code);
});
