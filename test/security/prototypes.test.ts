import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { count, from, lastValueFrom, map, of, toArray, type Observable } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  bufferedMergeMap,
  createRateLimiter,
  createShutdown,
  formatJsonLines,
  fromRetryAfter,
  keyedSessions,
  parseJsonLines,
  rateLimit,
  taskScope,
  type JsonLine,
} from '../../src/index.js';
import { readJsonLines } from '../../src/node/index.js';

const allOf = <T>(source: Observable<T>) => lastValueFrom(source.pipe(toArray()));

/** Lines with which strangers try to reach the prototype of everything. */
const hostile = [
  '{"__proto__":{"isAdmin":true}}',
  '{"constructor":{"prototype":{"isAdmin":true}}}',
  '{"a":{"__proto__":{"isAdmin":true}},"prototype":{"isAdmin":true}}',
  '[{"__proto__":{"isAdmin":true,"length":7}}]',
  '{"__proto__":null,"hasOwnProperty":1,"toString":2,"then":3}',
  '{"\\u005f_proto__":{"isAdmin":true}}',
];

/** Each prototype that a line could reach, with all that it has. */
const prototypes = [Object, Function, Array, String, Number, Boolean, Map, Promise, Error].map(
  ({ prototype }) => prototype as object,
);
const shapeOf = (prototype: object) => JSON.stringify(Reflect.ownKeys(prototype).map(String));
let shapes: string[];
beforeEach(() => {
  shapes = prototypes.map(shapeOf);
});
afterEach(() => {
  expect(prototypes.map(shapeOf)).toEqual(shapes);
  expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
});

it('a polluted prototype would be seen', () => {
  Object.defineProperty(Object.prototype, 'isAdmin', { value: true, configurable: true });
  const seen = shapeOf(Object.prototype);
  delete (Object.prototype as { isAdmin?: boolean }).isAdmin;
  expect(seen).not.toBe(shapes[0]);
});

describe('JSON lines of strangers', () => {
  /** As `JSON.parse` gives it: a property of the object's own, and the prototype that every object has. */
  function expectOwn(values: unknown[]): void {
    expect(values.map((value) => JSON.stringify(value))).toEqual(
      hostile.map((line) => JSON.stringify(JSON.parse(line))),
    );
    const [first, second] = values as [object, object];
    expect(Object.getOwnPropertyDescriptor(first, '__proto__')).toEqual({
      ...{ value: { isAdmin: true }, writable: true, enumerable: true, configurable: true },
    });
    expect((first as { isAdmin?: boolean }).isAdmin).toBeUndefined();
    expect(Object.getPrototypeOf(first)).toBe(Object.prototype);
    expect(Object.hasOwn(second, 'constructor')).toBe(true);
    expect(values.slice(0, 3).map((value) => Object.getPrototypeOf(value) as unknown)).toEqual(
      Array.from({ length: 3 }, () => Object.prototype),
    );
  }
  const text = `${hostile.join('\n')}\n`;

  it('parseJsonLines makes own properties of `__proto__`', async () => {
    expectOwn(await allOf(of(text).pipe(parseJsonLines())));
    expectOwn(await allOf(from(Array.from(text)).pipe(parseJsonLines())));
    expectOwn(await allOf(of(new TextEncoder().encode(text)).pipe(parseJsonLines())));
  });

  it('and so it does with a reviver, and with lines as they are emitted', async () => {
    const keys = new Set<string>();
    const reviver = (key: string, value: unknown) => (keys.add(key), value);
    expectOwn(await allOf(of(text).pipe(parseJsonLines({ reviver }))));
    expect(keys).toContain('__proto__');
    const lines: JsonLine<unknown>[] = await allOf(of(text).pipe(parseJsonLines({ onError: 'emit' })));
    expectOwn(lines.map(({ value }) => value));
    expect(lines.map((line) => Object.keys(line))).toEqual(lines.map(() => Object.keys(lines[0] as object)));
  });

  it('formatJsonLines writes them as they came', async () => {
    const written = await allOf(of(text).pipe(parseJsonLines(), formatJsonLines()));
    expect(await allOf(from(written).pipe(parseJsonLines(), toArray()))).toHaveLength(1);
    expectOwn(await allOf(from(written).pipe(parseJsonLines())));
  });

  it('readJsonLines does as parseJsonLines', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'prototypes-'));
    try {
      writeFileSync(join(folder, 'lines.jsonl'), text);
      expectOwn(await allOf(readJsonLines(join(folder, 'lines.jsonl'))));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('a line that is no JSON leaves nothing behind, either', async () => {
    const broken = hostile.map((line) => `${line}x`).join('\n');
    const lines = await allOf(of(broken).pipe(parseJsonLines({ onError: 'emit' })));
    expect(lines.map(({ ok, error }) => ok || error?.name)).toEqual(hostile.map(() => 'JsonLineError'));
  });

  it('the example keeps them, and adds the place', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'prototypes-'));
    try {
      const [input, out] = [join(folder, 'in.jsonl'), join(folder, 'out.jsonl')];
      const paris = '"lat":48.85341,"lng":2.3488';
      const lines = [
        `{"__proto__":{"isAdmin":true},${paris}}`,
        `{"constructor":{"prototype":{"isAdmin":true}},${paris}}`,
        `{"__proto__":{${paris}}}`, // inherits nothing: it has no coordinates
      ];
      writeFileSync(input, lines.join('\n'));
      const program = 'examples/dist/pipeline/main.js';
      await promisify(execFile)(process.execPath, [program, input, '--out', out, '--failures', '0'], {
        timeout: 60_000,
      });

      const written = readFileSync(out, 'utf8').trim().split('\n').sort();
      const places = written.map((line) => line.slice(line.indexOf(',"place":{"utm":"31U",')));
      expect(written).toEqual(lines.slice(0, 2).map((line, index) => line.slice(0, -1) + String(places[index])));
      const rejected = readFileSync(join(folder, 'out.rejected.jsonl'), 'utf8').trim().split('\n');
      expect(rejected.map((line) => (JSON.parse(line) as { line: number }).line)).toEqual([3]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }, 90_000);
});

describe('keys of strangers', () => {
  const keys = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', '', 'a'];
  const twice = [...keys, ...keys];

  it('keyedSessions has one session for each', async () => {
    const counted = from(twice).pipe(
      keyedSessions(
        (key) => key,
        ({ key, values }) =>
          values.pipe(
            count(),
            map((n) => [key, n] as const),
          ),
      ),
    );
    expect(new Map(await allOf(counted))).toEqual(new Map(keys.map((key) => [key, 2])));
  });

  it('bufferedMergeMap has a line for each', async () => {
    let most = 0;
    const running = new Map<string, number>();
    const work = async (key: string) => {
      running.set(key, (running.get(key) ?? 0) + 1);
      most = Math.max(most, running.get(key) ?? 0);
      await Promise.resolve();
      running.set(key, (running.get(key) ?? 0) - 1);
      return key;
    };
    const results = await allOf(from(twice).pipe(bufferedMergeMap(work, { concurrent: 16, key: (key) => key })));
    expect(results.sort()).toEqual([...twice].sort());
    expect(most).toBe(1);
  });

  it('rateLimit and createRateLimiter have a limit for each', async () => {
    const options = { limit: 1, interval: 1000 };
    const passed = from(twice).pipe(rateLimit({ ...options, mode: 'drop', key: (key) => key }));
    expect(await allOf(passed)).toEqual(keys);
    const limiter = createRateLimiter(options);
    expect(keys.map((key) => limiter.tryAcquire({ key }))).toEqual(keys.map(() => true));
    expect(keys.map((key) => limiter.tryAcquire({ key }))).toEqual(keys.map(() => false));
  });

  it('tasks and resources may be called so', async () => {
    const shutdown = createShutdown();
    for (const key of keys) shutdown.add(key, () => undefined);
    const { clean, resources } = await shutdown.stop('end');
    expect(clean).toBe(true);
    expect(resources.map(({ name }) => name).sort()).toEqual([...keys].sort());
    const scope = taskScope();
    const tasks = keys.map((name) => scope.run(() => [name], { name }));
    await scope.join();
    expect(await Promise.all(tasks.map(({ result }) => result))).toEqual(keys);
  });
});

it('options and headers that were parsed from JSON are no way in', () => {
  const options = JSON.parse('{"limit":2,"interval":1000,"__proto__":{"isAdmin":true}}') as {
    limit: number;
    interval: number;
  };
  expect(createRateLimiter(options).tryAcquire()).toBe(true);
  const headers = JSON.parse('{"__proto__":"9","Retry-After":"3"}') as Record<string, string>;
  expect(fromRetryAfter({ headers })).toBe(3000);
});
