import { describe, expect, it } from 'vitest';
import * as api from '../../src/index.js';
import { errors } from './errors.js';
import { onItsOwn } from './onItsOwn.js';
import { operators } from './operators.js';
import { refusal } from './refusal.js';
import { waits } from './resources.js';
import { sources } from './sources.js';

const exported = Object.keys(api);
const tables = { errors, operators, sources, waits, onItsOwn: onItsOwn['.'] };

describe('the contracts', () => {
  it.each(exported)('hold %s', (name) => {
    expect(Object.entries(tables).flatMap(([table, subjects]) => (name in subjects ? [table] : []))).not.toEqual([]);
  });

  it.each(Object.entries(tables))('hold nothing else: %s', (_, subjects) => {
    expect(Object.keys(subjects).filter((name) => !exported.includes(name))).toEqual([]);
  });

  it('hold each error as an error, and nothing else', () => {
    const isError = (name: string) => /^[A-Z].*Error$/.test(name);
    expect(Object.keys(errors).sort()).toEqual(exported.filter(isError).sort());
  });
});

describe.each(Object.entries(errors))('%s', (name, create) => {
  it('is known by its class and by its name', () => {
    const error = create();
    expect(error).toBeInstanceOf(Error);
    expect(error).toBeInstanceOf(api[name as keyof typeof api]);
    expect(error.name).toBe(name);
    expect(String(error)).toMatch(new RegExp(`^${name}: .{20}`));
  });

  it('tells who it comes from, in words that leave no hole', () => {
    const { message } = create();
    expect(message).toMatch(/^(where|fromPull)/);
    expect(message).not.toMatch(/undefined|NaN|\[object|null/);
  });

  it('has a stack that begins where it was made', () => {
    expect(create().stack).toContain('errors.ts');
  });
});

/** Which have no argument, take anything as their first, or walk whatever they are given, once for each subscription. */
const takeAnything = ['findCleanupScope', 'findGate', 'settle', 'ungated', 'whileOnline', 'whileVisible'];
const takeSomething = exported.filter((name) => !(name in errors) && !takeAnything.includes(name));

it.each(takeSomething)('%s refuses a wrong argument at the call, and says which', (name) => {
  const call = api[name as keyof typeof api] as () => unknown;
  const isClass = /^[A-Z]/.test(name);
  let thrown: unknown;
  try {
    if (isClass) Reflect.construct(call, [5]);
    else Reflect.apply(call, undefined, [5]);
  } catch (error) {
    thrown = error;
  }
  expect(String(thrown)).toMatch(refusal);
});
