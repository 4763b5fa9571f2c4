import { describe, expect, it } from 'vitest';
import * as api from '../../src/index.js';
import { errors } from './errors.js';
import { operators } from './operators.js';
import { waits } from './resources.js';
import { sources } from './sources.js';

/** What has no contract in common with others, and the test that it has instead. */
const onItsOwn: Readonly<Record<string, string>> = {
  adaptiveConcurrency: 'test/resources/adaptiveConcurrency.test.ts',
  createCircuitBreaker: 'test/resources/createCircuitBreaker.test.ts',
  createShutdown: 'test/resources/createShutdown.test.ts',
  findCleanupScope: 'test/link',
  findGate: 'test/link',
  fromRetryAfter: 'test/resources/fromRetryAfter.test.ts',
  taskScope: 'test/resources/taskScope.test.ts',
  toAbortSignal: 'test/sinks/toAbortSignal.test.ts',
  toAsyncIterable: 'test/sinks/toAsyncIterable.test.ts',
  toReadableStream: 'test/sinks/toReadableStream.test.ts',
  writeToStream: 'test/sinks/writeToStream.test.ts',
};

const exported = Object.keys(api);
const tables = { errors, operators, sources, waits, onItsOwn };

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
  // What RxJS says of an observable input that is none; and where any object will do, the next argument is missing.
  expect(String(thrown)).toMatch(
    /^(Type|Range)Error: (.+, got (5|undefined)$|You provided '5' where a stream was expected)/,
  );
});
