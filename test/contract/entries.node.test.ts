import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as node from '../../src/node/index.js';
import * as schedulers from '../../src/schedulers/index.js';
import { errors } from './errors.js';
import { onItsOwn } from './onItsOwn.js';
import { refusal } from './refusal.js';

const entries = [
  ['./node', node],
  ['./schedulers', schedulers],
] as const;

describe.each(entries)('%s', (entry, api) => {
  const exported = Object.keys(api).filter((name) => !(name in errors));

  it('has for each export tests of its own', () => {
    expect(Object.keys(onItsOwn[entry]).sort()).toEqual([...exported].sort());
  });

  it.each(exported)('%s refuses a wrong argument at the call, and says which', (name) => {
    const call = api[name as keyof typeof api] as () => unknown;
    let thrown: unknown;
    try {
      Reflect.apply(call, undefined, [5]);
    } catch (error) {
      thrown = error;
    }
    expect(String(thrown)).toMatch(refusal);
  });
});

it.each(Object.values(onItsOwn).flatMap((tests) => Object.entries(tests)))('%s has its tests in %s', (name, file) => {
  expect(existsSync(file)).toBe(true);
  expect(readFileSync(file, 'utf8')).toMatch(new RegExp(`\\b${name}\\b`));
});
